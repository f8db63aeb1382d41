"""The marts' SQL, checked without a database: every mistake at its place inside the YAML file."""

from __future__ import annotations

from pathlib import Path

import pytest

from framework.diagnostics import Severity
from framework.outputs.text import render_all
from framework.validation.validate import validate

SPECS = Path(__file__).parents[2] / "specs"


def mildly_wrong(path: Path) -> list[str]:
    """The warnings and errors of a spec."""
    return render_all(found for found in validate([path]).problems if found.severity is not Severity.HINT)


def problems_of(tmp_path: Path, *edits: tuple[str, str]) -> list[tuple[str, str, str]]:
    """What is wrong with specs/shop.yaml after ``edits``: rule, marked text of the file, message."""
    text = (SPECS / "shop.yaml").read_text(encoding="utf-8")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "shop.yaml"
    path.write_text(text, encoding="utf-8")
    lines = text.splitlines()
    found = []
    for problem in validate([path]).problems:
        line, start = lines[problem.position.line - 1], problem.position.column - 1
        found.append((problem.rule, line[start : start + problem.length], problem.message + problem.suggestion))
    return found


def test_the_shipped_specs_are_right() -> None:
    assert validate([SPECS]).problems == ()


@pytest.mark.parametrize(
    ("edit", "rule", "marked", "said"),
    [
        (("o.customer_id) AS buyers", "o.customerid) AS buyers"), "sql-unknown-column", "o.customerid", "customer_id"),
        (("FROM products p", "FROM product p"), "sql-unknown-table", "product", "did you mean 'products'"),
        (("GROUP BY category\n", "GROUP BYE category\n"), "sql-syntax", "BYE", "cannot be read"),
        (("- unique: [day]", "- unique: [dai]"), "unknown-column", "dai", "did you mean 'day'"),
        (("{partition: day}", "{partition: month}"), "unknown-column", "month", "no column 'month'"),
        (("GROUP BY DATE(o.created_at)", "GROUP BY o.status"), "mart-partition", "o.status", "must be among GROUP BY"),
        (("empty: SELECT 1", "empty: SELEC 1"), "sql-syntax", "1", "cannot be read"),
        (("FROM product_sales\n", "FROM best_categories\n"), "mart-circle", "best_categories", "reads itself"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_mistakes_in_sql(tmp_path: Path, edit: tuple[str, str], rule: str, marked: str, said: str) -> None:
    found = [one for one in problems_of(tmp_path, edit) if one[0] != "sql-not-grouped"]
    assert len(found) == 1, found
    assert found[0][0] == rule
    assert found[0][1] in (marked, marked.partition(".")[2]), found
    assert said in found[0][2]


def test_a_check_of_a_copy_names_tables_that_exist(tmp_path: Path) -> None:
    rules = problems_of(
        tmp_path,
        ("- accepted: {status", "- empty: SELECT 1 FROM fact_order\n      - accepted: {status"),
    )
    assert [(rule, marked) for rule, marked, _ in rules] == [("sql-unknown-table", "fact_order")]


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    found = problems_of(
        tmp_path,
        ("FROM products p", "FROM product p"),
        ("- unique: [day]", "- unique: [dai]"),
        ("not_null: [email, country]", "not_null: [e_mail]"),
    )
    assert [rule for rule, _, _ in found] == ["unknown-column", "unknown-column", "sql-unknown-table"]


def test_the_documented_spec_is_right(tmp_path: Path) -> None:
    text = (SPECS.parent / "docs" / "spec.md").read_text(encoding="utf-8")
    path = tmp_path / "library.yaml"
    path.write_text(text.partition("```yaml\n")[2].partition("```")[0], encoding="utf-8")
    assert mildly_wrong(path) == []


def test_the_readme_begins_with_a_right_spec(tmp_path: Path) -> None:
    for name in ("README.md", "README.ru.md"):
        text = (SPECS.parent / name).read_text(encoding="utf-8")
        path = tmp_path / f"{name}.yaml"
        path.write_text(text.partition("```yaml\n")[2].partition("```")[0], encoding="utf-8")
        assert mildly_wrong(path) == []

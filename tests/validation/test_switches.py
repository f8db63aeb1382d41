"""Problems that authors chose not to hear of."""

from __future__ import annotations

from pathlib import Path

import pytest

from framework.errors import SpecInvalid, UsageError
from framework.validation.validate import load_sound, validate

HEAD = "version: 1\npipeline: p\nsource: s\ntarget: t\n"


def told(directory: Path, *named: str) -> list[tuple[str, int]]:
    """Rule and line of every problem."""
    paths = [directory / name for name in named] or [directory]
    return [(problem.rule, problem.position.line) for problem in validate(paths, {}).problems]


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("replicate:\n  orders:\n", [("undeclared-table", 6)]),
        ("replicate:\n  orders:  # vitrina: ignore[undeclared-table] it is somebody else's\n", []),
        ("replicate:\n  # vitrina: ignore[undeclared-table] it is somebody else's\n  orders:\n", []),
        ("replicate:\n  # vitrina: ignore[undeclared-table] why\n\n  orders:\n", []),
        ("replicate:\n  orders:  # see #5, vitrina: ignore[undeclared-table] why\n", [("undeclared-table", 6)]),
        ("replicate:\n  orders:  # vitrina: ignore[undeclared-table]\n", [("undeclared-table", 6), ("bad-switch", 6)]),
        ("replicate:\n  orders:  # vitrina: ignore why\n", [("undeclared-table", 6), ("bad-switch", 6)]),
        ("replicate:\n  orders:  # vitrina: ignore[undeclaredtable] x\n", [("undeclared-table", 6), ("bad-switch", 6)]),
        ("# vitrina: ignore[undeclared-table] why\ndescription: x\n", [("unused-switch", 5)]),
        ("replicate:\n  orders:  # vitrina: ignore[undeclared-table, secret] why\n", [("unused-switch", 6)]),
        ("description: 'no # vitrina: ignore[secret] here'\n", []),
        ("description: |\n  # vitrina: ignore[secret] here\n", []),
        ('x-a: 1  # vitrina: ignore[secret] why\nx-b: "\\UFFFFFFFF"\n', [("unused-switch", 5), ("yaml-syntax", 6)]),
        ("locale: xx  # vitrina: ignore[bad-schedule] why\n", [("unused-switch", 5)]),
    ],
)
def test_comments(tmp_path: Path, text: str, expected: list[tuple[str, int]]):
    write(tmp_path / "a.yaml", HEAD + text)
    assert told(tmp_path) == expected


SQL = """\
entities:
  orders:
    columns: {id: {type: bigint, primary_key: true}, state: {type: varchar(9)}}
replicate:
  orders:
marts:
  m:
    query: |%s
      SELECT id,
        MARGIN(state) AS margin %s
      FROM orders
"""


@pytest.mark.parametrize(
    ("beside_the_key", "within", "expected"),
    [
        ("", "", [("sql-unknown-function", 14)]),
        ("", "-- vitrina: ignore[sql-unknown-function] a stored function", []),
        ("  # vitrina: ignore[sql-unknown-function] a stored function", "", []),
        ("", "# vitrina: ignore[sql-unknown-function] this is SQL", [("sql-unknown-function", 14)]),
    ],
)
def test_switches_in_sql(tmp_path: Path, beside_the_key: str, within: str, expected: list[tuple[str, int]]):
    path = write(tmp_path / "a.yaml", HEAD + SQL % (beside_the_key, within))
    assert told(tmp_path) == expected
    if expected:
        with pytest.raises(SpecInvalid):
            load_sound(path, {})
    else:
        load_sound(path, {})


def test_an_error_that_the_spec_cannot_run_with_stays(tmp_path: Path):
    path = write(tmp_path / "a.yaml", HEAD + "timezone: Mars  # vitrina: ignore[unknown-timezone] I live there\n")
    assert told(tmp_path) == [("unknown-timezone", 5), ("switch-for-error", 5)]
    with pytest.raises(SpecInvalid):
        load_sound(path, {})


PROJECT = """\
[project]
name = "x"

[[tool.vitrina.ignore]]
rule = "{rule}"
files = ["{files}"]
reason = "{reason}"
"""


def test_a_project_switches_a_rule_off_for_some_files(tmp_path: Path):
    for name in ("old/a", "old/deep/b", "new/c"):
        text = HEAD.replace("pipeline: p", f"pipeline: {name[-1]}") + f"replicate:\n  orders_{name[-1]}:\n"
        write(tmp_path / f"{name}.yaml", text)
    write(tmp_path / "pyproject.toml", PROJECT.format(rule="undeclared-table", files="old/**/*.yaml", reason="later"))
    report = validate([tmp_path], {})
    assert [(problem.rule, problem.path.name) for problem in report.problems] == [("undeclared-table", "c.yaml")]
    assert report.switched_off == 2
    # A part of the files does not tell whether the switch is needed by the others.
    write(tmp_path / "old" / "a.yaml", HEAD)
    assert told(tmp_path, "old/a.yaml") == []


@pytest.mark.parametrize(
    ("rule", "files", "expected"),
    [
        ("undeclared-tables", "*.yaml", "bad-switch"),
        ("secret", "*.yaml", "unused-switch"),
        ("secret", "nothing/*.yaml", "unused-switch"),
    ],
)
def test_useless_switches_of_a_project(tmp_path: Path, rule: str, files: str, expected: str):
    write(tmp_path / "a.yaml", HEAD)
    write(tmp_path / "pyproject.toml", PROJECT.format(rule=rule, files=files, reason="why"))
    (problem,) = validate([tmp_path], {}).problems
    assert (problem.rule, problem.path.name, problem.position.line) == (expected, "pyproject.toml", 4)


@pytest.mark.parametrize(
    "text",
    [
        "[tool.vitrina\n",
        "[tool.vitrina]\nignore = 5\n",
        "[[tool.vitrina.ignore]]\nrule = 'x'\n",
        "[tool.vitrina]\nx = 1\n",
    ],
)
def test_a_project_file_that_is_not_right(tmp_path: Path, text: str):
    write(tmp_path / "a.yaml", HEAD)
    write(tmp_path / "pyproject.toml", text)
    with pytest.raises(UsageError, match=r"pyproject\.toml"):
        validate([tmp_path], {})


def test_a_project_without_settings(tmp_path: Path):
    write(tmp_path / "specs" / "a.yaml", HEAD)
    write(tmp_path / "pyproject.toml", "[project]\nname = 'x'\n")
    assert told(tmp_path / "specs") == []

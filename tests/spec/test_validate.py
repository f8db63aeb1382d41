"""Files checked together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from framework.errors import UsageError
from framework.spec.checks import Finding, Rule
from framework.spec.checks.expressions import FUNCTIONS, expression_names, template_names
from framework.spec.models import Spec
from framework.spec.validate import load_checked, validate

SPEC = "version: 1\npipeline: {name}\nsource: pg\ntarget: my\n"
CONNECTIONS = "environments: {default: {pg: {url: embedded:postgres}, my: {url: embedded:duckdb}}}\n"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def rules(*paths: Path, environ: dict[str, str] | None = None) -> list[str]:
    return [problem.rule for problem in validate(paths, environ or {}).problems]


def test_directories_are_searched(tmp_path: Path):
    write(tmp_path / "a.yaml", SPEC.format(name="a"))
    write(tmp_path / "deep" / "er" / "b.yml", SPEC.format(name="b"))
    write(tmp_path / "notes.txt", "no spec")
    write(tmp_path / ".hidden" / "c.yaml", "no spec either")
    report = validate([tmp_path], {})
    assert (report.files, report.problems) == (2, ())


def test_a_file_named_twice_is_read_once(tmp_path: Path):
    path = write(tmp_path / "a.yaml", SPEC.format(name="a"))
    assert validate([path, tmp_path, path], {}).files == 1


def test_problems_of_all_files_in_order(tmp_path: Path):
    write(tmp_path / "a.yaml", SPEC.format(name="a") + "seed: x\nowner: 5\n")
    write(tmp_path / "b.yaml", "a: b: c")
    report = validate([tmp_path], {})
    places = [(problem.path.name, problem.position.line) for problem in report.problems]
    assert places == [("a.yaml", 5), ("a.yaml", 6), ("b.yaml", 1)]
    assert report.rendered()[0].splitlines()[:3] == [
        f"{tmp_path}/a.yaml:5:7: wrong-type: a whole number is needed here, not 'x'",
        "    seed: x",
        "          ^",
    ]


@pytest.mark.parametrize("make", [False, True])
def test_nothing_to_check(tmp_path: Path, make: bool):
    path = tmp_path / "specs"
    if make:
        path.mkdir()
    with pytest.raises(UsageError):
        validate([path], {})


def test_pipelines_have_different_names(tmp_path: Path):
    write(tmp_path / "a.yaml", SPEC.format(name="same"))
    write(tmp_path / "b.yaml", SPEC.format(name="same"))
    (problem,) = validate([tmp_path], {}).problems
    assert (problem.rule, problem.path.name, problem.position.line) == ("same-pipeline", "b.yaml", 2)
    assert "a.yaml" in problem.message


def test_connections_beside_a_spec(tmp_path: Path):
    spec = write(tmp_path / "a.yaml", SPEC.format(name="a").replace("my", "mi"))
    assert rules(spec) == []
    write(tmp_path / "connections.yaml", CONNECTIONS)
    assert rules(spec) == ["unknown-connection"]
    assert rules(spec, environ={"VITRINA_CONN_MI": "embedded:duckdb"}) == []
    assert rules(tmp_path) == ["unknown-connection"]


def test_a_connections_file_is_checked_as_such(tmp_path: Path):
    write(tmp_path / "connections.yaml", CONNECTIONS.replace("embedded:duckdb", "sqlite:///x"))
    assert rules(tmp_path) == ["bad-url"]
    write(tmp_path / "connections.yaml", CONNECTIONS.replace("embedded:duckdb", "'${NOT_SET}'"))
    assert rules(tmp_path) == []


def test_load_checked(tmp_path: Path):
    spec, problems = load_checked(write(tmp_path / "a.yaml", SPEC.format(name="a")), {})
    assert spec is not None
    assert problems == ()
    spec, problems = load_checked(write(tmp_path / "b.yaml", SPEC.format(name="b") + "timezone: Mars\n"), {})
    assert [problem.rule for problem in problems] == ["unknown-timezone"]


def test_further_rules(tmp_path: Path):
    def no_owner(spec: Spec) -> Iterator[Finding]:
        if spec.owner is None:
            yield Finding(("owner",), "nobody owns it", "add `owner:`")

    path = write(tmp_path / "a.yaml", SPEC.format(name="a"))
    (problem,) = validate([path], {}, more=[Rule("no-owner", no_owner)]).problems
    assert (problem.rule, problem.position.line) == ("no-owner", 1)


def test_expressions():
    text = "round(-price * (quantity + 1.5) / 2, 2) // max(a, b) % min(1, c)"
    assert sorted(expression_names(text)) == ["a", "b", "c", "price", "quantity"]
    assert expression_names(" a\n + b ") == ("a", "b")
    for function in FUNCTIONS:
        assert expression_names(f"{function}(x)") == ("x",)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a b",
        "a if b else c",
        "a.b",
        "a[0]",
        "'x'",
        "a == b",
        "not a",
        "a ** 2",
        "f(a)",
        "round()",
        "max(*a)",
        "1j",
        "True",
        "lambda: 1",
        "a := 1",
        "(a, b)",
        "[a]",
        "a\x00",
        "(" * 500 + "a" + ")" * 500,
        "-" * 900 + "a",
        "a + " * 200 + "a",
    ],
)
def test_no_expressions(text: str):
    with pytest.raises(ValueError):
        expression_names(text)


def test_templates():
    assert template_names("{first}-{last}, {{literal}}") == ("first", "last")
    for text in ("{", "}", "{a", "{a:5}", "{a!r}"):
        with pytest.raises(ValueError):
            template_names(text)


def test_pipelines_that_wait_for_each_other_are_told(tmp_path: Path):
    waits = {"a": ["b"], "b": ["elsewhere", "c"], "c": ["a"], "d": ["a"], "e": ["e"]}
    for name, after in waits.items():
        text = f"version: 1\npipeline: {name}\nsource: s\ntarget: t\nafter: [{', '.join(after)}]\n"
        (tmp_path / f"{name}.yaml").write_text(text)
    found = [(p.path.name, p.position.column, p.rule, p.message) for p in validate([tmp_path], {}).problems]
    sentence = "these pipelines wait for each other: "
    assert sorted(found) == [
        ("a.yaml", 9, "after-circle", sentence + "a -> b -> c -> a"),
        ("b.yaml", 20, "after-circle", sentence + "b -> c -> a -> b"),
        ("c.yaml", 9, "after-circle", sentence + "c -> a -> b -> c"),
        ("e.yaml", 9, "after-itself", "'e' would wait for itself"),
    ]


def test_many_pipelines_in_a_row_are_no_circle(tmp_path: Path):
    for number in range(60):
        after = f"after: [{', '.join(f'p{n}' for n in range(number))}]\n" if number else ""
        text = f"version: 1\npipeline: p{number}\nsource: s\ntarget: t\n{after}"
        (tmp_path / f"p{number:02}.yaml").write_text(text)
    assert validate([tmp_path], {}).problems == ()

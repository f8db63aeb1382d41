"""Files checked together."""

from __future__ import annotations

from pathlib import Path

import pytest

from framework.errors import SpecInvalid, UsageError
from framework.outputs.text import render_all
from framework.validation.rules.expressions import FUNCTIONS, expression_names, template_names
from framework.validation.validate import load_sound, validate

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
    assert [file.name for file in report.files] == ["a.yaml", "b.yml"]
    assert report.problems == ()


def test_a_file_named_twice_is_read_once(tmp_path: Path):
    path = write(tmp_path / "a.yaml", SPEC.format(name="a"))
    assert validate([path, tmp_path, path], {}).files == (path,)


def test_problems_of_all_files_in_order(tmp_path: Path):
    write(tmp_path / "a.yaml", SPEC.format(name="a") + "seed: x\nowner: 5\n")
    write(tmp_path / "b.yaml", "a: b: c")
    report = validate([tmp_path], {})
    places = [(problem.path.name, problem.position.line) for problem in report.problems]
    assert places == [("a.yaml", 5), ("a.yaml", 6), ("b.yaml", 1)]
    assert render_all(report.problems)[0].splitlines()[:3] == [
        f"{tmp_path}/a.yaml:5:7: error: a whole number is needed here, not 'x' [wrong-type]",
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


def test_a_sound_spec_is_loaded_and_another_one_is_not(tmp_path: Path):
    assert load_sound(write(tmp_path / "a.yaml", SPEC.format(name="a")), {}).pipeline == "a"
    with pytest.raises(SpecInvalid) as caught:
        load_sound(write(tmp_path / "b.yaml", SPEC.format(name="b") + "timezone: Mars\n"), {})
    assert [problem.rule for problem in caught.value.problems] == ["unknown-timezone"]


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
    unknown = (
        "b.yaml",
        9,
        "unknown-after",
        "no spec here is the pipeline 'elsewhere'; without it, this one never runs",
    )
    assert sorted(found) == [
        ("a.yaml", 9, "after-circle", sentence + "a -> b -> c -> a"),
        unknown,
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

"""One mistake hides no other, and nothing is called missing that only stands beside a mistake."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework.diagnostics import only_errors
from framework.spec.load import parse_spec
from framework.validation.check import check
from framework.validation.rules import RULES
from framework.validation.validate import validate
from tests.validation.fixtures import SEMANTIC, VALID

PATH = Path("spec.yaml")
SPEC = """\
version: 1
pipeline: p
source: s
target: t
entities:
  customers:
    columns:
      id: {type: bigint, primary_key: true}
      name: {type: varchar(40)}
  orders:
    rows: 20
    columns:
      id: {type: bigint, primary_key: true, fake: sequence}
      state: {type: varchar(3), fake: {choice: [new, paid]}}
replicate:
  orders:
    only: [id, stat]
"""


def rules(text: str) -> list[tuple[str, int]]:
    loaded = parse_spec(text, PATH, {})
    problems = [*loaded.problems, *(found for found in check(loaded, RULES) if found.severity == "error")]
    return sorted((problem.rule, problem.position.line) for problem in problems)


MEANING = [("unknown-column", 17), ("value-type", 14)]


@pytest.mark.parametrize(
    ("old", "new", "structure"),
    [
        ("target: t\n", "target: t\nlokale: x\n", [("unknown-key", 5)]),
        ("pipeline: p\n", "pipeline: My-Pipe\n", [("wrong-form", 2)]),
        ("    rows: 20\n", "    rows: many\n", [("wrong-type", 11)]),
        ("{type: varchar(40)}", "{type: varchar(40), indx: true}", [("unknown-key", 9)]),
        ("{type: varchar(40)}", "{tipe: varchar(40)}", [("unknown-key", 9)]),
        ("{type: varchar(40)}", "{type: varchar(40), index: maybe}", [("wrong-type", 9)]),
        ("version: 1\n", "", [("missing-key", 1)]),
    ],
)
def test_a_wrong_structure_does_not_hide_wrong_meaning(old: str, new: str, structure: list[tuple[str, int]]):
    assert rules(SPEC) == MEANING
    shift = new.count("\n") - old.count("\n")
    expected = [(rule, line + shift) for rule, line in MEANING]
    assert rules(SPEC.replace(old, new, 1)) == sorted([*structure, *expected])


@pytest.mark.parametrize(
    ("old", "new", "syntax"),
    [
        ("      name: {type: varchar(40)}\n", "      name: {type: varchar(40)\n", 9),
        ("      name: {type: varchar(40)}\n", "      name: 'varchar\n", 9),
        ("      name: {type: varchar(40)}\n", "     name: {type: varchar(40)}\n", 9),
        ("source: s\n", "source: a: b\n", 3),
        ("source: s\n", "source: @s\n", 3),
    ],
)
def test_a_syntax_error_does_not_hide_the_rest_of_the_file(old: str, new: str, syntax: int):
    assert rules(SPEC.replace(old, new, 1)) == sorted([("yaml-syntax", syntax), *MEANING])


def test_two_syntax_errors():
    text = SPEC.replace("name: {type", "name: [type", 1).replace("source: s", "source: 's", 1)
    assert rules(text) == sorted([("yaml-syntax", 3), ("yaml-syntax", 9), *MEANING])


def test_a_broken_file_does_not_hide_another(tmp_path: Path):
    (tmp_path / "a.yaml").write_text("a: b: c\n")
    (tmp_path / "b.yaml").write_text(SPEC)
    found = {(problem.path.name, problem.rule) for problem in only_errors(validate([tmp_path], {}).problems)}
    assert found >= {("a.yaml", "yaml-syntax"), ("b.yaml", "unknown-column"), ("b.yaml", "value-type")}


RIGHT = [path.read_text(encoding="utf-8") for path in VALID]
BROKEN = [path.read_text(encoding="utf-8") for path in SEMANTIC]
WRONG_VALUES = st.sampled_from(["[]", "{}", "{nope: 1}", "[[x]]", "-1", "maybe", "5 %", "'", "a: b"])


@settings(max_examples=800, deadline=None)
@given(st.sampled_from(RIGHT), st.integers(0, 2**32), WRONG_VALUES)
def test_one_wrong_value_in_a_right_spec_is_the_only_mistake(text: str, seed: int, value: str):
    """Whatever is told beside the structure stands where the edit was made, or is no error at all."""
    lines = text.split("\n")
    places = [place for place, line in enumerate(lines) if ": " in line and not line.lstrip().startswith("#")]
    place = random.Random(seed).choice(places)
    lines[place] = lines[place].partition(": ")[0] + f": {value}"
    loaded = parse_spec("\n".join(lines), PATH, {"A": "1"})
    if loaded.spec is None:
        assert [found.message for found in only_errors(check(loaded, RULES))] == []


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(BROKEN))
def test_an_unknown_key_hides_nothing(text: str):
    whole = parse_spec(text, PATH, {})
    if whole.spec is not None:
        beside = parse_spec(text + "\nno_such_key: 1\n", PATH, {})
        expected = {(found.rule, found.position) for found in only_errors(check(whole, RULES))}
        assert {(found.rule, found.position) for found in check(beside, RULES)} >= expected

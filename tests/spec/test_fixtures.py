"""Specs from files: the right ones load, each wrong one has exactly the problems of its golden file."""

from __future__ import annotations

from pathlib import Path

import pytest

from framework.diagnostics import render
from framework.spec.checks import RULES
from framework.spec.load import load_spec
from framework.spec.validate import check, load_checked, render_all, validate
from tests.spec.fixtures import INVALID, SEMANTIC, VALID, assert_golden, name


@pytest.mark.parametrize("path", VALID, ids=name)
def test_valid(path: Path):
    spec, problems = load_checked(path, {})
    assert problems == ()
    assert spec is not None


@pytest.mark.parametrize("path", INVALID, ids=name)
def test_invalid(path: Path):
    loaded = load_spec(path, {})
    assert loaded.spec is None
    assert loaded.problems
    assert_golden(path, [render(problem, loaded.lines) for problem in loaded.problems])


@pytest.mark.parametrize("path", SEMANTIC, ids=name)
def test_semantic(path: Path):
    loaded = load_spec(path, {})
    assert loaded.spec is not None
    problems = check(loaded)
    assert problems
    assert_golden(path, render_all(problems))


@pytest.mark.parametrize("path", [*INVALID, *SEMANTIC], ids=name)
def test_positions_are_inside_the_file(path: Path):
    loaded = load_spec(path, {})
    for problem in (*loaded.problems, *check(loaded)):
        line, column = problem.position.line, problem.position.column
        assert 1 <= line <= len(loaded.lines)
        assert 1 <= column <= len(loaded.lines[line - 1]) + 1


def test_every_rule_is_shown_by_a_fixture():
    specs = [load_spec(path, {}).spec for path in SEMANTIC]
    silent = [rule for rule in RULES if not any(spec and list(rule.find(spec)) for spec in specs)]
    assert silent == []


def test_there_are_enough_fixtures():
    assert len(VALID) >= 12
    assert len(INVALID) >= 40
    assert len(SEMANTIC) >= 30


def test_shipped_specs_have_no_problems():
    report = validate([Path(__file__).parents[2] / "specs"], {})
    assert report.rendered() == []
    assert report.files >= 3

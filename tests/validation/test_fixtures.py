"""Specs from files: the right ones load, each wrong one has exactly the problems of its golden file."""

from __future__ import annotations

from pathlib import Path

import pytest

from framework.diagnostics import only_errors
from framework.outputs.text import render_all
from framework.spec.load import load_spec
from framework.validation.check import check
from framework.validation.rules import RULES
from framework.validation.stories import stories
from framework.validation.validate import validate
from tests.validation.fixtures import INVALID, SEMANTIC, VALID, assert_golden, name


@pytest.mark.parametrize("path", VALID, ids=name)
def test_valid(path: Path):
    assert render_all(only_errors(validate([path], {}).problems)) == []


@pytest.mark.parametrize("path", INVALID, ids=name)
def test_invalid(path: Path):
    loaded = load_spec(path, {})
    assert loaded.spec is None
    assert loaded.problems
    assert_golden(path, render_all(loaded.problems))


@pytest.mark.parametrize("path", SEMANTIC, ids=name)
def test_semantic(path: Path):
    loaded = load_spec(path, {})
    assert loaded.spec is not None
    problems = check(loaded, RULES)
    assert problems
    assert_golden(path, render_all(problems))


@pytest.mark.parametrize("path", [*INVALID, *SEMANTIC], ids=name)
def test_positions_are_inside_the_file(path: Path):
    loaded = load_spec(path, {})
    for problem in (*loaded.problems, *check(loaded, RULES)):
        line, column = problem.position.line, problem.position.column
        assert 1 <= line <= len(loaded.lines)
        assert 1 <= column <= len(loaded.lines[line - 1]) + 1


def test_every_rule_finds_something(tmp_path: Path):
    """In a fixture, or in the bad example of a story."""
    paths = [*SEMANTIC]
    for story in stories().values():
        if "spec.yaml" in story.bad:
            paths.append(tmp_path / f"{story.id}.yaml")
            paths[-1].write_text(story.bad["spec.yaml"], encoding="utf-8")
    specs = [spec for path in paths if (spec := load_spec(path, {}).spec) is not None]
    assert [rule for rule in RULES if not any(list(rule.find(spec)) for spec in specs)] == []


def test_there_are_enough_fixtures():
    assert len(VALID) >= 12
    assert len(INVALID) >= 40
    assert len(SEMANTIC) >= 30


def test_shipped_specs_have_no_problems():
    report = validate([Path(__file__).parents[2] / "specs"], {})
    assert render_all(report.problems) == []
    assert len(report.files) >= 3

"""Every rule is told by a story, whose bad example breaks it and whose good one breaks none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from framework.diagnostics import Problem, Severity
from framework.outputs.text import render_all
from framework.validation.rules import RULES
from framework.validation.stories import DIRECTORY, PREAMBLE, Story, page, stories
from framework.validation.validate import validate
from tests.validation.fixtures import STORIES, assert_golden_text

ROOT = Path(__file__).parents[2]
SHOWN = [story for story in stories().values() if story.bad]
UNSEEN = {"not-utf8", "bad-character", "too-large", "too-deep", "empty-file"}
"""Rules that no page can show; the fixtures do."""
ASKED = {story.id for story in stories().values() if story.family == "Databases"}
"""Rules about live databases; their tests are in tests/test_doctor.py."""
GROUPS = {"mart", "copy-check"}
"""What finds problems of several rules."""


def problems_of(files: dict[str, str], directory: Path) -> tuple[Problem, ...]:
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return validate([directory], {}).problems


@pytest.mark.parametrize("story", SHOWN, ids=lambda story: story.id)
def test_the_bad_example(story: Story, tmp_path: Path):
    problems = problems_of(story.bad, tmp_path)
    own = [problem for problem in problems if problem.rule == story.id]
    assert own
    assert {problem.severity for problem in own} == {story.severity}
    assert_golden_text(STORIES / f"{story.id}.txt", "\n\n".join(render_all(problems)).replace(f"{tmp_path}/", ""))


@pytest.mark.parametrize("story", SHOWN, ids=lambda story: story.id)
def test_the_good_example(story: Story, tmp_path: Path):
    problems = problems_of(story.good, tmp_path)
    assert render_all(problem for problem in problems if problem.severity is not Severity.HINT) == []
    assert all(problem.rule != story.id for problem in problems)


def test_every_rule_has_a_story():
    assert {rule.id for rule in RULES} - GROUPS <= stories().keys()
    assert len(stories()) >= 60


def test_every_story_has_examples():
    assert {story.id for story in stories().values() if not story.bad} == UNSEEN | ASKED


def test_no_golden_file_is_left_over():
    assert {path.stem for path in STORIES.glob("*.txt")} == {story.id for story in SHOWN}


@pytest.mark.parametrize("story", stories().values(), ids=lambda story: story.id)
def test_a_story_reads_well(story: Story):
    assert 10 < len(story.summary) < 110
    assert story.summary[0].isupper() or story.summary[0] == "`"
    assert PREAMBLE not in story.text
    assert all(len(line) <= 120 for line in story.text.splitlines())


def test_families_are_files():
    assert sum(path.read_text(encoding="utf-8").count("\n## ") for path in DIRECTORY.glob("*.md")) == len(stories())


def test_the_page_is_up_to_date():
    told = subprocess.run([sys.executable, "-m", "framework.validation.stories"], capture_output=True, check=True)
    assert told.stdout.decode() == page() == (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")

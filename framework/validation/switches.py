"""Problems that authors chose not to hear of: by a comment in the spec, or in pyproject.toml, each with a reason.

A comment ``# vitrina: ignore[rule] reason`` holds for its line, for the next one where it stands alone, and for the
whole text where a text begins on that line. Within SQL it is written ``-- vitrina: ignore[rule] reason``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from framework.diagnostics import Position, Problem, Severity
from framework.spec.document import Document
from framework.validation import project
from framework.validation.stories import closest_rule, rule_ids

_COMMENT = re.compile(r"(?P<lead>#|--)\s*vitrina:\s*ignore\b(?:\[(?P<rules>[^\]]*)\])?(?P<reason>.*)")
JUDGED = frozenset(
    {
        *("sql-unknown-table", "sql-unknown-column", "sql-ambiguous-column", "sql-unknown-function"),
        *("sql-not-grouped", "sql-type", "source-sql-syntax"),
    }
)
"""Errors that may be switched off: the database has the last word on them, and the spec can run if they are not so."""


@dataclass
class Switch:
    """One rule, switched off in one place.

    Attributes:
        lines: where it holds.
        used: whether it kept a problem back, or would have.
        refused: whether it would have kept back an error that the spec cannot run with.
    """

    path: Path
    position: Position
    length: int
    rule: str
    lines: frozenset[int]
    reason: str
    used: bool = False
    refused: bool = False

    def is_meant_for(self, problem: Problem) -> bool:
        return bool(self.reason) and problem.rule == self.rule and problem.position.line in self.lines

    def problem(self, rule: str, message: str, suggestion: str) -> Problem:
        return Problem(self.path, self.position, rule, message, suggestion, self.length, Severity.WARNING)


def may_be_switched_off(problem: Problem) -> bool:
    """Whether a spec could run with the problem."""
    return problem.severity is not Severity.ERROR or problem.rule in JUDGED


@dataclass
class Switches:
    """All switches of the files of a run."""

    _of_files: dict[Path, list[Switch]] = field(default_factory=dict)
    _projects: project.Projects = field(default_factory=project.Projects)

    def read(self, document: Document) -> None:
        """Learn the switches that hold for a file."""
        self._of_files[document.path] = list(_in_comments(document))

    def applied(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        """The problems that nobody switched off."""
        return tuple(problem for problem in problems if not self._is_off(problem))

    def problems(self, files: Sequence[Path]) -> Iterator[Problem]:
        """What is wrong with the switches themselves, once they were applied to the problems of ``files``."""
        for switches in self._of_files.values():
            for switch in switches:
                yield from self._problems_of(switch)
        yield from self._projects.unused(files)

    def _is_off(self, problem: Problem) -> bool:
        allowed = may_be_switched_off(problem)
        own = [switch for switch in self._of_files.get(problem.path, ()) if switch.is_meant_for(problem)]
        for switch in own:
            switch.used = True
            switch.refused |= not allowed
        return (allowed and bool(own)) or self._projects.switch_off(problem, allowed=allowed)

    def _problems_of(self, switch: Switch) -> Iterator[Problem]:
        if not switch.rule:
            yield switch.problem(
                "bad-switch", "the comment does not say which rule", "write `vitrina: ignore[rule] reason`"
            )
        elif switch.rule not in rule_ids():
            message = f"there is no rule {switch.rule!r}"
            yield switch.problem("bad-switch", message, closest_rule(switch.rule))
        elif not switch.reason:
            message = f"{switch.rule!r} is switched off without a reason, so it stays on"
            yield switch.problem("bad-switch", message, f"write why: `vitrina: ignore[{switch.rule}] reason`")
        elif switch.refused:
            message = f"{switch.rule!r} is an error here and stays one"
            yield switch.problem("switch-for-error", message, "correct it: the spec cannot run as it is")
        elif not switch.used:
            yield switch.problem("unused-switch", f"nothing here breaks {switch.rule!r}", "remove it from the comment")


def _in_comments(document: Document) -> Iterator[Switch]:
    if not any("vitrina:" in line and _COMMENT.search(line) for line in document.lines):
        return
    texts = _texts(document)
    for number, line in enumerate(document.lines, start=1):
        match = _COMMENT.search(line)
        if match is None or not _is_comment(match, line, number, texts):
            continue
        lines = _lines_of(document, number, line, match, texts)
        place = Position(number, match.start() + 1)
        length = len(match[0].rstrip())
        reason = match["reason"].strip().lstrip(":-").strip()
        for rule in [name.strip() for name in (match["rules"] or "").split(",")]:
            yield Switch(document.path, place, length, rule, lines, reason)


@dataclass(frozen=True)
class _Text:
    """A value of the file: the line on which it is announced, and where its text begins and has ended."""

    line: int
    start: Position
    end: Position


def _texts(document: Document) -> list[_Text]:
    """The values of a file; what is within none of them may be a comment."""
    found: list[_Text] = []
    try:
        for token in yaml.scan("\n".join(document.lines), Loader=yaml.SafeLoader):
            if isinstance(token, yaml.ScalarToken):
                line, end = token.start_mark.line + 1, token.end_mark
                is_block = token.style in ("|", ">")
                start = Position(line + 1, 1) if is_block else Position(line, token.start_mark.column + 1)
                found.append(_Text(line, start, Position(end.line + 1, end.column + 1)))
    except (yaml.YAMLError, ValueError, OverflowError):
        pass  # what stands before the mistake is known; escapes of no character go through the scanner unchecked
    return found


def _is_comment(match: re.Match[str], line: str, number: int, texts: list[_Text]) -> bool:
    place = Position(number, match.start() + 1)
    within = any(text.start <= place < text.end for text in texts)
    if match["lead"] == "--":
        return within
    return not within and (match.start() == 0 or line[match.start() - 1].isspace())


def _lines_of(document: Document, number: int, line: str, match: re.Match[str], texts: list[_Text]) -> frozenset[int]:
    covered = number
    if not line[: match.start()].strip():
        behind = (n for n in range(number + 1, len(document.lines) + 1) if document.lines[n - 1].strip())
        covered = next(behind, number)
    lines = {number, covered}
    if match["lead"] == "#":
        for text in texts:
            if text.line == covered and text.end.line > text.line:
                lines |= set(range(text.line, text.end.line + (text.end.column > 1)))
    return frozenset(lines)

"""Problems as text: the place and the message, the source line, a caret under the value, the suggestion."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from framework.connections import mask
from framework.diagnostics import Position, Problem, Related, Severity, source_lines

_WIDTH = 120
"""Characters of a source line that are shown at most."""
Paint = Callable[[str, str], str]
_INDENT = "    "
_COLOURS = {Severity.ERROR: "1;31", Severity.WARNING: "1;33", Severity.HINT: "1;36"}
"""Of a terminal (ECMA-48, Select Graphic Rendition)."""


def render_all(problems: Iterable[Problem], *, colour: bool = False) -> list[str]:
    """Problems as text, each with its source line read from its file."""
    lines: dict[Path, tuple[str, ...]] = {}
    rendered = []
    for problem in problems:
        if problem.path not in lines:
            lines[problem.path] = source_lines(problem.path)
        rendered.append(render(problem, lines[problem.path], colour=colour))
    return rendered


def render(problem: Problem, lines: Sequence[str], *, colour: bool = False) -> str:
    """One problem as text. ``lines`` are those of its file. A password in the source line is masked."""
    paint = _painter(colour)
    severity = paint(_COLOURS[problem.severity], problem.severity.value)
    place = paint("1", _place(problem.path, problem.position))
    parts = [f"{place}: {severity}: {problem.message} {paint('2', f'[{problem.rule}]')}"]
    parts += _excerpt(problem, lines, paint, _COLOURS[problem.severity])
    for related in problem.related:
        parts.append(f"  {_place(related.path, related.position)}: {related.message}")
        if related.path == problem.path:
            parts += _excerpt(related, lines, paint, "34")
    if problem.suggestion:
        parts.append(f"  suggestion: {problem.suggestion}")
    return "\n".join(parts)


def _place(path: Path, position: Position) -> str:
    return f"{path}:{position.line}:{position.column}"


def _painter(colour: bool) -> Paint:
    return lambda code, text: f"\x1b[{code}m{text}\x1b[0m" if colour else text


def _excerpt(
    problem: Problem | Related, lines: Sequence[str], paint: Callable[[str, str], str], code: str
) -> list[str]:
    if problem.position.line > len(lines):
        return []
    line = lines[problem.position.line - 1]
    start = min(problem.position.column - 1, len(line))
    before, marked, after = line[:start], line[start : start + problem.length], line[start + problem.length :]
    if mask(line) != line:
        before, marked, after = mask(before), mask(marked), mask(after)
        if before + marked + after != mask(line):
            before, marked, after = "", mask(line), ""
    if not (before + marked + after).strip():
        return []
    before, marked, after = _cropped(before, marked, after)
    carets = "^" * max(1, _columns(marked))
    return [_INDENT + _shown(before + marked + after).rstrip(), _INDENT + _blank(before) + paint(code, carets)]


def _cropped(before: str, marked: str, after: str) -> tuple[str, str, str]:
    if len(before) + len(marked) + len(after) <= _WIDTH:
        return before, marked, after
    if len(before) > _WIDTH // 2:
        before = "…" + before[-_WIDTH // 2 :]
    if len(marked) > _WIDTH // 2:
        return before, marked[: _WIDTH // 2] + "…", ""
    room = _WIDTH - len(before) - len(marked)
    return before, marked, after if len(after) <= room else after[:room] + "…"


def _shown(text: str) -> str:
    # A control character could rewrite the terminal's line.
    return "".join(" " if unicodedata.category(char) == "Cc" and char != "\t" else char for char in text)


def _blank(text: str) -> str:
    return "".join("\t" if char == "\t" else " " * _columns(char) for char in text)


def _columns(text: str) -> int:
    """How many columns of a terminal ``text`` takes."""
    wide, none = ("W", "F"), ("Mn", "Me", "Cf")
    return sum(
        0 if unicodedata.category(char) in none else 2 if unicodedata.east_asian_width(char) in wide else 1
        for char in text
    )

"""Problems found in files: where, which rule, what is wrong, and what to do; and how they are shown."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from framework.connections import mask

_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What YAML calls a line break."""
_WIDTH = 120
"""Characters of a source line that are shown at most."""
_LISTED = 40
"""Names that a suggestion lists at most."""
_INDENT = "    "


@dataclass(frozen=True, order=True)
class Position:
    """A place in a file; line and column count from 1."""

    line: int = 1
    column: int = 1


@dataclass(frozen=True)
class Problem:
    """One mistake of an author.

    Attributes:
        path: the file, as the user named it.
        position: where the wrong value begins.
        rule: the id of the rule that found it, such as ``unknown-key``.
        message: what is wrong.
        suggestion: what to do about it; may be empty.
        length: characters of the source line the caret underlines.
    """

    path: Path
    position: Position
    rule: str
    message: str
    suggestion: str = ""
    length: int = 1


def lines_of(text: str) -> tuple[str, ...]:
    """The lines of a text, as positions count them."""
    return tuple(_BREAK.split(text))


def source_lines(path: Path) -> tuple[str, ...]:
    """The lines of a file, for `render`; none if it cannot be read."""
    try:
        return lines_of(path.read_bytes().decode("utf-8", "replace").removeprefix("\ufeff"))
    except OSError:
        return ()


def position_of(text: str, index: int) -> Position:
    """The place of the character ``index`` of ``text``."""
    before = lines_of(text[:index])
    return Position(len(before), len(before[-1]) + 1)


def closest(word: str, known: Iterable[str]) -> str | None:
    """The name the author may have meant by ``word``, or None if none is near."""
    by_folded = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Advice for a name that is not known: the nearest one, else all of them if they are few."""
    names = tuple(known)
    nearest = closest(word, names)
    if nearest is not None:
        return f"did you mean {nearest!r}?"
    return f"use one of: {', '.join(names)}" if 0 < len(names) <= _LISTED else ""


def render(problem: Problem, lines: Sequence[str]) -> str:
    """A problem as plain text: the place and the message, the source line, a caret under the value, the suggestion.

    ``lines`` are those of the problem's file. A password in the source line is masked.
    """
    place = f"{problem.path}:{problem.position.line}:{problem.position.column}"
    parts = [f"{place}: {problem.rule}: {problem.message}", *_excerpt(problem, lines)]
    if problem.suggestion:
        parts.append(f"  suggestion: {problem.suggestion}")
    return "\n".join(parts)


def _excerpt(problem: Problem, lines: Sequence[str]) -> list[str]:
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
    return [_INDENT + _shown(before + marked + after).rstrip(), _INDENT + _blank(before) + carets]


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

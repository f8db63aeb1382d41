"""Problems found in files: where, which rule, what is wrong, and what to do."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from framework.connections import mask

_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What YAML calls a line break."""
_LISTED = 40
"""Names that a suggestion lists at most."""


@dataclass(frozen=True, order=True)
class Position:
    """A place in a file; line and column count from 1."""

    line: int = 1
    column: int = 1


class Severity(str, Enum):
    """How bad a problem is.

    Attributes:
        ERROR: the spec cannot run as it is.
        WARNING: it runs, and will hardly do what its author wants.
        HINT: it could be better, or could not be checked.
    """

    ERROR = "error"
    WARNING = "warning"
    HINT = "hint"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


@dataclass(frozen=True)
class Related:
    """Another place that a problem is about, such as where a name is declared."""

    path: Path
    position: Position
    message: str
    length: int = 1


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
        related: other places that it is about.
    """

    path: Path
    position: Position
    rule: str
    message: str
    suggestion: str = ""
    length: int = 1
    severity: Severity = Severity.ERROR
    related: tuple[Related, ...] = ()

    def __post_init__(self) -> None:
        """Names may be URLs by mistake: no password of theirs is repeated."""
        for name in ("message", "suggestion"):
            text = getattr(self, name)
            if "://" in text:
                object.__setattr__(self, name, mask(text))


def only_errors(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems that keep a spec from running."""
    return tuple(problem for problem in problems if problem.severity is Severity.ERROR)


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

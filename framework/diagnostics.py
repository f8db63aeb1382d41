"""Problems found in files: where, which rule, what is wrong, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


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

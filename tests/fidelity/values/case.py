"""One declared type with the hardest values it has."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Outside:
    """A value that the target's native type has no place for.

    Attributes:
        sql: PostgreSQL's expression of it.
        clamp: the nearest value that has a place, as an expression; None where there is none (NaN): it is refused.
    """

    sql: str
    clamp: str | None = None


@dataclass(frozen=True)
class Case:
    """A declared type.

    Attributes:
        type: as in CREATE TABLE.
        form: how its values arrive (`tests.fidelity.reading.FORMS`).
        fits: PostgreSQL's expressions of values that must arrive exactly.
        outside: values that have no place in MySQL's native type.
        setup: statements that make the type.
        extension: that the type belongs to.
        since: the first PostgreSQL that has it.
        known: whether a copy is made without the policy ``text``.
    """

    type: str
    form: str
    fits: tuple[str, ...]
    outside: tuple[Outside, ...] = ()
    setup: tuple[str, ...] = ()
    extension: str = ""
    since: int = 0
    known: bool = True

    @property
    def id(self) -> str:
        """A name for the test."""
        return self.type.replace(" ", "_")


def quoted(*texts: str) -> tuple[str, ...]:
    """The texts as literals of PostgreSQL."""
    return tuple("'" + text.replace("'", "''") + "'" for text in texts)


def beyond(*pairs: tuple[str, str | None]) -> tuple[Outside, ...]:
    """Values that do not fit and what is nearest to them, both as texts."""
    return tuple(Outside(quoted(value)[0], None if near is None else quoted(near)[0]) for value, near in pairs)

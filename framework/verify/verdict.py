"""What came of it: plain data."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any

MASKED = "***"
"""Stands for the values of masked columns, which are never shown."""


class Kind(str, Enum):
    """How a row of the copy differs."""

    MISSING = "missing"
    EXTRA = "extra"
    DIFFERENT = "different"
    DOUBLED = "doubled"


@dataclass(frozen=True)
class Value:
    """A column's two values; None is NULL, or that there is no row. Both are `MASKED` in a masked column."""

    column: str
    source: str | None
    copy: str | None


@dataclass(frozen=True)
class Difference:
    """A row that is not in the copy as it is in the source.

    Attributes:
        key: columns and values that identify it; all of its columns where there is no key.
        values: the columns that differ, where both have the row.
    """

    kind: Kind
    key: tuple[tuple[str, str | None], ...]
    values: tuple[Value, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """Whether a copy is what its source is.

    Attributes:
        rows: of the source, that were compared.
        copied: rows of the copy that were compared.
        counts: rows that differ, by how they do.
        differences: the first ones.
        changed: rows that differ, and that the source has changed since they were copied.
        undecided: rows that the copy has and the source has not: it may have deleted them since.
        kept: rows that are gone from the source and stay in the copy, as the settings say.
        quarantined: rows of the source that could not go, and so have no copy.
        complete: all differences were counted. Else there are more.
        sample: the part of the rows that was compared; None for all.
        fetched: rows that were read from both for it, sums included.
        repaired: rows that differed and were copied again.
        slots: of all rows that differ.
    """

    table: str
    rows: int
    copied: int
    counts: dict[Kind, int]
    differences: tuple[Difference, ...] = ()
    changed: int = 0
    undecided: int = 0
    kept: int = 0
    quarantined: int = 0
    complete: bool = True
    sample: float | None = None
    fetched: int = 0
    repaired: int = 0
    seconds: float = 0.0
    slots: tuple[int, ...] = field(default=(), repr=False)

    @property
    def differing(self) -> int:
        """Rows that differ."""
        return sum(self.counts.values())

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs, as far as it could be decided."""
        return not self.differing

    def as_json(self) -> dict[str, Any]:
        """As plain data."""
        counts = {kind.value: rows for kind, rows in self.counts.items()}
        differences = [{**asdict(each), "kind": each.kind.value, "key": dict(each.key)} for each in self.differences]
        plain = {**asdict(self), "equal": self.is_equal, "counts": counts, "differences": differences}
        del plain["slots"]
        return plain

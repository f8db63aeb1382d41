"""What is asked of the source and of the copy, in the same words: sums of parts, numbers of rows, values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from framework.compare.cuts import ByDigest, Cut
from framework.compare.slots import Grid, Stretch, joined
from framework.databases.base import Row
from framework.databases.canonical import Canonical, integer
from framework.types import LogicalType

GROUPING = """
SET LOCAL jit = off;
SET LOCAL enable_sort = off
"""
"""The planner takes parts for as many as rows."""

PLANNING = f"{GROUPING}; SET LOCAL max_parallel_workers_per_gather = 0"
"""A sum of many rows that takes long is to keep one processor of the source busy."""

STATEMENT = 25
"""Parts that one statement tells the digests of."""

SHOWN = 65_536
"""Characters of a value that are looked at to be shown."""

WORD = 62
"""Integers that one word tells of: bits that all databases have without a sign."""

WORDS = 128
"""Words that are told side by side."""

Members = Mapping[int, tuple[int, str]]
"""By number, so many words side by side: how many rows, and the words, each as its number, a colon and its bits."""


@dataclass(frozen=True)
class Sum:
    """Of a part: how many rows, and the sum of their numbers. Equal sums are equal rows."""

    rows: int = 0
    total: int = 0


@dataclass(frozen=True)
class Numbered:
    """A row by its slot and its number.

    Attributes:
        changed: the source's row may have changed since it was copied.
    """

    slot: int
    number: int
    changed: bool = False


@dataclass(frozen=True)
class Cell:
    """A value: its canonical text, and as people read it (None: NULL, or masked)."""

    text: str
    shown: str | None


@dataclass(frozen=True)
class Piece:
    """A column: its expression, and what it is; ``filled``: hardly ever NULL."""

    name: str
    expression: str
    type: LogicalType
    masked: bool
    filled: bool = False


@dataclass(frozen=True)
class Side:
    """One of the two.

    Attributes:
        canonical: how it writes canonical forms.
        relation: what FROM names.
        condition: of the rows that count; empty for all.
        columns: those that are compared.
        key: names of those that identify a row.
        cut: how a row's slot is found.
        changed: the condition that a row may have changed since it was copied.
        ask: runs a query.
    """

    canonical: Canonical
    relation: str
    condition: str
    columns: tuple[Piece, ...]
    key: tuple[str, ...]
    cut: Cut
    changed: str
    ask: Callable[[str], list[Row]]
    fetched: list[int] = field(default_factory=list)

    @property
    def number(self) -> str:
        """The expression of a row's number."""
        return self.canonical.number(self._row)

    @property
    def slot(self) -> str:
        """The expression of a row's slot."""
        return self.cut.slot

    @property
    def indexed(self) -> bool:
        """Whether an index finds the rows of some slots."""
        return self.cut.indexed

    def extent(self) -> Stretch | None:
        """The slots that rows may have; None if there are no rows."""
        if self.cut.whole is not None:
            return self.cut.whole
        low, high = self._fetch(f"SELECT MIN({self.slot}), MAX({self.slot}) FROM {self.relation}")[0]
        return None if low is None else Stretch(int(low), int(high))

    def rows(self) -> int:
        """How many rows there are; reads all."""
        return int(self._fetch(f"SELECT COUNT(*) FROM {self.relation}{self._where()}")[0][0])

    def sums(self, grid: Grid) -> dict[int, Sum]:
        """By part of a grid, its sum; parts without rows are left out."""
        found = self._fetch(
            f"SELECT {self._part(grid)}, COUNT(*), SUM({self.number}) FROM {self.relation}"
            f"{self._where(self.cut.within(grid.stretch))} GROUP BY 1"
        )
        return {int(part): Sum(int(rows), int(total)) for part, rows, total in found}

    def digests(self, grid: Grid) -> dict[int, Sum]:
        """By part of a grid, the number of its rows' texts, joined in the order of the key.

        Quicker than to add up a number of each row, where an index finds the parts. If rows come in another order, or
        if the server cuts the text, parts are unequal that are not; so it is for `sums` to say what differs.
        """
        found = {}
        parts = grid.parts()
        for first in range(0, len(parts), STATEMENT):
            chosen = enumerate(parts[first : first + STATEMENT], first)
            rows = self._fetch("\nUNION ALL ".join(self._digest(part, stretch) for part, stretch in chosen))
            found.update({int(part): Sum(int(rows), int(total)) for part, rows, total in rows if rows})
        return found

    def members(self, stretch: Stretch) -> Members:
        """Which slots of a stretch have rows. A word has a bit for each of `WORD` slots."""
        canonical, low = self.canonical, stretch.low
        word, bits = canonical.bucket(self.slot, low, WORD), canonical.bits(self.slot, low, WORD)
        rows = f"FROM {self.relation}{self._where(self.cut.within(stretch))}"
        words = f"SELECT {word} AS w, COUNT(*) AS n, {bits} AS b {rows} GROUP BY 1"
        found = self._fetch(
            f"SELECT {canonical.bucket('w', 0, WORDS)}, SUM(n), {canonical.listed('w', 'b')} "
            f"FROM ({words}) AS q GROUP BY 1"
        )
        return {int(number): (int(rows), str(_text(text))) for number, rows, text in found}

    def numbers(self, grid: Grid, parts: Sequence[int]) -> list[Numbered]:
        """All rows of some parts of a grid."""
        return self._numbers(self.within(grid, parts))

    def within(self, grid: Grid, parts: Sequence[int]) -> str:
        """The condition that a row is in one of some parts of a grid; empty if all are."""
        if self.indexed:
            conditions = [self.cut.within(each) for each in joined(map(grid.part, parts))]
            return " OR ".join(f"({condition})" for condition in conditions) if all(conditions) else ""
        # One expression for all parts, since each would be computed for each row.
        chosen = f"{self._part(grid)} IN ({', '.join(map(str, parts))})" if len(parts) < grid.count else ""
        return " AND ".join(filter(None, (self.cut.within(grid.stretch), chosen)))

    def chosen(self, slots: Sequence[int]) -> list[Numbered]:
        """All rows of some slots."""
        return self._numbers(self.is_one_of(slots))

    def unfiltered(self, slots: Sequence[int]) -> list[tuple[int, bool]]:
        """The slots of rows that are there whether they count or not, and whether they may have changed."""
        found = self._fetch(f"SELECT {self.slot}, {self.changed} FROM {self.relation} WHERE {self.is_one_of(slots)}")
        return [(int(slot), bool(changed)) for slot, changed in found]

    def cells(self, slots: Sequence[int]) -> list[tuple[Numbered, dict[str, Cell]]]:
        """Rows with all their values, by column."""
        values = [
            part
            for column in self.columns
            for part in (
                self.canonical.text(column.expression, column.type),
                "NULL" if column.masked else f"LEFT({self.canonical.shown(column.expression, column.type)}, {SHOWN})",
            )
        ]
        found = self._fetch(
            f"SELECT {self.slot}, {self.number}, {', '.join(values)} FROM {self.relation}"
            f"{self._where(self.is_one_of(slots))}"
        )
        names = [column.name for column in self.columns]
        return [
            (
                Numbered(int(row[0]), int(row[1])),
                {
                    name: Cell(str(_text(row[place])), _text(row[place + 1]))
                    for name, place in zip(names, range(2, len(row), 2), strict=True)
                },
            )
            for row in found
        ]

    def is_one_of(self, slots: Sequence[int]) -> str:
        """The condition that a row has one of some slots."""
        return f"{self.slot} IN ({', '.join(map(integer, slots))})"

    def _fetch(self, query: str) -> list[Row]:
        rows = self.ask(query)
        self.fetched.append(len(rows))
        return rows

    def _where(self, *conditions: str) -> str:
        # The line's end keeps a comment of the author's from taking the bracket with it.
        parts = [f"({part}\n)" for part in (self.condition, *conditions) if part]
        return f" WHERE {' AND '.join(parts)}" if parts else ""

    def _numbers(self, *conditions: str) -> list[Numbered]:
        found = self._fetch(
            f"SELECT {self.slot}, {self.number}, {self.changed} FROM {self.relation}{self._where(*conditions)}"
        )
        return [Numbered(int(slot), int(number), bool(changed)) for slot, number, changed in found]

    def _digest(self, part: int, stretch: Stretch) -> str:
        number = self.canonical.number(str(self.canonical.joined("r")))
        return (
            f"SELECT {part}, COUNT(*), {number} FROM (SELECT {self._row} AS r FROM {self.relation}"
            f"{self._where(self.cut.within(stretch))} ORDER BY {self.slot}) AS q"
        )

    @property
    def _row(self) -> str:
        return self.canonical.row(_pairs(self.columns), [column.expression for column in self.columns if column.filled])

    def _part(self, grid: Grid) -> str:
        return self.canonical.bucket(self.slot, grid.stretch.low, grid.width)


def by_digest(canonical: Canonical, columns: Sequence[Piece]) -> ByDigest:
    """The cut by a digest of some columns."""
    return ByDigest(canonical.number(canonical.row(_pairs(columns))))


def _pairs(columns: Iterable[Piece]) -> list[tuple[str, LogicalType]]:
    return [(column.expression, column.type) for column in columns]


def _text(value: object) -> str | None:
    if value is None:
        return None
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)

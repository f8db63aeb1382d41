"""A part of a load whose rows an earlier run has loaded: what has changed since is read, the rest stays.

Rows of a table carry the number of the transaction that wrote them. Those that are below the floor, which was taken
before the first part was read (`framework.databases.postgres.position`), are the rows that were loaded. The others are
read again, by their keys. Rows that are gone leave nothing behind; but where all rows of the source are in the copy,
and both count as many of them in a block of keys, the copy has none too many. Blocks that differ are loaded again.

What a row's number does not vouch for is compared by value: of all columns where there are no numbers (views), or where
the table was written anew as a whole; of computed columns and filters, which may ask other tables; of types whose text
is in the catalog.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from framework.compare.cuts import ByInteger
from framework.compare.slots import WIDEST, Grid, Stretch, hull, joined
from framework.databases.base import Progress, Row, Session
from framework.databases.canonical import Canonical, integer
from framework.databases.postgres import position
from framework.databases.postgres.canonical import PostgresCanonical
from framework.databases.postgres.names import qualified, quote
from framework.databases.postgres.position import Position
from framework.databases.postgres.source import PostgresSession
from framework.replicate import chunks
from framework.replicate.job import Job
from framework.replicate.mapping import Mapping, Selected
from framework.replicate.outline import Outline, Range
from framework.tables import Table
from framework.types import INTEGER_KINDS, Kind, LogicalType

BLOCKS = 128
"""Into so many blocks a part is cut at most."""

MOST_KEYS = 50_000
"""Rows of a part that are read again by their keys; where more have changed, whole blocks are."""

AT_ONCE = 5_000
"""Keys in one statement."""

_OF_THE_CATALOG = frozenset({Kind.ENUM, Kind.ARRAY, Kind.COMPOSITE, Kind.TEXTUAL, Kind.UNKNOWN})
"""Kinds whose text may change though nobody writes to the row: of enums, of names of tables."""

Sums = dict[int, tuple[int, int, int]]
"""By block: how many rows, the sum of their numbers, how many of them may have changed."""


def is_possible(mapping: Mapping) -> bool:
    """Whether both databases find the rows of a part: by a key of one integer, which the copy has as it is."""
    column = next((column for column in mapping.columns if (column.name,) == mapping.key), None)
    if column is None or column.masked or column.type.kind not in INTEGER_KINDS:
        return False
    return chunks.integer_key(mapping) is not None


def refresh(
    job: Job, session: Session, reading: PostgresSession, shadow: Table, outline: Outline, number: int, count: Progress
) -> tuple[int, int]:
    """Bring a part of the table ``shadow`` to the source's snapshot, in the open transaction.

    Returns:
        How many rows the part has now, and how many of them were there already.
    """
    return _Refresh(job, session, reading, shadow, outline, number, count).perform()


class _Refresh:
    def __init__(
        self,
        job: Job,
        session: Session,
        reading: PostgresSession,
        shadow: Table,
        outline: Outline,
        number: int,
        count: Progress,
    ) -> None:
        self._job, self._session, self._reading = job, session, reading
        self._shadow, self._count = shadow, count
        self._changed = self._evidence(outline)
        job.prepare_masks(reading)
        reading.execute("SET LOCAL jit = off")
        compared = _compared(job.mapping, whole=self._changed is None)
        name = chunks.integer_key(job.mapping)
        assert name is not None
        key = quote(name)
        self._source = _Side(
            PostgresCanonical(job.target.canonical.form),
            job.mapping.origin,
            job.mapping.filter,
            key,
            tuple((column.expression, column.type) for column in compared),
            _in_range(key, outline.ranges[number]),
            reading.query,
        )
        name = job.quote(job.mapping.key[0])
        self._copy = _Side(
            job.target.canonical,
            job.quote(shadow.name),
            _where,
            name,
            tuple((job.quote(column.name), column.type) for column in compared),
            _in_range(name, outline.ranges[number]),
            session.query,
        )

    def perform(self) -> tuple[int, int]:
        read, unread = self._read_changed()
        extent = hull((self._source.extent(), self._copy.extent()))
        if extent is None:
            return 0, 0
        blocks = extent.cut(BLOCKS if extent.width <= WIDEST else 1)
        ours, theirs = self._sums(blocks, unread)
        differing = sorted(block for block in ours.keys() | theirs.keys() if ours.get(block) != theirs.get(block))
        rows = sum(rows for block, (rows, *_) in ours.items() if block not in differing)
        self._count(max(rows - read, 0))
        if differing:
            self._delete(_within(self._copy.key, blocks, differing))
            loaded = self._load(_within(self._source.key, blocks, differing))
            rows, read = rows + loaded, read + loaded
        return rows, max(rows - read, 0)

    def _evidence(self, outline: Outline) -> str | None:
        """The source's condition that a row may have changed since it was loaded; None where rows do not tell."""
        if outline.since is None or outline.files is None:
            return None
        source = self._job.mapping.source
        table = qualified(source.schema, source.name)
        if position.files(self._reading, table, children=self._job.mapping.task.children) != outline.files:
            return None
        return position.changed(Position.from_text(outline.since))

    def _read_changed(self) -> tuple[int, str]:
        """Read the rows that may have changed, if they are few; how many, and which are not read."""
        if self._changed is None:
            return 0, "FALSE"
        # Whether they pass the filter or not: they may have left it.
        condition = _both(self._source.part, self._changed)
        keys = self._reading.query(
            f"SELECT {self._source.key} FROM {self._source.relation} WHERE {condition} LIMIT {MOST_KEYS + 1}"
        )
        if len(keys) > MOST_KEYS:
            return 0, self._changed
        for start in range(0, len(keys), AT_ONCE):
            values = ", ".join(integer(key) for (key,) in keys[start : start + AT_ONCE])
            self._delete(f"{self._copy.key} IN ({values})")
        return self._load(condition) if keys else 0, "FALSE"

    def _sums(self, blocks: Grid, unread: str) -> tuple[Sums, Sums]:
        """The sums of both, which are asked at the same time."""
        with ThreadPoolExecutor(1, thread_name_prefix="vitrina-compare") as pool:
            theirs = pool.submit(partial(self._copy.sums, blocks, "FALSE"))
            return self._source.sums(blocks, unread), theirs.result()

    def _delete(self, condition: str) -> None:
        self._session.execute(f"DELETE FROM {self._copy.relation} WHERE {condition}")

    def _load(self, condition: str) -> int:
        return self._session.load(self._shadow, self._job.extract(self._reading, condition), self._count)


def _compared(mapping: Mapping, *, whole: bool) -> Sequence[Selected]:
    """The columns that are compared by value; if not ``whole``, only those that a row's number does not vouch for."""
    if whole:
        return mapping.columns
    doubtful = [c for c in mapping.columns if c.origin is None or c.type.kind in _OF_THE_CATALOG]
    keys = [c for c in mapping.columns if c.name in mapping.key] if doubtful or mapping.task.where else []
    return [*keys, *doubtful]


@dataclass(frozen=True)
class _Side:
    """The source or the copy: what to ask of it, in its own SQL.

    Attributes:
        filter: the WHERE clause of the rows that count, with a further condition.
        compared: what the number of a row is made of; nothing if rows are only counted.
        part: the condition that a row belongs to the part; empty for all.
    """

    canonical: Canonical
    relation: str
    filter: Callable[[str], str]
    key: str
    compared: tuple[tuple[str, LogicalType], ...]
    part: str
    ask: Callable[[str], list[Row]]

    def extent(self) -> Stretch | None:
        """The keys of the part, whether their rows count or not; None if it has no rows."""
        low, high = self.ask(f"SELECT MIN({self.key}), MAX({self.key}) FROM {self.relation}{_where(self.part)}")[0]
        return None if low is None else Stretch(int(low), int(high))

    def sums(self, blocks: Grid, changed: str) -> Sums:
        """Of each block that has rows; ``changed``: the condition of those that may have changed."""
        number = f"SUM({self.canonical.number(self.canonical.row(self.compared))})" if self.compared else "0"
        counted = "0" if changed == "FALSE" else f"SUM(CASE WHEN {changed} THEN 1 ELSE 0 END)"
        block = self.canonical.bucket(self.key, blocks.stretch.low, blocks.width) if blocks.count > 1 else "0"
        found = self.ask(
            f"SELECT {block}, COUNT(*), {number}, {counted} FROM {self.relation}{self.filter(self.part)} GROUP BY 1"
        )
        return {int(block): (int(rows), int(total), int(changes)) for block, rows, total, changes in found}


def _within(key: str, blocks: Grid, chosen: Iterable[int]) -> str:
    """The condition that a key is in one of some blocks."""
    return " OR ".join(map(ByInteger(key).within, joined(map(blocks.part, chosen))))


def _in_range(key: str, part: Range) -> str:
    """The condition that a key of one integer is in a range, for either database; empty for everything."""
    bounds = [(operator, bound[0]) for operator, bound in zip((">=", "<"), part, strict=True) if bound is not None]
    return " AND ".join(f"{key} {operator} {integer(int(text))}" for operator, text in bounds)


def _where(condition: str) -> str:
    return f" WHERE {condition}" if condition else ""


def _both(one: str, other: str) -> str:
    """The condition that both hold, of which the first may be empty."""
    return f"{one} AND {other}" if one else other

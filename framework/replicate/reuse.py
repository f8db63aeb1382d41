"""A part of a load whose rows an earlier run has loaded: what still equals the source stays, the rest is loaded again.

Both databases count the rows of blocks of keys and add up a number of each row, the source in the snapshot that the
other parts are read in. Equal blocks stay. Of the others the rows are deleted and read, in the part's transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from framework.databases.base import Progress, Row, Session
from framework.databases.canonical import Canonical, integer
from framework.databases.postgres.canonical import PostgresCanonical
from framework.databases.postgres.source import PostgresSession
from framework.replicate import chunks, mask
from framework.replicate.job import Job
from framework.replicate.mapping import Mapping
from framework.replicate.outline import Range
from framework.tables import Table
from framework.types import INTEGER_KINDS, LogicalType

BLOCKS = 128
"""Into so many blocks a part is cut at most: rows that changed beside each other cost one block and not the part."""

_WIDEST = 1 << 62
"""Keys of a part that can be cut: their differences have to fit into 64 bits."""

Sums = dict[int, tuple[int, int]]
"""By block, how many rows there are and the sum of their numbers."""


def is_possible(mapping: Mapping) -> bool:
    """Whether both databases find the rows of a part: by a key of one integer, which the copy has as it is."""
    column = next((column for column in mapping.columns if (column.name,) == mapping.key), None)
    if column is None or column.masked or column.type.kind not in INTEGER_KINDS:
        return False
    return chunks.integer_key(mapping) is not None


def refresh(
    job: Job, session: Session, reading: PostgresSession, shadow: Table, part: Range, count: Progress
) -> tuple[int, int]:
    """Bring a part of the table ``shadow`` to the source's snapshot, in the open transaction.

    Returns:
        How many rows the part has now, and how many of them were there already.
    """
    source, copy = _sides(job, session, reading, shadow, part)
    lows, highs = zip(source.extent(), copy.extent(), strict=True)
    if (low := min(_known(lows), default=None)) is None:
        return 0, 0
    blocks = _Blocks(low, max(_known(highs)))
    ours, theirs = _both(source, copy, blocks)
    differing = sorted(block for block in ours.keys() | theirs.keys() if ours.get(block) != theirs.get(block))
    kept = sum(rows for block, (rows, _) in ours.items() if block not in differing)
    count(kept)
    if not differing:
        return kept, kept
    if any(block in theirs for block in differing):
        _empty(session, copy, blocks, differing)
    loaded = session.load(shadow, job.extract(reading, blocks.condition(source.key, differing)), count)
    return kept + loaded, kept


def _sides(job: Job, session: Session, reading: PostgresSession, shadow: Table, part: Range) -> tuple[_Side, _Side]:
    mapping, canonical = job.mapping, job.target.canonical
    if mapping.is_masked and job.options.mask_key is not None:
        mask.install(reading, job.options.mask_key)
    key, name = chunks.integer_key(mapping), job.quote(mapping.key[0])
    assert key is not None
    reading.execute("SET LOCAL jit = off")
    source = _Side(
        PostgresCanonical(canonical.form),
        mapping.origin,
        mapping.task.where or "",
        key,
        tuple((column.expression, column.type) for column in mapping.columns),
        chunks.within(key, part),
        reading.query,
    )
    columns = tuple((job.quote(column.name), column.type) for column in mapping.columns)
    table = job.quote(shadow.name)
    return source, _Side(canonical, table, "", name, columns, chunks.within(name, part), session.query)


def _both(source: _Side, copy: _Side, blocks: _Blocks) -> tuple[Sums, Sums]:
    """The sums of both, which are asked at the same time."""
    with ThreadPoolExecutor(1, thread_name_prefix="vitrina-compare") as pool:
        theirs = pool.submit(copy.sums, blocks)
        return source.sums(blocks), theirs.result()


def _empty(session: Session, copy: _Side, blocks: _Blocks, differing: Iterable[int]) -> int:
    return session.execute(f"DELETE FROM {copy.relation} WHERE {blocks.condition(copy.key, differing)}")


@dataclass(frozen=True)
class _Blocks:
    """The keys from ``low`` to ``high``, both included, in blocks of one width."""

    low: int
    high: int

    @property
    def width(self) -> int:
        count = BLOCKS if self.high - self.low < _WIDEST else 1
        return -(-(self.high - self.low + 1) // count)

    def number(self, canonical: Canonical, key: str) -> str:
        """The expression of a key's block."""
        return canonical.bucket(key, self.low, self.width) if self.high - self.low < _WIDEST else "0"

    def condition(self, key: str, chosen: Iterable[int]) -> str:
        """The condition that a key is in one of some blocks, which come in order; neighbours are told as one."""
        stretches: list[tuple[int, int]] = []
        for block in chosen:
            first = block
            if stretches and stretches[-1][1] == block - 1:
                first = stretches.pop()[0]
            stretches.append((first, block))
        return " OR ".join(
            f"{key} BETWEEN {integer(self.low + first * self.width)} "
            f"AND {integer(min(self.low + (last + 1) * self.width - 1, self.high))}"
            for first, last in stretches
        )


@dataclass(frozen=True)
class _Side:
    """The source or the copy: what to ask of it, in its own SQL.

    Attributes:
        where: the spec's filter.
        part: the condition that a row belongs to the part; empty for all.
    """

    canonical: Canonical
    relation: str
    where: str
    key: str
    columns: tuple[tuple[str, LogicalType], ...]
    part: str
    ask: Callable[[str], list[Row]]

    def extent(self) -> tuple[int | None, int | None]:
        """The smallest and the largest key of the part, whether its row counts or not."""
        where = f" WHERE {self.part}" if self.part else ""
        low, high = self.ask(f"SELECT MIN({self.key}), MAX({self.key}) FROM {self.relation}{where}")[0]
        return (None, None) if low is None else (int(low), int(high))

    def sums(self, blocks: _Blocks) -> Sums:
        """Of each block that has rows."""
        # The line's end keeps a comment of the author's from taking the bracket with it.
        conditions = [f"({each}\n)" for each in (self.where, self.part) if each]
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        number = self.canonical.number(self.canonical.row(self.columns))
        found = self.ask(
            f"SELECT {blocks.number(self.canonical, self.key)}, COUNT(*), SUM({number}) FROM {self.relation}{where} "
            "GROUP BY 1"
        )
        return {int(block): (int(rows), int(total)) for block, rows, total in found}


def _known(values: Iterable[int | None]) -> list[int]:
    return [value for value in values if value is not None]

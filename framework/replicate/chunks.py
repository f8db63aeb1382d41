"""Splitting a table into parts of about as many rows each, which are copied at once.

Parts are ranges of the key, whatever its type: the server compares, in the order of the key's own index. A target that
keeps rows in the order of their key then fills one stretch of its table after the other, which it has memory for.
Tables without such a key are split by the places where rows are stored. That needs no sample; but an update gives a row
another place, so all parts must be read in one snapshot.
"""

from __future__ import annotations

from dataclasses import dataclass

from framework.databases.postgres.names import literal, quote, type_name
from framework.databases.postgres.source import PostgresSession
from framework.replicate.estimate import LARGE, Estimate
from framework.replicate.mapping import Mapping
from framework.replicate.outline import EVERYTHING, PLACE, Bound, Range
from framework.types import INTEGER_KINDS, TEXT_KINDS, Kind

WORTH_SPLITTING = 200_000
"""Rows below which one stream is as quick, unless they are so long that the table is `LARGE`."""

PART_BYTES = 256 << 20
"""Bytes of one part in the source: a transaction of the target has an end also where rows are long."""

MOST = 256
"""Parts of one table."""

SAMPLED = 3_000
"""Rows of each part that the sample has at least, about."""

BLOCKS = 1_000
"""Blocks of the sample at least: rows of one block are neighbours, and count as one."""

LONGEST = 200
"""Characters of a bound's text: bounds travel in notes and messages."""

TID_RANGES = 140_000
"""``server_version_num`` of PostgreSQL 14, the first that reads a range of places without reading the others."""

_BOUNDING = frozenset(
    INTEGER_KINDS | TEXT_KINDS | {Kind.NUMERIC, Kind.BYTES, Kind.UUID, Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ}
)
"""Kinds whose text is read back as the very value."""


@dataclass(frozen=True)
class Parts:
    """The parts of a table.

    Attributes:
        by: the source's columns that ranges are of; `PLACE` for places, nothing for the one part that is everything.
    """

    by: tuple[str, ...]
    ranges: tuple[Range, ...]


WHOLE = Parts((), (EVERYTHING,))


def count(found: Estimate, chunk_rows: int, streams: int) -> int:
    """How many parts: none above the caps, and as many that the streams end together; one if that is no gain."""
    parts = max(_ceiling(found.rows, chunk_rows), _ceiling(found.bytes, PART_BYTES), 1)
    if parts > 1 or found.rows >= WORTH_SPLITTING or found.bytes >= LARGE:
        parts = _ceiling(parts, streams) * streams
    return min(parts, MOST)


def split(session: PostgresSession, mapping: Mapping, found: Estimate, parts: int) -> Parts:
    """At most so many parts that are read in one snapshot."""
    if _key(mapping) or not found.is_heap or session.connection.server_version < TID_RANGES:
        return by_key(session, mapping, found, parts)
    return _by_place(found, parts)


def by_key(session: PostgresSession, mapping: Mapping, found: Estimate, parts: int) -> Parts:
    """At most so many parts, whenever they are read: ranges of the key, of as many rows each in a sample."""
    by = _key(mapping)
    if not by or parts < 2 or not found.is_heap:
        return WHOLE
    keys = ", ".join(map(quote, by))
    sampled = ", ".join(f"{quote(name)} AS k{place}" for place, name in enumerate(by))
    values = [f"sample.k{place}" for place in range(len(by))]
    percent = min(100.0, 100.0 * max(SAMPLED * parts / max(found.rows, 1), BLOCKS / max(found.blocks, 1)))
    bounds: list[Bound] = session.query(
        f"SELECT DISTINCT ON (tile) {', '.join(f'{value}::text' for value in values)} FROM ("
        f"SELECT {sampled}, ntile({parts}) OVER (ORDER BY {keys}) AS tile"
        f" FROM {mapping.origin} TABLESAMPLE SYSTEM ({percent:.6f}){mapping.filter()}"
        f") AS sample WHERE tile > 1 ORDER BY tile, {', '.join(values)}"
    )
    # Without one of its bounds a part is larger, and nothing else.
    return _between(by, [bound for bound in bounds if all(len(text) <= LONGEST for text in bound)])


def _by_place(found: Estimate, parts: int) -> Parts:
    """Ranges of blocks. Of partitions each range has some blocks of all; the last one has what is added meanwhile."""
    parts = max(1, min(parts, found.blocks))
    return _between(PLACE, [(f"({found.blocks * part // parts},0)",) for part in range(1, parts)])


def condition(mapping: Mapping, by: tuple[str, ...], part: Range) -> str:
    """The source's condition that a row belongs to a part; empty for the part that is everything."""
    row = f"({', '.join(map(quote, by))})"
    bounds = [(operator, bound) for operator, bound in zip((">=", "<"), part, strict=True) if bound is not None]
    return " AND ".join(f"{row} {operator} {_literals(mapping, by, bound)}" for operator, bound in bounds)


def integer_key(mapping: Mapping) -> str | None:
    """The source's column of a key that is one integer, and is copied as it is; None if there is none such."""
    by = _key(mapping)
    column = mapping.source.column(by[0]) if len(by) == 1 else None
    return column.name if column is not None and column.type.kind in INTEGER_KINDS else None


def _between(by: tuple[str, ...], bounds: list[Bound]) -> Parts:
    if not bounds:
        return WHOLE
    return Parts(by, tuple(zip([None, *bounds], [*bounds, None], strict=True)))


def _key(mapping: Mapping) -> tuple[str, ...]:
    """The source's columns of the key, if an index has them in their order; nothing if ranges cannot be told by them.

    Bounds are noted in the target: what is masked there must not be one.
    """
    selected = [next(column for column in mapping.columns if column.name == name) for name in mapping.key]
    by = tuple(column.origin or "" for column in selected)
    columns = [mapping.source.column(name) for name in by]
    keys = (mapping.source.primary_key, *(index.columns for index in mapping.source.indexes))
    indexed = any(names[: len(by)] == by for names in keys)
    plain = all(not column.masked for column in selected) and all(
        column is not None and not column.nullable and column.type.kind in _BOUNDING for column in columns
    )
    return by if indexed and plain else ()


def _literals(mapping: Mapping, by: tuple[str, ...], bound: Bound) -> str:
    if by == PLACE:
        return f"{literal(bound[0])}::tid"
    columns = [column for name in by if (column := mapping.source.column(name)) is not None]
    values = (f"{literal(text)}::{type_name(column.type)}" for text, column in zip(bound, columns, strict=True))
    return f"({', '.join(values)})"


def _ceiling(amount: int, part: int) -> int:
    return -(-amount // part)

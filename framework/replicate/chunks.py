"""Splitting a table into key ranges that are copied at once."""

from __future__ import annotations

from framework.databases.postgres.names import qualified, quote
from framework.databases.postgres.source import PostgresSession
from framework.replicate.mapping import Mapping
from framework.replicate.outline import EVERYTHING, Range
from framework.types import INTEGER_KINDS

WORTH_SPLITTING = 200_000
"""Rows (estimated by the server) below which one stream is as quick."""

MOST = 256
"""Ranges of one table."""

BYTES_OF_A_ROW = 200
"""Where nobody has analysed a table that is large, its size tells how many rows there are, about."""

# Partitions and inheriting tables belong to the table that is read; what holds partitions is never analysed by itself.
ESTIMATE = """
WITH RECURSIVE tree AS (
    SELECT %(table)s::regclass::oid AS oid
  UNION
    SELECT i.inhrelid FROM pg_inherits i JOIN tree t ON t.oid = i.inhparent WHERE %(children)s
)
SELECT coalesce(sum(CASE WHEN c.relkind = 'p' THEN 0
                         WHEN c.reltuples > 0 OR s.bytes < %(large)s THEN greatest(c.reltuples, 0)
                         ELSE s.bytes / %(row)s END), 0)::bigint
FROM tree JOIN pg_class c ON c.oid = tree.oid CROSS JOIN LATERAL (SELECT pg_relation_size(c.oid) AS bytes) AS s
"""


def estimated_rows(session: PostgresSession, mapping: Mapping) -> int:
    """How many rows the server believes the source table has; 0 if it is small and was never analysed."""
    asked = {
        "table": qualified(mapping.source.schema, mapping.source.name),
        "children": mapping.task.children,
        "large": WORTH_SPLITTING * BYTES_OF_A_ROW,
        "row": BYTES_OF_A_ROW,
    }
    return int(session.query(ESTIMATE, asked)[0][0])


def streams_for(rows: int, streams: int) -> int:
    """How many ranges keep so many parallel streams busy; one where splitting is not worth it."""
    return streams if rows >= WORTH_SPLITTING else 1


def ranges(session: PostgresSession, mapping: Mapping, count: int) -> tuple[Range, ...]:
    """The keys in at most ``count`` ranges; one without bounds where they cannot be split."""
    column = integer_key(mapping)
    count = min(count, MOST)
    if column is None or count < 2:
        return (EVERYTHING,)
    low, high = session.query(f"SELECT min({column}), max({column}) FROM {mapping.origin}")[0]
    if low is None or high - low < count:
        return (EVERYTHING,)
    bounds = [low + (high - low) * part // count for part in range(1, count)]
    return tuple(zip([None, *bounds], [*bounds, None], strict=True))


def condition(mapping: Mapping, part: Range) -> str:
    """The source's condition that a row's key is in a range; empty for the range without bounds."""
    column = integer_key(mapping)
    return within(column, part) if column is not None else ""


def within(column: str, part: Range) -> str:
    """The condition that ``column`` is in a range; empty for the range without bounds."""
    low, high = part
    sides = [
        f"{column} >= {int(low)}" if low is not None else "",
        f"{column} < {int(high)}" if high is not None else "",
    ]
    return " AND ".join(filter(None, sides))


def integer_key(mapping: Mapping) -> str | None:
    """The source's column that ranges are told by, quoted; None if the key is no single integer."""
    if len(mapping.key) != 1:
        return None
    origin = next(column.origin for column in mapping.columns if column.name == mapping.key[0])
    column = mapping.source.column(origin) if origin else None
    if column is None or column.type.kind not in INTEGER_KINDS or column.nullable:
        return None
    return quote(column.name)

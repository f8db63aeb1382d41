"""How large a source table is, and whether its rows have places that can be told apart: as its catalog says."""

from __future__ import annotations

from dataclasses import dataclass

from framework.databases.postgres.names import qualified
from framework.databases.postgres.source import PostgresSession
from framework.replicate.mapping import Mapping

BYTES_OF_A_ROW = 200
"""Where nobody has analysed a table that is large, its size tells how many rows there are, about."""

LARGE = 40_000_000
"""Bytes from which on a table is large, however few rows it is said to have."""

FEW, SMALL = 20_000, 4 << 20
"""Rows, and bytes, that a small table has at most."""

# Partitions and inheriting tables belong to the table that is read; what holds partitions is never analysed by itself.
_ESTIMATE = """
WITH RECURSIVE tree AS (
    SELECT %(table)s::regclass::oid AS oid
  UNION
    SELECT i.inhrelid FROM pg_inherits i JOIN tree t ON t.oid = i.inhparent WHERE %(children)s
)
SELECT coalesce(sum(CASE WHEN c.relkind = 'p' THEN 0
                         WHEN c.reltuples > 0 OR s.bytes < %(large)s THEN greatest(c.reltuples, 0)
                         ELSE s.bytes / %(row)s END), 0)::bigint,
       coalesce(sum(pg_table_size(c.oid)), 0)::bigint,
       coalesce(max(s.bytes) / current_setting('block_size')::bigint, 0)::bigint,
       bool_and(c.relkind = 'p' OR c.relkind IN ('r', 'm') AND a.amname = 'heap')
FROM tree JOIN pg_class c ON c.oid = tree.oid LEFT JOIN pg_am a ON a.oid = c.relam
CROSS JOIN LATERAL (SELECT pg_relation_size(c.oid) AS bytes) AS s
"""


@dataclass(frozen=True)
class Estimate:
    """A source table with its partitions.

    Attributes:
        rows: as the server believes; 0 if the table is small and was never analysed.
        bytes: with values that are stored apart from their rows.
        blocks: of the largest partition, or of the table.
        is_heap: all is stored in PostgreSQL's own tables; no view, no foreign table.
    """

    rows: int
    bytes: int
    blocks: int
    is_heap: bool

    @property
    def is_small(self) -> bool:
        """Whether the table has few rows, and short ones, for sure."""
        return self.is_heap and self.rows <= FEW and self.bytes <= SMALL


def estimate(session: PostgresSession, mapping: Mapping) -> Estimate:
    """How large the source table is."""
    asked = {
        "table": qualified(mapping.source.schema, mapping.source.name),
        "children": mapping.task.children,
        "large": LARGE,
        "row": BYTES_OF_A_ROW,
    }
    rows, size, blocks, is_heap = session.query(_ESTIMATE, asked)[0]
    return Estimate(int(rows), int(size), int(blocks), bool(is_heap))

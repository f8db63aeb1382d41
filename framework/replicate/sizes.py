"""How large source tables are, so that those that take longest are begun first."""

from __future__ import annotations

from collections.abc import Iterable

from framework.databases.postgres.source import PostgresSource
from framework.spec.replication import ReplicateTask

# Partitions and inheriting tables belong to the table that is read. A view has no size: nobody knows.
_SIZES = """
WITH RECURSIVE tree AS (
    SELECT a.place, c.oid
    FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS a(schema, name, place)
    JOIN pg_namespace n ON n.nspname = a.schema
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = a.name
  UNION
    SELECT t.place, i.inhrelid FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid
)
SELECT place, coalesce(sum(pg_table_size(oid)), 0)::bigint FROM tree GROUP BY place
"""


def bytes_of(source: PostgresSource, tasks: Iterable[ReplicateTask]) -> dict[str, int]:
    """By target table, the bytes of its source table; without those that are not there."""
    wanted = tuple(tasks)
    with source.session() as session:
        found = session.query(_SIZES, ([task.source_schema for task in wanted], [task.source_table for task in wanted]))
    return {wanted[place - 1].table: int(size) for place, size in found}

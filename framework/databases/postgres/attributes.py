"""What a table of the source is, behind its names: its number in the catalog, and its columns' numbers.

A column keeps its number for as long as it lives, whatever it is called; no other column of its table ever has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from framework.databases.postgres.source import PostgresSession

ATTRIBUTES = """
SELECT a.attrelid::bigint, a.attname, a.attnum
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0
AND NOT a.attisdropped
"""


@dataclass(frozen=True)
class Attributes:
    """The numbers of a table and of its columns, by name."""

    table: int
    columns: Mapping[str, int]


def attributes(session: PostgresSession, schema: str, table: str) -> Attributes | None:
    """The numbers of a table; None if there is none, or it has no columns."""
    found = session.query(ATTRIBUTES, (schema, table))
    return Attributes(int(found[0][0]), {name: int(number) for _, name, number in found}) if found else None

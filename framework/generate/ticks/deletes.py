"""Which rows may be deleted: those that no row, by itself or through a cascade, holds back."""

from __future__ import annotations

from dataclasses import dataclass

from framework.databases.postgres.names import qualified, quote
from framework.databases.postgres.source import PostgresSession

# All foreign keys of the database, also those of tables that no spec describes.
FOREIGN_KEYS = """
SELECT parent.oid::bigint, child.oid::bigint, child_schema.nspname, child.relname, c.confdeltype,
       ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY AS k(attnum, place)
             JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum ORDER BY k.place),
       ARRAY(SELECT a.attname::text FROM unnest(c.confkey) WITH ORDINALITY AS k(attnum, place)
             JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.attnum ORDER BY k.place),
       (SELECT bool_or(a.attnotnull) FROM pg_attribute a WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey))
FROM pg_constraint c
JOIN pg_class parent ON parent.oid = c.confrelid
JOIN pg_class child ON child.oid = c.conrelid
JOIN pg_namespace child_schema ON child_schema.oid = child.relnamespace
WHERE c.contype = 'f' AND c.conparentid = 0
ORDER BY c.oid
"""


@dataclass(frozen=True)
class _Reference:
    parent: int
    child: int
    child_name: str
    on_delete: str
    columns: tuple[str, ...]
    referred: tuple[str, ...]
    not_null: bool

    def match(self, child: str, parent: str) -> str:
        pairs = zip(self.columns, self.referred, strict=True)
        return " AND ".join(f"{child}.{quote(column)} = {parent}.{quote(referred)}" for column, referred in pairs)


def deletable(session: PostgresSession, schema: str, table: str) -> str:
    """The condition, on alias ``t``, that the server would let a row be deleted."""
    references = [
        _Reference(parent, child, qualified(child_schema, name), on_delete, tuple(columns), tuple(referred), not_null)
        for parent, child, child_schema, name, on_delete, columns, referred, not_null in session.query(FOREIGN_KEYS)
    ]
    oid = session.query("SELECT %s::regclass::oid::bigint", (qualified(schema, table),))[0][0]
    return " AND ".join(_conditions(references, oid, "t", (oid,))) or "true"


def _conditions(references: list[_Reference], oid: int, alias: str, above: tuple[int, ...]) -> list[str]:
    conditions = []
    for reference in references:
        if reference.parent != oid or (reference.on_delete == "n" and not reference.not_null):
            continue
        child = f"c{len(above)}"
        held = [reference.match(child, alias)]
        # A cascade that comes back to a table above is not followed: its rows hold back.
        if reference.on_delete == "c" and reference.child not in above:
            inner = _conditions(references, reference.child, child, (*above, reference.child))
            if not inner:
                continue
            held.append(f"NOT ({' AND '.join(inner)})")
        conditions.append(f"NOT EXISTS (SELECT 1 FROM {reference.child_name} AS {child} WHERE {' AND '.join(held)})")
    return conditions

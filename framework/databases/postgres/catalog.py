"""What the source's catalog says about a table."""

from __future__ import annotations

from framework.databases.postgres.source import PostgresSession
from framework.errors import PrivilegeMissing, SourceMismatch
from framework.tables import Column, ForeignKey, Index, Table
from framework.types import Kind, LogicalType, parse_type

# The type shown is the base type of a domain; typtype 'e' is an enum.
COLUMNS = """
SELECT a.attname,
       format_type(coalesce(base.oid, t.oid), CASE WHEN base.oid IS NULL THEN a.atttypmod ELSE t.typtypmod END),
       coalesce(base.typtype, t.typtype),
       a.attnotnull
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_type base ON base.oid = t.typbasetype AND t.typtype = 'd'
WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""

# indkey lists key columns by number; expressions are 0 and partial indexes are no keys: both are left out.
INDEXES = """
SELECT i.indisprimary, i.indisunique,
       ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
             JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
             WHERE k.place <= i.indnkeyatts ORDER BY k.place)
FROM pg_index i
WHERE i.indrelid = %s AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
ORDER BY i.indisprimary DESC, i.indexrelid
"""

FOREIGN_KEYS = """
SELECT r.relname, c.confdeltype,
       ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY AS k(attnum, place)
             JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum ORDER BY k.place),
       ARRAY(SELECT a.attname::text FROM unnest(c.confkey) WITH ORDINALITY AS k(attnum, place)
             JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.attnum ORDER BY k.place)
FROM pg_constraint c JOIN pg_class r ON r.oid = c.confrelid
WHERE c.conrelid = %s AND c.contype = 'f'
ORDER BY c.conname
"""

RELATION = """
SELECT c.oid, has_table_privilege(c.oid, 'SELECT')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
"""

_ON_DELETE = {"a": "no action", "r": "restrict", "c": "cascade", "n": "set null", "d": "set default"}


# A replica that takes over has its primary's identifier; another cluster has another.
IDENTITY = """
SELECT current_database(),
       CASE WHEN has_function_privilege('pg_control_system()', 'execute')
            THEN (SELECT system_identifier::text FROM pg_control_system()) END
"""


def identity(session: PostgresSession) -> str:
    """What tells this database from all others, as far as the role may know."""
    return "/".join(str(part) for part in session.query(IDENTITY)[0])


def describe(session: PostgresSession, schema: str, table: str) -> Table | None:
    """The table as the catalog knows it, or None if there is none. Types without a home are `Kind.UNKNOWN`."""
    relation = session.query(RELATION, (schema, table))
    if not relation:
        return None
    oid = relation[0][0]
    indexes = [(primary, unique, tuple(columns)) for primary, unique, columns in session.query(INDEXES, (oid,))]
    return Table(
        name=table,
        schema=schema,
        columns=tuple(
            Column(name, _logical_type(type_name, type_kind), not not_null)
            for name, type_name, type_kind, not_null in session.query(COLUMNS, (oid,))
        ),
        primary_key=next((columns for primary, _, columns in indexes if primary), ()),
        indexes=tuple(Index(columns, unique) for primary, unique, columns in indexes if columns and not primary),
        foreign_keys=tuple(
            ForeignKey(tuple(columns), name, tuple(referred), _ON_DELETE[on_delete])
            for name, on_delete, columns, referred in session.query(FOREIGN_KEYS, (oid,))
        ),
    )


def require(session: PostgresSession, schema: str, table: str) -> Table:
    """The table as the catalog knows it.

    Raises:
        SourceMismatch: there is no such table.
        PrivilegeMissing: the role may not read it.
    """
    described = describe(session, schema, table)
    if described is None:
        raise SourceMismatch(
            table,
            f"the source {session.name!r} has no table {schema}.{table}",
            "correct `from:` (and `schema:`), or create the table; `vitrina generate` creates those with `rows`",
        )
    if not session.query(RELATION, (schema, table))[0][1]:
        raise PrivilegeMissing(
            session.name, f"no SELECT on {schema}.{table}", f'GRANT SELECT ON "{schema}"."{table}" TO the source role'
        )
    return described


def _logical_type(name: str, type_kind: str) -> LogicalType:
    if type_kind == "e":
        return LogicalType(Kind.ENUM, name)
    return parse_type(name) or LogicalType(Kind.UNKNOWN, name)

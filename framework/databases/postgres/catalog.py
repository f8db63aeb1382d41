"""What the source's catalog says about a table."""

from __future__ import annotations

from dataclasses import replace

from framework.databases.postgres.names import qualified, quote
from framework.databases.postgres.source import PostgresSession
from framework.errors import PrivilegeMissing, SourceMismatch
from framework.tables import Column, ForeignKey, Index, Table
from framework.types import Kind, LogicalType, parse_type, textual

# The type shown is the base type of a domain, however many domains are between; the innermost length counts. A domain
# that is NOT NULL does not keep NULL out of a column: a subquery without rows, or an outer join's view, brings it in.
COLUMNS = """
WITH RECURSIVE based AS (
    SELECT a.attnum, a.atttypid AS type_oid, a.atttypmod AS modifier
    FROM pg_attribute a
    WHERE a.attrelid = %(oid)s AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
    SELECT b.attnum, t.typbasetype, t.typtypmod
    FROM based b JOIN pg_type t ON t.oid = b.type_oid
    WHERE t.typtype = 'd'
)
SELECT a.attname::text,
       format_type(b.type_oid, b.modifier),
       t.typname::text,
       CASE WHEN t.typcategory = 'A' AND t.typlen = -1 AND t.typname NOT IN ('int2vector', 'oidvector')
            THEN 'a' ELSE t.typtype::text END,
       NOT a.attnotnull,
       CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END,
       coalesce(col_description(a.attrelid, a.attnum), '')
FROM based b
JOIN pg_attribute a ON a.attrelid = %(oid)s AND a.attnum = b.attnum
JOIN pg_type t ON t.oid = b.type_oid AND t.typtype <> 'd'
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
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

# Of a key to a partitioned table there is a copy for each of its partitions; the parent of such a copy is of the same
# table. Keys that are not enforced or speak of periods are none (older catalogs lack these columns), and an action on
# some of the columns only is no action.
FOREIGN_KEYS = """
SELECT r.relname::text, CASE WHEN n.oid <> o.relnamespace THEN n.nspname::text END,
       CASE WHEN jsonb_array_length(nullif(to_jsonb(c) -> 'confdelsetcols', 'null')) < cardinality(c.conkey)
            THEN 'a' ELSE c.confdeltype END,
       c.confupdtype,
       ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY AS k(attnum, place)
             JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum ORDER BY k.place),
       ARRAY(SELECT a.attname::text FROM unnest(c.confkey) WITH ORDINALITY AS k(attnum, place)
             JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.attnum ORDER BY k.place)
FROM pg_constraint c
JOIN pg_class o ON o.oid = c.conrelid
JOIN pg_class r ON r.oid = c.confrelid
JOIN pg_namespace n ON n.oid = r.relnamespace
WHERE c.conrelid = %s AND c.contype = 'f'
  AND NOT EXISTS (SELECT 1 FROM pg_constraint p WHERE p.oid = c.conparentid AND p.conrelid = c.conrelid)
  AND coalesce(to_jsonb(c) ->> 'conenforced', 'true') = 'true'
  AND coalesce(to_jsonb(c) ->> 'conperiod', 'false') = 'false'
ORDER BY c.conname
"""

RELATION = """
SELECT c.oid, coalesce(obj_description(c.oid, 'pg_class'), ''),
       has_table_privilege(c.oid, 'SELECT'), has_schema_privilege(n.oid, 'USAGE')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
"""

RELATION_KIND = """
SELECT c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s
"""

_FAMILIES = {"a": Kind.ARRAY, "c": Kind.COMPOSITE, "e": Kind.ENUM}
_ACTIONS = {"a": "no action", "r": "restrict", "c": "cascade", "n": "set null", "d": "set default"}


# A replica that takes over has its primary's identifier; another cluster has another.
IDENTITY = """
SELECT current_database(),
       CASE WHEN has_function_privilege('pg_control_system()', 'execute')
            THEN (SELECT system_identifier::text FROM pg_control_system()) END
"""


def identity(session: PostgresSession) -> str:
    """What tells this database from all others, as far as the role may know."""
    return "/".join(str(part) for part in session.query(IDENTITY)[0])


def relation_kind(session: PostgresSession, schema: str, table: str) -> str:
    """``pg_class.relkind`` of a table that is there: ``r`` for an ordinary one, ``p`` for a partitioned one..."""
    return str(session.query(RELATION_KIND, (schema, table))[0][0])


def describe(session: PostgresSession, schema: str, table: str) -> Table | None:
    """The table as the catalog knows it, or None if there is none. Types without a home are `Kind.UNKNOWN`."""
    relation = session.query(RELATION, (schema, table))
    return _described(session, schema, table, *relation[0][:2]) if relation else None


def _described(session: PostgresSession, schema: str, table: str, oid: int, comment: str) -> Table:
    indexes = [(primary, unique, tuple(columns)) for primary, unique, columns in session.query(INDEXES, (oid,))]
    return Table(
        name=table,
        schema=schema,
        columns=tuple(
            Column(name, logical_type(full_name, type_name, family), nullable, default, remark)
            for name, full_name, type_name, family, nullable, default, remark in session.query(COLUMNS, {"oid": oid})
        ),
        primary_key=next((columns for primary, _, columns in indexes if primary), ()),
        indexes=tuple(Index(columns, unique) for primary, unique, columns in indexes if columns and not primary),
        foreign_keys=tuple(
            ForeignKey(tuple(columns), name, tuple(referred), _ACTIONS[on_delete], _ACTIONS[on_update], schema)
            for name, schema, on_delete, on_update, columns, referred in session.query(FOREIGN_KEYS, (oid,))
        ),
        comment=comment,
    )


def require(session: PostgresSession, schema: str, table: str) -> Table:
    """The table as the catalog knows it.

    Raises:
        SourceMismatch: there is no such table.
        PrivilegeMissing: the role may not read it.
    """
    relation = session.query(RELATION, (schema, table))
    if not relation:
        raise SourceMismatch(
            table,
            f"the source {session.name!r} has no table {schema}.{table}",
            "correct `from:` (and `schema:`), or create the table; `vitrina generate` creates those with `rows`",
        )
    oid, comment, may_select, may_use = relation[0]
    if not may_select:
        raise PrivilegeMissing(
            session.name,
            f"no SELECT on {schema}.{table}",
            f"GRANT SELECT ON {qualified(schema, table)} TO the source role",
        )
    if not may_use:
        grant = f"GRANT USAGE ON SCHEMA {quote(schema)} TO the source role"
        raise PrivilegeMissing(session.name, f"no USAGE on schema {schema}", grant)
    return _described(session, schema, table, oid, comment)


def logical_type(full_name: str, type_name: str, family: str) -> LogicalType:
    """The type of a column.

    Args:
        full_name: as PostgreSQL writes it, with its length: ``character varying(20)``, ``sales.mood``.
        type_name: its bare name, by which types of extensions are known wherever they live.
        family: ``a`` for arrays, else pg_type.typtype.
    """
    if family in _FAMILIES:
        return LogicalType(_FAMILIES[family], full_name)
    if family in ("r", "m"):
        return parse_type(full_name) or textual(full_name)
    known = parse_type(full_name) or parse_type(type_name)
    return replace(known, name=full_name) if known is not None else LogicalType(Kind.UNKNOWN, full_name)

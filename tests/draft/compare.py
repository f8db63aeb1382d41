"""Whether copies hold the values of their tables: both read with their drivers, nothing shared with the engine."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from framework.spec.models import Replicate, Spec
from tests.services.databases import SourceDatabase, TargetDatabase

TYPES = """
WITH RECURSIVE based AS (
  SELECT attnum, attname::text AS name, atttypid AS type FROM pg_attribute
  WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
  UNION ALL
  SELECT attnum, name, typbasetype FROM based JOIN pg_type t ON t.oid = type WHERE typtype = 'd')
SELECT name, typname::text, typcategory::text, typtype::text FROM based JOIN pg_type t ON t.oid = type
WHERE typtype <> 'd' ORDER BY attnum
"""


def compare(spec: Spec, source: SourceDatabase, target: TargetDatabase) -> int:
    """Compare every copy of a spec; how many values were compared."""
    compared = 0
    source.execute("SET TimeZone = 'UTC'")
    for table, settings in spec.replicate.items():
        expected, found = _expected(table, settings, source), _found(table, settings, source, target)
        assert sorted(map(repr, found)) == sorted(map(repr, expected)), f"{table}: {found} is not {expected}"
        compared += sum(map(len, expected))
    return compared


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _columns(table: str, settings: Replicate, source: SourceDatabase) -> list[tuple[str, str, str, str]]:
    """The source's columns: name, type, category, and whether the text of it is copied."""
    as_text = {column.from_ for column in settings.columns.values() if column.out_of_range == "text"}
    relation = f"{_quoted(settings.schema_)}.{_quoted(settings.from_ or table)}"
    return [
        (name, type_, "C" if kind == "c" else category, "text" if name in as_text else "")
        for name, type_, category, kind in source.rows(TYPES, relation)
    ]


def _expected(table: str, settings: Replicate, source: SourceDatabase) -> list[tuple[Any, ...]]:
    columns = _columns(table, settings, source)
    selected = ", ".join(_expression(*column) for column in columns)
    only = "" if settings.children else "ONLY "
    relation = f"{_quoted(settings.schema_)}.{_quoted(settings.from_ or table)}"
    rows = source.rows(f"SELECT {selected} FROM {only}{relation}")
    kinds = [_kind(type_, as_text) for _, type_, _, as_text in columns]
    return [tuple(_value(kind, value) for kind, value in zip(kinds, row, strict=True)) for row in rows]


def _expression(name: str, type_: str, category: str, as_text: str) -> str:
    column = _quoted(name)
    if as_text:
        return f"{column}::text"
    if category in ("A", "C") and type_ not in ("int2vector", "oidvector"):
        return f"to_json({column})::text"
    if type_ == "timestamptz":
        return f"to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
    if type_ == "timestamp":
        return f"to_char({column}, 'YYYY-MM-DD HH24:MI:SS.US')"
    if type_ == "bool":
        return f"{column}::int"
    if type_ == "bytea":
        return f"upper(encode({column}, 'hex'))"
    if type_ == "money":
        return f"{column}::numeric"
    return f"CASE WHEN {column} IS NOT NULL THEN format('%s', {column}) END" if type_ == "bpchar" else f"{column}::text"


def _found(table: str, settings: Replicate, source: SourceDatabase, target: TargetDatabase) -> list[tuple[Any, ...]]:
    columns = _columns(table, settings, source)
    renamed = {column.from_: name for name, column in settings.columns.items() if column.from_}
    selected = ", ".join(_mysql(renamed.get(name, name), type_, as_text) for name, type_, _, as_text in columns)
    rows = target.rows(f"SELECT {selected} FROM `{table.replace('`', '``')}`")
    kinds = [_kind(type_, as_text) for _, type_, _, as_text in columns]
    return [tuple(_value(kind, value) for kind, value in zip(kinds, row, strict=True)) for row in rows]


def _mysql(name: str, type_: str, as_text: str) -> str:
    column = "`" + name.replace("`", "``") + "`"
    if type_ == "bytea" and not as_text:
        return f"HEX({column})"
    return f"CAST({column} AS CHAR)" if type_ in ("timestamp", "timestamptz", "date", "time") else column


def _kind(type_: str, as_text: str) -> str:
    if as_text:
        return "text"
    if type_ in ("numeric", "money"):
        return "number"
    return "float" if type_ in ("float4", "float8") else "time" if type_ == "time" else "text"


def _value(kind: str, value: Any) -> Any:
    if value is None:
        return None
    if kind == "number":
        return Decimal(value).normalize()
    if kind == "float":
        number = float(value)
        return "nan" if math.isnan(number) else number
    if kind == "time":
        head, _, fraction = str(value).partition(".")
        return f"{head}.{fraction:0<6}"
    return str(value)

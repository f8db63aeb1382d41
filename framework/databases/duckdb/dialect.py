"""How DuckDB writes SQL, which of its types hold PostgreSQL's values exactly, and how they are read from the wire."""

from __future__ import annotations

from framework.databases.duckdb import translation
from framework.types import INTEGER_KINDS, Kind, LogicalType

DIGITS = 38
"""Digits of the widest DECIMAL."""

ALTERED = "[altered] "
"""Begins the messages of values that the target would have altered."""

_FIXED = {
    Kind.BOOLEAN: "BOOLEAN",
    Kind.SMALLINT: "SMALLINT",
    Kind.INTEGER: "INTEGER",
    Kind.BIGINT: "BIGINT",
    Kind.REAL: "DOUBLE",
    Kind.DOUBLE: "DOUBLE",
    Kind.CHAR: "VARCHAR",
    Kind.VARCHAR: "VARCHAR",
    Kind.TEXT: "VARCHAR",
    Kind.BYTES: "BLOB",
    Kind.DATE: "DATE",
    Kind.TIME: "TIME",
    Kind.TIMESTAMP: "TIMESTAMP",
    Kind.TIMESTAMPTZ: "TIMESTAMP",
    Kind.INTERVAL: "VARCHAR",
    Kind.UUID: "UUID",
    # DuckDB's JSON refuses texts that PostgreSQL's json accepts; its functions read VARCHAR as well.
    Kind.JSON: "VARCHAR",
    Kind.NETWORK: "VARCHAR",
    Kind.ENUM: "VARCHAR",
    Kind.ARRAY: "VARCHAR",
    Kind.COMPOSITE: "VARCHAR",
    Kind.DICTIONARY: "VARCHAR",
    Kind.TEXTUAL: "VARCHAR",
    Kind.TIMETZ: "VARCHAR",
    Kind.MONEY: "DECIMAL(21,2)",
}

_MOMENTS = frozenset({Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ})
_REPEATED = INTEGER_KINDS | _MOMENTS | {Kind.NUMERIC, Kind.MONEY, Kind.NUMBER, Kind.TIME, Kind.UUID}
"""Kinds whose values DuckDB writes as PostgreSQL does, so that a value can be compared with the text it came from."""


def literal(text: str) -> str:
    """The text as a literal."""
    return "'" + text.replace("'", "''") + "'"


class DuckDBDialect:
    """Implements `framework.databases.base.Dialect`."""

    name = "duckdb"
    utc_now = translation.UTC_NOW
    """Within a transaction, the time at which it began."""

    def quote(self, identifier: str) -> str:
        """The identifier in double quotes."""
        return '"' + identifier.replace('"', '""') + '"'

    def same(self, left: str, right: str) -> str:
        """NULL-safe equality."""
        return f"{left} IS NOT DISTINCT FROM {right}"

    def identical(self, left: str, right: str, type_: LogicalType) -> str:
        """NULL-safe equality that tells 0 and -0 apart."""
        if type_.kind in (Kind.REAL, Kind.DOUBLE):
            return f"CAST({left} AS VARCHAR) IS NOT DISTINCT FROM CAST({right} AS VARCHAR)"
        return self.same(left, right)

    def later(self, seconds: int) -> str:
        """The clock, so many seconds from now."""
        return f"{self.utc_now} + INTERVAL {int(seconds)} SECOND"

    def has_key(self, table: str, condition: str) -> str:
        """The server finds a way by itself."""
        return f"EXISTS (SELECT 1 FROM {table} AS o WHERE {condition})"

    def delete_matching(self, table: str, other: str, condition: str, by_key: str = "") -> str:  # noqa: ARG002
        """Delete the rows of ``table`` (``t``) that ``other`` (``o``) matches."""
        return f"DELETE FROM {table} AS t WHERE EXISTS (SELECT 1 FROM {other} AS o WHERE {condition})"

    def update_matching(self, table: str, other: str, condition: str, assignment: str, where: str) -> str:
        """Update the rows of ``table`` (``t``) that ``other`` (``o``) matches."""
        matched = f"EXISTS (SELECT 1 FROM {other} AS o WHERE {condition})"
        return f"UPDATE {table} AS t SET {assignment} WHERE ({where}) AND {matched}"

    def column_type(self, type_: LogicalType, indexed: bool) -> str | None:  # noqa: ARG002 - every type may be a key
        """The native type, or None where DuckDB has none that is exact."""
        if type_.kind is Kind.NUMBER:
            return "BIGINT" if type_.precision is None else f"DECIMAL({type_.precision},0)"
        return _decimal(type_) if type_.kind is Kind.NUMERIC else _FIXED.get(type_.kind)

    def translate(self, query: str) -> str:
        """A query of MySQL in DuckDB's SQL."""
        return translation.translate(query)

    def from_wire(self, column: str, type_: LogicalType) -> str:
        """An expression: the value of ``column``, a text in wire form. It fails (`ALTERED`) where that is not exact."""
        text, native = self.quote(column), self.column_type(type_, indexed=False)
        if native == "VARCHAR":
            return text
        if type_.kind is Kind.BYTES:
            return f"unhex({text})"
        value = f"TRY_CAST({text} AS {native})"
        message = literal(f"{ALTERED}column {column} has no exact {native} for ")
        failure = f"error({message} || {text})"
        return f"CASE WHEN {_exact(text, value, type_)} THEN {value} WHEN {text} IS NOT NULL THEN {failure} END"


def _exact(text: str, value: str, type_: LogicalType) -> str:
    if type_.kind is Kind.BOOLEAN:
        return f"{text} IN ('0', '1')"
    if type_.kind not in _REPEATED:
        return f"{value} IS NOT NULL"
    # Casting rounds decimals and forgets that a timestamp is BC; the text of the value tells.
    repeated = f"CAST({value} AS VARCHAR) = {text}"
    return f"isfinite({value}) AND {repeated}" if type_.kind in _MOMENTS else repeated


def _decimal(type_: LogicalType) -> str:
    if type_.precision is None:
        return "VARCHAR"
    precision, scale = type_.precision, type_.scale or 0
    if scale < 0:
        precision, scale = precision - scale, 0
    # One digit before the point: without it, DuckDB writes .5 where PostgreSQL writes 0.5.
    precision = max(precision, scale + 1)
    return f"DECIMAL({precision},{scale})" if precision <= DIGITS else "VARCHAR"

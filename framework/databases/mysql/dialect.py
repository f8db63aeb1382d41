"""How MySQL and MariaDB write SQL, and which of their types hold PostgreSQL's values exactly."""

from __future__ import annotations

from framework.types import Kind, LogicalType

KEY_CHARACTERS = 768
"""Characters of utf8mb4 in an index key of 3,072 bytes."""

ROW_CHARACTERS = 16_383
"""Longest VARCHAR of utf8mb4 that fits the row limit of 65,535 bytes; longer texts are LONGTEXT."""

_FIXED = {
    Kind.BOOLEAN: "TINYINT(1)",
    Kind.SMALLINT: "SMALLINT",
    Kind.INTEGER: "INT",
    Kind.BIGINT: "BIGINT",
    Kind.REAL: "DOUBLE",
    Kind.DOUBLE: "DOUBLE",
    Kind.DATE: "DATE",
    Kind.TIME: "TIME(6)",
    Kind.TIMESTAMP: "DATETIME(6)",
    Kind.TIMESTAMPTZ: "DATETIME(6)",
    Kind.UUID: "CHAR(36) CHARACTER SET ascii COLLATE ascii_bin",
    Kind.NETWORK: "VARCHAR(43) CHARACTER SET ascii COLLATE ascii_bin",
    Kind.INTERVAL: "VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin",
    Kind.ENUM: "VARCHAR(63)",
}


class MySQLDialect:
    """Implements `framework.databases.base.Dialect`."""

    name = "mysql"
    utc_now = "UTC_TIMESTAMP(6)"

    def quote(self, identifier: str) -> str:
        """The identifier in backticks."""
        return "`" + identifier.replace("`", "``") + "`"

    def same(self, left: str, right: str) -> str:
        """NULL-safe equality."""
        return f"{left} <=> {right}"

    def later(self, seconds: int) -> str:
        """The server's clock, so many seconds from now."""
        return f"UTC_TIMESTAMP(6) + INTERVAL {int(seconds)} SECOND"

    def delete_matching(self, table: str, other: str, condition: str) -> str:
        """Delete the rows of ``table`` (``t``) that ``other`` (``o``) matches."""
        return f"DELETE t FROM {table} AS t JOIN {other} AS o ON {condition}"

    def delete_unmatched(self, table: str, other: str, condition: str) -> str:
        """Delete the rows of ``table`` (``t``) that ``other`` (``o``) does not match."""
        missing = f"NOT EXISTS (SELECT 1 FROM {other} AS o WHERE {condition})"
        return f"DELETE t FROM {table} AS t WHERE {missing}"

    def update_unmatched(self, table: str, other: str, condition: str, assignment: str, where: str) -> str:
        """Update the rows of ``table`` (``t``) that ``other`` (``o``) does not match."""
        missing = f"NOT EXISTS (SELECT 1 FROM {other} AS o WHERE {condition})"
        return f"UPDATE {table} AS t SET {assignment} WHERE ({where}) AND {missing}"

    def column_type(self, type_: LogicalType, indexed: bool) -> str | None:
        """The native type, or None where MySQL has none that is exact."""
        if type_.kind is Kind.NUMERIC:
            return _decimal(type_)
        if type_.kind in (Kind.CHAR, Kind.VARCHAR, Kind.TEXT):
            return _text(type_, indexed)
        if type_.kind in (Kind.JSON, Kind.ARRAY):
            return None if indexed else "LONGTEXT"
        if type_.kind is Kind.BYTES:
            return "VARBINARY(3072)" if indexed else "LONGBLOB"
        return _FIXED.get(type_.kind)

    def translate(self, query: str) -> str:
        """Marts are written for MySQL."""
        return query


def _decimal(type_: LogicalType) -> str | None:
    # Without a declared precision, the widest DECIMAL: what does not fit is refused by the load, never rounded.
    precision, scale = (65, 30) if type_.precision is None else (type_.precision, type_.scale or 0)
    if scale < 0:
        precision, scale = precision - scale, 0
    precision = max(precision, scale)
    return f"DECIMAL({precision},{scale})" if precision <= 65 and scale <= 30 else None


def _text(type_: LogicalType, indexed: bool) -> str:
    if type_.length is not None and type_.length <= (KEY_CHARACTERS if indexed else ROW_CHARACTERS):
        return f"VARCHAR({type_.length})"
    return f"VARCHAR({KEY_CHARACTERS})" if indexed else "LONGTEXT"

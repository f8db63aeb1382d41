"""How MySQL and MariaDB write SQL, and which of their types hold PostgreSQL's values exactly."""

from __future__ import annotations

from framework.databases.limits import decimal_of
from framework.types import DOCUMENT_KINDS, NAME_LENGTH, TEXT_KINDS, Kind, LogicalType

KEY_CHARACTERS = 768
"""Characters of utf8mb4 in an index key of 3,072 bytes."""

ROW_CHARACTERS = 16_383
"""Longest VARCHAR of utf8mb4 that fits the row limit of 65,535 bytes; longer texts are LONGTEXT."""

_ASCII = "CHARACTER SET ascii COLLATE ascii_bin"

_FIXED = {
    Kind.BOOLEAN: "TINYINT(1)",
    Kind.SMALLINT: "SMALLINT",
    Kind.INTEGER: "INT",
    Kind.BIGINT: "BIGINT",
    Kind.REAL: "DOUBLE",
    Kind.DOUBLE: "DOUBLE",
    Kind.MONEY: "DECIMAL(21,2)",
    Kind.DATE: "DATE",
    Kind.TIME: "TIME(6)",
    Kind.TIMETZ: f"VARCHAR(24) {_ASCII}",
    Kind.TIMESTAMP: "DATETIME(6)",
    Kind.TIMESTAMPTZ: "DATETIME(6)",
    Kind.UUID: f"CHAR(36) {_ASCII}",
    Kind.NETWORK: f"VARCHAR(43) {_ASCII}",
    Kind.INTERVAL: f"VARCHAR(80) {_ASCII}",
    Kind.ENUM: f"VARCHAR({NAME_LENGTH})",
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

    def identical(self, left: str, right: str, type_: LogicalType) -> str:
        """NULL-safe equality that tells 0 and -0 apart."""
        if type_.kind in (Kind.REAL, Kind.DOUBLE):
            return f"{left} <=> {right} AND (CAST({left} AS CHAR) <=> CAST({right} AS CHAR))"
        return self.same(left, right)

    def later(self, seconds: int) -> str:
        """The server's clock, so many seconds from now."""
        return f"UTC_TIMESTAMP(6) + INTERVAL {int(seconds)} SECOND"

    def has_key(self, table: str, condition: str) -> str:
        """The server has no statistics of tables that were just loaded, and would rather read all of a large one."""
        return f"EXISTS (SELECT /*+ NO_SEMIJOIN() */ 1 FROM {_by_key(table, 'o')} WHERE {condition})"

    def delete_matching(self, table: str, other: str, condition: str, by_key: str = "") -> str:
        """Delete the rows of ``table`` (``t``) that ``other`` (``o``) matches."""
        return f"DELETE t FROM {self._joined(table, other, by_key)} ON {condition}"

    def update_matching(self, table: str, other: str, condition: str, assignment: str, where: str) -> str:
        """Update the rows of ``table`` (``t``) that ``other`` (``o``) matches."""
        return f"UPDATE {self._joined(table, other, by_key='t')} ON {condition} SET t.{assignment} WHERE {where}"

    def _joined(self, table: str, other: str, by_key: str) -> str:
        """Both tables; a STRAIGHT_JOIN reads the left one, and finds the rows of the other."""
        if by_key == "t":
            return f"{other} AS o STRAIGHT_JOIN {_by_key(table, 't')}"
        if by_key == "o":
            return f"{table} AS t STRAIGHT_JOIN {_by_key(other, 'o')}"
        return f"{table} AS t JOIN {other} AS o"

    def column_type(self, type_: LogicalType, indexed: bool) -> str | None:
        """The native type, or None where MySQL has none. ``indexed``: all of its values are part of a key."""
        if type_.kind is Kind.NUMERIC:
            return "DECIMAL({},{})".format(*decimal_of(type_))
        if type_.kind is Kind.NUMBER:
            return "BIGINT" if type_.precision is None else f"DECIMAL({type_.precision},0)"
        if type_.kind in TEXT_KINDS or type_.kind in DOCUMENT_KINDS or type_.kind is Kind.TEXTUAL:
            return _text(type_, indexed)
        if type_.kind is Kind.BYTES:
            return "VARBINARY(3072)" if indexed else "LONGBLOB"
        return _FIXED.get(type_.kind)

    def translate(self, query: str) -> str:
        """Marts are written for MySQL."""
        return query


def _by_key(table: str, alias: str) -> str:
    return f"{table} AS {alias} FORCE INDEX (PRIMARY)"


def _text(type_: LogicalType, indexed: bool) -> str:
    longest = KEY_CHARACTERS if indexed else ROW_CHARACTERS
    if type_.length is not None and type_.length <= longest:
        # What has a longest text without being one is made of digits and signs.
        return f"VARCHAR({type_.length})" + (f" {_ASCII}" if type_.kind is Kind.TEXTUAL else "")
    return f"VARCHAR({KEY_CHARACTERS})" if indexed else "LONGTEXT"

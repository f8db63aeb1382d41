"""How DuckDB writes canonical forms (see `framework.databases.canonical`)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from framework.databases.canonical import DIGITS, LONG, Form, integer
from framework.databases.duckdb.dialect import DuckDBDialect
from framework.types import Kind, LogicalType

_dialect = DuckDBDialect()


class DuckDBCanonical:
    """Implements `framework.databases.canonical.Canonical`."""

    def form(self, type_: LogicalType) -> Form:
        """The form of values of ``type_``."""
        native = _dialect.column_type(type_, indexed=False)
        if native == "DOUBLE":
            return Form.DOUBLE
        if native in ("VARCHAR", None):
            return Form.TEXT
        if type_.kind is Kind.MONEY:
            return Form.DECIMAL
        return Form.BYTES if native == "BLOB" else Form.PLAIN

    def text(self, expression: str, type_: LogicalType) -> str:
        """The canonical text of a value."""
        form = self.form(type_)
        if form is Form.TEXT:
            return _told(expression, f"strlen({expression})", expression)
        if form is Form.BYTES:
            return _told(expression, f"octet_length({expression})", f"lower(hex({expression}))")
        if form is Form.DOUBLE:
            return f"coalesce(hex(CAST(CAST({expression} AS BIT) AS BLOB)), '') || ','"
        return f"coalesce({self.shown(expression, type_)}, '') || ','"

    def row(self, columns: Sequence[tuple[str, LogicalType]], filled: Collection[str] = ()) -> str:  # noqa: ARG002
        """The canonical text of values side by side; NULL costs nothing here."""
        return f"concat({', '.join(self.text(expression, type_) for expression, type_ in columns)})"

    def number(self, text: str) -> str:
        """An integer made of the SHA-256 of a text."""
        return f"CAST('0x' || left(sha256({text}), {DIGITS}) AS BIGINT)"

    def keyed(self, table: str) -> str:
        """The table as it is: nothing is to be said."""
        return table

    def leading(self, expression: str) -> str:
        """The first 48 bits of a UUID, as an integer."""
        return f"CAST('0x' || left(replace(CAST({expression} AS VARCHAR), '-', ''), 12) AS BIGINT)"

    def joined(self, text: str) -> None:
        """Rows are read by several threads, and no index finds a range."""

    def bits(self, expression: str, low: int, width: int) -> str:
        """An aggregate: an integer with a bit for each place that integers have in a group of ``width``."""
        return f"bit_or(1::BIGINT << ((CAST({expression} AS BIGINT) - {integer(low)}) % {width}))"

    def listed(self, name: str, value: str) -> str:
        """An aggregate: ``name:value`` with commas, in the order of the names."""
        return f"string_agg({name} || ':' || {value}, ',' ORDER BY {name})"

    def shown(self, expression: str, type_: LogicalType) -> str:
        """A value as people read it."""
        if type_.kind is Kind.BYTES:
            return f"lower(hex({expression}))"
        if type_.kind is Kind.BOOLEAN:
            return f"CAST(CAST({expression} AS TINYINT) AS VARCHAR)"
        return f"CAST({expression} AS VARCHAR)"

    def bucket(self, expression: str, low: int, width: int) -> str:
        """How many times ``width`` fits between ``low`` and an integer."""
        return f"(CAST({expression} AS BIGINT) - {integer(low)}) // {width}"


def _told(expression: str, length: str, value: str) -> str:
    shortened = f"CASE WHEN {length} > {LONG} THEN sha256({expression}) ELSE {value} END"
    return f"coalesce({length} || ':' || {shortened}, ':')"

"""Whether a table that is already there is the one the spec describes."""

from __future__ import annotations

from collections.abc import Iterator

from framework.databases.postgres.names import qualified
from framework.databases.postgres.source import PostgresSession
from framework.errors import SourceMismatch
from framework.generate.columns.scalars import element_of
from framework.tables import Table
from framework.types import Kind, LogicalType

RECREATE = "run `vitrina generate SPEC --recreate` to drop it and make it anew, or correct the spec"
ALTER = "alter or drop the table, or correct the spec"


def is_empty(session: PostgresSession, table: Table) -> bool:
    """Whether the table has no row."""
    rows = session.query(f"SELECT EXISTS (SELECT 1 FROM {qualified(table.schema, table.name)})")
    return not rows[0][0]


def require_match(declared: Table, found: Table, fix: str, *, foreign_keys: bool) -> None:
    """Compare columns, types and keys.

    Raises:
        SourceMismatch: something differs; the first difference is named.
    """
    differences = [*_columns(declared, found), *_keys(declared, found)]
    if foreign_keys:
        differences += _foreign_keys(declared, found)
    if differences:
        column, fact = differences[0]
        raise SourceMismatch(declared.name, fact, fix, column)


def _columns(declared: Table, found: Table) -> Iterator[tuple[str | None, str]]:
    for column in declared.columns:
        there = found.column(column.name)
        where = f"{declared.name}.{column.name}"
        if there is None:
            yield column.name, f"the table {declared.name!r} has no column {column.name!r}"
        elif not _same_type(column.type, there.type):
            yield column.name, f"{where} is of type {there.type}, the spec says {column.type}"
        elif column.nullable and not there.nullable:
            yield column.name, f"{where} is NOT NULL, but the spec lets it be NULL"
    for column in found.columns:
        if declared.column(column.name) is None and not column.nullable:
            yield column.name, f"{declared.name}.{column.name} is NOT NULL, and the spec does not know it"


def _same_type(declared: LogicalType, found: LogicalType) -> bool:
    if declared.kind is Kind.ARRAY and found.kind is Kind.ARRAY:
        elements = element_of(declared), element_of(found)
        return any(each.kind is Kind.UNKNOWN for each in elements) or _same_type(*elements)
    if declared.kind is Kind.JSON:
        return declared.name == found.name
    return (declared.kind, declared.length, declared.precision, declared.scale) == (
        found.kind,
        found.length,
        found.precision,
        found.scale,
    )


def _keys(declared: Table, found: Table) -> Iterator[tuple[str | None, str]]:
    if declared.primary_key != found.primary_key:
        there, wanted = ", ".join(found.primary_key) or "none", ", ".join(declared.primary_key) or "none"
        yield None, f"the primary key of {declared.name!r} is ({there}), the spec says ({wanted})"
    unique = {frozenset(index.columns) for index in found.indexes if index.unique} | {frozenset(found.primary_key)}
    for index in declared.indexes:
        if index.unique and frozenset(index.columns) not in unique:
            yield index.columns[0], f"({', '.join(index.columns)}) is not unique in {declared.name!r}"


def _foreign_keys(declared: Table, found: Table) -> Iterator[tuple[str | None, str]]:
    for key in declared.foreign_keys:
        if key not in found.foreign_keys:
            target = f"{key.referred_table}({', '.join(key.referred_columns)})"
            yield (
                key.columns[0],
                f"{declared.name}.{key.columns[0]} does not refer to {target} on delete {key.on_delete}",
            )

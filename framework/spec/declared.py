"""Entities as tables: what the spec says a source table looks like."""

from __future__ import annotations

from framework.spec.entities import Entity, EntityColumn
from framework.tables import Column, ForeignKey, Index, Table
from framework.types import Kind, LogicalType, parse_type


def table_of(name: str, entity: Entity) -> Table:
    """The table an entity declares. A type that is not known is `Kind.UNKNOWN`; the checks refuse it."""
    key = entity.key
    return Table(
        name=name,
        schema=entity.schema_,
        columns=tuple(
            Column(
                column_name,
                _type(column),
                column.may_be_null and column_name not in key,
                comment=column.description,
            )
            for column_name, column in entity.columns.items()
        ),
        primary_key=key,
        indexes=tuple(_indexes(entity)),
        foreign_keys=tuple(
            ForeignKey(
                (column_name,), column.references.table, (column.references.column,), column.references.on_delete
            )
            for column_name, column in entity.columns.items()
            if column.references is not None
        ),
        comment=entity.description,
    )


def _indexes(entity: Entity) -> list[Index]:
    unique = [Index((name,), unique=True) for name, column in entity.columns.items() if column.unique]
    plain = [Index((name,)) for name, column in entity.columns.items() if column.index]
    return [
        *unique,
        *(Index(names, unique=True) for names in entity.unique),
        *plain,
        *(Index(names) for names in entity.indexes),
    ]


def _type(column: EntityColumn) -> LogicalType:
    return parse_type(column.type) or LogicalType(Kind.UNKNOWN, column.type)

"""What a copy is made of: plain data that is kept with its state, so that a change of it can be told by name."""

from __future__ import annotations

import json
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, is_dataclass, replace
from typing import Any

from framework.databases.postgres.attributes import Attributes
from framework.replicate import mask
from framework.replicate.mapping import Mapping, Selected
from framework.tables import Column, Table
from framework.types import Kind, LogicalType

FORMS = 1
"""Grows when the same mapping makes other values than before."""


@dataclass(frozen=True)
class Shape:
    """A column of the copy.

    Attributes:
        nullable: whether the copy's column may be NULL; one that was added may, although the source's may not.
        origin: the source column it is made of, None if it is computed.
        number: of that column in the catalog; None if it is not known.
        said: the expression of one that is computed.
        policy: what becomes of values out of range.
    """

    name: str
    type: LogicalType
    nullable: bool
    origin: str | None
    number: int | None
    said: str | None
    masked: bool
    policy: str


@dataclass(frozen=True)
class Known:
    """A column of the source, copied or not."""

    type: LogicalType
    number: int | None


@dataclass(frozen=True)
class Structure:
    """What a copy is made of.

    Attributes:
        database: what tells the source's database from others; None if it is not known.
        source: schema and name of the source table.
        oid: the source table's number in the catalog; None if it is not known.
        known: the source's columns.
        mode: how the copy was made: ``full`` or ``incremental``; empty if it is not known.
        mask: what tells the masks' key from others; None if nothing is masked, or it is not known.
        kept: columns that are gone from the source and stay in the copy.
        hidden: columns that were added, and that `SELECT *` does not show yet.
    """

    database: str | None
    source: tuple[str, str]
    oid: int | None
    columns: tuple[Shape, ...]
    known: AnyMapping[str, Known]
    key: tuple[str, ...]
    cursor: str | None
    where: str | None
    children: bool
    marks: bool
    mask: str | None
    indexes: tuple[tuple[str, ...], ...]
    unique: tuple[tuple[str, ...], ...]
    mode: str = ""
    forms: int = FORMS
    kept: tuple[Column, ...] = ()
    hidden: tuple[str, ...] = ()

    def column(self, name: str) -> Shape | None:
        """The copy's column ``name``, None if it is none that comes from the source."""
        return next((column for column in self.columns if column.name == name), None)

    def as_text(self) -> str:
        """As JSON."""
        return json.dumps(_plain(self), separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def from_text(cls, text: str) -> Structure:
        """The inverse of `as_text`."""
        plain = json.loads(text)
        return cls(
            **plain
            | {
                "source": tuple(plain["source"]),
                "columns": tuple(Shape(**shape | {"type": _type(shape["type"])}) for shape in plain["columns"]),
                "known": {name: Known(_type(one["type"]), one["number"]) for name, one in plain["known"].items()},
                "key": tuple(plain["key"]),
                "indexes": tuple(map(tuple, plain["indexes"])),
                "unique": tuple(map(tuple, plain["unique"])),
                "kept": tuple(Column(**column | {"type": _type(column["type"])}) for column in plain["kept"]),
                "hidden": tuple(plain["hidden"]),
            }
        )


def structure(mapping: Mapping, found: Attributes | None, mask_key: bytes | None, database: str | None) -> Structure:
    """What a copy that is filled by ``mapping`` now is made of."""
    task, source = mapping.task, mapping.source
    numbers = found.columns if found is not None else {}
    return Structure(
        database=database,
        source=(source.schema or "", source.name),
        oid=found.table if found is not None else None,
        columns=tuple(_shape(mapping, column, numbers) for column in mapping.columns),
        known={column.name: Known(column.type, numbers.get(column.name)) for column in source.columns},
        key=mapping.key,
        cursor=task.cursor,
        where=task.where,
        children=task.children,
        marks=mapping.marks_deletes,
        mask=mask.identity(mask_key) if mask_key and mapping.is_masked else None,
        indexes=task.indexes,
        unique=task.unique,
        mode=task.mode,
    )


def table(mapping: Mapping, made_of: Structure, name: str) -> Table:
    """The copy's table, with columns that it kept, and with NULL wherever it may have come to be."""
    plain = mapping.table(name)
    shapes = {column.name: column for column in made_of.columns}
    columns = (
        replace(column, nullable=shapes[column.name].nullable and column.name not in mapping.key)
        if column.name in shapes
        else column
        for column in plain.columns
    )
    return replace(plain, columns=(*columns, *made_of.kept))


def _shape(mapping: Mapping, column: Selected, numbers: AnyMapping[str, int]) -> Shape:
    rule = mapping.task.columns.get(column.name)
    return Shape(
        name=column.name,
        type=column.type,
        nullable=column.nullable,
        origin=column.origin,
        number=numbers.get(column.origin) if column.origin else None,
        said=rule.sql if rule is not None else None,
        masked=column.masked,
        policy=column.policy,
    )


def _plain(value: Any) -> Any:
    """A value as JSON has it; of a type, which is met often, only what its fields hold."""
    if isinstance(value, LogicalType):
        return list(vars(value).values())
    if is_dataclass(value):
        value = vars(value)
    if isinstance(value, AnyMapping):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, tuple) else value


def _type(plain: list[Any]) -> LogicalType:
    return LogicalType(Kind(plain[0]), *plain[1:])

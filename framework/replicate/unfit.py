"""Rows that a target cannot take as they are: which they are, and why, in the source's SQL.

Conditions are asked of the source, in the snapshot that the data are read in, so a row is either copied or set aside.
What they cannot foresee is refused by the target while it loads, and stops the load.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from framework.databases.base import Capabilities, Target
from framework.databases.mysql.columns import native_types, room_of
from framework.databases.mysql.dialect import MySQLDialect
from framework.databases.postgres import ranges
from framework.databases.postgres.names import literal, quote
from framework.databases.postgres.wire import wire
from framework.replicate.mapping import Mapping, Selected
from framework.types import LENGTHY_KINDS, Kind

SHOWN = 40
"""Characters of a value that a reason shows."""

SMALL = 100
"""More bytes than a value takes that is no text."""

BESIDE = 16
"""More bytes than stand around a value: quotes, a comma, a function's name."""


@dataclass(frozen=True)
class Unfit:
    """Why a row may be unfit.

    Attributes:
        condition: of the source; NULL is no.
        reason: an expression of the source: a sentence about a row for which the condition holds.
    """

    condition: str
    reason: str


def parted(mapping: Mapping, target: Target) -> Mapping:
    """The mapping as the settings have it: with rows set aside that ``target`` cannot take, or with all.

    Raises:
        UnsupportedType: a column's type has no exact home in the target.
    """
    if not mapping.task.on_error.quarantines:
        return mapping
    return replace(mapping, unfit=" OR ".join(f"({why.condition})" for why in reasons(mapping, target)))


def reasons(mapping: Mapping, target: Target) -> tuple[Unfit, ...]:
    """All that may be wrong with a row."""
    rooms = native_types(mapping.table(mapping.task.table)) if target.dialect.name == MySQLDialect.name else {}
    found: list[Unfit] = []
    for column in mapping.columns:
        found += _without_key(mapping, column)
        found += _out_of_range(column)
        if column.name in rooms:
            found += _too_long(column, room_of(rooms[column.name]))
    return (*found, *_row_too_long(mapping, target.capabilities))


def _without_key(mapping: Mapping, column: Selected) -> Iterator[Unfit]:
    if column.name in mapping.key and column.nullable and column.origin is not None:
        yield Unfit(f"{quote(column.origin)} IS NULL", literal(f"{column.name} is NULL, and a key never is"))


def _out_of_range(column: Selected) -> Iterator[Unfit]:
    if column.masked or column.policy not in ("reject", "clamp"):
        return
    check = ranges.endless if column.policy == "clamp" else ranges.outside
    condition = check(column.expression, column.type)
    if column.type.kind is Kind.MONEY:
        condition = f"({column.expression})::numeric <> round(({column.expression})::numeric, 2)"
    if condition is not None:
        said = f"{literal(f'{column.name} = ')} || left(({column.expression})::text, {SHOWN})"
        yield Unfit(condition, f"{said} || {literal(' is out of range')}")


def _too_long(column: Selected, room: int | None) -> Iterator[Unfit]:
    """Values for which a key, or an index of whole values, has no room."""
    length = column.type.length
    if room is None or column.type.kind not in LENGTHY_KINDS or (length is not None and length <= room):
        return
    if column.type.kind is Kind.CHAR:
        size, condition = str(length), f"({column.expression}) IS NOT NULL"  # they are padded
    else:
        size = _octets(column) if column.type.kind is Kind.BYTES else f"char_length({_text(column)})"
        condition = f"{size} > {room}"
    unit = "bytes" if column.type.kind is Kind.BYTES else "characters"
    said = f"{literal(f'{column.name} has ')} || {size} || {literal(f' {unit}, more than the {room} of a key')}"
    yield Unfit(condition, said)


def _row_too_long(mapping: Mapping, able: Capabilities) -> Iterator[Unfit]:
    """Rows that are too long for a statement, or for a line."""
    long = [column for column in mapping.columns if column.type.kind in LENGTHY_KINDS and not column.masked]
    if able.longest_row is None or not long:
        return
    around = sum(len(quote(column.name).encode()) + BESIDE for column in mapping.columns)
    room = able.longest_row - around - SMALL * (len(mapping.columns) - len(long))
    size = " + ".join(f"coalesce({_octets(column)}, 0)::bigint" for column in long)
    doubled = " + ".join(f"coalesce({_doubled(column, able.doubled)}, 0)::bigint" for column in long)
    # Only of rows that may be too long every character is looked at.
    condition = f"CASE WHEN 2 * ({size}) > {room} THEN {size} + {doubled} > {room} ELSE false END"
    limit = f"the longest row that can be loaded has about {able.longest_row} bytes"
    yield Unfit(condition, f"{literal('the row has ')} || ({size}) || {literal(f' bytes; {limit}')}")


def _octets(column: Selected) -> str:
    """The bytes of a value; PostgreSQL knows them without reading a long text."""
    raw = column.type.kind in (Kind.BYTES, Kind.CHAR)
    return f"octet_length({column.expression if raw else _text(column)})"


def _doubled(column: Selected, characters: str) -> str:
    """How many bytes a value takes more than it has: bytes go as two digits each, some characters as two."""
    if column.type.kind is Kind.BYTES:
        return _octets(column)
    text = _text(column)
    return f"octet_length({text}) - octet_length(translate({text}, {literal(characters)}, ''))"


def _text(column: Selected) -> str:
    return f"({wire(column.expression, column.type)})::text"

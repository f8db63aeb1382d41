"""Which of PostgreSQL's values a target's native types have no place for, and what may become of them."""

from __future__ import annotations

from typing import Literal

from framework.databases.limits import FIRST_DAY, LAST_DAY, decimal_of, holds_all
from framework.types import Kind, LogicalType, textual

Policy = Literal["reject", "null", "clamp", "text"]
"""What becomes of a value out of range: the load is refused, it is NULL, the nearest one, or the column is text."""

_FIRST = {
    Kind.DATE: f"'{FIRST_DAY}'::date",
    Kind.TIMESTAMP: f"'{FIRST_DAY}'::timestamp",
    Kind.TIMESTAMPTZ: f"'{FIRST_DAY} 00:00:00+00'::timestamptz",
}
_LAST = {
    Kind.DATE: f"'{LAST_DAY}'::date",
    Kind.TIMESTAMP: f"'{LAST_DAY} 23:59:59.999999'::timestamp",
    Kind.TIMESTAMPTZ: f"'{LAST_DAY} 23:59:59.999999+00'::timestamptz",
}
_LARGEST = {Kind.REAL: "'3.4028235e38'::real", Kind.DOUBLE: "'1.7976931348623157e308'::float8"}
_NO_NUMBER = " <> 'NaN'"
"""NaN is above all numbers, for PostgreSQL."""

_TEXT_LENGTH = 64
"""Characters of the longest moment or floating-point number."""


def outside(expression: str, type_: LogicalType) -> str | None:
    """The condition that a value has no place in the native type; None if all values have. NULL has."""
    if type_.kind in _FIRST:
        return f"({expression}) < {_FIRST[type_.kind]} OR ({expression}) > {_LAST[type_.kind]}"
    if type_.kind in _LARGEST:
        return f"({expression}) IN ('NaN', 'Infinity', '-Infinity')"
    if type_.kind is not Kind.NUMERIC:
        return None
    if holds_all(type_):
        return f"({expression}) = 'NaN'"
    # NaN is above all numbers, for PostgreSQL.
    digits, scale = decimal_of(type_)
    return f"abs({expression}) >= 1e{digits - scale}::numeric OR ({expression}) <> round({expression}, {scale})"


def nearest(expression: str, type_: LogicalType) -> str:
    """The value of the native type that is nearest; what has no nearest one (NaN), and NULL, stay."""
    if type_.kind in _FIRST:
        return _bounded(expression, _FIRST[type_.kind], _LAST[type_.kind])
    if type_.kind in _LARGEST:
        largest = _LARGEST[type_.kind]
        return _bounded(expression, f"-({largest})", largest, but=_NO_NUMBER)
    if type_.kind is not Kind.NUMERIC or holds_all(type_):
        return expression
    digits, scale = decimal_of(type_)
    largest = f"'{'9' * (digits - scale)}{'.' if scale else ''}{'9' * scale}'::numeric"
    return f"round({_bounded(expression, f'-({largest})', largest, but=_NO_NUMBER)}, {scale})"


def endless(expression: str, type_: LogicalType) -> str | None:
    """The condition of the values that have no nearest one: NaN. None if the type has none."""
    if type_.kind in _LARGEST or type_.kind is Kind.NUMERIC:
        return f"({expression}) = 'NaN'"
    return None


def as_text(expression: str, type_: LogicalType) -> tuple[str, LogicalType]:
    """The expression and the type of a column that is copied as PostgreSQL's text of it."""
    if type_.kind is Kind.CHAR:
        return expression, type_  # a cast would strip its padding
    limited = type_.kind in _FIRST or type_.kind in _LARGEST
    return f"({expression})::text", textual("text", _TEXT_LENGTH if limited else None)


def is_limited(type_: LogicalType) -> bool:
    """Whether the type has values that the native type has no place for."""
    return type_.kind in _FIRST or type_.kind in _LARGEST or type_.kind is Kind.NUMERIC


def _bounded(expression: str, first: str, last: str, but: str = "") -> str:
    """NULL is neither below nor above, and neither is what the condition ``but`` excludes."""
    above = f"({expression}) > {last}" + (f" AND ({expression}){but}" if but else "")
    return f"CASE WHEN ({expression}) < {first} THEN {first} WHEN {above} THEN {last} ELSE {expression} END"

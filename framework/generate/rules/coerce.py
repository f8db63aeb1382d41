"""Numbers and moments take the form of the column's type; values of any type become text or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from framework.generate.columns import text
from framework.generate.columns.scalars import INTEGER_LIMITS, MOMENT_KINDS, limit_of, scale_of
from framework.generate.columns.text import Text
from framework.generate.columns.values import DAY, Vector
from framework.generate.rules.rule import Scope
from framework.types import TEXT_KINDS, Kind, LogicalType

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
_FLOAT_KINDS = frozenset({Kind.REAL, Kind.DOUBLE})
_EXACT_FLOAT = 2.0**62
"""No float beyond this may be turned into an int64."""


def integers(scope: Scope, rule: str, type_: LogicalType, low: int, high: int) -> Callable[[Integers], Vector]:
    """Turns whole numbers between ``low`` and ``high`` into values of the type.

    Raises:
        RuleImpossible: the type has no room for them; the function returned raises it, too.
    """
    if type_.kind in TEXT_KINDS:
        return _written_integers(scope, rule, type_, low, high)
    if type_.kind in _FLOAT_KINDS:
        return lambda numbers: Vector(numbers.astype(np.float64))
    if type_.kind is not Kind.NUMERIC and type_.kind not in INTEGER_LIMITS:
        raise scope.unfit(rule, type_)
    factor = 10 ** scale_of(type_) if type_.kind is Kind.NUMERIC else 1
    ceiling = (limit_of(type_) - 1) // factor
    floor = -ceiling if type_.kind is Kind.NUMERIC else -limit_of(type_)

    def convert(numbers: Integers) -> Vector:
        _require_room(scope, type_, numbers, floor, ceiling)
        return Vector(numbers * np.int64(factor))

    _require_room(scope, type_, np.array([min(max(end, -(2**63)), 2**63 - 1) for end in (low, high)]), floor, ceiling)
    return convert


def _written_integers(scope: Scope, rule: str, type_: LogicalType, low: int, high: int) -> Callable[[Integers], Vector]:
    longest = max(len(str(low)), len(str(high)))
    if type_.length is not None and longest > type_.length:
        raise scope.impossible(f"`{rule}` makes numbers of {longest} digits, too long for {type_}", "widen the type")

    def convert(numbers: Integers) -> Vector:
        return Vector(fitting(scope, type_, text.of_integers(numbers), may_cut=False))

    return convert


def floats(scope: Scope, rule: str, type_: LogicalType) -> Callable[[Floats], Vector]:
    """Turns numbers into values of the type, rounded to it and clipped to what it holds."""
    if type_.kind is Kind.DOUBLE:
        return lambda numbers: Vector(numbers)
    if type_.kind is Kind.REAL:
        # Beyond this, real is infinite.
        return lambda numbers: Vector(np.clip(numbers, -3.4e38, 3.4e38))
    if type_.kind is not Kind.NUMERIC and type_.kind not in INTEGER_LIMITS:
        raise scope.unfit(rule, type_, "use a number type: numeric(12,2), double precision, integer")
    factor = float(10 ** scale_of(type_)) if type_.kind is Kind.NUMERIC else 1.0
    limit = min(limit_of(type_), 2**62)

    def convert(numbers: Floats) -> Vector:
        scaled = np.rint(np.clip(numbers * factor, -_EXACT_FLOAT, _EXACT_FLOAT)).astype(np.int64)
        return Vector(np.clip(scaled, -(limit - 1), limit - 1))

    return convert


def moments(scope: Scope, rule: str, type_: LogicalType, unit: int) -> Callable[[Integers], Vector]:
    """Turns moments, counted in ``unit`` microseconds since 1970, into values of the type."""
    if type_.kind is Kind.DATE:
        return lambda numbers: Vector(numbers * unit // DAY)
    if type_.kind in MOMENT_KINDS:
        return lambda numbers: Vector(numbers * unit)
    if type_.kind in TEXT_KINDS:
        write = text.of_days if unit == DAY else text.of_instants
        return lambda numbers: Vector(fitting(scope, type_, write(numbers), may_cut=False))
    raise scope.unfit(rule, type_, "use date, timestamp or timestamptz")


def microseconds_of(type_: LogicalType, vector: Vector) -> Integers:
    """A date or a timestamp in microseconds since 1970."""
    return vector.array * DAY if type_.kind is Kind.DATE else vector.array


def fitting(scope: Scope, type_: LogicalType, column: Text, *, may_cut: bool) -> Text:
    """The texts, none longer than the type allows.

    Raises:
        RuleImpossible: one is too long and must not be cut.
    """
    if type_.length is None or column.data.shape[1] <= type_.length:
        return column
    starts = ((column.data & 0xC0) != 0x80) & column.filled
    kept = (np.cumsum(starts, axis=1) <= type_.length) & column.filled
    lengths = np.count_nonzero(kept, axis=1).astype(np.int64)
    if not may_cut and bool((lengths < column.lengths).any()):
        raise scope.impossible(
            f"a value is too long for {type_}, and cutting it could make it repeat", "widen the type"
        )
    return Text(column.data, lengths)


def written(type_: LogicalType, vector: Vector) -> Text | None:
    """The values as text, or None for types that have no text here (floats, bytes, arrays)."""
    if type_.kind in TEXT_KINDS or type_.kind in (Kind.JSON, Kind.ENUM):
        return vector.text
    if type_.kind in INTEGER_LIMITS:
        return text.of_integers(vector.array)
    if type_.kind is Kind.NUMERIC:
        return text.of_decimals(vector.array, scale_of(type_))
    if type_.kind is Kind.DATE:
        return text.of_days(vector.array)
    if type_.kind in MOMENT_KINDS:
        return text.of_instants(vector.array, b"Z" if type_.kind is Kind.TIMESTAMPTZ else b"")
    if type_.kind is Kind.UUID:
        return text.of_uuids(vector.array)
    if type_.kind is Kind.BOOLEAN:
        return text.of_strings(np.where(vector.array, b"true", b"false"))
    return None


def as_json(type_: LogicalType, vector: Vector) -> Text:
    """The values as JSON; the type is one that `written` has a text for."""
    column = written(type_, vector)
    assert column is not None
    if type_.kind in INTEGER_LIMITS or type_.kind in (Kind.NUMERIC, Kind.BOOLEAN, Kind.JSON):
        return column
    data = column.data[column.filled]
    if ((data < 0x20) | (data == ord('"')) | (data == ord("\\"))).any():
        return text.of([json.dumps(value.decode(), ensure_ascii=False).encode() for value in text.to_bytes(column)])
    mark = text.constant(b'"', len(column))
    return text.joined([mark, column, mark])


def _require_room(scope: Scope, type_: LogicalType, numbers: Integers, floor: int, ceiling: int) -> None:
    for number in (numbers.min(), numbers.max()) if len(numbers) else ():
        if not floor <= number <= ceiling:
            raise scope.impossible(f"{number} is out of range for {type_}", "widen the type, or narrow the rule")

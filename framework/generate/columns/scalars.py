"""Single values of a spec, of Faker or of the database, in the form in which a column holds them. Without numpy.

What a type has no room for is refused here, for whoever fills a column and for whoever checks a spec.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
from typing import Any

from framework import units
from framework.types import INTEGER_KINDS, TEXT_KINDS, Kind, LogicalType, parse_type

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

INTEGER_LIMITS = {Kind.SMALLINT: 2**15, Kind.INTEGER: 2**31, Kind.BIGINT: 2**63}
MOMENT_KINDS = frozenset({Kind.TIMESTAMP, Kind.TIMESTAMPTZ})

ELEMENT_OIDS = {
    Kind.BOOLEAN: 16,
    Kind.SMALLINT: 21,
    Kind.INTEGER: 23,
    Kind.BIGINT: 20,
    Kind.REAL: 700,
    Kind.DOUBLE: 701,
    Kind.NUMERIC: 1700,
    Kind.CHAR: 1042,
    Kind.VARCHAR: 1043,
    Kind.TEXT: 25,
    Kind.DATE: 1082,
    Kind.TIME: 1083,
    Kind.TIMESTAMP: 1114,
    Kind.TIMESTAMPTZ: 1184,
    Kind.UUID: 2950,
}
"""PostgreSQL's numbers of the types that an array may have."""

_WIDEST = 18
"""Digits that always fit into an int64."""
_LOOSE_SCALE = 6
"""Decimals kept of numerics that are wider than an int64, or have no limit."""
_TRUTHS = frozenset({"true", "t", "yes", "on", "1"})
_FALSEHOODS = frozenset({"false", "f", "no", "off", "0"})


def held(type_: LogicalType, value: Any) -> Any:
    """A value that is not None as a column of the type holds it; of an array, the list of its elements.

    Raises:
        ValueError: it is no value of the type.
    """
    try:
        return _HOLDERS[type_.kind](type_, value)
    except (ValueError, TypeError, ArithmeticError, InvalidOperation) as error:
        raise ValueError(f"{value!r} is no value of type {type_}") from error


def scale_of(type_: LogicalType) -> int:
    """The decimals with which a numeric is held."""
    if type_.precision is None or type_.precision > _WIDEST:
        return min(_LOOSE_SCALE, _LOOSE_SCALE if type_.scale is None else type_.scale)
    return max(type_.scale or 0, 0)


def limit_of(type_: LogicalType) -> int:
    """The first number, held as the type holds numbers, that is too large for it."""
    if type_.kind in INTEGER_LIMITS:
        return INTEGER_LIMITS[type_.kind]
    if type_.precision is None:
        return 2**63
    scale = type_.scale or 0
    # PostgreSQL rounds to the places of a negative scale; what it would round up does not fit.
    rounded_up = 5 * 10 ** (-scale - 1) if scale < 0 else 0
    return int(min(10 ** (type_.precision - scale + scale_of(type_)) - rounded_up, 2**63))


def element_of(type_: LogicalType) -> LogicalType:
    """The type of an array's elements; unknown where somebody made it and nothing says what it is."""
    name = type_.name.removesuffix("[]")
    return parse_type(name) or LogicalType(Kind.UNKNOWN, name)


def supported(type_: LogicalType) -> bool:
    """Whether columns of the type can be filled: those that have a form above."""
    if type_.kind is Kind.ARRAY:
        return element_of(type_).kind in ELEMENT_OIDS
    return type_.kind in ELEMENT_OIDS or type_.kind in (Kind.JSON, Kind.BYTES, Kind.ENUM)


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def _boolean(_: LogicalType, value: Any) -> bool:
    word = str(value).strip().lower()
    if word not in _TRUTHS | _FALSEHOODS:
        raise ValueError(value)
    return word in _TRUTHS


def _integer(type_: LogicalType, value: Any) -> int:
    number = int(value) if isinstance(value, str) else value
    if isinstance(number, bool) or number != int(number):
        raise ValueError(value)
    limit = limit_of(type_)
    if not -limit <= number < limit:
        raise ValueError(value)
    return int(number)


def _numeric(type_: LogicalType, value: Any) -> int:
    with localcontext() as context:
        context.prec = 60
        scaled = (Decimal(str(value)) * 10 ** scale_of(type_)).quantize(Decimal(1), ROUND_HALF_UP)
    if isinstance(value, bool) or abs(scaled) >= limit_of(type_):
        raise ValueError(value)
    return int(scaled)


def _float(_: LogicalType, value: Any) -> float:
    return float(value)


def _date(_: LogicalType, value: Any) -> int:
    if isinstance(value, datetime):
        value = value.date()
    if not isinstance(value, date):
        value = date.fromisoformat(str(value))
    return int(value.toordinal() - EPOCH.toordinal())


def _time(_: LogicalType, value: Any) -> int:
    if not isinstance(value, time):
        value = units.parse_time(str(value))
    return int(((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond)


def _moment(_: LogicalType, value: Any) -> int:
    if not isinstance(value, datetime):
        value = units.parse_datetime(value.isoformat() if isinstance(value, date) else str(value))
    return microseconds(value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value)


def _uuid(_: LogicalType, value: Any) -> bytes:
    return uuid.UUID(str(value)).bytes


def _text(type_: LogicalType, value: Any) -> bytes:
    if isinstance(value, bool):
        value = "true" if value else "false"
    written = str(value)
    if "\0" in written or (type_.length is not None and len(written) > type_.length):
        raise ValueError(value)
    return written.encode()


def _bytes(_: LogicalType, value: Any) -> bytes:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    written = str(value)
    return bytes.fromhex(written[2:]) if written.startswith("\\x") else written.encode()


def _json(_: LogicalType, value: Any) -> bytes:
    document = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=str)
    if "\\u0000" in document:
        raise ValueError(value)
    return document.encode()


def _array(type_: LogicalType, value: Any) -> list[Any]:
    if not isinstance(value, (list, tuple)):
        raise TypeError(value)
    element = element_of(type_)
    return [None if each is None else held(element, each) for each in value]


_HOLDERS: dict[Kind, Callable[[LogicalType, Any], Any]] = {
    **dict.fromkeys(INTEGER_KINDS, _integer),
    **dict.fromkeys(TEXT_KINDS, _text),
    **dict.fromkeys(MOMENT_KINDS, _moment),
    Kind.BOOLEAN: _boolean,
    Kind.NUMERIC: _numeric,
    Kind.REAL: _float,
    Kind.DOUBLE: _float,
    Kind.DATE: _date,
    Kind.TIME: _time,
    Kind.UUID: _uuid,
    Kind.JSON: _json,
    Kind.BYTES: _bytes,
    Kind.ENUM: _text,
    Kind.ARRAY: _array,
}

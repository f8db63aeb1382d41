"""Python values, as specs, Faker and the database give them, become vectors."""

from __future__ import annotations

import json
import struct
import uuid
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timezone
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
from typing import Any

import numpy as np

from framework import units
from framework.generate import encode, text
from framework.generate.values import (
    ELEMENT_OIDS,
    EPOCH,
    MOMENT_KINDS,
    OCTET_KINDS,
    Vector,
    dtype_of,
    element_of,
    limit_of,
    microseconds,
    scale_of,
)
from framework.types import INTEGER_KINDS, TEXT_KINDS, Kind, LogicalType

_TRUTHS = frozenset({"true", "t", "yes", "on", "1"})
_FALSEHOODS = frozenset({"false", "f", "no", "off", "0"})


def vector_of(type_: LogicalType, values: Sequence[Any]) -> Vector:
    """Python values (of a spec, of Faker, of the database) as a vector; None is NULL.

    Raises:
        ValueError: a value is not one of the type; the message says which.
    """
    convert = _CONVERTERS[type_.kind]
    nulls = np.fromiter((value is None for value in values), dtype=np.bool_, count=len(values))
    converted = [_empty(type_) if value is None else _checked(convert, type_, value) for value in values]
    mask = nulls if nulls.any() else None
    if type_.kind in OCTET_KINDS:
        return Vector(text.of(converted), mask)
    if type_.kind is Kind.UUID:
        return Vector(np.frombuffer(b"".join(converted), dtype=np.uint8).reshape(len(values), 16), mask)
    return Vector(np.array(converted, dtype=dtype_of(type_)), mask)


def _empty(type_: LogicalType) -> Any:
    if type_.kind in OCTET_KINDS:
        return b""
    return bytes(16) if type_.kind is Kind.UUID else 0


def _checked(convert: Callable[[LogicalType, Any], Any], type_: LogicalType, value: Any) -> Any:
    try:
        return convert(type_, value)
    except (ValueError, TypeError, ArithmeticError, InvalidOperation) as error:
        raise ValueError(f"{value!r} is no value of type {type_}") from error


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


def _array(type_: LogicalType, value: Any) -> bytes:
    if not isinstance(value, (list, tuple)):
        raise TypeError(value)
    element = element_of(type_)
    elements = list(value)
    if not elements:
        return struct.pack(">iii", 0, 0, ELEMENT_OIDS[element.kind])
    vector = vector_of(element, elements)
    header = struct.pack(">iiiii", 1, 0, ELEMENT_OIDS[element.kind], len(elements), 1)
    return header + b"".join(text.to_bytes(encode.field(element, vector)))


_CONVERTERS: dict[Kind, Callable[[LogicalType, Any], Any]] = {
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
    Kind.ARRAY: _array,
}

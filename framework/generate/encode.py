"""PostgreSQL's binary COPY format, made for whole chunks at once.

A chunk becomes one matrix of bytes, a row a record, each field as wide as its widest value; a mask of the same shape
then squeezes out what NULLs and shorter values leave unused.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from framework.generate import text
from framework.generate.scalars import MOMENT_KINDS, limit_of, scale_of
from framework.generate.text import Octets, Text
from framework.generate.values import Vector
from framework.types import Kind, LogicalType

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"

# PostgreSQL counts from 2000, Unix and numpy from 1970.
_DAYS_TO_2000 = 10_957
_MICROSECONDS_TO_2000 = _DAYS_TO_2000 * 86_400_000_000
_FIXED = {
    Kind.BOOLEAN: "u1",
    Kind.SMALLINT: ">i2",
    Kind.INTEGER: ">i4",
    Kind.BIGINT: ">i8",
    Kind.REAL: ">f4",
    Kind.DOUBLE: ">f8",
    Kind.DATE: ">i4",
    Kind.TIME: ">i8",
    Kind.TIMESTAMP: ">i8",
    Kind.TIMESTAMPTZ: ">i8",
}


def records(types: Sequence[LogicalType], columns: Sequence[Vector]) -> bytes:
    """The rows as records of a binary COPY, without header and trailer."""
    count = len(columns[0])
    bodies = [_body(type_, column) for type_, column in zip(types, columns, strict=True)]
    matrix = np.empty((count, 2 + sum(4 + body.data.shape[1] for body in bodies)), dtype=np.uint8)
    used = np.ones(matrix.shape, dtype=np.bool_)
    matrix[:, :2] = _big_endian(np.array([len(columns)]), ">i2")
    place = 2
    for body, column in zip(bodies, columns, strict=True):
        end = place + 4 + body.data.shape[1]
        _put_field(matrix[:, place:end], used[:, place:end], body, column.nulls)
        place = end
    return matrix[used].tobytes()


def field(type_: LogicalType, column: Vector) -> Text:
    """Each value with its length before it: a field of a record, or an element of an array."""
    body = _body(type_, column)
    matrix = np.empty((len(column), 4 + body.data.shape[1]), dtype=np.uint8)
    used = np.ones(matrix.shape, dtype=np.bool_)
    _put_field(matrix, used, body, column.nulls)
    lengths = np.count_nonzero(used, axis=1).astype(np.int64)
    return Text(matrix, lengths)


def _put_field(matrix: NDArray[np.uint8], used: NDArray[np.bool_], body: Text, nulls: NDArray[np.bool_] | None) -> None:
    lengths = body.lengths if nulls is None else np.where(nulls, -1, body.lengths)
    matrix[:, :4] = _big_endian(lengths, ">i4")
    matrix[:, 4:] = body.data
    width = body.data.shape[1]
    if nulls is not None or not (lengths == width).all():
        used[:, 4:] = np.arange(width) < lengths[:, None]


def _body(type_: LogicalType, column: Vector) -> Text:
    if isinstance(column.data, Text):
        # jsonb's binary format is a version number and the document; json's is the document.
        version = [text.constant(b"\x01", len(column))] if type_.name == "jsonb" else []
        return text.joined([*version, column.text])
    if type_.kind is Kind.UUID:
        return _fixed(column.array)
    if type_.kind is Kind.NUMERIC:
        scale = scale_of(type_)
        hundreds = 10 ** max(-scale, 0)  # of a negative scale: numeric(4,-2) counts in hundreds
        return _fixed(_numeric(column.array * hundreds, max(scale, 0), limit_of(type_) * hundreds))
    numbers = column.array
    if type_.kind is Kind.DATE:
        numbers = numbers - _DAYS_TO_2000
    elif type_.kind in MOMENT_KINDS:
        numbers = numbers - _MICROSECONDS_TO_2000
    return _fixed(_big_endian(numbers, _FIXED[type_.kind]))


def _fixed(data: Octets) -> Text:
    return Text(data, np.full(len(data), data.shape[1], dtype=np.int64))


def _big_endian(numbers: NDArray[np.generic], form: str) -> Octets:
    converted = np.ascontiguousarray(numbers.astype(form))
    return converted.view(np.uint8).reshape(len(numbers), converted.dtype.itemsize)


def _numeric(unscaled: NDArray[np.int64], scale: int, limit: int) -> Octets:
    """Base-10000 digits around the point. PostgreSQL strips leading and trailing zeros, so all rows may be as wide."""
    whole, fraction = np.divmod(np.abs(unscaled), 10**scale)
    whole_groups = -(-len(str(max(limit // 10**scale - 1, 1))) // 4)
    groups: list[NDArray[np.int64]] = []
    for _ in range(whole_groups):
        whole, group = np.divmod(whole, 10_000)
        groups.insert(0, group)
    for decimals in range(scale, 0, -4):
        if decimals >= 4:
            group, fraction = np.divmod(fraction, 10 ** (decimals - 4))
        else:
            group = fraction * 10 ** (4 - decimals)
        groups.append(group)
    digits = np.empty((len(unscaled), 4 + len(groups)), dtype=np.int64)
    digits[:, 0] = len(groups)
    digits[:, 1] = whole_groups - 1
    digits[:, 2] = np.where(unscaled < 0, 0x4000, 0)
    digits[:, 3] = scale
    for place, group in enumerate(groups):
        digits[:, 4 + place] = group
    return _big_endian(digits.reshape(-1), ">i2").reshape(len(unscaled), 2 * digits.shape[1])

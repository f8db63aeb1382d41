"""PostgreSQL's binary COPY format, made for whole chunks at once.

A chunk becomes one matrix of bytes, a row a record, each field as wide as its widest value; a mask of the same shape
then squeezes out what NULLs and shorter values leave unused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from framework.generate.columns import text
from framework.generate.columns.scalars import MOMENT_KINDS, limit_of, scale_of
from framework.generate.columns.text import Octets, Text
from framework.generate.columns.values import Vector
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


Field: TypeAlias = Text | NDArray[Any]
"""Values as they are sent: texts, or an array whose elements have the bytes of the binary format."""


def records(types: Sequence[LogicalType], columns: Sequence[Vector]) -> memoryview:
    """The rows as records of a binary COPY, without header and trailer."""
    bodies = [_body(type_, column) for type_, column in zip(types, columns, strict=True)]
    matrix = np.empty((len(columns[0]), 2 + sum(4 + _width(body) for body in bodies)), dtype=np.uint8)
    used = np.ones(matrix.shape, dtype=np.bool_)
    _elements(matrix, 0, ">i2")[:] = len(columns)
    place = 2
    for body, column in zip(bodies, columns, strict=True):
        place = _put(matrix, used, place, body, column.nulls)
    return matrix[used].data


def field(type_: LogicalType, column: Vector) -> Text:
    """Each value with its length before it: a field of a record, or an element of an array."""
    body = _body(type_, column)
    matrix = np.empty((len(column), 4 + _width(body)), dtype=np.uint8)
    used = np.ones(matrix.shape, dtype=np.bool_)
    _put(matrix, used, 0, body, column.nulls)
    return Text(matrix, np.count_nonzero(used, axis=1).astype(np.int64))


def _width(body: Field) -> int:
    return body.data.shape[1] if isinstance(body, Text) else body.dtype.itemsize


def _put(matrix: Octets, used: NDArray[np.bool_], place: int, body: Field, nulls: NDArray[np.bool_] | None) -> int:
    """Writes a field into its place in all records; the place behind it."""
    width = _width(body)
    start, end = place + 4, place + 4 + width
    lengths = body.lengths if isinstance(body, Text) else np.full(len(body), width, dtype=np.int64)
    if nulls is not None:
        lengths = np.where(nulls, -1, lengths)
    _elements(matrix, place, ">i4")[:] = lengths
    if width:
        values = _whole(body.data) if isinstance(body, Text) else body
        _elements(matrix, start, values.dtype)[:] = values
    if nulls is not None or isinstance(body, Text):
        used[:, start:end] = text.filled(lengths, width)
    return end


def _elements(matrix: Octets, place: int, form: DTypeLike) -> NDArray[Any]:
    """What stands at this place in every row, as one element of another form; an element at a time is quicker."""
    elements: NDArray[Any] = np.ndarray((len(matrix),), form, matrix, place, (matrix.shape[1],))
    return elements


def _whole(rows: Octets) -> NDArray[np.void]:
    """The rows of a matrix, each as one element."""
    whole: NDArray[np.void] = np.ascontiguousarray(rows).view(f"V{rows.shape[1]}").reshape(len(rows))
    return whole


def _body(type_: LogicalType, column: Vector) -> Field:
    if isinstance(column.data, Text):
        # jsonb's binary format is a version number and the document; json's is the document.
        version = [text.constant(b"\x01", len(column))] if type_.name == "jsonb" else []
        return text.joined([*version, column.text])
    if type_.kind is Kind.UUID:
        return _whole(column.array)
    if type_.kind is Kind.NUMERIC:
        scale = scale_of(type_)
        hundreds = 10 ** max(-scale, 0)  # of a negative scale: numeric(4,-2) counts in hundreds
        return _whole(_numeric(column.array * hundreds, max(scale, 0), limit_of(type_) * hundreds))
    numbers = column.array
    if type_.kind is Kind.DATE:
        numbers = numbers - _DAYS_TO_2000
    elif type_.kind in MOMENT_KINDS:
        numbers = numbers - _MICROSECONDS_TO_2000
    return numbers.astype(_FIXED[type_.kind])


def _numeric(unscaled: NDArray[np.int64], scale: int, limit: int) -> Octets:
    """Base-10000 digits around the point. PostgreSQL strips leading and trailing zeros, so all rows may be as wide."""
    whole, fraction = np.divmod(np.abs(unscaled), 10**scale)
    whole_groups = -(-len(str(max(limit // 10**scale - 1, 1))) // 4)
    groups: list[NDArray[np.int64]] = []
    for _ in range(whole_groups):
        above = whole // 10_000
        groups.insert(0, whole - above * 10_000)
        whole = above
    for decimals in range(scale, 0, -4):
        if decimals >= 4:
            group, fraction = np.divmod(fraction, 10 ** (decimals - 4))
        else:
            group = fraction * 10 ** (4 - decimals)
        groups.append(group)
    digits = np.empty((len(unscaled), 4 + len(groups)), dtype=">i2")
    digits[:, 0] = len(groups)
    digits[:, 1] = whole_groups - 1
    digits[:, 2] = np.where(unscaled < 0, 0x4000, 0)
    digits[:, 3] = scale
    for place, group in enumerate(groups):
        digits[:, 4 + place] = group
    return digits.view(np.uint8)

"""Python values, as specs, Faker and the database give them, become vectors."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from framework.generate.columns import encode, text
from framework.generate.columns.scalars import ELEMENT_OIDS, element_of, held
from framework.generate.columns.values import OCTET_KINDS, Vector, dtype_of
from framework.types import Kind, LogicalType


def vector_of(type_: LogicalType, values: Sequence[Any]) -> Vector:
    """Python values (of a spec, of Faker, of the database) as a vector; None is NULL.

    Raises:
        ValueError: a value is not one of the type; the message says which.
    """
    nulls = np.fromiter((value is None for value in values), dtype=np.bool_, count=len(values))
    converted = [_empty(type_) if value is None else _converted(type_, value) for value in values]
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


def _converted(type_: LogicalType, value: Any) -> Any:
    return _array(type_, value) if type_.kind is Kind.ARRAY else held(type_, value)


def _array(type_: LogicalType, value: Any) -> bytes:
    elements = list(held(type_, value))
    element = element_of(type_)
    if not elements:
        return struct.pack(">iii", 0, 0, ELEMENT_OIDS[element.kind])
    vector = vector_of(element, list(value))
    header = struct.pack(">iiiii", 1, 0, ELEMENT_OIDS[element.kind], len(elements), 1)
    return header + b"".join(text.to_bytes(encode.field(element, vector)))

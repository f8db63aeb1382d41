"""How the values of a column are held: numpy vectors whose form follows from the type.

====================  ====================================================================
kind                  form
====================  ====================================================================
boolean               bool
smallint to bigint    int64
numeric               int64 in units of 10 ** -`scale_of` (type)
real, double          float64
date                  int64, days since 1970
time                  int64, microseconds of the day
timestamp, -tz        int64, microseconds since 1970 (UTC)
uuid                  a matrix of 16 bytes
char, varchar, text   `Text`: bytes in UTF-8
json                  `Text`: the document
bytea, array          `Text`: the bytes of PostgreSQL's binary format
====================  ====================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
from numpy.typing import NDArray

from framework.generate.text import Text
from framework.types import TEXT_KINDS, Kind, LogicalType, parse_type

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
DAY = 86_400_000_000
"""Microseconds of a day."""

INTEGER_LIMITS = {Kind.SMALLINT: 2**15, Kind.INTEGER: 2**31, Kind.BIGINT: 2**63}
MOMENT_KINDS = frozenset({Kind.TIMESTAMP, Kind.TIMESTAMPTZ})
OCTET_KINDS = TEXT_KINDS | {Kind.JSON, Kind.BYTES, Kind.ARRAY}

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

_WIDEST = 18
"""Digits that always fit into an int64."""
_LOOSE_SCALE = 6
"""Decimals kept of numerics that are wider than an int64, or have no limit."""


@dataclass(frozen=True)
class Vector:
    """The values of one column for some rows; where ``nulls`` is set, what ``data`` holds means nothing."""

    data: NDArray[Any] | Text
    nulls: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.data)

    @property
    def array(self) -> NDArray[Any]:
        """The data of a kind that is not held as `Text`."""
        assert not isinstance(self.data, Text)
        return self.data

    @property
    def text(self) -> Text:
        """The data of a kind that is held as `Text`."""
        assert isinstance(self.data, Text)
        return self.data

    def take(self, places: NDArray[np.int64]) -> Vector:
        """The values at these places."""
        data = self.data.take(places) if isinstance(self.data, Text) else self.data[places]
        return Vector(data, None if self.nulls is None else self.nulls[places])

    def with_nulls(self, nulls: NDArray[np.bool_] | None) -> Vector:
        """The same with NULL where ``nulls`` says so, too."""
        if nulls is None:
            return self
        return Vector(self.data, nulls if self.nulls is None else self.nulls | nulls)


def scale_of(type_: LogicalType) -> int:
    """The decimals with which a numeric is held."""
    if type_.precision is None or type_.precision > _WIDEST:
        return min(_LOOSE_SCALE, _LOOSE_SCALE if type_.scale is None else type_.scale)
    return type_.scale or 0


def limit_of(type_: LogicalType) -> int:
    """The first number, held as the type holds numbers, that is too large for it."""
    if type_.kind in INTEGER_LIMITS:
        return INTEGER_LIMITS[type_.kind]
    if type_.precision is None:
        return 2**63
    return int(min(10 ** (type_.precision - (type_.scale or 0) + scale_of(type_)), 2**63))


def element_of(type_: LogicalType) -> LogicalType:
    """The type of an array's elements."""
    element = parse_type(type_.name.removesuffix("[]"))
    assert element is not None
    return element


def supported(type_: LogicalType) -> bool:
    """Whether columns of the type can be filled: those that have a form above."""
    if type_.kind is Kind.ARRAY:
        return element_of(type_).kind in ELEMENT_OIDS
    return type_.kind in ELEMENT_OIDS or type_.kind in (Kind.JSON, Kind.BYTES)


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def dtype_of(type_: LogicalType) -> type[np.generic]:
    """The numpy type of a kind that is held as a plain array."""
    if type_.kind is Kind.BOOLEAN:
        return np.bool_
    return np.float64 if type_.kind in (Kind.REAL, Kind.DOUBLE) else np.int64

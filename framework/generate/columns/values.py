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
char to text, enum    `Text`: bytes in UTF-8
json                  `Text`: the document
bytea, array          `Text`: the bytes of PostgreSQL's binary format
====================  ====================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from framework.generate.columns.text import Text
from framework.types import TEXT_KINDS, Kind, LogicalType

DAY = 86_400_000_000
"""Microseconds of a day."""

OCTET_KINDS = TEXT_KINDS | {Kind.JSON, Kind.BYTES, Kind.ARRAY, Kind.ENUM}


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
        data = self.data.take(places) if isinstance(self.data, Text) else self.data.take(places, axis=0)
        return Vector(data, None if self.nulls is None else self.nulls.take(places))

    def with_nulls(self, nulls: NDArray[np.bool_] | None) -> Vector:
        """The same with NULL where ``nulls`` says so, too."""
        if nulls is None:
            return self
        return Vector(self.data, nulls if self.nulls is None else self.nulls | nulls)


def dtype_of(type_: LogicalType) -> type[np.generic]:
    """The numpy type of a kind that is held as a plain array."""
    if type_.kind is Kind.BOOLEAN:
        return np.bool_
    return np.float64 if type_.kind in (Kind.REAL, Kind.DOUBLE) else np.int64

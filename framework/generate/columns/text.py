"""Columns of texts: a matrix of bytes (UTF-8), one row a text, with the length of each. No text is a Python object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Octets = NDArray[np.uint8]

_NARROW = 255
"""For texts up to so many bytes, what `filled` gives is looked up."""


@dataclass(frozen=True)
class Text:
    """``data[i, :lengths[i]]`` is text number i; what stands behind it means nothing."""

    data: Octets
    lengths: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def filled(self) -> NDArray[np.bool_]:
        """Which bytes of ``data`` belong to texts."""
        return filled(self.lengths, self.data.shape[1])

    def take(self, places: NDArray[np.int64]) -> Text:
        """The texts at these places."""
        return Text(self.data.take(places, axis=0), self.lengths.take(places))


def filled(lengths: NDArray[np.int64], width: int) -> NDArray[np.bool_]:
    """Which bytes of a matrix so wide belong to texts of these lengths; none where a length is -1."""
    if width > _NARROW:
        return np.asarray(np.arange(width) < lengths[:, None])
    return _first_bytes(width).take(lengths, axis=0)


@lru_cache(maxsize=_NARROW + 1)
def _first_bytes(width: int) -> NDArray[np.bool_]:
    """A row for each length, the last one for -1."""
    return np.arange(width) < np.array([*range(width + 1), 0])[:, None]


def of(values: Sequence[bytes]) -> Text:
    """The values as a column."""
    lengths = np.fromiter((len(value) for value in values), dtype=np.int64, count=len(values))
    return spread(np.frombuffer(b"".join(values), dtype=np.uint8), lengths)


def constant(value: bytes, count: int) -> Text:
    """The same text ``count`` times."""
    row = np.frombuffer(value, dtype=np.uint8)
    return Text(np.broadcast_to(row, (count, len(row))), np.full(count, len(row), dtype=np.int64))


def of_strings(values: NDArray[np.bytes_]) -> Text:
    """A numpy array of byte strings (which hold no NUL) as a column."""
    data = np.ascontiguousarray(values).view(np.uint8).reshape(len(values), values.dtype.itemsize)
    return Text(data, np.count_nonzero(data, axis=1).astype(np.int64))


def joined(parts: Sequence[Text]) -> Text:
    """Row by row, the parts put together."""
    if len(parts) == 1:
        return parts[0]
    data = np.hstack([part.data for part in parts])
    used = np.hstack([part.filled for part in parts])
    lengths = np.asarray(np.sum([part.lengths for part in parts], axis=0), dtype=np.int64)
    return spread(data[used], lengths)


def to_bytes(column: Text) -> list[bytes]:
    """The texts as Python values."""
    return [row[:length].tobytes() for row, length in zip(column.data, column.lengths, strict=True)]


def of_integers(numbers: NDArray[np.int64]) -> Text:
    """Decimal digits."""
    return of_strings(numbers.astype("S20"))


def of_decimals(unscaled: NDArray[np.int64], scale: int) -> Text:
    """Numbers of 10 ** -scale, written out with all their decimals."""
    if scale == 0:
        return of_integers(unscaled)
    whole, fraction = np.divmod(np.abs(unscaled), 10**scale)
    sign = of_strings(np.where(unscaled < 0, b"-", b"").astype("S1"))
    return joined([sign, of_integers(whole), constant(b".", len(unscaled)), digits(fraction, scale)])


def digits(numbers: NDArray[np.int64], width: int) -> Text:
    """The last ``width`` digits of each number, with leading zeros."""
    matrix = np.empty((len(numbers), width), dtype=np.uint8)
    for place in range(width - 1, -1, -1):
        numbers, digit = np.divmod(numbers, 10)
        matrix[:, place] = digit + ord("0")
    return Text(matrix, np.full(len(numbers), width, dtype=np.int64))


def of_uuids(octets: Octets) -> Text:
    """UUIDs of 16 bytes in their usual form."""
    alphabet = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
    nibbles = np.empty((len(octets), 32), dtype=np.uint8)
    nibbles[:, 0::2] = alphabet[octets >> 4]
    nibbles[:, 1::2] = alphabet[octets & 15]
    matrix = np.full((len(octets), 36), ord("-"), dtype=np.uint8)
    matrix[:, [place for place in range(36) if place not in (8, 13, 18, 23)]] = nibbles
    return Text(matrix, np.full(len(octets), 36, dtype=np.int64))


def of_days(numbers: NDArray[np.int64]) -> Text:
    """ISO dates of days since 1970."""
    return of_strings(np.datetime_as_string(numbers.astype("datetime64[D]")).astype("S"))


def of_instants(numbers: NDArray[np.int64], zone: bytes = b"Z") -> Text:
    """ISO date-times of microseconds since 1970."""
    iso = np.datetime_as_string(numbers.astype("datetime64[us]"))
    return joined([of_strings(iso.astype("S")), constant(zone, len(numbers))])


def spread(flat: Octets, lengths: NDArray[np.int64]) -> Text:
    """Texts that stand behind each other in ``flat``, as a column."""
    width = int(lengths.max(initial=0))
    data = np.zeros((len(lengths), width), dtype=np.uint8)
    data[filled(lengths, width)] = flat
    return Text(data, lengths)

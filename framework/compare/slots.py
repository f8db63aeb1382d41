"""Slots: an integer for each row, by which both databases cut a table into the same parts.

A single integer key with an index is its own slot, so that a part is a range of the index. Other keys, and rows without
a key, get a number made of their SHA-256: parts are of one size, whatever the values, but each is found by reading all
rows. `framework.compare.cuts` says how a slot is found.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import isqrt

from framework.databases.canonical import LONG, NUMBERS

SEGMENT = 500_000
"""Rows (estimated) that are compared in one snapshot, where a part can be found by an index."""

BLOCK = 2_000
"""Rows (estimated) of the parts that are compared first, where a part can be found by an index."""

BLOCK_BYTES = 8 << 20
"""Bytes that the rows of such a part may have together, if their values are as long as texts may be."""

SMALLEST_BLOCK = 400
"""Rows of such a part, however many columns there are."""

MOST_PARTS = 16_384
"""Parts that one statement tells of."""

SAMPLES = 10
"""Stretches that a sample is made of, where a part can be found by an index."""

WIDEST = 1 << 62
"""Slots of what is cut: their differences have to fit into 64 bits."""


@dataclass(frozen=True)
class Stretch:
    """Slots from ``low`` to ``high``, both included."""

    low: int
    high: int

    @property
    def width(self) -> int:
        """How many slots there are."""
        return self.high - self.low + 1

    def cut(self, parts: int) -> Grid:
        """The same slots in at most so many parts, all of one width but the last."""
        return Grid(self, -(-self.width // max(parts, 1)))


@dataclass(frozen=True)
class Grid:
    """A stretch in parts of ``width`` slots, numbered from 0."""

    stretch: Stretch
    width: int

    def part(self, number: int) -> Stretch:
        """The slots of a part."""
        low = self.stretch.low + number * self.width
        return Stretch(low, min(low + self.width - 1, self.stretch.high))

    @property
    def count(self) -> int:
        """How many parts there are."""
        return -(-self.stretch.width // self.width)

    def parts(self) -> tuple[Stretch, ...]:
        """All parts."""
        return tuple(map(self.part, range(self.count)))


WHOLE = Stretch(0, NUMBERS - 1)
"""All slots that are made of a digest."""

UUIDS = Stretch(0, (1 << 48) - 1)
"""All slots that are made of the first bits of a UUID."""


def hull(stretches: Iterable[Stretch | None]) -> Stretch | None:
    """From the first slot of all stretches to the last one; None if there is none."""
    found = [stretch for stretch in stretches if stretch is not None]
    if not found:
        return None
    return Stretch(min(each.low for each in found), max(each.high for each in found))


def segments(extent: Stretch, rows: int, *, indexed: bool) -> tuple[Stretch, ...]:
    """What is compared in one snapshot each; ``rows``: of the whole extent, estimated."""
    if not indexed:
        return (extent,)
    return extent.cut(max(-(-rows // SEGMENT), -(-extent.width // WIDEST))).parts()


def parts_of(rows: int) -> int:
    """Into how many parts so many rows are cut by one statement: what is fetched for one difference is the least so."""
    return max(1, min(isqrt(rows), MOST_PARTS))


def blocks_of(rows: int, columns: int) -> int:
    """Into how many parts so many rows are cut, whose texts are joined: none may be too long for the servers."""
    return max(1, -(-rows // max(SMALLEST_BLOCK, min(BLOCK, BLOCK_BYTES // (columns * LONG)))))


def sample(extent: Stretch, fraction: float, *, indexed: bool) -> tuple[Stretch, ...]:
    """A part of the extent, another one each time."""
    return tuple(_some(stretch, fraction) for stretch in extent.cut(SAMPLES if indexed else 1).parts())


def _some(stretch: Stretch, fraction: float) -> Stretch:
    width = max(1, min(stretch.width, round(stretch.width * fraction)))
    low = stretch.low + random.randrange(stretch.width - width + 1)  # noqa: S311 - nobody must not guess it
    return Stretch(low, low + width - 1)


def joined(stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    """The same slots, neighbours as one; in order."""
    open_: Stretch | None = None
    for stretch in sorted(stretches, key=lambda each: each.low):
        if open_ is not None and open_.high + 1 == stretch.low:
            open_ = Stretch(open_.low, stretch.high)
            continue
        if open_ is not None:
            yield open_
        open_ = stretch
    if open_ is not None:
        yield open_

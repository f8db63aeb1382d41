"""Where two tables differ: parts are summed up in both databases, and those whose sums are equal are done with.

To use it, make the two sides (`framework.replicate.sides` makes them of a source and a copy: of keys, or of whole
rows), and a `Pair` of them, and have a stretch of slots compared: `Side.extent` tells which slots there are. What comes
back are the parts that differ, each with its rows on both sides; `Side.within` makes a condition of them. The source is
read in its session's snapshot; nobody else may write to the copy between this and what is done about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt

from framework.compare.pair import Pair
from framework.compare.side import Side, Sum
from framework.compare.slots import Grid, Stretch, segments

MOST_PARTS = 65_536
"""Parts that one statement tells of."""


@dataclass(frozen=True)
class Unequal:
    """What a comparison has found.

    Attributes:
        grid: the stretch in its parts.
        parts: by number, those that differ, with the source's sum and the copy's.
        rows: of the source, in the whole stretch.
        copied: of the copy.
    """

    grid: Grid
    parts: Mapping[int, tuple[Sum, Sum]]
    rows: int
    copied: int


def unequal(pair: Pair, stretch: Stretch, rows: int, differences: int = 1, also: Side | None = None) -> Unequal:
    """The parts of a stretch in which source and copy differ.

    Args:
        pair: of the two.
        stretch: its slots; at most 2**62 of them.
        rows: about how many there are.
        differences: about how many are expected. So parts are cut that what is told of parts, and what is in those that
            differ, is the least.
        also: rows that count as the copy's.
    """
    grid = stretch.cut(max(1, min(isqrt(max(1, rows) * max(1, differences)), MOST_PARTS)))

    def sums(side: Side) -> dict[int, Sum]:
        return added(side.sums(grid), also.sums(grid) if also is not None and side is pair.copy else {})

    ours, theirs = pair.both(sums)
    return Unequal(grid, unlike(ours, theirs), _rows(ours), _rows(theirs))


def extent(pair: Pair, rows: int) -> tuple[Stretch, ...]:
    """The slots that rows of either have, in stretches that can be compared; ``rows``: about how many there are."""
    whole = pair.extent()
    return segments(whole, rows, indexed=pair.source.indexed) if whole is not None else ()


def unlike(ours: Mapping[int, Sum], theirs: Mapping[int, Sum]) -> dict[int, tuple[Sum, Sum]]:
    """The parts that differ, in order, with both sums."""
    none = Sum()
    pairs = {part: (ours.get(part, none), theirs.get(part, none)) for part in sorted(ours.keys() | theirs.keys())}
    return {part: (one, other) for part, (one, other) in pairs.items() if one != other}


def added(some: Mapping[int, Sum], others: Mapping[int, Sum]) -> dict[int, Sum]:
    """By part, the sums of both."""
    found = dict(some)
    for number, part in others.items():
        was = found.get(number, Sum())
        found[number] = Sum(was.rows + part.rows, was.total + part.total)
    return found


def _rows(sums: Mapping[int, Sum]) -> int:
    return sum(part.rows for part in sums.values())

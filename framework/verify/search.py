"""Finding the rows that differ: sums of parts first, then the rows of parts whose sums differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from framework.compare.pair import Pair
from framework.compare.ranges import unlike
from framework.compare.side import Sum
from framework.compare.slots import Grid, Stretch, blocks_of, parts_of
from framework.databases.base import Progress
from framework.verify.judge import Judge

LEAF = 1_000
"""Rows of a part that are fetched, rather than cut the part again."""

AT_ONCE = 50_000
"""Rows that are fetched at once."""

SLOTS = 1_000
"""Slots that one statement asks for."""

FAN_OUT = 256
"""Parts into which a part is cut that is too large: keys may be crowded."""


@dataclass
class Search:
    """Looks through slots.

    Attributes:
        rows: of the source, that were compared.
        copied: of the copy.
    """

    pair: Pair
    judge: Judge
    progress: Progress
    rows: int = 0
    copied: int = 0

    def through(self, stretch: Stretch, rows: int) -> None:
        """Look through a stretch that has about so many rows, until the judge has enough."""
        copy = self.pair.copy
        if copy.indexed and copy.canonical.joined("") is not None:
            grid = stretch.cut(blocks_of(rows, len(copy.columns)))
            ours, theirs = self.pair.both(lambda side: side.digests(grid))
        else:
            grid = stretch.cut(parts_of(rows))
            ours, theirs = self.pair.sums(grid)
        self.rows += (compared := sum(part.rows for part in ours.values()))
        self.copied += sum(part.rows for part in theirs.values())
        self._unequal(grid, ours, theirs)
        self.progress(compared)

    def again(self, slots: Sequence[int]) -> None:
        """Look at the rows of some slots."""
        for start in range(0, len(slots), SLOTS):
            chosen = slots[start : start + SLOTS]
            self.judge.compare(*self.pair.both(lambda side: side.chosen(chosen)))  # noqa: B023 - asked at once

    def _unequal(self, grid: Grid, ours: dict[int, Sum], theirs: dict[int, Sum]) -> None:
        """Look into the parts of a grid whose sums differ."""
        sizes = {part: max(one.rows, other.rows) for part, (one, other) in unlike(ours, theirs).items()}
        crowded = [part for part, rows in sizes.items() if rows > LEAF and self._can_cut(grid.part(part))]
        for part in crowded:
            if self.judge.is_full:
                return
            finer = grid.part(part).cut(FAN_OUT)
            self._unequal(finer, *self.pair.sums(finer))
        for parts in _batches({part: rows for part, rows in sizes.items() if part not in crowded}):
            if self.judge.is_full:
                return
            self.judge.compare(*self.pair.numbers(grid, parts))

    def _can_cut(self, stretch: Stretch) -> bool:
        """Parts that only a scan of the whole table finds are fetched as they are."""
        return self.pair.source.indexed and stretch.width > 1


def _batches(sizes: dict[int, int]) -> Iterator[list[int]]:
    """The parts, in groups that have not too many rows."""
    chosen: list[int] = []
    rows = 0
    for part, size in sizes.items():
        if chosen and rows + size > AT_ONCE:
            yield chosen
            chosen, rows = [], 0
        chosen.append(part)
        rows += size
    if chosen:
        yield chosen

"""The two sides of a comparison, which are asked at the same time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from framework.compare.side import Numbered, Side, Sum
from framework.compare.slots import Grid, Stretch, hull

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Pair:
    """Source and copy; the pool has a thread for the copy's answers."""

    source: Side
    copy: Side
    pool: ThreadPoolExecutor

    def both(self, question: Callable[[Side], Answer]) -> tuple[Answer, Answer]:
        """The answers of both to one question."""
        copy = self.pool.submit(question, self.copy)
        try:
            source = question(self.source)
        except BaseException:
            # Its session must be idle before anybody else uses it.
            copy.exception()
            raise
        return source, copy.result()

    def extent(self) -> Stretch | None:
        """The slots that rows of either may have; None if there are no rows."""
        return hull(self.both(lambda side: side.extent()))

    def sums(self, grid: Grid) -> tuple[dict[int, Sum], dict[int, Sum]]:
        """Of the parts of a grid."""
        return self.both(lambda side: side.sums(grid))

    def numbers(self, grid: Grid, parts: Sequence[int]) -> tuple[list[Numbered], list[Numbered]]:
        """Of the rows of some parts."""
        return self.both(lambda side: side.numbers(grid, parts))

    @property
    def fetched(self) -> int:
        """Rows that both have answered with."""
        return sum(self.source.fetched) + sum(self.copy.fetched)

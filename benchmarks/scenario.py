"""What a scenario is: something that is measured with the two servers, in one or more sizes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from benchmarks.result import Result
from tests.services import Server

Measure = Callable[[Server, Server, int, int], Iterable[Result] | None]
"""With PostgreSQL and MySQL, an amount and a number of rounds: what was found, or None where it has been printed."""


@dataclass(frozen=True)
class Size:
    """How much is measured at once, in the scenario's own unit, and how often."""

    amount: int
    rounds: int = 1


@dataclass(frozen=True)
class Scenario:
    """What is measured, in which sizes.

    Attributes:
        measure: called once for each size; yields each result as soon as it is known.
        full: the sizes whose results count.
        quick: one that only shows that it runs, in a few seconds, on two busy cores too.
        unit: what the amount counts.
        foreign: whether it needs programs of others, which `make bench-peers` installs.
    """

    measure: Measure
    full: tuple[Size, ...]
    quick: Size
    unit: str = "rows"
    foreign: bool = False

    def sizes(self, *, quick: bool) -> tuple[Size, ...]:
        return (self.quick,) if quick else self.full

"""Distributions as tables: a uniform number goes in, a number of the distribution comes out.

The tables are made by Python's own arithmetic and read by multiplication and addition only. numpy's `exp` and `power`
differ between processors in the last bit, and its `Generator.zipf` between releases.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from framework.generate.columns.streams import Bits

Numbers = NDArray[np.float64]

_CELLS = 1 << 15
_EXTREME = 2.0**-31
"""Stands for probability 0 at the end of the table: 6.1 standard deviations away."""
_HEAD = 100_000
"""Zipf ranks with a weight of their own; the ranks behind them share theirs as the integral does."""


def interpolated(table: Numbers, uniform: Numbers) -> Numbers:
    """The table's value at ``uniform`` (0 to 1), on the straight line between its neighbours."""
    position = uniform * (len(table) - 1)
    cell = position.astype(np.int64)
    below = table[cell]
    return below + (table[cell + 1] - below) * (position - cell)


@lru_cache(maxsize=1)
def _standard_normal() -> tuple[float, ...]:
    inverse = NormalDist().inv_cdf
    return tuple(inverse(min(max(cell / _CELLS, _EXTREME), 1 - _EXTREME)) for cell in range(_CELLS + 1))


def normal(mean: float, sigma: float) -> Numbers:
    """The quantiles of a normal distribution."""
    return np.array([mean + sigma * z for z in _standard_normal()])


def lognormal(mean: float, sigma: float) -> Numbers:
    """The quantiles of a distribution whose logarithm is normal. Raises OverflowError beyond what a float holds."""
    return np.array([math.exp(mean + sigma * z) for z in _standard_normal()])


@lru_cache(maxsize=64)
def inequality(skew: float) -> Numbers:
    """Where in a line of owners, the poorest first, a share of the whole lies; wealth is log-normal with ``skew``.

    The inverse of a Lorenz curve: entry x is the share of owners who together own the share x. Skew 0 is the diagonal.
    """
    if skew == 0:
        return np.linspace(0.0, 1.0, _CELLS + 1)
    cdf = NormalDist().cdf
    return np.array([0.0, *(cdf(z + skew) for z in _standard_normal()[1:-1]), 1.0])


def thresholds(weights: Sequence[float]) -> Bits:
    """Where, among all values of 64 bits, each option but the last ends; exact, so that no option is lost."""
    exact = [Fraction(weight) for weight in weights]
    total, reached, ends = sum(exact), Fraction(0), []
    for weight in exact[:-1]:
        reached += weight
        ends.append(min(int(reached / total * 2**64), 2**64 - 1))
    return np.array(ends, dtype=np.uint64)


class Zipf:
    """Ranks 1 to ``maximum``, the rank k with a weight of k ** -exponent."""

    def __init__(self, exponent: float, maximum: int) -> None:
        head = min(maximum, _HEAD)
        weights = [rank**-exponent for rank in range(1, head + 1)]
        tail = _integral(exponent, head + 0.5, maximum + 0.5) if maximum > head else 0.0
        total = math.fsum(weights) + tail
        self._ends = np.cumsum(np.array(weights)) / total
        self._exponent, self._head, self._maximum = exponent, head, maximum

    def ranks(self, uniform: Numbers) -> NDArray[np.int64]:
        """The rank that each number between 0 and 1 stands for."""
        ranks = np.searchsorted(self._ends, uniform, side="right") + 1
        behind = np.flatnonzero(ranks > self._head)
        if self._maximum > self._head:
            ranks[behind] = self._tail((uniform[behind] - self._ends[-1]) / (1 - self._ends[-1]))
        return np.minimum(ranks, self._maximum)

    def _tail(self, share: Numbers) -> NDArray[np.int64]:
        low, high, power = self._head + 0.5, self._maximum + 0.5, 1 - self._exponent
        if power == 0:
            values = low * (high / low) ** share
        else:
            values = (low**power + share * (high**power - low**power)) ** (1 / power)
        return np.rint(values).astype(np.int64)


def _integral(exponent: float, low: float, high: float) -> float:
    power = 1 - exponent
    return math.log(high / low) if power == 0 else (high**power - low**power) / power

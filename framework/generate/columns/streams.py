"""Randomness addressed by row: the value of a row depends on its stream and its number, on nothing else.

Everything here is integer arithmetic, so the same numbers come out of every machine and every numpy.
"""

from __future__ import annotations

import hashlib
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Rows: TypeAlias = NDArray[np.int64]
"""Row numbers, counted from 0."""
Bits: TypeAlias = NDArray[np.uint64]

_GAMMA = 0x9E3779B97F4A7C15
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_ROUNDS = 6


def _mix(state: Bits) -> None:
    """The finalizer of splitmix64, in place: well-mixed bits for each state."""
    state ^= state >> np.uint64(30)
    state *= np.uint64(0xBF58476D1CE4E5B9)
    state ^= state >> np.uint64(27)
    state *= np.uint64(0x94D049BB133111EB)
    state ^= state >> np.uint64(31)


class Stream:
    """An endless row of random numbers that can be read at any place."""

    def __init__(self, *path: str | int) -> None:
        self._path = path
        text = "".join(f"{len(str(part))}:{part}" for part in path)
        self.key = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
        self._first = np.uint64((self.key + _GAMMA) % 2**64)

    @property
    def path(self) -> tuple[str | int, ...]:
        """What the stream is for: seed, table, column, parts of the column."""
        return self._path

    def child(self, name: str | int) -> Stream:
        """A stream of its own for a part of what this one is for."""
        return Stream(*self._path, name)

    def bits(self, rows: Rows) -> Bits:
        """64 random bits for each row."""
        state = rows.astype(np.uint64)
        state *= np.uint64(_GAMMA)
        state += self._first
        _mix(state)
        return state

    def uniform(self, rows: Rows) -> NDArray[np.float64]:
        """A number between 0 and 1, both excluded, for each row."""
        middle: NDArray[np.float64] = (self.bits(rows) >> np.uint64(12)).astype(np.float64)
        middle += 0.5
        middle *= 2.0**-52
        return middle

    def below(self, rows: Rows, limit: int | Rows) -> Rows:
        """A number from 0 to ``limit`` - 1 for each row; the limit is at least 1 and may differ from row to row."""
        return _high_product(self.bits(rows), np.asarray(limit, dtype=np.uint64)).view(np.int64)


class Permutation:
    """A random order of the numbers 0 to ``size`` - 1 that is computed, not stored: a Feistel network.

    The numbers are pairs (left, right) of a grid just large enough; the few that fall outside walk on until inside.
    """

    def __init__(self, size: int, stream: Stream) -> None:
        self.size = size
        self._width = max(1, int(np.ceil(np.sqrt(size))))
        self._height = max(1, -(-size // self._width))
        self._streams = tuple(stream.child(f"round {number}") for number in range(_ROUNDS))

    def __call__(self, numbers: Rows) -> Rows:
        """The place of each number."""
        places = self._shuffled(numbers)
        outside = np.flatnonzero(places >= self.size)
        while outside.size:
            places[outside] = self._shuffled(places[outside])
            outside = outside[places[outside] >= self.size]
        return places

    def _shuffled(self, numbers: Rows) -> Rows:
        left = numbers // self._height
        right = numbers - left * self._height
        for number, stream in enumerate(self._streams):
            if number % 2:
                right = _added(right, stream.below(left, self._height), self._height)
            else:
                left = _added(left, stream.below(right, self._width), self._width)
        return left * self._height + right


def _added(number: Rows, step: Rows, modulus: int) -> Rows:
    """The sum of two numbers below the modulus, modulo it."""
    total: Bits = (number + step).view(np.uint64)
    # Where the sum is smaller than the modulus, the difference wraps around to a huge number.
    reduced: Bits = np.minimum(total, total - np.uint64(modulus))
    return reduced.view(np.int64)


def _high_product(left: Bits, right: Bits) -> Bits:
    """The upper 64 bits of the 128-bit product: maps random bits evenly onto a range."""
    left_high: Bits = left >> _HALF
    left_low: Bits = left & _LOW
    if right.max(initial=0) <= _LOW:
        left_low *= right
        left_low >>= _HALF
        left_high *= right
        left_high += left_low
        left_high >>= _HALF
        return left_high
    right_high, right_low = right >> _HALF, right & _LOW
    middle = left_high * right_low + ((left_low * right_low) >> _HALF)
    # The middle column may carry: its two halves are added apart.
    other = left_low * right_high + (middle & _LOW)
    result: Bits = left_high * right_high + (middle >> _HALF) + (other >> _HALF)
    return result

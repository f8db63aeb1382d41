"""Which keys only one of two tables has, exactly, where keys are integers that do not lie far apart.

Each side tells its keys as words, a bit for each integer. Nothing is digested, so there is nothing to collide; and it
costs the databases little more than to count their rows. Words come side by side as one text for some thousand keys:
where both sides tell the same text, nobody looks into it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from framework.compare.cuts import ByInteger
from framework.compare.pair import Pair
from framework.compare.side import WORD, Members, Side
from framework.compare.slots import Stretch

AT_ONCE = 1 << 19
"""Slots of one statement: its groups fit into the memory that servers have for them."""

SPARSE = 16
"""Slots for a key, on the average, above which words would be nearly as many as keys."""


@dataclass(frozen=True)
class Apart:
    """What differs in a stretch.

    Attributes:
        stretch: its slots.
        missing: keys that only the source has.
        extra: keys that only the copy has.
        copied: rows of the copy in the stretch, without those that count as its own.
        complete: words tell of each row. Where the source has several rows of one key they do not, and the rest
            says nothing.
    """

    stretch: Stretch
    missing: Sequence[int]
    extra: Sequence[int]
    copied: int
    complete: bool = True


def is_possible(side: Side, stretches: Sequence[Stretch], rows: int) -> bool:
    """Whether the keys of some stretches, about so many rows, can be told by words."""
    whole_key = isinstance(side.cut, ByInteger) and len(side.key) == 1
    return whole_key and sum(stretch.width for stretch in stretches) <= max(rows, 1) * SPARSE


def apart(pair: Pair, stretches: Sequence[Stretch], also: Side | None = None) -> Iterator[Apart]:
    """The keys that differ, stretch by stretch; rows of ``also`` count as the copy's."""
    for whole in stretches:
        for stretch in whole.cut(-(-whole.width // AT_ONCE)).parts():
            yield _apart(pair, stretch, also)


def _apart(pair: Pair, stretch: Stretch, also: Side | None) -> Apart:
    def members(side: Side) -> tuple[Members, Members]:
        return side.members(stretch), also.members(stretch) if also is not None and side is pair.copy else {}

    (ours, _), (theirs, more) = pair.both(members)
    missing: list[int] = []
    extra: list[int] = []
    nothing = (0, "")
    for part in sorted(ours.keys() | theirs.keys() | more.keys()):
        rows, text = ours.get(part, nothing)
        if part not in more and theirs.get(part, nothing) == (rows, text):
            continue
        copied, copied_text = theirs.get(part, nothing)
        source, copy = _words(text), _words(copied_text)
        if _rows(source) != rows or _rows(copy) != copied:
            return Apart(stretch, (), (), 0, complete=False)
        for word, bits in _words(more.get(part, nothing)[1]).items():
            copy[word] = copy.get(word, 0) | bits
        for word in sorted(source.keys() | copy.keys()):
            one, other = source.get(word, 0), copy.get(word, 0)
            first = stretch.low + word * WORD
            missing += _bits(first, one & ~other)
            extra += _bits(first, other & ~one)
    return Apart(stretch, missing, extra, sum(rows for rows, _ in theirs.values()))


def _words(text: str) -> dict[int, int]:
    pairs = (pair.split(":") for pair in text.split(",") if pair)
    return {int(word): int(bits) for word, bits in pairs}


def _rows(words: Mapping[int, int]) -> int:
    return sum(bits.bit_count() for bits in words.values())


def _bits(first: int, bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield first + lowest.bit_length() - 1
        bits ^= lowest

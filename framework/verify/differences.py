"""The first rows that differ, with their values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from framework.compare.pair import Pair
from framework.compare.side import Cell, Numbered, Piece
from framework.verify.verdict import MASKED, Difference, Kind, Value

SHOWN = 10
"""Rows that differ, of which values are shown."""

Cells = dict[str, Cell]


def differences(pair: Pair, slots: Sequence[int]) -> tuple[Difference, ...]:
    """The rows of the first of some slots that differ."""
    chosen = slots[:SHOWN]
    if not chosen:
        return ()
    ours, theirs = pair.both(lambda side: side.cells(chosen))
    found = (each for slot in chosen for each in _of_slot(pair, _at(ours, slot), _at(theirs, slot)))
    return tuple(each for each, _ in zip(found, range(SHOWN), strict=False))


def _at(rows: list[tuple[Numbered, Cells]], slot: int) -> list[tuple[int, Cells]]:
    return [(row.number, cells) for row, cells in rows if row.slot == slot]


def _of_slot(pair: Pair, ours: list[tuple[int, Cells]], theirs: list[tuple[int, Cells]]) -> Iterator[Difference]:
    doubled = bool(ours) and bool(pair.source.key)
    for number, cells in tuple(ours):
        partner = next((row for row in theirs if row[0] == number), None)
        if partner is not None:
            ours.remove((number, cells))
            theirs.remove(partner)
    for source, copy in zip_longest(ours, theirs):
        if source is not None and copy is not None:
            yield _different(pair, source[1], copy[1])
        elif source is not None:
            yield Difference(Kind.MISSING, _key(pair, source[1]))
        else:
            yield Difference(Kind.DOUBLED if doubled else Kind.EXTRA, _key(pair, copy[1]))


def _different(pair: Pair, source: Cells, copy: Cells) -> Difference:
    values = (
        Value(column.name, _shown(column, source), _shown(column, copy))
        for column in pair.source.columns
        if source[column.name].text != copy[column.name].text
    )
    return Difference(Kind.DIFFERENT, _key(pair, source), tuple(values))


def _key(pair: Pair, cells: Cells) -> tuple[tuple[str, str | None], ...]:
    columns = pair.source.columns
    chosen = [column for column in columns if column.name in pair.source.key] or columns
    return tuple((column.name, _shown(column, cells)) for column in chosen)


def _shown(column: Piece, cells: Cells) -> str | None:
    return MASKED if column.masked else cells[column.name].shown

"""Which rows differ, and which of them only because the source has gone on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from framework.compare.side import Numbered
from framework.verify.verdict import Kind

MOST = 10_000
"""Rows that differ, after which nobody looks for more."""


@dataclass
class Judge:
    """Compares rows by their numbers.

    Attributes:
        keyed: a slot is a row's; else rows that are the same share one.
        keeps: rows that are gone from the source stay in the copy.
        counts: rows that differ for sure.
        suspects: their slots.
        surplus: by slot, how many rows the copy has and the source has not.
        changed: rows that the source may have changed since.
        kept: rows that stay.
    """

    keyed: bool
    keeps: bool
    counts: Counter[Kind] = field(default_factory=Counter)
    suspects: list[int] = field(default_factory=list)
    surplus: dict[int, int] = field(default_factory=dict)
    changed: int = 0
    kept: int = 0

    @property
    def is_full(self) -> bool:
        """Whether so many rows differ that more need not be found."""
        return len(self.suspects) + len(self.surplus) >= MOST

    def compare(self, source: Iterable[Numbered], copy: Iterable[Numbered]) -> None:
        """Judge all rows of some slots."""
        ours: defaultdict[int, list[Numbered]] = defaultdict(list)
        theirs: defaultdict[int, list[Numbered]] = defaultdict(list)
        for row in source:
            ours[row.slot].append(row)
        for row in copy:
            theirs[row.slot].append(row)
        for slot in sorted(ours.keys() | theirs.keys()):
            self._slot(slot, ours[slot], theirs[slot])

    def blame(self, slot: int, kind: Kind, rows: int = 1) -> None:
        """Note that rows differ."""
        self.counts[kind] += rows
        self.suspects.append(slot)

    def _slot(self, slot: int, ours: list[Numbered], theirs: list[Numbered]) -> None:
        unmatched = Counter(row.number for row in theirs)
        lacking = []
        for row in sorted(ours, key=lambda each: each.changed):
            if unmatched[row.number]:
                unmatched[row.number] -= 1
            else:
                lacking.append(row)
        surplus = unmatched.total()
        if lacking:
            sure = sum(not row.changed for row in lacking)
            if sure:
                self.blame(slot, Kind.DIFFERENT if surplus else Kind.MISSING, sure)
            self.changed += len(lacking) - sure
        elif surplus and ours and self.keyed:
            self.blame(slot, Kind.DOUBLED, surplus)
        elif surplus and self.keeps:
            self.kept += surplus
        elif surplus:
            self.surplus[slot] = surplus

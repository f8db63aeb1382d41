"""What was found in some slots, within one snapshot of the source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from framework.compare.pair import Pair
from framework.databases.base import Progress
from framework.replicate.mapping import Mapping
from framework.verify import judge
from framework.verify.differences import SHOWN, differences
from framework.verify.judge import Judge
from framework.verify.search import Search
from framework.verify.since import Since
from framework.verify.verdict import Difference, Kind

AT_ONCE = 1_000
"""Slots that one statement asks for."""


@dataclass(frozen=True)
class Findings:
    """See `framework.verify.verdict.Verdict`, whose attributes these become.

    Attributes:
        slots: of rows that differ.
        surplus: slots of rows that may have been deleted from the source since they were copied.
    """

    rows: int = 0
    copied: int = 0
    counts: Counter[Kind] = field(default_factory=Counter)
    slots: tuple[int, ...] = ()
    differences: tuple[Difference, ...] = ()
    changed: int = 0
    surplus: tuple[int, ...] = ()
    undecided: int = 0
    kept: int = 0
    complete: bool = True
    fetched: int = 0

    @property
    def suspicious(self) -> tuple[int, ...]:
        """The slots whose rows do not agree, and that nothing explains so far."""
        return (*self.slots, *self.surplus)

    @property
    def is_enough(self) -> bool:
        """Whether so many rows differ that more need not be found."""
        return not self.complete or len(self.suspicious) >= judge.MOST

    def plus(self, others: Findings) -> Findings:
        """Both, of different slots."""
        return Findings(
            rows=self.rows + others.rows,
            copied=self.copied + others.copied,
            counts=self.counts + others.counts,
            slots=self.slots + others.slots,
            differences=(self.differences + others.differences)[:SHOWN],
            changed=self.changed + others.changed,
            surplus=self.surplus + others.surplus,
            undecided=self.undecided + others.undecided,
            kept=self.kept + others.kept,
            complete=self.complete and others.complete,
            fetched=self.fetched + others.fetched,
        )

    def looked_at_again(self, again: Findings) -> Findings:
        """The same rows, with what was found of the suspicious ones later."""
        return replace(
            again,
            rows=self.rows,
            copied=self.copied,
            changed=self.changed + again.changed,
            kept=self.kept + again.kept,
            complete=self.complete,
            fetched=self.fetched + again.fetched,
        )

    def without_end(self) -> Findings:
        """Of the suspicious rows nothing can be said, since they go on changing."""
        undecided = self.undecided + self.counts.total()
        return replace(self, counts=Counter(), slots=(), differences=(), surplus=(), undecided=undecided)

    def stopped(self) -> Findings:
        """There may be more."""
        return replace(self, complete=False)


def examine(
    pair: Pair, mapping: Mapping, known: Since, progress: Progress, look: Callable[[Search], object]
) -> Findings:
    """Look through slots, and judge what is found.

    Args:
        pair: source and copy.
        mapping: of the table.
        known: of the time since the copy was made.
        progress: is told of rows that were compared.
        look: which slots.
    """
    keeps = mapping.task.mode == "incremental" and mapping.task.deletes.policy == "keep"
    judging = Judge(bool(mapping.key), keeps)
    search = Search(pair, judging, progress)
    look(search)
    complete = not judging.is_full
    undecided = _judge_surplus(pair, judging, mapping, known)
    slots = tuple(sorted(judging.suspects))
    return Findings(
        rows=search.rows,
        copied=search.copied,
        counts=judging.counts,
        slots=slots,
        differences=differences(pair, slots),
        changed=judging.changed,
        surplus=tuple(judging.surplus),
        undecided=undecided,
        kept=judging.kept,
        complete=complete,
        fetched=pair.fetched,
    )


def _judge_surplus(pair: Pair, judging: Judge, mapping: Mapping, known: Since) -> int:
    """Judge rows that the copy alone has; of how many it cannot be said, since the source may have had them."""
    if mapping.task.where:
        for slot, changed in _outside_filter(pair, tuple(judging.surplus)).items():
            rows = judging.surplus.pop(slot)
            if changed:
                judging.changed += rows
            else:
                judging.blame(slot, Kind.EXTRA, rows)
    if not judging.surplus:
        return 0
    if known.deleted():
        return sum(judging.surplus.values())
    for slot, rows in judging.surplus.items():
        judging.blame(slot, Kind.EXTRA, rows)
    judging.surplus.clear()
    return 0


def _outside_filter(pair: Pair, slots: Sequence[int]) -> dict[int, bool]:
    """Those of the slots that the source has rows of which the filter leaves out, and whether they may have changed."""
    found: dict[int, bool] = {}
    for start in range(0, len(slots), AT_ONCE):
        for slot, changed in pair.source.unfiltered(slots[start : start + AT_ONCE]):
            found[slot] = found.get(slot, False) or changed
    return found

"""Which rows are gone from the source, and which it has that the copy lacks: keys are compared, where they may differ.

The source counts its keys. If that is the census of those that the copy has with what was staged, all is said, and
nothing of the copy was read. If not, another census tells in which parts. There both databases tell their keys, a bit
for each (`framework.compare.members`). Where keys are no integers, or lie far apart, both add up a number made of each
instead, the source's keys are staged where these sums differ, and the target says by its own comparison which are on
one side only. Without a census of before, after another way of counting, and once a day, this is done with all keys.

Why not the server's statistics, which count deletes? They are told late: a session may keep its counts for as long as
its next transaction lasts. So they prove nothing about a source that is at work, and one that is not costs little.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from framework.compare import members, ranges
from framework.compare.pair import Pair
from framework.compare.ranges import Unequal
from framework.compare.side import Side, Sum, by_digest
from framework.compare.slots import WHOLE, Grid, Stretch, joined, segments
from framework.databases.base import Session
from framework.databases.postgres.source import PostgresSession
from framework.replicate import census
from framework.replicate.census import Census, Counting
from framework.replicate.job import Job
from framework.replicate.keys import LISTED, Keys, Place, Tables

TRUSTED = 86_400
"""Seconds after which the copy's own keys are looked at again, whatever the census says."""

COUNTED = 100_000
"""Rows of a copy that are counted each time, so that one that somebody else has changed is looked at again."""

FEW = 5_000
"""Keys that are staged at once, rather than summed up first."""

KNOWN = 20_000
"""Staged keys, new ones or known ones, that the source is asked to count."""

PLACES = 400
"""Parts that one condition is made of."""

SHARE = 3
"""If more than one in so many keys is in a part that differs, all are compared: one scan is quicker than many."""


@dataclass(frozen=True)
class Reconciled:
    """What was found.

    Attributes:
        keys: how many the source has.
        live: how many rows of the copy count, before the merge.
        fetched: rows that the copy lacked, and that were staged.
        staged: keys of the source that were staged to be compared.
        census: of the source's keys.
        looked: whether all keys of the copy were looked at.
        new: staged rows whose keys the copy lacked; None if they were not counted.
    """

    keys: int
    live: int
    fetched: int
    staged: int
    census: Census
    looked: bool
    new: int | None = None


def reconcile(
    job: Job,
    session: Session,
    reading: PostgresSession,
    tables: Tables,
    condition: str,
    before: Census | None,
    counted: Future[Sum] | None = None,
) -> Reconciled:
    """Stage rows that the copy lacks, and the keys of those that are gone; in the open transaction of ``session``.

    Args:
        job: the table's.
        session: of the target.
        reading: of the source, in the snapshot that the rows were read in; masks are installed.
        tables: of the target.
        condition: of the rows that were staged; empty if all were.
        before: the census of the keys that the copy has; None if it is not known.
        counted: the total of the source's keys in that snapshot, if somebody counts it already.
    """
    job.reporter.progress("compare keys", 0)
    counting = census.counting(reading, job.mapping, job.target.canonical)
    with ThreadPoolExecutor(1, thread_name_prefix="vitrina-compare") as pool:
        keys = Keys(job, session, reading, tables, pool)
        return _Reconciliation(keys, counting, condition, counted).perform(before)


def first(job: Job, reading: PostgresSession) -> Census | None:
    """The census of a copy that is made anew from this snapshot; None where increments do not compare keys."""
    task = job.mapping.task
    if task.mode != "incremental" or task.deletes.policy == "keep":
        return None
    return census.counting(reading, job.mapping, job.target.canonical).take(None)


@dataclass(frozen=True)
class _Found:
    """What was staged of some stretches.

    Attributes:
        fetched: rows that the copy lacked.
        staged: keys of the source.
        copied: rows of the copy that count there; what was staged before is none of them.
    """

    fetched: int
    staged: int
    copied: int


@dataclass(frozen=True)
class _Reconciliation:
    keys: Keys
    counting: Counting
    condition: str
    counted: Future[Sum] | None

    def perform(self, before: Census | None) -> Reconciled:
        """See `reconcile`."""
        if before is None or not self._is_known(before):
            return self._everywhere(before)
        total = self.counted.result() if self.counted is not None else self.counting.total()
        if total == before.total:
            return Reconciled(total.rows, total.rows, 0, 0, before, looked=False, new=0)
        expected, new = self._expected(before)
        if expected is None:
            return self._everywhere(before)
        if expected.total == total:
            return Reconciled(total.rows, before.rows, 0, 0, expected.compact(), looked=False, new=new)
        now = replace(self.counting.take(before), compared_at=before.compared_at)
        found = self._within(expected.coarser(now.shift), now, new)
        new = new + found.fetched if new is not None else None
        return Reconciled(now.rows, before.rows, found.fetched, found.staged, now, looked=False, new=new)

    def _is_known(self, before: Census) -> bool:
        """Whether the copy has the keys that a census speaks of, as far as can be told."""
        if before.of != self.counting.of or abs(self.counting.now - before.compared_at) > TRUSTED:
            return False
        return before.rows > COUNTED or self.keys.pair.copy.rows() == before.rows

    def _expected(self, before: Census) -> tuple[Census | None, int | None]:
        """The census of what the copy has with what was staged, and how many of that are new; None if not known."""
        counting, ask = self.counting, self.keys.session.query
        most = KNOWN if counting.finds_keys else census.AT_ONCE
        new = ask(f"{self.keys.staged_keys(known=False)} LIMIT {most + 1}")
        if len(new) <= most:
            found = before.plus(counting.of_keys(new, before.shift))
            # Where the source has rows of one key, it is for the target to refuse them.
            return (found, len(new)) if found.rows == before.rows + len(new) else (None, None)
        known = ask(f"{self.keys.staged_keys(known=True)} LIMIT {most + 1}")
        if len(known) > most:
            return None, None
        staged = before.plus(counting.some(self.condition, before.shift))
        return staged.plus(counting.of_keys(known, before.shift), -1), None

    def _within(self, expected: Census, now: Census, new: int | None) -> _Found:
        """Stage what differs, in the parts in which two censuses do; ``new``: staged keys that the copy lacks."""
        unlike = expected.unlike(now)
        rows = sum(max(ours.rows, theirs.rows) for ours, theirs in unlike.values())
        differences = sum(max(1, abs(ours.rows - theirs.rows)) for ours, theirs in unlike.values())
        pair = self.keys.pair
        stretches = tuple(joined(map(now.stretch, unlike))) if pair.source.indexed else ()
        if members.is_possible(pair.source, stretches, rows):
            return self._told(stretches, None if new == 0 else self.keys.new)
        if not stretches or (rows > FEW and rows * SHARE > now.rows):
            return self._summed(ranges.extent(pair, now.rows), now.rows, differences)
        if rows <= FEW:
            return self._staged([place for each in stretches for place in _conditions(pair, each.cut(1), (0,))])
        parts = [part for stretch in stretches for part in segments(stretch, rows // len(stretches), indexed=True)]
        return self._summed(tuple(parts), rows, differences)

    def _everywhere(self, before: Census | None) -> Reconciled:
        """Stage what differs, wherever it is."""
        now, pair = self.counting.take(before), self.keys.pair
        stretches = ranges.extent(pair, now.rows)
        if members.is_possible(pair.source, stretches, now.rows):
            found = self._told(stretches, self.keys.new)
        elif now.rows <= FEW:
            found = replace(self._staged([("", "")]), copied=pair.copy.rows())
        else:
            found = self._summed(stretches, now.rows, 1)
        return Reconciled(now.rows, found.copied, found.fetched, found.staged, now, looked=True)

    def _told(self, stretches: Sequence[Stretch], new: Side | None) -> _Found:
        """Stage what differs where both can tell their keys; ``new``: what was staged and the copy lacks."""
        places: list[Place] = []
        fetched = copied = 0
        for found in members.apart(self.keys.pair, stretches, new):
            if not found.complete:
                places += _conditions(self.keys.pair, found.stretch.cut(1), (0,))
            self.keys.remove(found.extra)
            for first in range(0, len(found.missing), LISTED):
                fetched += self.keys.fetch([(key,) for key in found.missing[first : first + LISTED]])
            copied += found.copied
            self.keys.job.reporter.progress("compare keys", copied)
        staged = self._staged(places)
        return _Found(fetched + staged.fetched, staged.staged, copied)

    def _staged(self, places: Sequence[Place], copied: int = 0) -> _Found:
        """Stage all keys of some places, and what differs there."""
        staged = sum(self.keys.stage(*place) for place in places)
        return _Found(self.keys.fetch_absent() if staged else 0, staged, copied)

    def _summed(self, stretches: Sequence[Stretch], rows: int, differences: int) -> _Found:
        """Stage what differs where parts are summed up first."""
        places: list[Place] = []
        copied = 0
        count = max(1, len(stretches))
        for stretch in stretches:
            found = ranges.unequal(self.keys.pair, stretch, rows // count, differences // count, self.keys.new)
            places += self._places(found)
            copied += found.copied
        return self._staged(places, copied - self.keys.new.rows())

    def _places(self, found: Unequal) -> list[Place]:
        """What differs, as conditions."""
        pair, grid = self.keys.pair, found.grid
        sizes = {part: max(ours.rows, theirs.rows) for part, (ours, theirs) in found.parts.items()}
        crowded = [part for part, rows in sizes.items() if pair.source.indexed and rows > FEW]
        if not crowded and sum(sizes.values()) * 2 > found.rows + found.copied:
            return _conditions(pair, grid.stretch.cut(1), (0,))
        others = [part for part in sizes if part not in crowded]
        return [
            *_conditions(pair, grid, others),
            *(place for part in crowded for place in self._crowded(grid.part(part), *found.parts[part])),
        ]

    def _crowded(self, slot: Stretch, ours: Sum, theirs: Sum) -> list[Place]:
        """Where keys differ that are crowded, many to a slot perhaps: they are cut by their digests."""
        source, copy, new = (
            _digested(side, slot) for side in (self.keys.pair.source, self.keys.pair.copy, self.keys.new)
        )
        pair = Pair(source, copy, self.keys.pool)
        differences = max(1, abs(ours.rows - theirs.rows))
        found = ranges.unequal(pair, WHOLE, max(ours.rows, theirs.rows), differences, new)
        within = self.keys.pair.source.cut.within(slot), self.keys.pair.copy.cut.within(slot)
        return [
            (_both(within[0], source_condition), _both(within[1], copy_condition))
            for source_condition, copy_condition in _conditions(pair, found.grid, tuple(found.parts))
        ]


def _conditions(pair: Pair, grid: Grid, parts: Sequence[int]) -> list[Place]:
    """That a key is in one of some parts of a grid; where an index has to find them, not too many at once."""
    most = PLACES if pair.source.indexed else grid.count
    chosen = (parts[start : start + most] for start in range(0, len(parts), most))
    return [(pair.source.within(grid, some), pair.copy.within(grid, some)) for some in chosen]


def _digested(side: Side, slot: Stretch) -> Side:
    """The keys of some slots, cut by their digests."""
    condition = _both(side.condition, side.cut.within(slot))
    return replace(side, condition=condition, cut=by_digest(side.canonical, side.columns))


def _both(one: str, other: str) -> str:
    return " AND ".join(f"({part}\n)" for part in (one, other) if part)

"""Which rows are gone from the source, and which it has that the copy lacks: keys are compared, where they may differ.

Three looks, each at less than the one before. The census tells in which parts the source's keys are others than those
of the copy with what was staged: a scan of the source's index, and nothing of the copy. Of such parts both databases
count the keys and add up a number of each. Where these differ, the source's keys are staged, and the target says by its
own comparison which are on one side only. Without a census of before, after another way of counting, and once a day,
the second look is at all keys.

Why not the server's statistics, which count deletes? They are told late: a session may keep its counts for as long as
its next transaction lasts. So they prove nothing about a source that is at work, and one that is not costs little.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property

from framework.compare import ranges
from framework.compare.pair import Pair
from framework.compare.ranges import Unequal
from framework.compare.side import Side, Sum, by_digest
from framework.compare.slots import WHOLE, Grid, Stretch, joined, segments
from framework.databases.base import Session
from framework.databases.postgres.source import PostgresSession
from framework.errors import StatementFailed
from framework.replicate import census
from framework.replicate.census import Census, Counting
from framework.replicate.job import Counter, Job
from framework.replicate.mapping import DELETED_AT
from framework.replicate.sides import source_keys, target_keys
from framework.tables import Table

TRUSTED = 86_400
"""Seconds after which the copy's own keys are looked at again, whatever the census says."""

COUNTED = 100_000
"""Rows of a copy that are counted each time, so that one that somebody else has changed is looked at again."""

FEW = 5_000
"""Keys that are staged at once, rather than summed up first."""

KNOWN = 20_000
"""Staged keys, new ones or known ones, that the source is asked to count."""

ABSENT_AT_ONCE = 1_000
"""Rows that are fetched by their keys in one query."""

LISTED = 50_000
"""Keys that the target is asked for at once."""

PLACES = 400
"""Parts that one condition is made of."""

SHARE = 3
"""If more than one in so many keys is in a part that differs, all are compared: one scan is quicker than many."""


Place = tuple[str, str]
"""Where keys may differ: a condition of the source's, and of the copy's; empty if anywhere."""


@dataclass(frozen=True)
class Tables:
    """What the target has.

    Attributes:
        rows: staged rows.
        keys: empty; keys of the source are staged here.
        gone: empty; filled with the keys that the copy has and the source has not.
        into: the copy's name.
        former: the names that its columns have until it is altered, by the names they have then.
    """

    rows: Table
    keys: Table
    gone: Table
    into: str
    former: Mapping[str, str] = field(default_factory=dict)


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
    """

    keys: int
    live: int
    fetched: int
    staged: int
    census: Census
    looked: bool


def reconcile(
    job: Job, session: Session, reading: PostgresSession, tables: Tables, condition: str, before: Census | None
) -> Reconciled:
    """Stage rows that the copy lacks, and the keys of those that are gone; in the open transaction of ``session``.

    Args:
        job: the table's.
        session: of the target.
        reading: of the source, in the snapshot that the rows were read in; masks are installed.
        tables: of the target.
        condition: of the rows that were staged; empty if all were.
        before: the census of the keys that the copy has; None if it is not known.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="vitrina-compare") as pool:
        return _Reconciliation(job, session, reading, tables, condition, pool).perform(before)


def first(job: Job, reading: PostgresSession) -> Census | None:
    """The census of a copy that is made anew from this snapshot; None where increments do not compare keys."""
    task = job.mapping.task
    if task.mode != "incremental" or task.deletes.policy == "keep":
        return None
    return census.counting(reading, job.mapping, job.target.canonical).take(None)


@dataclass(frozen=True)
class _Reconciliation:
    job: Job
    session: Session
    reading: PostgresSession
    tables: Tables
    condition: str
    pool: ThreadPoolExecutor

    def perform(self, before: Census | None) -> Reconciled:
        """See `reconcile`."""
        counting = census.counting(self.reading, self.job.mapping, self.job.target.canonical)
        now = counting.take(before)
        expected = self._expected(counting, before, now)
        if expected is None or before is None:
            places, live = self._everywhere(now)
        else:
            now = replace(now, compared_at=before.compared_at)
            places, live = self._within(expected, now), before.rows
        staged = sum(self._stage(*place) for place in places)
        fetched = self._fetch_absent() if staged else 0
        return Reconciled(now.rows, live, fetched, staged, now, looked=expected is None)

    def _expected(self, counting: Counting, before: Census | None, now: Census) -> Census | None:
        """The census of what the copy has, with what was staged; None if that is not known."""
        if before is None or before.of != now.of or abs(now.compared_at - before.compared_at) > TRUSTED:
            return None
        if before.rows <= COUNTED and self._pair.copy.rows() != before.rows:
            return None
        most = KNOWN if counting.finds_keys else census.AT_ONCE
        new = self.session.query(f"{self._staged_keys(known=False)} LIMIT {most + 1}")
        if len(new) <= most:
            found = before.plus(counting.of_keys(new, before.shift))
            # Where the source has rows of one key, it is for the target to refuse them.
            return found.coarser(now.shift) if found.rows == before.rows + len(new) else None
        known = self.session.query(f"{self._staged_keys(known=True)} LIMIT {most + 1}")
        if len(known) > most:
            return None
        staged = before.plus(counting.some(self.condition, before.shift))
        return staged.plus(counting.of_keys(known, before.shift), -1).coarser(now.shift)

    def _within(self, expected: Census, now: Census) -> list[Place]:
        """Where keys differ, in the parts in which two censuses do."""
        unlike = expected.unlike(now)
        if not unlike:
            return []
        rows = sum(max(ours.rows, theirs.rows) for ours, theirs in unlike.values())
        differences = sum(max(1, abs(ours.rows - theirs.rows)) for ours, theirs in unlike.values())
        if not self._pair.source.indexed or (rows > FEW and rows * SHARE > now.rows):
            return self._summed(ranges.extent(self._pair, now.rows), now.rows, differences)[0]
        stretches = tuple(joined(map(now.stretch, unlike)))
        if rows <= FEW:
            return [place for stretch in stretches for place in _conditions(self._pair, stretch.cut(1), (0,))]
        parts = [part for stretch in stretches for part in segments(stretch, rows // len(stretches), indexed=True)]
        return self._summed(tuple(parts), rows, differences)[0]

    def _everywhere(self, now: Census) -> tuple[list[Place], int]:
        """Where keys differ, and how many rows of the copy count."""
        copy = self._pair.copy
        if now.rows <= FEW:
            return [("", "")], copy.rows()
        places, copied = self._summed(ranges.extent(self._pair, now.rows), now.rows, 1)
        return places, copied - self._new.rows()

    def _summed(self, stretches: tuple[Stretch, ...], rows: int, differences: int) -> tuple[list[Place], int]:
        """Where keys differ in some stretches, and how many the copy and what was staged have there."""
        places: list[Place] = []
        copied = 0
        count = max(1, len(stretches))
        for stretch in stretches:
            found = ranges.unequal(self._pair, stretch, rows // count, differences // count, self._new)
            places += self._places(found)
            copied += found.copied
        return places, copied

    def _places(self, found: Unequal) -> list[Place]:
        """What differs, as conditions."""
        pair, grid = self._pair, found.grid
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
        source, copy, new = (_digested(side, slot) for side in (self._pair.source, self._pair.copy, self._new))
        pair = Pair(source, copy, self.pool)
        differences = max(1, abs(ours.rows - theirs.rows))
        found = ranges.unequal(pair, WHOLE, max(ours.rows, theirs.rows), differences, new)
        within = self._pair.source.cut.within(slot), self._pair.copy.cut.within(slot)
        return [
            (_both(within[0], source_condition), _both(within[1], copy_condition))
            for source_condition, copy_condition in _conditions(pair, found.grid, tuple(found.parts))
        ]

    @cached_property
    def _names(self) -> dict[str, str]:
        """By key column, its name in the copy, which may have been altered already."""
        key, former = self.job.mapping.key, self.tables.former
        present = self.session.columns(self.tables.into) if former else key
        return {name: self.job.quote(name if name in present else former[name]) for name in key}

    @cached_property
    def _pair(self) -> Pair:
        job, canonical = self.job, self.job.target.canonical
        source = source_keys(self.reading, job.mapping, canonical)
        into, live = canonical.keyed(job.quote(self.tables.into)), self._live("")
        return Pair(source, target_keys(self.session, job.mapping, canonical, self._names, into, live), self.pool)

    @cached_property
    def _new(self) -> Side:
        """What was staged and the copy has not."""
        job = self.job
        names = {name: job.quote(name) for name in job.mapping.key}
        relation = f"({self._staged_keys(known=False)}) AS n"
        return target_keys(self.session, job.mapping, job.target.canonical, names, relation)

    def _staged_keys(self, *, known: bool) -> str:
        """The query of the keys that were staged, and that the copy has, or has not."""
        job = self.job
        return (
            f"SELECT {job.list(job.mapping.key, 't.')} FROM {job.quote(self.tables.rows.name)} AS t "
            f"WHERE {'' if known else 'NOT '}{self._has_counterpart()}"
        )

    def _has_counterpart(self) -> str:
        """The condition that the copy has a row that counts, with the key of ``t``."""
        same = " AND ".join(f"t.{self.job.quote(name)} = o.{own}" for name, own in self._names.items())
        live = self._live("o.")
        return self.job.target.dialect.has_key(self.job.quote(self.tables.into), f"{same} AND {live}" if live else same)

    def _live(self, alias: str) -> str:
        """The condition that a row of the copy counts; empty if all do."""
        return f"{alias}{self.job.quote(DELETED_AT)} IS NULL" if self.job.mapping.marks_deletes else ""

    def _stage(self, source: str, copy: str) -> int:
        """Stage the keys that the source has in some place, and find those that only the copy has; how many."""
        job, tables = self.job, self.tables
        extract = job.extract(self.reading, source, job.mapping.key)
        staged = self.session.load(tables.keys, extract, Counter(job.reporter, "compare keys", None))
        same = " AND ".join(f"t.{own} = o.{job.quote(name)}" for name, own in self._names.items())
        conditions = [f"({part})" for part in (self._live("t."), copy) if part]
        conditions.append(f"NOT EXISTS (SELECT 1 FROM {job.quote(tables.keys.name)} AS o WHERE {same})")
        names = ", ".join(f"t.{own}" for own in self._names.values())
        self.session.execute(
            f"INSERT INTO {job.quote(tables.gone.name)} ({job.list(tuple(self._names))}) "
            f"SELECT {names} FROM {job.quote(tables.into)} AS t WHERE {' AND '.join(conditions)}"
        )
        return staged

    def _fetch_absent(self) -> int:
        """Stage the rows whose key the source has and the copy has not, whatever their cursor says; how many.

        So a row that comes back with an old cursor value (it was deleted, or had left the filter) is met.
        """
        job, rows, staged = self.job, self.tables.rows, 0
        missing = (
            f"SELECT {job.list(job.mapping.key, 't.')} FROM {job.quote(self.tables.keys.name)} AS t "
            f"WHERE NOT {self._has_counterpart()} "
            f"AND NOT {job.target.dialect.has_key(job.quote(rows.name), job.same_key())} LIMIT {LISTED}"
        )
        while found := self.session.query(missing):
            for start in range(0, len(found), ABSENT_AT_ONCE):
                keys = found[start : start + ABSENT_AT_ONCE]
                extract = job.extract(self.reading, job.mapping.has_key(self.reading, keys))
                loaded = self.session.load(rows, extract, lambda _: None)
                if loaded != len(keys):
                    raise StatementFailed(
                        job.source.name,
                        f"{len(keys)} keys of {job.table!r} were read, {loaded} of their rows could be",
                        f"refill the table with `vitrina replicate SPEC --full-refresh --table {job.table}`",
                    )
                staged += loaded
        return staged


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

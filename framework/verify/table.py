"""Verifying one table: its copy against its source.

Segments are compared two at a time, each in a snapshot of the source of its own. The copy is read statement by
statement, so that nobody who exchanges it has to wait. If somebody has written to it meanwhile, the suspicious rows are
looked at again, in a later snapshot.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from framework import bookkeeping
from framework.compare.pair import Pair
from framework.compare.side import PLANNING
from framework.compare.slots import Stretch, sample, segments
from framework.databases.base import Progress, Row, Session, Target
from framework.databases.postgres.attributes import attributes
from framework.databases.postgres.catalog import identity, require
from framework.databases.postgres.snapshot import snapshot
from framework.databases.postgres.source import PostgresSession, PostgresSource
from framework.errors import CopyMissing, MappingChanged
from framework.events import Reporter
from framework.replicate import mask, quarantine, state, unfit
from framework.replicate.estimate import estimate
from framework.replicate.job import Counter
from framework.replicate.mapping import Mapping, resolve
from framework.replicate.schema.difference import between
from framework.replicate.schema.structure import Structure, structure
from framework.replicate.sides import copy_side, source_side
from framework.replicate.state import STATE, State
from framework.spec.replication import ReplicateTask
from framework.verify.findings import Findings, examine
from framework.verify.search import Search
from framework.verify.since import since
from framework.verify.verdict import Verdict

ROUNDS = 5
"""Looks at rows that are suspicious while somebody writes to the copy."""

STREAMS = 2
"""Segments that are compared at once: neither database waits for the other at the end of each."""

PHASE = "compare"


def verify(
    source: PostgresSource,
    target: Target,
    task: ReplicateTask,
    reporter: Reporter,
    mask_key: bytes | None = None,
    fraction: float | None = None,
) -> Verdict:
    """Compare the copy of one table with its source as they are now. Reads only; loads may go on meanwhile.

    Args:
        source: where the table is.
        target: where the copy is.
        task: the table.
        reporter: is told of the rows that were compared.
        mask_key: the key of masked columns.
        fraction: compare only about such a part of the rows.

    Raises:
        CopyMissing: there is no copy.
        MappingChanged: the copy was made by other rules.
        ForeignTable: the table was not made by Vitrina.
    """
    with opened(source, target, task, mask_key) as work:
        with source.session() as reading:
            pair = work.pair(reading, "FALSE")
            stretches, rows = _stretches(pair, estimate(reading, work.mapping).rows, fraction)
        return work.told(_all(work, stretches, rows, reporter, fraction))


def verify_again(
    source: PostgresSource,
    target: Target,
    task: ReplicateTask,
    reporter: Reporter,
    mask_key: bytes | None,
    slots: tuple[int, ...],
) -> Verdict:
    """Compare the rows of some slots, which `verify` found to differ."""
    started = time.monotonic()
    with opened(source, target, task, mask_key) as work:
        found = work.settled(lambda search: search.again(slots), Counter(reporter, PHASE, len(slots)))
        return work.told(_verdict(work.mapping, found, started))


@dataclass(frozen=True)
class Work:
    """A table that may be written to while it is verified."""

    source: PostgresSource
    target: Target
    copy: Session
    mapping: Mapping
    made_of: Structure
    mask_key: bytes | None
    pool: ThreadPoolExecutor

    @contextmanager
    def streams(self, segments: int) -> Iterator[tuple[Work, ...]]:
        """The same for several segments at once, each with a session of its own; no more than there are segments."""
        several = 1 if self.target.capabilities.single_writer else min(STREAMS, segments)
        with ExitStack() as stack:
            others = (
                replace(self, copy=stack.enter_context(self.target.session()), pool=stack.enter_context(_thread()))
                for _ in range(1, several)
            )
            yield self, *others

    def segment(self, stretch: Stretch, rows: int, progress: Progress) -> Findings:
        """Compare a segment."""
        return self.settled(lambda search: search.through(stretch, rows), progress)

    def settled(self, look: Callable[[Search], object], progress: Progress) -> Findings:
        """What is found in some slots; rows that are still suspicious after some rounds are not accused."""
        found, settled = self._once(look, progress)
        rounds = 1
        while found.suspicious and not settled:
            if rounds == ROUNDS:
                return found.without_end()
            slots = found.suspicious
            again, settled = self._once(lambda search: search.again(slots), progress)  # noqa: B023 - called at once
            found = found.looked_at_again(again)
            rounds += 1
        return found

    def state(self) -> State:
        """Of the copy. Raises CopyMissing, MappingChanged, ForeignTable."""
        table = self.mapping.task.table
        known = bookkeeping.exists(self.copy, self.target, STATE)
        last = state.current(self.copy, self.target, table) if known else None
        if last is None:
            raise CopyMissing(table)
        if last.structure is None:
            changes = [] if last.fingerprint == self.mapping.fingerprint else ["what has changed is not known"]
        else:
            policy = self.mapping.task.schema_change
            changes = [each.fact for each in between(last.structure, self.made_of, policy, self.target.dialect).changes]
        if changes:
            raise MappingChanged(table, changes, [f"see to it with `vitrina replicate SPEC --table {table}`"])
        return last

    def pair(self, reading: PostgresSession, changed: str) -> Pair:
        """Source and copy, the source in the session's snapshot."""
        canonical = self.target.canonical
        source = source_side(reading, self.mapping, canonical, changed)
        return Pair(source, copy_side(self.copy, self.mapping, canonical, self.target.dialect.quote), self.pool)

    def told(self, verdict: Verdict) -> Verdict:
        """The verdict with the rows that the copy cannot have."""
        return replace(verdict, quarantined=quarantine.count(self.copy, self.target, self.mapping.task.table))

    def _once(self, look: Callable[[Search], object], progress: Progress) -> tuple[Findings, bool]:
        """What is found, and whether nobody wrote to the copy meanwhile."""
        before = self._stamp()
        last = self.state()
        # The snapshot is younger than the copy: what the copy has, the source had before.
        with snapshot(self.source) as shared:
            shared.session.execute(PLANNING)
            if self.mapping.is_masked and self.mask_key is not None:
                mask.install(shared.session, self.mask_key)
            known = since(self.source, shared.session, self.mapping, last)
            found = examine(self.pair(shared.session, known.changed), self.mapping, known, progress, look)
        return found, self._stamp() == before

    def _stamp(self) -> tuple[str | None, list[Row]]:
        """What changes whenever the copy does."""
        table = self.mapping.task.table
        name = self.target.dialect.quote(STATE)
        rows = self.copy.query(
            f"SELECT generation, run_id, loaded_at FROM {name} WHERE table_name = %s ORDER BY generation", (table,)
        )
        return self.copy.marker(table), rows


@contextmanager
def opened(source: PostgresSource, target: Target, task: ReplicateTask, mask_key: bytes | None) -> Iterator[Work]:
    """A table and its copy. Raises CopyMissing, MappingChanged, ForeignTable."""
    with source.session() as session:
        described, database = require(session, task.source_schema, task.source_table), identity(session)
        found = attributes(session, task.source_schema, task.source_table)
    mapping = unfit.parted(resolve(task, described, mask_key, database), target)
    made_of = structure(mapping, found, mask_key, database)
    with target.session() as copy, _thread() as pool:
        work = Work(source, target, copy, mapping, made_of, mask_key, pool)
        work.state()
        yield work


def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="vitrina-verify")


def _stretches(pair: Pair, estimated: int, fraction: float | None) -> tuple[tuple[Stretch, ...], int]:
    """The slots that are looked through, and about how many rows they have."""
    indexed, extent = pair.source.indexed, pair.extent()
    if extent is None:
        return (), 0
    rows = estimated or pair.source.rows()
    if fraction is None:
        return segments(extent, rows, indexed=indexed), rows
    return sample(extent, fraction, indexed=indexed), round(rows * fraction)


def _all(work: Work, stretches: tuple[Stretch, ...], rows: int, reporter: Reporter, fraction: float | None) -> Verdict:
    started = time.monotonic()
    found = Findings()
    progress = Counter(reporter, PHASE, rows)

    def segment(stream: Work, stretch: Stretch) -> Findings:
        return stream.segment(stretch, rows // len(stretches), progress)

    with work.streams(len(stretches)) as streams, ThreadPoolExecutor(STREAMS, thread_name_prefix="vitrina") as pool:
        for done in range(0, len(stretches), len(streams)):
            if found.is_enough:
                found = found.stopped()
                break
            for each in pool.map(segment, streams, stretches[done : done + len(streams)]):
                found = found.plus(each)
    return _verdict(work.mapping, found, started, fraction)


def _verdict(mapping: Mapping, found: Findings, started: float, fraction: float | None = None) -> Verdict:
    return Verdict(
        table=mapping.task.table,
        rows=found.rows,
        copied=found.copied,
        counts=dict(found.counts),
        differences=found.differences,
        changed=found.changed,
        undecided=found.undecided,
        kept=found.kept,
        complete=found.complete,
        sample=fraction,
        fetched=found.fetched,
        seconds=time.monotonic() - started,
        slots=found.slots,
    )

"""Verifying one table: its copy against its source, each at one point in time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from framework.databases.base import Session, Target
from framework.databases.postgres.catalog import identity, require
from framework.databases.postgres.snapshot import snapshot
from framework.databases.postgres.source import PostgresSession, PostgresSource
from framework.errors import CopyMissing, MappingChanged, StatementFailed
from framework.events import Reporter
from framework.replicate import chunks, mask, state
from framework.replicate.job import Counter
from framework.replicate.mapping import Mapping, resolve
from framework.spec.models import ReplicateTask
from framework.verify.differences import differences
from framework.verify.judge import Judge
from framework.verify.search import Pair, Search
from framework.verify.side import copy_side, source_side
from framework.verify.since import Since, since
from framework.verify.slots import Stretch, sample, segments
from framework.verify.verdict import Kind, Verdict

ATTEMPTS = 3
"""Tries of a comparison whose copy is exchanged meanwhile."""

PHASE = "compare"

SLOTS = 1_000
"""Rows that one statement asks for by their slots."""

EXCHANGED = 1412
"""MySQL's error of a table that another one has replaced since the snapshot was taken."""


def verify(
    source: PostgresSource,
    target: Target,
    task: ReplicateTask,
    reporter: Reporter,
    mask_key: bytes | None = None,
    fraction: float | None = None,
) -> Verdict:
    """Compare the copy of one table with its source as they are now. Reads only.

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
    started = time.monotonic()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            verdict = _verify(source, target, task, reporter, mask_key, fraction)
        except StatementFailed as error:
            if error.code != EXCHANGED or attempt == ATTEMPTS:
                raise
        else:
            return replace(verdict, seconds=time.monotonic() - started)
    raise AssertionError


def compare(
    reading: PostgresSession,
    copy: Session,
    target: Target,
    mapping: Mapping,
    known: Since,
    reporter: Reporter,
    fraction: float | None = None,
) -> Verdict:
    """Compare within two snapshots that are open.

    Args:
        reading: of the source, in its snapshot; masks are installed where there are some.
        copy: of the target, within `reading`; nobody else uses it meanwhile.
        target: the target.
        mapping: of the table.
        known: of the time since the copy was made; `since.NOTHING` where it was made from this snapshot.
        reporter: is told of the rows that were compared.
        fraction: compare only about such a part of the rows.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="vitrina-verify") as pool:
        ours = source_side(reading, mapping, target.canonical, known.changed)
        pair = Pair(ours, copy_side(copy, mapping, target.canonical, target.dialect.quote), pool)
        keeps = mapping.task.mode == "incremental" and mapping.task.deletes.policy == "keep"
        judge = Judge(bool(mapping.key), keeps)
        search = _search(pair, judge, chunks.estimated_rows(reading, mapping), reporter, fraction)
        complete = not judge.is_full
        undecided = _judge_surplus(pair, judge, mapping, known)
        slots = tuple(sorted(judge.suspects))
        return Verdict(
            table=mapping.task.table,
            rows=search.rows,
            copied=search.copied,
            counts=dict(judge.counts),
            differences=differences(pair, slots),
            changed=judge.changed,
            undecided=undecided,
            kept=judge.kept,
            complete=complete,
            sample=fraction,
            fetched=pair.fetched,
            slots=slots,
        )


def _verify(
    source: PostgresSource,
    target: Target,
    task: ReplicateTask,
    reporter: Reporter,
    mask_key: bytes | None,
    fraction: float | None,
) -> Verdict:
    with source.session() as session:
        described, database = require(session, task.source_schema, task.source_table), identity(session)
    mapping = resolve(task, described, mask_key, database)
    with target.session() as copy, copy.reading():
        last = state.current(copy, target, task.table)
        if last is None:
            raise CopyMissing(task.table)
        if last.fingerprint != mapping.fingerprint:
            raise MappingChanged(task.table, (), [f"see to it with `vitrina replicate SPEC --table {task.table}`"])
        # The source's snapshot is the younger one: what the copy has, the source had before.
        with snapshot(source) as shared:
            if mapping.is_masked and mask_key is not None:
                mask.install(shared.session, mask_key)
            known = since(source, shared.session, mapping, last)
            return compare(shared.session, copy, target, mapping, known, reporter, fraction)


def _search(pair: Pair, judge: Judge, estimated: int, reporter: Reporter, fraction: float | None) -> Search:
    """Look through all slots that either has, or a sample of them."""
    indexed = pair.source.indexed is not None
    extents = [extent for extent in pair.both(lambda side: side.extent()) if extent is not None]
    if not extents:
        return Search(pair, judge, Counter(reporter, PHASE, None))
    extent = Stretch(min(each.low for each in extents), max(each.high for each in extents))
    rows = estimated or pair.source.rows()
    if fraction is None:
        stretches = segments(extent, rows, indexed=indexed)
    else:
        rows, stretches = round(rows * fraction), sample(extent, fraction, indexed=indexed)
    search = Search(pair, judge, Counter(reporter, PHASE, rows))
    search.through(stretches, rows)
    return search


def _judge_surplus(pair: Pair, judge: Judge, mapping: Mapping, known: Since) -> int:
    """Judge rows that the copy alone has; of how many it cannot be said, since the source may have had them."""
    if mapping.task.where:
        for slot, changed in _outside_filter(pair, tuple(judge.surplus)).items():
            rows = judge.surplus.pop(slot)
            if changed:
                judge.changed += rows
            else:
                judge.blame(slot, Kind.EXTRA, rows)
    if not judge.surplus:
        return 0
    if known.deleted():
        return sum(judge.surplus.values())
    for slot, rows in judge.surplus.items():
        judge.blame(slot, Kind.EXTRA, rows)
    judge.surplus.clear()
    return 0


def _outside_filter(pair: Pair, slots: Sequence[int]) -> dict[int, bool]:
    """Those of the slots that the source has rows of which the filter leaves out, and whether they may have changed."""
    found: dict[int, bool] = {}
    for start in range(0, len(slots), SLOTS):
        for slot, changed in pair.source.unfiltered(slots[start : start + SLOTS]):
            found[slot] = found.get(slot, False) or changed
    return found

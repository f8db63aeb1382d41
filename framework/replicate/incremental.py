"""An increment: what changed is staged, then merged by key in one transaction, together with its state."""

from __future__ import annotations

from dataclasses import replace

from framework import checks
from framework.databases.base import Session
from framework.databases.postgres.snapshot import Snapshot
from framework.databases.postgres.source import PostgresSession
from framework.events import Stats
from framework.replicate import cursor, evolve, quarantine, replacing, staging, state
from framework.replicate.census import Census
from framework.replicate.job import Job
from framework.replicate.journal import Loaded, Merged
from framework.replicate.merging import in_transaction, merge
from framework.replicate.outline import Outline
from framework.replicate.reconciliation import COUNTED
from framework.replicate.staging import Wanted


def begin(job: Job, session: Session) -> None:
    """Make what the load fills."""
    staging.create(job, session, staging.tables_of(job))


def load(job: Job, outline: Outline, session: Session, reading: PostgresSession, shared: Snapshot) -> Loaded:
    """Stage what changed, in the open transaction; ``reading`` is a session of the snapshot ``shared``."""
    condition = outline.resync
    if condition is None:
        condition = cursor.since(job.mapping, outline.bound, outline.backfill)
    tables, former = staging.tables_of(job), dict(outline.renamed)
    if condition and tables.keys is None and (again := quarantine.again(job, session, outline.generation, former)):
        condition = f"({condition}\n) OR {again}"
    if outline.resync is not None:
        wanted = Wanted(condition, moves=False)
    else:
        last = state.current(session, job.target, job.table)
        known = Census.from_text(last.census) if last is not None and last.census else None
        wanted = Wanted(condition, outline.bound, former=former, census=known)
    staged = staging.fill(job, session, reading, tables, wanted, job.table, shared)
    done = Loaded(staged.read, staged.keys, staged.watermark, staged.replaced, staged.rejected)
    found = staged.reconciled
    if found is None:
        return done
    return replace(done, census=found.census.as_text(), live=found.live, looked=found.looked, new=found.new)


def finish(job: Job, outline: Outline, session: Session, loaded: Loaded) -> Merged:
    """Merge what was staged."""
    if outline.alters and (done := evolve.alter(job, session)) is not None:
        return done
    done = in_transaction(session, lambda: _merge(job, outline, session, loaded))
    if outline.alters:
        evolve.reveal(job, session)
    job.discard(session, *staging.PURPOSES)
    return done


def _merge(job: Job, outline: Outline, session: Session, loaded: Loaded) -> Merged:
    job.lease.guard(session)
    tables = staging.tables_of(job)
    merged = merge(job, session, tables, job.table, job.options.capture, live=loaded.live, new=loaded.new)
    results = checks.require(session, job.target.dialect, job.table, job.table, job.mapping.task.checks)
    watermark = loaded.watermark or outline.watermark
    bound = outline.bound
    if outline.resync is None:
        bound = cursor.next_bound(job.mapping, outline.horizon, loaded.watermark, outline.bound)
    made_of = evolve.followed(job, session)
    reached = outline.reached(bound, watermark, made_of, loaded.census)
    state.write(session, job.target, job.table, reached, job.options.run_id)
    told = quarantine.record(job, session, outline.generation, alone=True)
    stats = Stats(
        rows_read=loaded.rows,
        rows_written=merged.written,
        rows_deleted=merged.deleted,
        rows_unchanged=merged.unchanged,
        rows_rejected=loaded.rejected,
        watermark=watermark,
    )
    warnings = (*told, *replacing.sentences(job.mapping, loaded.replaced), *results.warnings)
    # A large copy is not read only to be counted.
    counted = loaded.looked or (loaded.keys or 0) <= COUNTED
    done = Merged(stats.checked(results.passed, warnings, bound), loaded.keys if counted else None)
    job.journal.finish(session, done, again=job.options.spread)
    return done

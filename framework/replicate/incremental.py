"""An increment: what changed is staged, then merged by key in one transaction, together with its state."""

from __future__ import annotations

from framework import checks
from framework.databases.base import Session
from framework.databases.postgres.source import PostgresSession
from framework.events import Stats
from framework.replicate import cursor, evolve, quarantine, replacing, staging, state
from framework.replicate.job import Job
from framework.replicate.journal import Loaded, Merged
from framework.replicate.merging import in_transaction, merge
from framework.replicate.outline import Outline
from framework.replicate.staging import Wanted


def begin(job: Job, session: Session) -> None:
    """Make what the load fills."""
    staging.create(job, session, staging.tables_of(job))


def load(job: Job, outline: Outline, session: Session, reading: PostgresSession) -> Loaded:
    """Stage what changed, in the open transaction."""
    condition = outline.resync
    if condition is None:
        condition = cursor.since(job.mapping, outline.bound, outline.backfill)
    tables, former = staging.tables_of(job), dict(outline.renamed)
    if condition and tables.keys is None and (again := quarantine.again(job, session, outline.generation, former)):
        condition = f"({condition}\n) OR {again}"
    moves = outline.resync is None
    wanted = Wanted(condition, outline.bound if moves else None, moves, former if moves else {})
    staged = staging.fill(job, session, reading, tables, wanted, job.table)
    return Loaded(staged.read, staged.keys, staged.watermark, staged.replaced, staged.rejected)


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
    merged = merge(job, session, staging.tables_of(job), job.table, job.options.capture)
    results = checks.require(session, job.target.dialect, job.table, job.table, job.mapping.task.checks)
    watermark = loaded.watermark or outline.watermark
    bound = outline.bound
    if outline.resync is None:
        bound = cursor.next_bound(job.mapping, outline.horizon, loaded.watermark, outline.bound)
    made_of = evolve.followed(job, session)
    state.write(session, job.target, job.table, outline.reached(bound, watermark, made_of), job.options.run_id)
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
    done = Merged(stats.checked(results.passed, warnings, bound), loaded.keys)
    job.journal.finish(session, done)
    return done

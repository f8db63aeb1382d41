"""A full load: a fresh copy is made aside, checked, and becomes visible by one rename."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from framework import checks
from framework.databases.base import Session
from framework.databases.postgres.snapshot import Horizon, horizon, snapshot
from framework.databases.postgres.source import PostgresSession
from framework.errors import LeaseLost
from framework.events import Stats
from framework.replicate import (
    chunks,
    cursor,
    duplicates,
    evolve,
    merging,
    quarantine,
    reconciliation,
    replacing,
    resume,
    reuse,
    staging,
    state,
)
from framework.replicate.chunks import Parts
from framework.replicate.estimate import Estimate, estimate
from framework.replicate.job import Counter, Job
from framework.replicate.journal import Loaded, Merged
from framework.replicate.outline import Outline
from framework.replicate.resume import SHADOW
from framework.replicate.schema import structure
from framework.replicate.schema.structure import Structure

ANALYZED = 10_000
"""Rows from which on a fresh copy is analysed: what reads it next does not wait for the server to do it."""


def parts(job: Job, seen: Horizon) -> tuple[Parts, bool, Estimate]:
    """The parts of the load, whether they are read at one point in time, and how large the source is.

    Tasks of their own cannot share a snapshot. So only a table that can be caught up from a horizon is split then.
    """
    with job.source.session() as session:
        found = estimate(session, job.mapping)
        if not job.options.spread:
            streams = 1 if job.target.capabilities.single_writer else job.options.streams
            wanted = chunks.count(found, job.mapping.task.chunk_rows, streams)
            return chunks.split(session, job.mapping, found, wanted), True, found
        if job.mapping.key and cursor.is_timely(job.mapping, seen):
            split = chunks.by_key(session, job.mapping, found, chunks.count(found, job.mapping.task.chunk_rows, 1))
            return split, len(split.ranges) == 1, found
        return chunks.WHOLE, True, found


def begin(job: Job, session: Session, outline: Outline, made_of: Structure, *, resumed: bool) -> None:
    """Make the table that the load fills, if it is not there; and write down what is begun."""
    if not resumed:
        job.journal.begin(session)
        shadow = structure.table(job.mapping, made_of, job.beside(SHADOW))
        marker = state.marker(outline.generation, job.table)
        for notice in session.create_table(shadow, marker=marker, indexed=outline.few):
            job.reporter.notice(notice)
        if not outline.few:
            resume.note(job, session, outline, made_of)
    quarantine.create(job, session)
    for name, safe in job.mapping.renamed.items():
        job.reporter.notice(
            f"the target cannot hold the name {name!r} beside its others: the column is called {safe!r}"
        )


def load(job: Job, outline: Outline, number: int, session: Session, reading: PostgresSession, count: Counter) -> Loaded:
    """Copy one range, in the open transaction."""
    shadow = job.mapping.table(job.beside(SHADOW))
    condition = chunks.condition(job.mapping, outline.by, outline.ranges[number])
    kept = 0
    if number in outline.compared:
        rows, kept = reuse.refresh(job, session, reading, shadow, outline, number, count)
    else:
        rows = session.load(shadow, job.extract(reading, condition), count)
    # Parts of different times are caught up, and what is rejected then counts.
    rejected = quarantine.stage(job, session, reading, condition, number) if outline.one_snapshot else 0
    replaced = replacing.count(reading, job.mapping, condition)
    watermark = cursor.largest(job.mapping, reading) if number == 0 else None
    done = Loaded(rows, rows, watermark, replaced, rejected, kept=kept)
    counted = reconciliation.first(job, reading) if number == 0 and outline.one_snapshot else None
    return replace(done, census=counted.as_text()) if counted is not None else done


def finish(job: Job, outline: Outline, session: Session, loaded: list[Loaded]) -> Merged:
    """Complete the fresh copy, check it, and make it visible."""
    shadow = job.mapping.table(job.beside(SHADOW))
    watermark = next((part.watermark for part in loaded if part.watermark is not None), None)
    rows, kept = sum(part.rows for part in loaded), sum(part.kept for part in loaded)
    rejected = sum(part.rejected for part in loaded) if outline.one_snapshot else 0
    quarantine.require(job, session, rejected, rows + rejected)
    stats = Stats(
        rows_read=rows - kept,
        rows_written=rows - kept,
        rows_unchanged=kept,
        rows_rejected=rejected,
        watermark=watermark,
    )
    present: int | None = rows
    bound = cursor.next_bound(job.mapping, outline.horizon, watermark, None)
    counted = loaded[0].census
    # Where all phases are one call, there is one attempt for each lease.
    nonce = _begin_attempt(job, session) if job.options.spread else None
    if nonce is not None and not outline.one_snapshot:
        bound, stats, present, counted = _catch_up(job, session, nonce, stats, bound)
    with duplicates.named(job, session, shadow.name):
        session.create_indexes(shadow)
    if rows >= ANALYZED:
        session.analyze(shadow.name)
    results = checks.require(session, job.target.dialect, shadow.name, job.table, job.mapping.task.checks)
    told = replacing.sentences(job.mapping, replacing.added(part.replaced for part in loaded))
    done = Merged(stats.checked(results.passed, (*told, *results.warnings), bound), present)
    with session.transaction():
        _guard(job, session, nonce)
        last = state.current(session, job.target, job.table)
        fresh = outline.reached(bound, stats.watermark, evolve.fresh(job, last), counted)
        state.write(session, job.target, job.table, fresh, job.options.run_id, alone=last is None)
        rejects = quarantine.record(job, session, outline.generation, alone=last is None)
        done = replace(done, stats=replace(done.stats, warnings=(*rejects, *done.stats.warnings)))
        job.journal.finish(session, done, again=job.options.spread)
    session.swap(shadow.name, job.table)
    if last is not None:
        _forget_others(job, outline, session)
    if job.mapping.unfit:
        job.discard(session, quarantine.BESIDE)
    return done


def _begin_attempt(job: Job, session: Session) -> str:
    """An attempt of the merge that excludes earlier ones, which may still be at work; its name."""
    with session.transaction():
        job.lease.guard(session)
        return job.journal.attempt(session)


def _guard(job: Job, session: Session, nonce: str | None) -> None:
    job.lease.guard(session)
    if nonce is not None:
        job.journal.require_attempt(session, nonce, job.table)


def _forget_others(job: Job, outline: Outline, session: Session) -> None:
    """Who has been taken over since the rename must not: the states are another's by now."""
    with suppress(LeaseLost), session.transaction():
        job.lease.guard(session)
        state.forget_others(session, job.target, job.table, outline.generation)
        quarantine.forget_others(session, job.target, job.table, outline.generation)


def is_visible(job: Job, outline: Outline, session: Session) -> bool:
    """Whether the copy that the outline speaks of is the one that readers see."""
    live = state.current(session, job.target, job.table)
    return live is not None and live.generation == outline.generation


def _catch_up(
    job: Job, session: Session, nonce: str, stats: Stats, bound: str | None
) -> tuple[str | None, Stats, int | None, str | None]:
    """Bring the ranges, each read at a time of its own, to one point in time; the new bound, stats, rows and census."""
    with job.source.session() as reading:
        seen = horizon(reading)
    into = job.beside(SHADOW)
    with staging.made(job, session, nonce) as tables:
        with snapshot(job.source) as shared, session.transaction():
            wanted = staging.Wanted(cursor.since(job.mapping, bound), bound)
            staged = staging.fill(job, session, shared.session, tables, wanted, into)

        def perform() -> merging.Merged:
            _guard(job, session, nonce)
            quarantine.adopt(job, session, nonce)
            return merging.merge(job, session, tables, into, fresh=True)

        merged = merging.in_transaction(session, perform)
    watermark = staged.watermark or stats.watermark
    caught_up = Stats(
        rows_read=stats.rows_read + staged.read,
        rows_written=stats.rows_written + merged.written,
        rows_deleted=merged.deleted,
        rows_unchanged=stats.rows_unchanged + merged.unchanged,
        rows_rejected=staged.rejected,
        watermark=watermark,
    )
    compares = job.mapping.task.deletes.policy != "keep"
    counted = staged.reconciled.census.as_text() if compares and staged.reconciled is not None else None
    return cursor.next_bound(job.mapping, seen, watermark, bound), caught_up, staged.keys, counted

"""The four phases of one table's replication: plan, load (in parts), merge, verify.

They share nothing but an outline, which is plain data, and what the target knows. So each may be a process of its own,
and may be tried again: what is done already is recognised and not done twice.
"""

from __future__ import annotations

import time
from dataclasses import replace

from framework import bookkeeping
from framework.databases.base import PREFIX, Session
from framework.databases.postgres.names import qualified
from framework.databases.postgres.origin import origin
from framework.databases.postgres.position import position
from framework.databases.postgres.snapshot import Horizon, Snapshot, horizon, snapshot
from framework.databases.postgres.source import PostgresSession
from framework.errors import StatementFailed, VerifyFailed
from framework.events import Stats
from framework.replicate import (
    cursor,
    evolve,
    full,
    incremental,
    journal,
    quarantine,
    resume,
    resync,
    state,
    succession,
)
from framework.replicate.job import Counter, Job
from framework.replicate.journal import Loaded, Merged
from framework.replicate.mapping import DELETED_AT
from framework.replicate.outline import EVERYTHING, Outline
from framework.replicate.schema.change import Evolution
from framework.replicate.schema.structure import Structure


def plan(job: Job) -> Outline:
    """Decide what is to be done, and make the tables that the load fills; what a dead run left is dropped.

    Raises:
        ForeignTable: a table of that name was not made by Vitrina.
        MappingChanged: the copy cannot follow what has changed, or must not; nothing was written.
        CopyMissing: there is nothing that could be read again.
        OwnedElsewhere: the copy is another pipeline's.
        SourceBehind: the source lacks what the copy has.
    """
    with job.source.session() as session:
        seen, place = _seen(job, session)
        began, here = time.monotonic(), origin(session)
    with job.target.session() as session:
        here = succession.compared(job, session, here, began)
        state.ensure(session, job.target)
        bookkeeping.ensure(session, job.target, journal.TABLE, quarantine.TABLE)
        job.journal.end_others(session)
        present = session.tables(PREFIX)
        # First of all: whoever was taken over before his rename cannot rename any more.
        left = resume.take(job, session, present)
        job.clear_leftovers(session, present)
        last = state.current(session, job.target, job.table)
        if not job.options.take_over:
            state.require_owner(last, job.table, job.options.pipeline)
        if job.options.resync is not None:
            last = resync.require(job, last, job.options.resync)
        evolution = evolve.require(job, last) if last is not None else None
        made_of = evolve.expected(job, last, evolution)
        if last is not None and not _is_full(job, last, evolution):
            if left is not None:
                session.drop_tables(left.shadow)
            job.journal.begin(session)
            if last.structure is not None and last.structure.hidden:
                evolve.reveal(job, session)
            succession.require(job, last.origin, here)
            outline = _incremental(job, seen, place, last, evolution)
            outline = succession.continued(job, outline, last.origin, here)
            incremental.begin(job, session)
        else:
            outline = replace(_full(job, seen, place), origin=here.as_text())
            outline = _begin_full(job, session, left, outline, made_of)
        outline = replace(outline, pipeline=job.options.pipeline or (last.pipeline if last is not None else ""))
    for change in evolution.changes if evolution is not None and outline.full else ():
        job.reporter.notice(change.sentence)
    return outline


def load(job: Job, outline: Outline, number: int, shared: Snapshot | None = None, count: Counter | None = None) -> int:
    """Read one part of the outline into the table made for it; how many rows.

    Args:
        job: the table's.
        outline: of `plan`.
        number: of the part.
        shared: the snapshot that all parts are read in; by default the part has its own.
        count: is told of the rows; by default the part reports by itself.

    Raises:
        LoadRefused: the target would have altered a value; nothing of the part stays.
    """
    with job.target.session() as session:
        # Where all phases are one call, none is tried again by itself.
        if job.options.spread and (done := job.journal.loaded(session, number)) is not None:
            return done.rows
        if shared is not None:
            with shared.another_session() as reading:
                return _load(job, outline, number, session, reading, shared, count)
        with snapshot(job.source) as own:
            return _load(job, outline, number, session, own.session, own, count)


def merge(job: Job, outline: Outline) -> Merged:
    """Make what was loaded visible, together with the state that speaks of it; what was done.

    Raises:
        LeaseLost: another run took the table over.
        DeleteFuseBlown, CheckFailed: the copy stays as it was.
    """
    try:
        with job.target.session() as session:
            done = _already_merged(job, outline, session) if job.options.spread else None
            return done or _merge(job, outline, session)
    except StatementFailed:
        # An attempt that was given up may have been quicker.
        with job.target.session() as session:
            if (done := _already_merged(job, outline, session)) is not None:
                return done
        raise


def verify(job: Job, done: Merged | None = None) -> Stats:
    """What the merge did.

    Args:
        job: the table's.
        done: of `merge`; by default the notes tell.

    Raises:
        VerifyFailed: the copy has not as many rows as the source had when it was read.
    """
    with job.target.session() as session:
        done = done or job.journal.merged(session)
        if done is None:
            raise StatementFailed(job.target.name, f"{job.table!r} has not been merged", "run again")
        if done.rows is None:
            return done.stats
        live = f" WHERE {job.quote(DELETED_AT)} IS NULL" if job.mapping.marks_deletes else ""
        found = int(session.query(f"SELECT COUNT(*) FROM {job.quote(job.table)}{live}")[0][0])
    if found != done.rows:
        raise VerifyFailed(job.table, found, done.rows)
    return done.stats


def _begin_full(job: Job, session: Session, left: resume.Left | None, outline: Outline, made_of: Structure) -> Outline:
    """Begin a full load, or go on with one; its outline."""
    resumed = resume.go_on(job, session, left, outline, made_of) if left is not None else None
    full.begin(job, session, resumed or outline, made_of, resumed=resumed is not None)
    return resumed or outline


def _seen(job: Job, session: PostgresSession) -> tuple[Horizon, str]:
    """The source's horizon, and where the table is."""
    source = job.mapping.source
    name = qualified(source.schema, source.name)
    return horizon(session, name), position(session, name, children=job.mapping.task.children).as_text()


def _full(job: Job, seen: Horizon, place: str) -> Outline:
    parts, one_snapshot, found = full.parts(job, seen)
    return Outline(
        full=True,
        token=job.lease.token,
        generation=state.new_generation(job.lease.token),
        fingerprint=job.mapping.fingerprint,
        horizon=seen,
        bound=None,
        watermark=None,
        by=parts.by,
        ranges=parts.ranges,
        one_snapshot=one_snapshot,
        position=place,
        rows=found.rows,
        few=len(parts.ranges) == 1 and found.is_small,
    )


def _is_full(job: Job, last: state.State, evolution: Evolution | None) -> bool:
    refills = evolution is not None and evolution.refills
    anew = job.options.full_refresh or evolve.is_made_anew(job.mapping.task, last) or refills
    return anew and job.options.resync is None


def _incremental(job: Job, seen: Horizon, place: str, last: state.State, evolution: Evolution | None) -> Outline:
    for sentence in cursor.sentences(job.mapping, seen, last.bound) if job.options.resync is None else ():
        job.reporter.notice(sentence)
    return Outline(
        full=False,
        token=job.lease.token,
        generation=last.generation,
        fingerprint=job.mapping.fingerprint,
        horizon=seen,
        bound=last.bound,
        watermark=last.watermark,
        by=(),
        ranges=(EVERYTHING,),
        one_snapshot=True,
        resync=job.options.resync,
        # Only a part of the copy is of the present, then.
        position=place if job.options.resync is None else last.position,
        alters=evolution is not None and bool(evolution.changes),
        backfill=evolution.backfill if evolution is not None else (),
        renamed=tuple((new, old) for old, new in evolution.alteration.renamed) if evolution is not None else (),
    )


def _load(
    job: Job,
    outline: Outline,
    number: int,
    session: Session,
    reading: PostgresSession,
    shared: Snapshot,
    count: Counter | None,
) -> int:
    try:
        with session.transaction():
            job.journal.claim(session, number)
            if outline.full:
                told = count or Counter(job.reporter, "load", outline.rows or None)
                done = full.load(job, outline, number, session, reading, told)
            else:
                done = incremental.load(job, outline, session, reading, shared)
            job.journal.note(session, number, done)
    except StatementFailed:
        # An attempt that was given up may have been quicker.
        with job.target.session() as another:
            if (found := job.journal.loaded(another, number)) is not None:
                return found.rows
        raise
    return done.rows


def _already_merged(job: Job, outline: Outline, session: Session) -> Merged | None:
    """What an earlier attempt did; None if there was none, or it died between the state's commit and the rename."""
    done = job.journal.merged(session)
    visible = done is not None and (not outline.full or full.is_visible(job, outline, session))
    if visible and outline.alters:
        evolve.reveal(job, session)
    return done if visible else None


def _merge(job: Job, outline: Outline, session: Session) -> Merged:
    noted = job.journal.all_loaded(session, outline.token)
    loaded = _require_all(outline, [noted.get(number) for number in range(len(outline.ranges))], job.target.name)
    if outline.full:
        return full.finish(job, outline, session, loaded)
    return incremental.finish(job, outline, session, loaded[0])


def _require_all(outline: Outline, loaded: list[Loaded | None], name: str) -> list[Loaded]:
    """Every part's record. Raises StatementFailed if one is missing."""
    found = [part for part in loaded if part is not None]
    if len(found) != len(outline.ranges):
        missing = len(outline.ranges) - len(found)
        raise StatementFailed(name, f"{missing} of {len(outline.ranges)} parts are not loaded", "run again")
    return found

"""An increment: what changed is staged, then merged by key in one transaction, together with its state."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from framework import checks, units
from framework.databases.base import Session
from framework.databases.postgres.snapshot import horizon, snapshot
from framework.databases.postgres.source import PostgresSession
from framework.errors import DeleteFuseBlown, StatementFailed
from framework.events import Stats
from framework.replicate import cursor, state
from framework.replicate.job import Counter, Job
from framework.replicate.mapping import DELETED_AT
from framework.tables import Table

ATTEMPTS = 3
"""Tries of a merge that meets deadlocks."""

MISSING_AT_ONCE = 1000
"""Rows fetched by their keys in one query."""


@dataclass(frozen=True)
class Staged:
    """What one increment read, in tables of the target.

    Attributes:
        rows: rows that may have changed.
        keys: all keys the source has now; None where deletes are kept.
        changed: filled by the merge with the keys of rows that really change.
    """

    rows: Table
    keys: Table | None
    changed: Table
    read: int
    watermark: str | None


@dataclass(frozen=True)
class Merged:
    unchanged: int
    written: int
    deleted: int
    checks: checks.CheckResults


def merge_changes(job: Job, last: state.State) -> Stats:
    """Bring the copy from ``last`` to the source's present."""
    with job.source.session() as session:
        seen = horizon(session)
    if doubt := cursor.doubts(job.mapping, seen):
        job.reporter.notice(doubt)
    with job.target.session() as session, ExitStack() as stack:
        staged = _stage(job, session, stack, last)
        watermark = staged.watermark or last.watermark
        bound = cursor.next_bound(job.mapping, seen, staged.watermark, last.bound)
        merged = _merge_with_retry(
            job, session, staged, state.State(last.generation, last.fingerprint, bound, watermark)
        )
    return Stats(
        rows_read=staged.read,
        rows_written=merged.written,
        rows_deleted=merged.deleted,
        rows_unchanged=merged.unchanged,
        watermark=watermark,
        checks=merged.checks.passed,
        warnings=merged.checks.warnings,
    )


def _stage(job: Job, session: Session, stack: ExitStack, last: state.State) -> Staged:
    mapping = job.mapping
    rows = mapping.table("")
    plain = Table("", tuple(c for c in rows.columns if c.name != DELETED_AT), mapping.key)
    rows = stack.enter_context(job.auxiliary(session, "stage", plain))
    changed = stack.enter_context(job.auxiliary(session, "changed", mapping.key_table("")))
    keys = None
    if mapping.task.deletes.policy != "keep":
        keys = stack.enter_context(job.auxiliary(session, "keys", mapping.key_table("")))
    condition = cursor.since(mapping, last.bound)
    with snapshot(job.source) as shared:
        read = session.load(rows, job.extract(shared.session, condition), Counter(job.reporter, "read", None))
        if keys is not None:
            _stage_keys(job, session, shared.session, keys)
            read += _stage_missing(job, session, shared.session, rows, keys)
        watermark = cursor.largest(mapping, shared.session, last.bound)
    return Staged(rows, keys, changed, read, watermark)


def _stage_keys(job: Job, session: Session, reading: PostgresSession, keys: Table) -> None:
    session.load(keys, job.extract(reading, names=job.mapping.key), Counter(job.reporter, "compare keys", None))


def _stage_missing(job: Job, session: Session, reading: PostgresSession, rows: Table, keys: Table) -> int:
    """Stage the rows whose key the source has and the copy has not, whatever their cursor says; how many.

    So a row that comes back with an old cursor value (it was deleted, or had left the filter) is met.
    """
    live = f" AND o.{job.quote(DELETED_AT)} IS NULL" if job.mapping.marks_deletes else ""
    missing = (
        f"SELECT {job.list(job.mapping.key, 't.')} FROM {job.quote(keys.name)} AS t "
        f"WHERE NOT EXISTS (SELECT 1 FROM {job.quote(job.table)} AS o WHERE {job.same_key()}{live}) "
        f"AND NOT EXISTS (SELECT 1 FROM {job.quote(rows.name)} AS o WHERE {job.same_key()}) LIMIT {MISSING_AT_ONCE}"
    )
    staged = 0
    while found := session.query(missing):
        loaded = session.load(rows, job.extract(reading, job.mapping.has_key(reading, found)), lambda _: None)
        if loaded != len(found):
            raise StatementFailed(
                job.source.name,
                f"{len(found)} keys of {job.table!r} were read, {loaded} of their rows could be",
                f"refill the table with `vitrina replicate SPEC --full-refresh --table {job.table}`",
            )
        staged += loaded
    return staged


def _merge_with_retry(job: Job, session: Session, staged: Staged, reached: state.State) -> Merged:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with session.transaction():
                return _merge(job, session, staged, reached)
        except StatementFailed as error:
            if not error.transient or attempt == ATTEMPTS:
                raise
    raise AssertionError


def _merge(job: Job, session: Session, staged: Staged, reached: state.State) -> Merged:
    job.lease.guard(session)
    unchanged = _drop_unchanged(job, session, staged)
    written = _note_changed(job, session, staged)
    gone = _note_gone(job, session, staged)
    if written or gone:
        _record(job, session, staged)
        _delete_gone(job, session, staged, gone)
        _replace_rows(job, session, staged)
        _record(job, session, staged)
    results = checks.require(session, job.target.dialect, job.table, job.table, job.mapping.task.checks)
    state.write(session, job.target, job.table, reached, job.options.run_id)
    return Merged(unchanged, written, gone, results)


def _drop_unchanged(job: Job, session: Session, staged: Staged) -> int:
    """Rows read again because of the overlap are taken out, so that nothing is written for them."""
    condition = f"{job.same_key()} AND {job.same(job.mapping.names)}"
    if job.mapping.marks_deletes:
        condition += f" AND o.{job.quote(DELETED_AT)} IS NULL"
    statement = job.target.dialect.delete_matching(job.quote(staged.rows.name), job.quote(job.table), condition)
    return session.execute(statement)


def _note_changed(job: Job, session: Session, staged: Staged) -> int:
    key = job.list(job.mapping.key)
    return session.execute(
        f"INSERT INTO {job.quote(staged.changed.name)} ({key}) SELECT {key} FROM {job.quote(staged.rows.name)}"
    )


def _note_gone(job: Job, session: Session, staged: Staged) -> int:
    """Add the keys that the copy has and the source has not. Raises DeleteFuseBlown if they are too many."""
    if staged.keys is None:
        return 0
    live = f"t.{job.quote(DELETED_AT)} IS NULL" if job.mapping.marks_deletes else "1 = 1"
    gone = session.execute(
        f"INSERT INTO {job.quote(staged.changed.name)} ({job.list(job.mapping.key)}) "
        f"SELECT {job.list(job.mapping.key, 't.')} FROM {job.quote(job.table)} AS t WHERE {live} "
        f"AND NOT EXISTS (SELECT 1 FROM {job.quote(staged.keys.name)} AS o WHERE {job.same_key()})"
    )
    if gone:
        total = int(session.query(f"SELECT COUNT(*) FROM {job.quote(job.table)} AS t WHERE {live}")[0][0])
        fuse = job.mapping.task.deletes.fuse
        if gone > total * units.fraction(fuse):
            raise DeleteFuseBlown(job.table, gone, total, fuse)
    return gone


def _delete_gone(job: Job, session: Session, staged: Staged, gone: int) -> None:
    if not gone or staged.keys is None:
        return
    dialect, table, keys = job.target.dialect, job.quote(job.table), job.quote(staged.keys.name)
    if job.mapping.marks_deletes:
        column = job.quote(DELETED_AT)
        assignment = f"{column} = {dialect.utc_now}"
        session.execute(dialect.update_unmatched(table, keys, job.same_key(), assignment, f"t.{column} IS NULL"))
    else:
        session.execute(dialect.delete_unmatched(table, keys, job.same_key()))


def _replace_rows(job: Job, session: Session, staged: Staged) -> None:
    """By key only: an upsert would also go through other unique indexes, and overwrite other rows."""
    table, rows, names = job.quote(job.table), job.quote(staged.rows.name), job.list(job.mapping.names)
    session.execute(job.target.dialect.delete_matching(table, rows, job.same_key()))
    order = job.list(job.mapping.key)
    session.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM {rows} ORDER BY {order}")


def _record(job: Job, session: Session, staged: Staged) -> None:
    if job.options.capture is not None:
        job.options.capture.record(session, job.target.dialect, job.table, staged.changed.name, job.mapping.key)

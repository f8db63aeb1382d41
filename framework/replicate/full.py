"""A full load: a fresh copy is made aside, checked, and becomes visible by one rename."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from framework import checks
from framework.databases.base import Session
from framework.databases.postgres.snapshot import Snapshot, horizon, snapshot
from framework.events import Stats
from framework.replicate import cursor, state
from framework.replicate.chunks import conditions, estimated_rows
from framework.replicate.job import Counter, Job, discard
from framework.tables import Table


def fill(job: Job) -> Stats:
    """Replace the copy by one made anew; readers see the old one until the new one is complete and checked."""
    with job.source.session() as session:
        seen = horizon(session)
    generation = state.new_generation()
    shadow = job.mapping.table(job.beside("shadow"))
    with job.target.session() as session:
        session.drop_table(shadow.name)
        session.create_table(shadow, marker=state.marker(generation, job.table))
        try:
            rows, watermark = _load(job, shadow)
            session.create_indexes(shadow)
            results = checks.require(session, job.target.dialect, shadow.name, job.table, job.mapping.task.checks)
            bound = cursor.next_bound(job.mapping, seen, watermark, None)
            _publish(job, session, shadow, state.State(generation, job.mapping.fingerprint, bound, watermark))
        except BaseException:
            discard(session, shadow.name)
            raise
    return Stats(
        rows_read=rows, rows_written=rows, watermark=watermark, checks=results.passed, warnings=results.warnings
    )


def _load(job: Job, shadow: Table) -> tuple[int, str | None]:
    with snapshot(job.source) as shared:
        total = estimated_rows(shared.session, job.mapping) or None
        count = Counter(job.reporter, "load", total)
        streams = 1 if job.target.capabilities.single_writer else job.options.streams
        parts = conditions(shared.session, job.mapping, streams)
        with ThreadPoolExecutor(len(parts), thread_name_prefix="vitrina-load") as pool:
            loads = [pool.submit(_load_part, job, shared, shadow, part, count) for part in parts]
            rows = sum(load.result() for load in loads)
        return rows, cursor.largest(job.mapping, shared.session)


def _load_part(job: Job, shared: Snapshot, shadow: Table, condition: str, count: Counter) -> int:
    with shared.another_session() as reading, job.target.session() as session:
        return session.load(shadow, job.extract(reading, condition), count)


def _publish(job: Job, session: Session, shadow: Table, fresh: state.State) -> None:
    with session.transaction():
        job.lease.guard(session)
        state.write(session, job.target, job.table, fresh, job.options.run_id)
    session.swap(shadow.name, job.table)
    state.forget_others(session, job.target, job.table, fresh.generation)

"""Replicating one table, whatever its mode and state."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from framework import lease
from framework.databases.base import Target
from framework.databases.postgres.attributes import attributes
from framework.databases.postgres.catalog import identity, require
from framework.databases.postgres.snapshot import snapshot
from framework.databases.postgres.source import PostgresSource
from framework.errors import LoadRefused, OutlineStale, UnsupportedType
from framework.events import Reporter, Stats
from framework.replicate import phases, refusal, resume, unfit
from framework.replicate.job import Counter, Job
from framework.replicate.mapping import resolve
from framework.replicate.options import Options
from framework.replicate.outline import Outline
from framework.replicate.schema.structure import structure
from framework.spec.replication import ReplicateTask

KEPT_FOR = 600
"""Seconds that a lease lives between the tasks of a run whose phases are spread over processes."""


def replicate(
    source: PostgresSource, target: Target, task: ReplicateTask, options: Options, reporter: Reporter
) -> Stats:
    """Bring one table of the target to the source's present.

    Raises:
        SourceMismatch, UnsupportedType: the source cannot be mapped; nothing was written.
        MappingChanged: the copy cannot follow what has changed, or must not; nothing was written.
        LeaseHeld, LeaseLost: another run writes the table.
        LoadRefused, RowsRejected, DeleteFuseBlown, CheckFailed: the copy stays as it was.
        VerifyFailed: the copy is not what the source was.
    """
    with opened(source, target, task, options, reporter) as job:
        try:
            outline = phases.plan(job)
            _load_all(job, outline)
            stats = phases.verify(job, phases.merge(job, outline))
        except BaseException as error:
            resume.leave(job, error)
            raise
    return stats


@contextmanager
def opened(
    source: PostgresSource,
    target: Target,
    task: ReplicateTask,
    options: Options,
    reporter: Reporter,
    outline: Outline | None = None,
    *,
    last: bool = False,
) -> Iterator[Job]:
    """A table with its mapping and its lease, for one phase or for all.

    Args:
        source: what is read.
        target: what is written.
        task: the table.
        options: of the run; where phases are spread, the lease is kept for the next one.
        reporter: is told what happens.
        outline: of the run's first phase.
        last: this phase is the table's last.

    Raises:
        SourceMismatch, UsageError: the source cannot be mapped.
        LeaseHeld, LeaseLost: another run writes the table.
        OutlineStale: the mapping is not that of the outline.
    """
    with source.session() as session:
        described, database = require(session, task.source_schema, task.source_table), identity(session)
        found = attributes(session, task.source_schema, task.source_table)
    mapping = unfit.parted(resolve(task, described, options.mask_key, database), target)
    if outline is not None and outline.fingerprint != mapping.fingerprint:
        raise OutlineStale(task.table)
    token, term = outline.token if outline else None, KEPT_FOR if options.spread else lease.TERM
    holding = lease.held(target, task.table, options.run_id, token=token, term=term, keep=options.spread and not last)
    with holding as held:
        made_of = structure(mapping, found, options.mask_key, database)
        job = Job(source, target, mapping, made_of, options, reporter, held)
        with _naming(job):
            yield job


def _load_all(job: Job, outline: Outline) -> None:
    """All parts, in one snapshot, several at once."""
    if len(outline.ranges) == 1:
        phases.load(job, outline, 0)
        return
    with snapshot(job.source) as shared:
        count = Counter(job.reporter, "load", outline.rows or None)
        streams = 1 if job.target.capabilities.single_writer else job.options.streams
        numbers = range(len(outline.ranges))
        with ThreadPoolExecutor(streams, thread_name_prefix="vitrina-load") as pool:
            loads = [pool.submit(phases.load, job, outline, number, shared, count) for number in numbers]
            try:
                for part in loads:
                    part.result()
            except BaseException:
                for part in loads:
                    part.cancel()
                raise


@contextmanager
def _naming(job: Job) -> Iterator[None]:
    """Errors speak of the table the user knows, not of the one that was made beside it."""
    try:
        yield
    except LoadRefused as error:
        raise refusal.explained(job, error) from error
    except UnsupportedType as error:
        raise UnsupportedType(job.table, error.column, error.type_name) from error

"""Replicating one table, whatever its mode and state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from framework import lease
from framework.databases.base import Target
from framework.databases.postgres.catalog import identity, require
from framework.databases.postgres.source import PostgresSource
from framework.errors import LoadRefused, MappingChanged, UnsupportedType
from framework.events import Reporter, Stats
from framework.replicate import state
from framework.replicate.full import fill
from framework.replicate.incremental import merge_changes
from framework.replicate.job import Job
from framework.replicate.mapping import Mapping, resolve
from framework.replicate.options import Options
from framework.spec.models import ReplicateTask


def replicate(
    source: PostgresSource, target: Target, task: ReplicateTask, options: Options, reporter: Reporter
) -> Stats:
    """Bring one table of the target to the source's present.

    Raises:
        SourceMismatch, UnsupportedType: the source cannot be mapped; nothing was written.
        MappingChanged: the copy was made by other rules; nothing was written.
        LeaseHeld, LeaseLost: another run writes the table.
        LoadRefused, DeleteFuseBlown, CheckFailed: the copy stays as it was.
    """
    with source.session() as session:
        described = require(session, task.source_schema, task.source_table)
        mapping = resolve(task, described, options.mask_key, identity(session))
    with target.session() as session:
        state.ensure(session)
    with lease.held(target, task.table, options.run_id) as held:
        job = Job(source, target, mapping, options, reporter, held)
        with target.session() as session:
            last = state.current(session, target, task.table)
            job.clear_leftovers(session)
        with _naming(task.table):
            if last is None or options.full_refresh or task.mode == "full":
                return fill(job)
            _require_same_mapping(mapping, last)
            return merge_changes(job, last)


@contextmanager
def _naming(table: str) -> Iterator[None]:
    """Errors speak of the table the user knows, not of the one that was made beside it."""
    try:
        yield
    except LoadRefused as error:
        raise LoadRefused(table, error.warnings, error.fix) from error
    except UnsupportedType as error:
        raise UnsupportedType(table, error.column, error.type_name) from error


def _require_same_mapping(mapping: Mapping, last: state.State) -> None:
    if mapping.fingerprint != last.fingerprint:
        raise MappingChanged(mapping.task.table)

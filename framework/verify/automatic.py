"""The verification of a copy that its spec asks for, as a step of each run."""

from __future__ import annotations

from framework.databases.base import Target
from framework.databases.postgres.source import PostgresSource
from framework.errors import CopyDiffers
from framework.events import Reporter, Stats
from framework.spec.replication import ReplicateTask
from framework.verify import record, text
from framework.verify.table import verify


def is_due(target: Target, task: ReplicateTask) -> bool:
    """Whether the copy is to be verified now: a daily one where no verdict of this day says that it is equal."""
    if task.verify != "daily":
        return task.verify == "always"
    with target.session() as session:
        found = record.last(session, target, task.table)
    return found is None or found.differing > 0 or not found.is_of_today


def examine(
    source: PostgresSource, target: Target, task: ReplicateTask, run_id: str, reporter: Reporter, mask_key: bytes | None
) -> Stats:
    """Verify a copy if it is due, and remember the verdict.

    Raises:
        CopyDiffers: rows differ.
        CopyMissing, MappingChanged, ForeignTable: there is nothing that could be compared.
    """
    if not is_due(target, task):
        return Stats()
    verdict = verify(source, target, task, reporter, mask_key)
    record.write(target, verdict, run_id)
    headline, *details = text.lines(verdict)
    if not verdict.is_equal:
        for line in details:
            reporter.notice(line)
        raise CopyDiffers(task.table, verdict.differing, headline)
    return Stats(rows_read=verdict.rows)

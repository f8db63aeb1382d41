"""Copying again the rows that differ, and no others."""

from __future__ import annotations

from dataclasses import replace

from framework.databases.base import Target
from framework.databases.postgres.source import PostgresSource
from framework.errors import SourceMismatch
from framework.replicate.mapping import Mapping
from framework.replicate.sides import integer_key, of_slots
from framework.spec.replication import ReplicateTask
from framework.verify.table import opened
from framework.verify.verdict import Verdict


def condition(
    source: PostgresSource, target: Target, task: ReplicateTask, mask_key: bytes | None, verdict: Verdict
) -> str:
    """The source's condition of the rows that are to be read again.

    Raises:
        SourceMismatch: they cannot be told from others.
    """
    with opened(source, target, task, mask_key) as work:
        if (reason := _why_not(work.mapping)) is not None:
            fix = f"refill the table with `vitrina replicate SPEC --full-refresh --table {task.table}`"
            raise SourceMismatch(task.table, f"{task.table!r} cannot be repaired by rows: {reason}", fix)
        return of_slots(work.mapping, target.canonical, verdict.slots)


def repaired(before: Verdict, after: Verdict) -> Verdict:
    """What was found, less what has become right since."""
    return replace(
        before,
        counts=after.counts,
        differences=after.differences,
        changed=before.changed + after.changed,
        undecided=before.undecided + after.undecided,
        quarantined=after.quarantined,
        fetched=before.fetched + after.fetched,
        seconds=before.seconds + after.seconds,
        repaired=before.differing - after.differing,
        slots=after.slots,
    )


def _why_not(mapping: Mapping) -> str | None:
    if not mapping.key:
        return "nothing identifies them"
    masked = any(column.masked for column in mapping.columns if column.name in mapping.key)
    return "their key is masked" if masked and integer_key(mapping) is None else None

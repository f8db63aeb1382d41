"""What changed in the source, read into tables beside the copy, at one point in time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from framework.compare.side import Sum
from framework.databases.base import Session
from framework.databases.postgres.snapshot import Snapshot
from framework.databases.postgres.source import PostgresSession
from framework.replicate import cursor, quarantine, reconciliation, replacing
from framework.replicate.census import Census, counting
from framework.replicate.job import Counter, Job
from framework.replicate.keys import Tables
from framework.replicate.mapping import DELETED_AT
from framework.replicate.reconciliation import Reconciled
from framework.replicate.replacing import Replaced
from framework.tables import Table

STAGE, CHANGED, KEYS = "stage", "changed", "keys"

MANY = 200_000
"""Keys that are counted while rows are read."""

PURPOSES = (STAGE, CHANGED, KEYS, quarantine.BESIDE)


@dataclass(frozen=True)
class Staging:
    """Tables of the target, named by run.

    Attributes:
        rows: rows that may have changed.
        changed: keys that the copy has and the source has not; the merge adds those of rows that really change.
        keys: keys that the source has now, where they may differ from the copy's; None where deletes are kept.
        suffix: of the table that rejected rows are read into.
    """

    rows: Table
    changed: Table
    keys: Table | None
    suffix: str = ""


@dataclass(frozen=True)
class Staged:
    """What was read.

    Attributes:
        read: rows.
        keys: how many the source has; None where deletes are kept.
        watermark: the largest cursor value among the rows read.
        replaced: by column, values that something else took the place of.
        rejected: rows of the source that cannot go.
        reconciled: what the comparison of keys has found; None where deletes are kept.
    """

    read: int
    keys: int | None
    watermark: str | None
    replaced: Replaced
    rejected: int = 0
    reconciled: Reconciled | None = None


@dataclass(frozen=True)
class Wanted:
    """Which rows are read.

    Attributes:
        condition: of the source's SQL; empty for all rows.
        bound: of the cursor, where the largest value is looked for.
        moves: whether that value is asked for.
        former: the names that columns have in the copy until it is altered, by the names they have then.
        census: of the keys that the copy has; None if it is not known.
    """

    condition: str
    bound: str | None = None
    moves: bool = True
    former: Mapping[str, str] = field(default_factory=dict)
    census: Census | None = None


def tables_of(job: Job, suffix: str = "", *, keys: bool | None = None) -> Staging:
    """The staging tables of the job, which need not exist.

    Args:
        job: the table's.
        suffix: tells them from those of another attempt.
        keys: whether keys are compared; by default, unless deletes are kept, which copies made anew never do.
    """
    mapping = job.mapping
    rows = mapping.table(job.beside(STAGE + suffix))
    # The indexes are not made here; but values too long for them are refused while they are loaded, and named.
    columns = tuple(column for column in rows.columns if column.name != DELETED_AT)
    plain = Table(rows.name, columns, mapping.key, rows.indexes)
    keeps = mapping.task.mode == "incremental" and mapping.task.deletes.policy == "keep"
    wanted = not keeps if keys is None else keys
    return Staging(
        plain,
        mapping.key_table(job.beside(CHANGED + suffix)),
        mapping.key_table(job.beside(KEYS + suffix)) if wanted else None,
        suffix,
    )


def create(job: Job, session: Session, staging: Staging) -> Staging:
    """Make the staging tables. Nobody else has ever made any of these names, which have the lease's token in them."""
    for table in (staging.rows, staging.changed, staging.keys):
        if table is not None:
            session.create_table(table, marker=job.aux_marker)
    quarantine.create(job, session, staging.suffix)
    return staging


@contextmanager
def made(job: Job, session: Session, suffix: str) -> Iterator[Staging]:
    """Staging tables for a comparison of keys, for as long as the context lasts."""
    try:
        yield create(job, session, tables_of(job, suffix, keys=True))
    finally:
        job.discard(session, *(purpose + suffix for purpose in PURPOSES))


def fill(
    job: Job,
    session: Session,
    reading: PostgresSession,
    staging: Staging,
    wanted: Wanted,
    into: str,
    shared: Snapshot | None = None,
) -> Staged:
    """Read what is wanted, and compare keys; in the open transaction of ``session``.

    Args:
        job: the table's.
        session: of the target.
        reading: of the source, in its snapshot.
        staging: empty tables.
        wanted: which rows are read, whatever else is missing.
        into: the table that is to be changed.
        shared: that snapshot, if keys may be counted in it by a further session, while rows are read.
    """
    found = None
    with _counted(job, shared, wanted.census if staging.keys is not None else None) as counted:
        extract = job.extract(reading, wanted.condition)
        read = session.load(staging.rows, extract, Counter(job.reporter, "read", None))
        if staging.keys is not None:
            tables = Tables(staging.rows, staging.keys, staging.changed, into, wanted.former)
            found = reconciliation.reconcile(job, session, reading, tables, wanted.condition, wanted.census, counted)
            read += found.fetched
    keys = found.keys if found is not None else None
    rejected = quarantine.stage(job, session, reading, suffix=staging.suffix)
    if rejected:
        total = quarantine.total(job.mapping, reading) if keys is None else keys + rejected
        quarantine.require(job, session, rejected, total, staging.suffix)
    replaced = replacing.count(reading, job.mapping, wanted.condition)
    watermark = cursor.largest(job.mapping, reading, wanted.bound) if wanted.moves else None
    return Staged(read, keys, watermark, replaced, rejected, found)


@contextmanager
def _counted(job: Job, shared: Snapshot | None, before: Census | None) -> Iterator[Future[Sum] | None]:
    """The total of the source's keys, if they are so many that another session is worth its price."""
    if shared is None or before is None or before.rows < MANY:
        yield None
        return

    def count() -> Sum:
        with shared.another_session() as reading:
            job.prepare_masks(reading)
            return counting(reading, job.mapping, job.target.canonical).total()

    with ThreadPoolExecutor(1, thread_name_prefix="vitrina-census") as pool:
        yield pool.submit(count)

"""Incremental marts: only the partitions that changed rows touched are computed anew, each replaced in one transaction.

A mart's marker holds a digest of all that makes its rows what they are: the query, the fillings of the tables it reads
(their markers), and the chains of captures since (see `framework.marts.capture`). Any other digest, and it is built
anew. The digest becomes visible by the same statement as the rows, so a run that dies anywhere is simply run again.

What has been touched is copied to a table (``seen``) before anything is computed, and exactly that is taken off the
list when its partition has been replaced: what is touched in the meantime stays on the list.
"""

from __future__ import annotations

import hashlib
import json

from framework.events import Stats
from framework.marts import capture
from framework.marts.job import Job
from framework.marts.query import fingerprint
from framework.tables import Table

WORTH_COUNTING = 100
"""Touched partitions below which each is replaced by itself, however few there are."""

CHEAPER_ANEW = 0.2
"""Share of the partitions above which all are built anew: a transaction costs some milliseconds."""


def refresh(job: Job, mark: str, *, force: bool) -> Stats:
    """Bring an incremental mart to the present; ``mark`` is what its marker begins with."""
    capture.ensure(job.session, job.target)
    marker = f"{mark} {_look(job)}"
    if (
        force
        or job.session.relation(job.name) != "table"
        or job.session.marker(job.name) != marker
        or _is_cheaper_anew(job)
    ):
        stats = job.rebuild(marker)
        _take_off_the_list(job)
        return stats
    return _replace_partitions(job, mark) if job.count(job.seen) else Stats()


def _is_cheaper_anew(job: Job) -> bool:
    """Whether so many partitions are touched that one swap of all costs less than a transaction for each of them."""
    touched = int(job.session.query(f"SELECT COUNT(DISTINCT part) FROM {job.quote(job.seen)}")[0][0])
    if touched < WORTH_COUNTING:
        return False
    present = f"SELECT COUNT(DISTINCT {_partition(job)}) FROM {job.quote(job.name)}"
    return touched > int(job.session.query(present)[0][0]) * CHEAPER_ANEW


def _look(job: Job) -> str:
    """Copy what has been touched to the table ``seen``; the digest of what the mart would be made of."""
    session, dialect = job.session, job.target.dialect
    _, part, batch = capture.TOUCHED.columns
    session.create_table(Table(job.seen, (part, batch), primary_key=(part.name, batch.name)))
    own = fingerprint(job.task.mart)
    fillings = {table: session.marker(table) for table in job.task.reads}
    with session.transaction():
        job.guard(session)
        chains = capture.opened(session, dialect, job.name, own, job.task.reads)
        session.execute(
            f"INSERT INTO {job.quote(job.seen)} (part, batch) "
            f"SELECT part, batch FROM {job.quote(capture.TOUCHED.name)} WHERE mart = %s",
            (job.name,),
        )
    return hashlib.sha256(json.dumps([own, fillings, chains], sort_keys=True).encode()).hexdigest()[:32]


def _take_off_the_list(job: Job) -> None:
    touched, done = job.quote(capture.TOUCHED.name), f"SELECT batch FROM {job.quote(job.seen)}"
    job.session.execute(f"DELETE FROM {touched} WHERE mart = %s AND batch IN ({done})", (job.name,))


def _replace_partitions(job: Job, mark: str) -> Stats:
    job.reporter.progress("build", 0)
    touched = f"{capture.part(f'q.{_partition(job)}')} IN (SELECT part FROM {job.quote(job.seen)})"
    job.session.create_table_as(job.fresh, f"SELECT * FROM (\n{job.query}\n) AS q WHERE {touched}", mark)
    job.session.create_table_as(job.parts, _parts_query(job, touched), mark)
    job.session.create_view(job.draft, _draft_query(job))
    results = job.checked(job.draft)
    written = deleted = 0
    found = job.session.query(f"SELECT DISTINCT part FROM {job.quote(job.seen)} ORDER BY part")
    for done, (part,) in enumerate(found):
        job.reporter.progress("partitions", done, len(found))
        removed, inserted = _replace(job, part)
        written += inserted
        deleted += max(0, removed - inserted)
    return Stats(rows_written=written, rows_deleted=deleted, checks=results.passed, warnings=results.warnings)


def _partition(job: Job) -> str:
    incremental = job.task.mart.materialize.incremental
    assert incremental is not None
    return job.quote(incremental.partition)


def _parts_query(job: Job, touched: str) -> str:
    """The touched partitions' values, as they are and as they will be, each with its text."""
    column = _partition(job)
    both = f"SELECT {column} FROM {job.quote(job.name)} UNION SELECT {column} FROM {job.quote(job.fresh)}"
    # Nullable: MariaDB would give a NOT NULL date of a query the default 0000-00-00, and refuse it.
    value = f"CASE WHEN {capture.part(f'q.{column}')} <> '' THEN q.{column} END"
    return f"SELECT {value} AS value, {capture.part(f'q.{column}')} AS part FROM ({both}) AS q WHERE {touched}"


def _draft_query(job: Job) -> str:
    """The mart as it is about to be."""
    columns = ", ".join(job.quote(name) for name in job.session.columns(job.name))
    touched = f"SELECT 1 FROM {job.quote(job.parts)} AS o WHERE {_same_value(job, 't')}"
    return (
        f"SELECT {columns} FROM {job.quote(job.name)} AS t WHERE NOT EXISTS ({touched}) "
        f"UNION ALL SELECT {columns} FROM {job.quote(job.fresh)}"
    )


def _replace(job: Job, part: str) -> tuple[int, int]:
    """Replace one partition; rows deleted, rows inserted."""
    session = job.session
    columns = ", ".join(f"t.{job.quote(name)}" for name in session.columns(job.fresh))
    condition = f"{_same_value(job, 't')} AND o.part = %s"
    with session.transaction():
        job.guard(session)
        removed = session.execute(
            job.target.dialect.delete_matching(job.quote(job.name), job.quote(job.parts), condition), (part,)
        )
        inserted = session.execute(
            f"INSERT INTO {job.quote(job.name)} SELECT {columns} "
            f"FROM {job.quote(job.fresh)} AS t JOIN {job.quote(job.parts)} AS o ON {condition}",
            (part,),
        )
        session.execute(
            f"DELETE FROM {job.quote(capture.TOUCHED.name)} WHERE mart = %s AND part = %s "
            f"AND batch IN (SELECT batch FROM {job.quote(job.seen)} WHERE part = %s)",
            (job.name, part, part),
        )
    return removed, inserted


def _same_value(job: Job, alias: str) -> str:
    return job.target.dialect.same(f"{alias}.{_partition(job)}", f"o.{job.quote('value')}")

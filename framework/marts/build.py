"""Building one mart: made aside, checked, and then made visible at once."""

from __future__ import annotations

from framework import bookkeeping
from framework.databases.base import PREFIX, Session, Target
from framework.errors import ForeignTable
from framework.events import Reporter, Stats
from framework.marts.increment import refresh
from framework.marts.job import Guard, Job
from framework.marts.query import is_incremental
from framework.spec.marts import MartTask
from framework.tables import Column, Table
from framework.types import varchar

MARK = "vitrina mart"
"""Markers of marts that are tables begin with this."""

VIEWS = Table(
    f"{PREFIX}views",
    (Column("name", varchar(64), nullable=False),),
    primary_key=("name",),
)
"""Marts that are views: a view has no marker."""


def unguarded(session: Session) -> None:
    """The guard of those who know that they are alone."""


def build(
    target: Target, task: MartTask, reporter: Reporter, *, force: bool = False, guard: Guard = unguarded
) -> Stats:
    """Bring one mart to the present of the tables it reads.

    With ``force`` an incremental mart is computed anew, whatever has been touched. Two builds of one mart must not run
    at once; ``guard`` is called in each transaction and raises if that is in danger.

    Raises:
        ForeignTable: a table or view of that name was not made by Vitrina; it is untouched.
        CheckFailed: the mart stays as it was.
        StatementFailed: the server refused the query; the mart stays as it was.
    """
    with target.session() as session:
        job = Job(target, session, task, reporter, guard)
        _refuse_foreign(job)
        with job.tidy():
            if task.mart.materialize.view is not None:
                return _view(job)
            stats = refresh(job, MARK, force=force) if is_incremental(task.mart) else job.rebuild(MARK)
            _forget_view(job)
            return stats


def _view(job: Job) -> Stats:
    session = job.session
    session.create_view(job.draft, job.query)
    results = job.checked(job.draft)
    with session.transaction():
        job.guard(session)
    # Remembered before it is there: a view that nobody remembers would be a stranger to the next run.
    _remember_view(job)
    session.drop_tables(job.name)
    session.create_view(job.name, job.query)
    return Stats(checks=results.passed, warnings=results.warnings)


def _refuse_foreign(job: Job) -> None:
    relation = job.session.relation(job.name)
    ours = relation is None or (
        _is_our_view(job) if relation == "view" else (job.session.marker(job.name) or "").startswith(MARK)
    )
    if not ours:
        raise ForeignTable(job.name, job.target.name, "drop or rename it, or give the mart another name")


def _is_our_view(job: Job) -> bool:
    if not bookkeeping.exists(job.session, job.target, VIEWS.name):
        return False
    return bool(job.session.query(f"SELECT 1 FROM {job.quote(VIEWS.name)} WHERE name = %s", (job.name,)))


def _remember_view(job: Job) -> None:
    bookkeeping.ensure(job.session, job.target, VIEWS)
    if not _is_our_view(job):
        job.session.execute(f"INSERT INTO {job.quote(VIEWS.name)} (name) VALUES (%s)", (job.name,))


def _forget_view(job: Job) -> None:
    if _is_our_view(job):
        job.session.execute(f"DELETE FROM {job.quote(VIEWS.name)} WHERE name = %s", (job.name,))

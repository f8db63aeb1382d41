"""What the foreign keys of a target say of a merge.

Merges delete rows and insert them again, unseen by the server's own checks, which would cascade or refuse. So a merge
looks at the foreign keys itself, at those of the table and those that lead to it, for the rows that it changes.

Two merges of tables that refer to each other may run at once. They meet at the referred rows: who inserts a reference
holds them by shared locks until he commits, who deletes them holds them anyway. Whoever comes second waits, and sees.
"""

from __future__ import annotations

from framework.databases.base import Constraint, Dialect, Session
from framework.errors import ConstraintNotOurs
from framework.replicate.job import Job
from framework.replicate.staging import Staging


class BrokenReferences(Exception):
    """A merge would break foreign keys of ours; its transaction is to be rolled back."""

    def __init__(self, constraints: tuple[Constraint, ...]) -> None:
        super().__init__(", ".join(map(str, constraints)))
        self.constraints = constraints


def require(job: Job, session: Session, staging: Staging, gone: int) -> None:
    """See that the merge in the open transaction breaks no foreign key.

    Args:
        job: the table's.
        session: the merge's.
        staging: its tables; ``changed`` has the keys of all rows that were written or removed.
        gone: how many rows were removed.

    Raises:
        BrokenReferences: it breaks some of ours; without them it may go on.
        ConstraintNotOurs: it breaks somebody else's.
    """
    look = _Look(job, session, staging, gone)
    broken = tuple(one for one in session.foreign_keys(job.table) if look.breaks(one))
    for constraint in broken:
        if not constraint.is_ours:
            raise ConstraintNotOurs(constraint.name, constraint.table, f"the rows of {job.table!r} would break it")
        job.reporter.notice(f"the foreign key {constraint} is dropped: not all rows agree with it any more")
    if broken:
        raise BrokenReferences(broken)


def orphans(dialect: Dialect, constraint: Constraint) -> str:
    """FROM and WHERE of the rows (``t``) that refer to a row that is not there."""
    quote = dialect.quote
    pairs = zip(constraint.columns, constraint.referred_columns, strict=True)
    parent = " AND ".join(f"p.{quote(theirs)} = t.{quote(own)}" for own, theirs in pairs)
    return (
        f"FROM {quote(constraint.table)} AS t WHERE {_refers(dialect, constraint)} "
        f"AND NOT EXISTS (SELECT 1 FROM {quote(constraint.referred_table)} AS p WHERE {parent})"
    )


def _refers(dialect: Dialect, constraint: Constraint) -> str:
    """The condition that a row (``t``) refers to another: a reference that is NULL in part is none."""
    return " AND ".join(f"t.{dialect.quote(name)} IS NOT NULL" for name in constraint.columns)


class _Look:
    """What a merge changed, in the eyes of a foreign key."""

    def __init__(self, job: Job, session: Session, staging: Staging, gone: int) -> None:
        self._job = job
        self._session = session
        self._changed = job.quote(staging.changed.name)
        self._gone = gone

    def breaks(self, constraint: Constraint) -> bool:
        """Whether a row refers to nothing now."""
        own, referred = (self._job.table == name for name in (constraint.table, constraint.referred_table))
        return (own and self._has_orphans(constraint)) or (referred and self._has_left(constraint))

    def _has_orphans(self, constraint: Constraint) -> bool:
        """Whether a row that was written refers to nothing; what it refers to stays until the transaction ends."""
        job, quote = self._job, self._job.quote
        pairs = zip(constraint.columns, constraint.referred_columns, strict=True)
        parent = " AND ".join(f"p.{quote(theirs)} = t.{quote(own)}" for own, theirs in pairs)
        written = f"FROM {quote(job.table)} AS t JOIN {self._changed} AS o ON {job.same_key()}"
        refer = self._session.query(f"SELECT COUNT(*) {written} WHERE {_refers(job.target.dialect, constraint)}")
        joined = f"{written} JOIN {quote(constraint.referred_table)} AS p ON {parent}"
        lead = self._session.query_shared(f"SELECT COUNT(*) {joined}")
        return int(refer[0][0]) != int(lead[0][0])

    def _has_left(self, constraint: Constraint) -> bool:
        """Whether a row refers to one that was removed, or that has another value now."""
        job, quote = self._job, self._job.quote
        if set(constraint.referred_columns) != set(job.mapping.key):
            return bool(self._session.query(f"SELECT 1 {orphans(job.target.dialect, constraint)} LIMIT 1"))
        if not self._gone or job.mapping.marks_deletes:
            return False
        pairs = tuple(zip(constraint.columns, constraint.referred_columns, strict=True))
        refer = " AND ".join(f"c.{quote(own)} = o.{quote(theirs)}" for own, theirs in pairs)
        return bool(
            self._session.query(
                f"SELECT 1 FROM {self._changed} AS o JOIN {quote(constraint.table)} AS c ON {refer} "
                f"WHERE NOT EXISTS (SELECT 1 FROM {quote(job.table)} AS t WHERE {job.same_key()}) LIMIT 1"
            )
        )

"""Staged rows become part of a copy: by key, in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from framework import units
from framework.databases.base import Session
from framework.errors import DeleteFuseBlown, StatementFailed
from framework.replicate import duplicates, references
from framework.replicate.job import Job
from framework.replicate.mapping import DELETED_AT
from framework.replicate.options import ChangeCapture
from framework.replicate.references import BrokenReferences
from framework.replicate.staging import Staging

ATTEMPTS = 3
"""Tries of a transaction that meets deadlocks."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class Merged:
    """What a merge changed.

    Attributes:
        unchanged: staged rows that the copy had already.
    """

    unchanged: int
    written: int
    deleted: int


def in_transaction(session: Session, work: Callable[[], Result]) -> Result:
    """Do ``work`` in a transaction, again where another session's lock ended it, or a foreign key stood against it."""
    attempt = 1
    while True:
        try:
            with session.transaction():
                return work()
        except BrokenReferences as error:
            session.drop_foreign_keys(error.constraints)
        except StatementFailed as error:
            if not error.lock or attempt == ATTEMPTS:
                raise
            attempt += 1


def merge(
    job: Job,
    session: Session,
    staging: Staging,
    into: str,
    capture: ChangeCapture | None = None,
    *,
    live: int | None = None,
    new: int | None = None,
    fresh: bool = False,
) -> Merged:
    """Bring table ``into`` to what was staged, in the open transaction, which guards the lease.

    Where nothing but their key may stand against rows, they are written over by one statement; else they are deleted
    and inserted. Where somebody has to know which rows change, those that stay as they are leave staging first.

    Args:
        job: the table's.
        session: of the target.
        staging: what was read.
        into: the table that is changed.
        capture: is told before and after.
        live: rows that count; None if they were not counted.
        new: staged rows whose keys the table lacks; None if they were not counted.
        fresh: nobody has seen the table yet: what is gone from the source leaves it, without a fuse.

    Raises:
        DeleteFuseBlown: too many rows would go.
        NotUnique: a unique index of the copy stands against it.
        BrokenReferences, ConstraintNotOurs: so does a foreign key.
    """
    merging = _Merge(job, session, staging, into, live, fresh)
    staged, going = merging.staged()
    if not staged and not going:
        return Merged(0, 0, 0)
    overwrites = merging.can_overwrite()
    if overwrites and (capture is None or not capture.notes(job.table)):
        merging.record(capture)
        return merging.overwritten(staged, going, new)
    unchanged = merging.drop_unchanged()
    gone = merging.count_gone()
    written = merging.note_changed()
    if written or gone:
        merging.record(capture)
        with session.unreferenced():
            if gone:
                merging.delete_gone()
            if overwrites:
                merging.overwrite()
            else:
                merging.replace_rows()
        merging.record(capture)
        if not fresh:
            references.require(job, session, staging, gone)
    return Merged(unchanged, written, gone)


@dataclass(frozen=True)
class _Merge:
    job: Job
    session: Session
    staging: Staging
    into: str
    live: int | None
    fresh: bool

    def staged(self) -> tuple[int, int]:
        """How many rows were read, and how many keys are perhaps gone."""
        rows, keys = (self.job.quote(table.name) for table in (self.staging.rows, self.staging.changed))
        found = self.session.query(f"SELECT (SELECT COUNT(*) FROM {rows}), (SELECT COUNT(*) FROM {keys})")
        return int(found[0][0]), int(found[0][1])

    def can_overwrite(self) -> bool:
        """Whether rows may be written over; what is seen of the table stays until the transaction ends."""
        job, session = self.job, self.session
        session.query(f"SELECT 1 FROM {job.quote(self.into)} LIMIT 1")  # from now on, DDL waits for this transaction
        ours = {*job.mapping.names, *([DELETED_AT] if job.mapping.marks_deletes else ())}
        others = not ours.issuperset(session.columns(self.into))
        return not others and session.can_overwrite(self.into) and not session.foreign_keys(self.into)

    def overwritten(self, staged: int, going: int, new: int | None) -> Merged:
        """Bring the table to what was staged, where `can_overwrite`."""
        if self._blows_fuse(going):
            self.count_gone()
        gone = self.delete_gone() if going else 0
        unchanged = 0
        if new is None or self.job.mapping.marks_deletes:
            unchanged = self.drop_unchanged()
            staged, new = staged - unchanged, None
        changed = self.overwrite() - staged if staged else 0
        if new is None:
            return Merged(unchanged, staged, gone)
        return Merged(staged - changed - new, changed + new, gone)

    def overwrite(self) -> int:
        """Write rows over, or add them; how many, those that change counted twice."""
        mapping, rows = self.job.mapping, self.staging.rows.name
        marks = (DELETED_AT,) if mapping.marks_deletes else ()
        return self.session.overwrite(self.into, rows, mapping.names, mapping.key, marks)

    def drop_unchanged(self) -> int:
        """Rows read again because of the overlap are taken out, so that nothing is written for them."""
        job = self.job
        condition = f"{job.same_key()} AND {job.same_row()}"
        if job.mapping.marks_deletes:
            condition += f" AND o.{job.quote(DELETED_AT)} IS NULL"
        rows = job.quote(self.staging.rows.name)
        return self.session.execute(job.target.dialect.delete_matching(rows, job.quote(self.into), condition, "o"))

    def note_changed(self) -> int:
        job, key = self.job, self.job.list(self.job.mapping.key)
        return self.session.execute(
            f"INSERT INTO {job.quote(self.staging.changed.name)} ({key}) "
            f"SELECT {key} FROM {job.quote(self.staging.rows.name)}"
        )

    def count_gone(self) -> int:
        """How many rows go: their keys are noted, and those of rows that change are not yet. Raises DeleteFuseBlown."""
        job = self.job
        if self.staging.keys is None:
            return 0
        live = f" AND o.{job.quote(DELETED_AT)} IS NULL" if job.mapping.marks_deletes else ""
        found = self.session.query(
            f"SELECT COUNT(*) FROM {job.quote(self.staging.changed.name)} AS t "
            f"WHERE {job.target.dialect.has_key(job.quote(self.into), job.same_key() + live)}"
        )
        gone = int(found[0][0])
        if self._blows_fuse(gone):
            raise DeleteFuseBlown(job.table, gone, self._total, job.mapping.task.deletes.fuse)
        return gone

    def _blows_fuse(self, gone: int) -> bool:
        """Whether so many rows are too many to go."""
        if not gone or self.fresh:
            return False
        return gone > self._total * units.fraction(self.job.mapping.task.deletes.fuse)

    @cached_property
    def _total(self) -> int:
        if self.live is not None:
            return self.live
        job = self.job
        live = f" WHERE {job.quote(DELETED_AT)} IS NULL" if job.mapping.marks_deletes else ""
        return int(self.session.query(f"SELECT COUNT(*) FROM {job.quote(self.into)}{live}")[0][0])

    def delete_gone(self) -> int:
        """Rows that are marked stay; of the others, those that change are deleted with those that go; how many."""
        job, dialect = self.job, self.job.target.dialect
        table, keys = job.quote(self.into), job.quote(self.staging.changed.name)
        if job.mapping.marks_deletes and not self.fresh:
            column = job.quote(DELETED_AT)
            assignment = f"{column} = {dialect.utc_now}"
            same = " AND ".join(f"s.{job.quote(name)} = t.{job.quote(name)}" for name in job.mapping.key)
            stays = f"EXISTS (SELECT 1 FROM {job.quote(self.staging.rows.name)} AS s WHERE {same})"
            where = f"t.{column} IS NULL AND NOT {stays}"
            return self.session.execute(dialect.update_matching(table, keys, job.same_key(), assignment, where))
        return self.session.execute(dialect.delete_matching(table, keys, job.same_key(), "t"))

    def replace_rows(self) -> None:
        """By key only: an upsert would also go through other unique indexes, and overwrite other rows."""
        job = self.job
        table, rows, names = job.quote(self.into), job.quote(self.staging.rows.name), job.list(job.mapping.names)
        self.session.execute(job.target.dialect.delete_matching(table, rows, job.same_key(), "t"))
        order = job.list(job.mapping.key)
        with duplicates.named(job, self.session, self.into, self.staging.rows.name):
            self.session.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM {rows} ORDER BY {order}")

    def record(self, capture: ChangeCapture | None) -> None:
        if capture is not None:
            changed = self.staging.changed.name
            capture.record(self.session, self.job.target.dialect, self.job.table, changed, self.job.mapping.key)

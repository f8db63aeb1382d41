"""A part of a copy is read again: what an increment does, with the author's condition in place of the cursor's."""

from __future__ import annotations

from framework.databases.postgres.lexing import ONE_EXPRESSION, is_enclosed
from framework.errors import CopyMissing, MappingChanged, SourceMismatch, UsageError
from framework.replicate.job import Job
from framework.replicate.schema.difference import between
from framework.replicate.state import State

TRIAL = "EXPLAIN SELECT FROM {origin} WHERE ({condition}\n)"


def require(job: Job, last: State | None, condition: str) -> State:
    """The state of a copy of which a part can be read again.

    Raises:
        CopyMissing: there is none.
        SourceMismatch: nothing identifies its rows.
        MappingChanged: it was made by other rules.
        UsageError: the condition is more than an expression.
        StatementFailed: PostgreSQL does not understand the condition.
    """
    if not is_enclosed(condition):
        raise UsageError("the condition is not one expression of PostgreSQL", ONE_EXPRESSION)
    if last is None:
        raise CopyMissing(job.table)
    if not job.mapping.key:
        fact = f"nothing identifies the rows of {job.table!r}, so a part of it cannot be replaced"
        raise SourceMismatch(job.table, fact, "name a key with `key:`, or read the whole table: leave out --where")
    if last.structure is None:
        changes = [] if last.fingerprint == job.mapping.fingerprint else ["what has changed is not known"]
    else:
        task = job.mapping.task
        found = between(last.structure, job.structure, task.schema_change, job.target.dialect)
        changes = [change.fact for change in found.changes]
    if changes:
        raise MappingChanged(job.table, changes, [f"see to it with `vitrina replicate SPEC --table {job.table}`"])
    with job.source.session() as session, session.transaction("READ ONLY"):
        session.query(TRIAL.format(origin=job.mapping.origin, condition=condition))
    return last

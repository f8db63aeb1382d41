"""A copy follows what has changed in its source and its spec, if the policies allow it.

The copy's table is altered right before the merge: what is to be read was read by then, and whatever could be refused
was. MySQL commits DDL by itself, so a run may die between the two. Then the state still speaks of the copy as it was,
and the next run does the same again; what is done already changes nothing. A column that was added has no values until
the merge commits, and so is hidden until then from those who read all columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from framework.databases.base import Alteration, Dialect, Session
from framework.errors import ConstraintNotOurs, MappingChanged, SourceMismatch
from framework.replicate import duplicates, state
from framework.replicate.job import Job
from framework.replicate.journal import Merged
from framework.replicate.schema import structure
from framework.replicate.schema.change import Evolution
from framework.replicate.schema.difference import between
from framework.replicate.schema.structure import Structure
from framework.replicate.state import State
from framework.spec.replication import ReplicateTask
from framework.tables import Column, Table


def is_made_anew(task: ReplicateTask, last: State) -> bool:
    """Whether the next run makes a fresh copy: always in ``mode: full``, and when a table leaves that mode."""
    return task.mode == "full" or (last.structure is not None and last.structure.mode == "full")


def pending(last: State, new: Structure, task: ReplicateTask, dialect: Dialect) -> Evolution | None:
    """How a copy would follow now; None if nobody has written down what it is made of."""
    if last.structure is None:
        return None
    fresh = is_made_anew(task, last)
    evolution = between(last.structure, new, task.schema_change, dialect, fresh=fresh)
    if fresh or evolution.refused or not evolution.refills:
        return evolution
    return replace(between(last.structure, new, task.schema_change, dialect, fresh=True), changes=evolution.changes)


def require(job: Job, last: State) -> Evolution | None:
    """How the copy follows in this run; None if nobody has written down what it is made of.

    Raises:
        MappingChanged: it cannot, or must not.
    """
    if job.options.full_refresh:
        return None
    evolution = pending(last, job.structure, job.mapping.task, job.target.dialect)
    if evolution is None and job.mapping.task.mode != "full" and job.mapping.fingerprint != last.fingerprint:
        raise MappingChanged(job.table)
    if evolution is not None and evolution.refused:
        refused = evolution.refused
        allowing = [change.then for change in refused if change.then]
        raise MappingChanged(job.table, [change.fact for change in refused], allowing)
    return evolution


def expected(job: Job, last: State | None, evolution: Evolution | None) -> Structure:
    """What the copy will be made of after this run.

    Raises:
        SourceMismatch: an index has a column that the copy will not have.
    """
    anew = last is None or is_made_anew(job.mapping.task, last)
    follows = evolution is not None and not anew and not evolution.refills
    made_of = evolution.structure if evolution is not None and follows else fresh(job, last)
    names = {*job.mapping.names, *(column.name for column in made_of.kept)}
    for index in structure.table(job.mapping, made_of, job.table).indexes:
        for name in index.columns:
            if name not in names:
                fact = f"an index of {job.table!r} is on column {name!r}, and the copy has no such column"
                fix = f"take it out of `{'unique' if index.unique else 'indexes'}`, or use one of: "
                raise SourceMismatch(job.table, fact, fix + ", ".join(sorted(names)), column=name)
    return made_of


def fresh(job: Job, last: State | None) -> Structure:
    """What a copy that is made anew is made of: with the columns that the one before has kept, or has to keep now."""
    if last is None or last.structure is None:
        return job.structure
    policy = job.mapping.task.schema_change
    return between(last.structure, job.structure, policy, job.target.dialect, fresh=True).structure


def alter(job: Job, session: Session) -> Merged | None:
    """Make the copy's table what the merge needs; what the merge did, if another attempt has done it meanwhile.

    Raises:
        LeaseLost: another run took the table over.
        MappingChanged: the spec was changed meanwhile.
        ConstraintNotOurs: somebody else's foreign key is on a column that changes.
        NotUnique: values of the copy repeat, and the spec has a unique index on them now.
    """
    with _excluding(job) as holding:
        # Behind a merge, an alteration would throw away what it has brought.
        if (done := job.journal.merged(holding)) is not None:
            return done
        evolution = require(job, _current(job, holding))
        if evolution is None:
            return None
        copy = structure.table(job.mapping, evolution.structure, job.table)
        alteration = replace(evolution.alteration, hidden=job.target.capabilities.hides_columns)
        _drop_foreign_keys(job, session, alteration)
        session.alter_table(copy, alteration)
        with duplicates.named(job, session, job.table):
            session.create_indexes(copy)
    for change in evolution.changes:
        job.reporter.notice(change.sentence)
    return None


def followed(job: Job, session: Session) -> Structure:
    """What the copy is made of once the merge is committed; in its transaction, after `alter`."""
    last = _current(job, session)
    evolution = pending(last, job.structure, job.mapping.task, job.target.dialect)
    if evolution is None:
        return job.structure
    hidden = evolution.alteration.added if job.target.capabilities.hides_columns else ()
    return replace(evolution.structure, hidden=hidden)


def reveal(job: Job, session: Session) -> None:
    """Show the columns that were added, now that they have their values. Raises LeaseLost."""
    with _excluding(job) as holding:
        last = _current(job, holding)
        if last.structure is None or not last.structure.hidden:
            return
        hidden = last.structure.hidden
        session.alter_table(_added(job, last.structure), Alteration(changed=hidden))
        shown = replace(last, structure=replace(last.structure, hidden=()))
        state.write(holding, job.target, job.table, shown, job.options.run_id)


def _drop_foreign_keys(job: Job, session: Session, alteration: Alteration) -> None:
    """Drop foreign keys that the server would not let columns change under; those that hold are declared again."""
    changing = {*alteration.changed, *alteration.dropped, *alteration.added}
    changing |= {name for pair in alteration.renamed for name in pair}
    changing |= {name for index in alteration.unindexed for name in index.columns}
    touched = [
        constraint
        for constraint in session.foreign_keys(job.table)
        if (constraint.table == job.table and changing & set(constraint.columns))
        or (constraint.referred_table == job.table and changing & set(constraint.referred_columns))
    ]
    for constraint in touched:
        if not constraint.is_ours:
            reason = f"{', '.join(sorted(changing))} of {job.table!r} change"
            raise ConstraintNotOurs(constraint.name, constraint.table, reason)
    session.drop_foreign_keys(touched)


@contextmanager
def _excluding(job: Job) -> Iterator[Session]:
    """A transaction of another session, which keeps all others from the table while DDL is done."""
    with job.target.session() as holding, holding.transaction():
        job.lease.guard(holding)
        yield holding
        job.lease.guard(holding)


def _current(job: Job, session: Session) -> State:
    last = state.current(session, job.target, job.table)
    assert last is not None, "an increment has a copy"
    return last


def _added(job: Job, made_of: Structure) -> Table:
    """The table with its hidden columns: as the mapping has them or, if it has changed since, as they were made."""
    known = structure.table(job.mapping, made_of, job.table)
    names = {column.name for column in known.columns}
    others = (Column(shape.name, shape.type) for shape in made_of.columns if shape.name not in names)
    return replace(known, columns=(*known.columns, *others))

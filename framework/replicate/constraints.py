"""Foreign keys of the copy: those of the source are declared where every row agrees with them.

Tables are copied one by one, each at a point in time of its own, and merges go by keys alone. So a foreign key is
declared when the tables of a run are done, and not before all rows agree. A later merge that breaks it drops it first
(`framework.replicate.references`), and so does the exchange of a table. What is missing the next run tries again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from framework import lease
from framework.databases.base import Constraint, Session, Target
from framework.databases.postgres.catalog import describe
from framework.databases.postgres.source import PostgresSession, PostgresSource
from framework.errors import ForeignKeyImpossible, LeaseHeld, SourceMismatch, StatementFailed
from framework.events import Reporter, Stats
from framework.replicate import references, state
from framework.replicate.mapping import PLAN_MASK_KEY, Mapping, Selected, resolve
from framework.spec.replication import ConstraintsTask, ReplicateTask
from framework.tables import ForeignKey

SHOWN = 3
"""Values without a match that are shown."""

UNABLE = "the target cannot give tables foreign keys: `foreign_keys` is without effect"


@dataclass
class Survey:
    """The foreign keys that should be in the target, and those that are.

    Attributes:
        declared: are there.
        missing: should be there.
        needless: are there, and should not.
        impossible: why some of the source's cannot be in the target, a sentence each.
        elsewhere: those that lead to tables, or columns, that are not copied.
        later: those of tables that have no copy yet.
    """

    declared: list[Constraint] = field(default_factory=list)
    missing: list[Constraint] = field(default_factory=list)
    needless: list[Constraint] = field(default_factory=list)
    impossible: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    later: list[Constraint] = field(default_factory=list)

    def summary(self) -> str:
        """What would be done, one line a foreign key but for those that stay."""
        lines = [f"{len(self.declared)} declared"]
        lines += [f"declare {one}, if all rows agree" for one in (*self.missing, *self.later)]
        lines += [f"drop {one}" for one in self.needless]
        lines += [f"leave out {one}" for one in (*self.elsewhere, *self.impossible)]
        return "\n".join(lines)


def look_after(source: PostgresSource, target: Target, task: ConstraintsTask, run_id: str, reporter: Reporter) -> Stats:
    """Declare the foreign keys that are missing and hold, and drop those that the source has not any more.

    Returns:
        As checks, how many are declared; as warnings, which are not, and why.

    Raises:
        PrivilegeMissing: the account may not declare them.
    """
    if not target.capabilities.foreign_keys:
        reporter.notice(UNABLE)
        return Stats()
    with target.session() as session:
        found = survey(source, session, task)
        if found.elsewhere:
            reporter.notice(f"left out, since what they lead to is not copied alike: {'; '.join(found.elsewhere)}")
        session.drop_foreign_keys(found.needless)
        refused = [why for constraint in found.missing if (why := _declare(target, session, constraint, run_id))]
    declared = len(found.declared) + len(found.missing) - len(refused)
    return Stats(checks=declared, warnings=(*found.impossible, *refused))


def survey(source: PostgresSource, session: Session, task: ConstraintsTask) -> Survey:
    """What should be in the target, and what is."""
    result = Survey()
    with source.session() as reading:
        catalog = _Catalog(reading, task.tables)
        for table in task.tables:
            if (mapping := catalog.mapping(table)) is None:
                continue
            wanted = {one.name: one for one in _wanted(catalog, session, mapping, result)}
            present = [one for one in session.foreign_keys(table.table) if one.is_ours and one.table == table.table]
            right = {one.name for one in present if _is(one, wanted.get(one.name))}
            result.needless += [one for one in present if one.name not in right]
            result.declared += [one for name, one in wanted.items() if name in right]
            result.missing += [one for name, one in wanted.items() if name not in right]
    return result


class _Catalog:
    """The source's tables and what becomes of them."""

    def __init__(self, session: PostgresSession, tables: Sequence[ReplicateTask]) -> None:
        self._session = session
        self._tables = tables
        self._known: dict[str, Mapping | None] = {}

    def mapping(self, task: ReplicateTask) -> Mapping | None:
        """The mapping of a table; None if the source has not (or not any more) what it needs."""
        if task.table not in self._known:
            self._known[task.table] = self._resolved(task)
        return self._known[task.table]

    def copies_of(self, schema: str | None, table: str, first: str) -> Iterator[Mapping]:
        """All copies of a source table, beginning with the one called ``first``."""
        same = [task for task in self._tables if (task.source_schema, task.source_table) == (schema, table)]
        for task in sorted(same, key=lambda task: task.table != first):
            if (mapping := self.mapping(task)) is not None:
                yield mapping

    def _resolved(self, task: ReplicateTask) -> Mapping | None:
        described = describe(self._session, task.source_schema, task.source_table)
        try:
            return resolve(task, described, PLAN_MASK_KEY) if described is not None else None
        except SourceMismatch:
            return None


def _is_copy(session: Session, table: str) -> bool:
    return (session.marker(table) or "").startswith(state.MARK)


def _wanted(catalog: _Catalog, session: Session, own: Mapping, result: Survey) -> Iterator[Constraint]:
    """The foreign keys that a copy should have; what cannot be is noted in ``result``."""
    for key in own.source.foreign_keys if own.task.foreign_keys else ():
        schema = key.referred_schema or own.source.schema
        copies = catalog.copies_of(schema, key.referred_table, own.task.table)
        found = [constraint for other in copies if (constraint := _constraint(own, other, key)) is not None]
        if not found:
            result.elsewhere.append(f"{own.task.table} ({', '.join(key.columns)}) -> {schema}.{key.referred_table}")
        there = [one for one in found if all(_is_copy(session, name) for name in _tables(one))]
        yield from _fitted(session, there, result)
        if not there:
            result.later += found[:1]


def _fitted(session: Session, choices: Sequence[Constraint], result: Survey) -> Iterator[Constraint]:
    """The first of several that can be; at most one."""
    refused = []
    for constraint in choices:
        try:
            yield session.fitted(constraint)
            return
        except ForeignKeyImpossible as error:
            refused.append(f"the foreign key {constraint} cannot be declared: {error.fact}; {error.fix}")
    result.impossible += refused[:1]


def _constraint(own: Mapping, other: Mapping, key: ForeignKey) -> Constraint | None:
    """The foreign key between two copies; None where they have not the same values of its columns."""
    pairs = [_pair(own, mine, other, theirs) for mine, theirs in zip(key.columns, key.referred_columns, strict=True)]
    found = [pair for pair in pairs if pair is not None]
    if len(found) != len(pairs):
        return None
    columns, referred = (tuple(pair[place] for pair in found) for place in (0, 1))
    return Constraint(own.task.table, columns, other.task.table, referred, key.on_delete, key.on_update)


def _pair(own: Mapping, mine: str, other: Mapping, theirs: str) -> tuple[str, str] | None:
    """The columns of two copies that two columns of the source became; both are masked, or none."""
    return next(
        (
            (one.name, another.name)
            for one in _copies(own, mine)
            for another in _copies(other, theirs)
            if one.masked == another.masked
        ),
        None,
    )


def _copies(mapping: Mapping, origin: str) -> list[Selected]:
    """The columns that a source column became, the plainest first."""
    found = [column for column in mapping.columns if column.origin == origin]
    return sorted(found, key=lambda column: (column.masked, column.name != origin))


def _is(present: Constraint, wanted: Constraint | None) -> bool:
    """Whether what is declared is what should be; where the server folds names of tables, they come back folded."""
    if wanted is None:
        return False
    return replace(present, referred_table="") == replace(wanted, referred_table="") and (
        present.referred_table.lower() == wanted.referred_table.lower()
    )


def _declare(target: Target, session: Session, constraint: Constraint, run_id: str) -> str | None:
    """Declare a foreign key; a sentence, if that cannot be now."""
    not_now = f"the foreign key {constraint} is not declared, and the next run tries again: "
    try:
        with ExitStack() as stack:
            # No merge of ours may come between the look at the rows and the declaration.
            leases = [stack.enter_context(lease.held(target, name, run_id)) for name in _tables(constraint)]
            if lost := _orphans(target, session, constraint):
                return not_now + lost
            with session.transaction():
                for held in leases:
                    held.guard(session)
            session.add_foreign_key(constraint)
    except LeaseHeld as error:
        return not_now + error.fact
    except StatementFailed as error:
        if error.transient and not error.lock:
            raise
        return not_now + error.fact
    return None


def _tables(constraint: Constraint) -> Iterable[str]:
    """The tables that it is about, in an order that all runs keep."""
    return sorted({constraint.table, constraint.referred_table})


def _orphans(target: Target, session: Session, constraint: Constraint) -> str | None:
    """How many rows refer to nothing, and the first of what they refer to; None if there are none."""
    rows = references.orphans(target.dialect, constraint)
    count = int(session.query(f"SELECT COUNT(*) {rows}")[0][0])
    if not count:
        return None
    columns = ", ".join(f"t.{target.dialect.quote(name)}" for name in constraint.columns)
    shown = session.query(f"SELECT DISTINCT {columns} {rows} ORDER BY {columns} LIMIT {SHOWN}")
    names = ", ".join(constraint.columns)
    values = ", ".join(", ".join(map(str, row)) if len(row) == 1 else f"({', '.join(map(str, row))})" for row in shown)
    what, refer = ("row", "refers") if count == 1 else ("rows", "refer")
    return f"{count} {what} of {constraint.table} {refer} to nothing ({names} = {values})"

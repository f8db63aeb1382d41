"""The source as it is: its version, what the role may see, and the tables that the spec names."""

from __future__ import annotations

from collections.abc import Iterator

from framework.databases.postgres import catalog
from framework.databases.postgres.names import qualified
from framework.databases.postgres.snapshot import horizon
from framework.databases.postgres.source import PostgresSession, PostgresSource
from framework.diagnostics import Severity
from framework.doctor.remarks import Remark, well
from framework.errors import PrivilegeMissing, SourceMismatch
from framework.generate.columns.scalars import element_of
from framework.replicate import cursor, cursor_index
from framework.spec.declared import table_of
from framework.spec.entities import Entity
from framework.spec.models import Spec
from framework.spec.replication import ReplicateTask
from framework.tables import Table
from framework.types import Kind, LogicalType
from framework.validation.rules.base import Loc

OLDEST = 120_000
"""``server_version_num`` of PostgreSQL 12, the oldest that its community still remembers."""

SETTINGS = """
SELECT current_setting('server_version_num')::int, current_setting('wal_level'), pg_is_in_recovery(),
       pg_has_role(current_user, 'pg_read_all_stats', 'MEMBER')
         OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
"""


def examine(spec: Spec, source: PostgresSource) -> Iterator[Remark]:
    """Everything about the source. Raises VitrinaError if it cannot be asked."""
    with source.session() as session:
        version, wal_level, is_standby, sees_all = session.query(SETTINGS)[0]
        yield _version(int(version), source.version())
        yield well("source", f"wal_level is {wal_level}; Vitrina reads by cursors and needs no other")
        yield from _horizon(spec, is_standby=bool(is_standby), sees_all=bool(sees_all))
        yield from _held_back(spec, session)
        yield from _generation(spec, source)
        for task in (spec.replicate_task(table) for table in spec.replicate):
            yield from _table(spec, task, session)


def _version(number: int, name: str) -> Remark:
    if number >= OLDEST:
        return well("source", name)
    fix = "use PostgreSQL 12 or newer"
    return Remark("source", f"{name} is older than what Vitrina is made for", Severity.WARNING, fix, "source-version")


def _horizon(spec: Spec, *, is_standby: bool, sees_all: bool) -> Iterator[Remark]:
    incremental = [table for table in spec.replicate if spec.replicate_task(table).mode == "incremental"]
    if not incremental:
        return
    if is_standby:
        fact = "the source is a standby: transactions that are open on its primary cannot be seen"
        fix = "read from the primary, or give the tables a `lookback` longer than their longest transaction"
        yield Remark("source", fact, Severity.WARNING, fix, "open-transactions")
    elif not sees_all:
        fact = "the role cannot see other sessions, so rows that are committed late are met by the lookback only"
        yield Remark("source", fact, Severity.WARNING, "GRANT pg_read_all_stats TO the role", "open-transactions")
    else:
        yield well("source", "open transactions of others are seen: late commits are not missed")


def _held_back(spec: Spec, session: PostgresSession) -> Iterator[Remark]:
    """Who keeps a transaction open, so that increments read the same again and again."""
    if not any(spec.replicate_task(table).mode == "incremental" for table in spec.replicate):
        return
    seen = horizon(session)
    for sentence in cursor.held_back(seen):
        yield Remark("source", sentence, Severity.WARNING, "end it, if it was forgotten", "open-transactions")
    if seen.prepared:
        fact = f"increments read from the same bound until a transaction ends: {seen.held_by}"
        fix = "COMMIT PREPARED or ROLLBACK PREPARED, if it was forgotten"
        yield Remark("source", fact, Severity.WARNING, fix, "open-transactions")


def _generation(spec: Spec, source: PostgresSource) -> Iterator[Remark]:
    filled = [table for table, entity in spec.entities.items() if entity.rows is not None]
    if filled and source.may_generate:
        yield well("source", f"fake data are allowed here, for {', '.join(filled)}")
    elif filled:
        fact = "the connection does not allow fake data, so the spec's `rows` are ignored"
        yield Remark(
            "source", fact, Severity.HINT, "add `generate: allow` to it, if it is no production", "no-generation"
        )


def _table(spec: Spec, task: ReplicateTask, session: PostgresSession) -> Iterator[Remark]:
    name = qualified(task.source_schema, task.source_table)
    entity = spec.entities.get(task.source_table)
    entity = entity if entity is not None and entity.schema_ == task.source_schema else None
    loc: Loc = ("replicate", task.table)
    try:
        found = catalog.require(session, task.source_schema, task.source_table)
    except SourceMismatch as error:
        if entity is not None and entity.rows is not None:
            yield well("source", f"{name} is not there yet; the first run makes it")
        else:
            yield Remark("source", error.fact, Severity.ERROR, error.fix, "missing-table", loc, on_key=True)
        return
    except PrivilegeMissing as error:
        yield Remark("source", error.fact, Severity.ERROR, error.fix, "missing-privilege", loc, on_key=True)
        return
    drift = list(_drift(task.source_table, entity, found)) if entity is not None else []
    yield from drift
    if (missing := cursor_index.missing(session, task, found)) is not None:
        yield Remark("source", missing.fact, Severity.WARNING, missing.ddl, "cursor-not-indexed", loc, on_key=True)
    if not drift:
        yield well("source", f"{name} can be read" + (", and is as declared" if entity is not None else ""))


def _drift(table: str, entity: Entity, found: Table) -> Iterator[Remark]:
    """Where the database is not as the spec declares it: a table that is filled must be so, a copy follows what is."""
    declared = table_of(table, entity)
    severity = Severity.WARNING if entity.rows is None else Severity.ERROR
    for column in declared.columns:
        loc: Loc = ("entities", table, "columns", column.name)
        there = found.column(column.name)
        if there is None:
            fact, fix = (
                f"{table!r} has no column {column.name!r} in the database",
                "correct the spec, or add the column",
            )
            yield Remark("source", fact, severity, fix, "drift", loc, on_key=True)
        elif not _same(there.type, column.type):
            fact = f"{table}.{column.name} is of type {there.type} in the database, not {column.type}"
            yield Remark("source", fact, severity, f"write {there.type}", "drift", (*loc, "type"))
        elif there.nullable and not column.nullable:
            fact = f"{table}.{column.name} may be NULL in the database"
            yield Remark("source", fact, Severity.WARNING, "add `nullable: true`", "drift", loc, on_key=True)
    if declared.primary_key != found.primary_key:
        key, said = (", ".join(names) or "none" for names in (found.primary_key, declared.primary_key))
        fact = f"the primary key of {table!r} is {key} in the database, not {said}"
        yield Remark("source", fact, severity, "correct the spec", "drift", ("entities", table), on_key=True)
    unknown = [column.name for column in found.columns if declared.column(column.name) is None]
    if unknown:
        fact = f"{table!r} has columns in the database that the spec does not declare: {', '.join(unknown)}"
        fix = "declare them, so that what becomes of them is checked"
        yield Remark("source", fact, Severity.HINT, fix, "drift", ("entities", table), on_key=True)


def _same(one: LogicalType, other: LogicalType) -> bool:
    """Whether two types are one, however they are spelt."""
    if one.kind is Kind.ARRAY and other.kind is Kind.ARRAY:
        elements = element_of(one), element_of(other)
        # What a type is that somebody made does not show in the name of its arrays.
        return any(each.kind is Kind.UNKNOWN for each in elements) or _same(*elements)
    told = [(each.kind, each.length, each.precision, each.scale) for each in (one, other)]
    return told[0] == told[1]

"""Vitrina's own tables in a target: made where they are missing, brought to this version's layout, left to newer ones.

`_vitrina_meta` holds the version of the layout. Targets that have bookkeeping and no such table are of version 1. The
migrations are numbered; each may be done again, since MySQL commits DDL by itself and a process may die between two
statements. Who migrates locks the version's row until the end, so that a second process waits and then finds it done.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from weakref import WeakKeyDictionary

from framework.databases.base import PREFIX, Alteration, Session, Target
from framework.errors import BookkeepingNewer, StatementFailed
from framework.tables import Column, Table
from framework.types import Kind, LogicalType, varchar

META = f"{PREFIX}meta"
LAYOUT = "layout"
"""The name of the row that says which layout the other tables have."""

FIRST = 1
"""The layout of targets that do not say theirs."""

TABLE = Table(
    META,
    (
        Column("name", varchar(64), nullable=False),
        Column("version", LogicalType(Kind.BIGINT, "bigint"), nullable=False),
        Column("changed_at", LogicalType(Kind.TIMESTAMP, "timestamp"), nullable=False),
    ),
    primary_key=("name",),
)


@dataclass(frozen=True)
class _Layout:
    """The tables that are there, and how a migration changes them: each change may be made again."""

    session: Session
    present: frozenset[str]

    def widen(self, table: str, column: Column) -> None:
        """Give a column a type that holds more."""
        if table in self.present:
            self.session.alter_table(Table(table, (column,)), Alteration(changed=(column.name,)))

    def add(self, table: str, column: Column) -> None:
        """Add a column that is missing."""
        if table in self.present and column.name not in self.session.columns(table):
            self.session.alter_table(Table(table, (column,)), Alteration(added=(column.name,)))

    def drop_without(self, table: str, column: str) -> None:
        """Drop a table that lacks a column; it is made anew when it is needed."""
        if table in self.present and column not in self.session.columns(table):
            self.session.drop_tables(table)


def _longer_run_names(layout: _Layout) -> None:
    """Runs of Airflow have longer names than ours."""
    layout.widen(f"{PREFIX}state", Column("run_id", varchar(128), nullable=False))
    layout.widen(f"{PREFIX}chains", Column("run_id", varchar(128)))


def _journals_by_token(layout: _Layout) -> None:
    """Journals are told apart by the lease's token. Runs of the old ones begin again."""
    layout.drop_without(f"{PREFIX}parts", "token")


def _mappings_by_name(layout: _Layout) -> None:
    """States say what a copy is made of, so that a change of it can be told by name."""
    layout.add(f"{PREFIX}state", Column("mapping", LogicalType(Kind.TEXT, "text")))


def _positions(layout: _Layout) -> None:
    """States say where the source was, so that what has changed since can be told."""
    layout.add(f"{PREFIX}state", Column("position", LogicalType(Kind.TEXT, "text")))


def _owners(layout: _Layout) -> None:
    """States say whose pipeline made the copy, and which server it was read from."""
    layout.add(f"{PREFIX}state", Column("pipeline", varchar(64)))
    layout.add(f"{PREFIX}state", Column("origin", LogicalType(Kind.TEXT, "text")))


def _rejects_by_step(layout: _Layout) -> None:
    """Steps say how many rows were in quarantine."""
    layout.add(f"{PREFIX}steps", Column("rows_rejected", LogicalType(Kind.BIGINT, "bigint")))


def _censuses(layout: _Layout) -> None:
    """States say which keys the copy has, so that it need not be read to know."""
    layout.add(f"{PREFIX}state", Column("census", LogicalType(Kind.TEXT, "text")))


MIGRATIONS: tuple[Callable[[_Layout], None], ...] = (
    _longer_run_names,
    _journals_by_token,
    _mappings_by_name,
    _positions,
    _owners,
    _rejects_by_step,
    _censuses,
)
"""What leads from each layout to the next one, the first from `FIRST`. What has been released stays as it is."""

VERSION = FIRST + len(MIGRATIONS)
"""The layout that this Vitrina reads and writes."""

_settled: WeakKeyDictionary[Target, set[str]] = WeakKeyDictionary()
"""By target, the tables that were found to be there and of this layout, so that nobody has to ask again."""

_settling = Lock()


def ensure(session: Session, target: Target, *tables: Table) -> None:
    """Make tables of the bookkeeping that are missing, and migrate all of it if it is older; not in a transaction.

    Raises:
        BookkeepingNewer: a newer Vitrina wrote it; nothing was changed.
    """
    with _settling:
        known = _settled.setdefault(target, set())
    wanted = [table for table in tables if table.name not in known]
    if not wanted:
        return
    present = frozenset(session.tables(PREFIX))
    if META not in known:
        if META not in present or _version(session, target) != VERSION:
            _migrate(session, target, present)
            present = frozenset(session.tables(PREFIX))
        known.add(META)
    for table in wanted:
        if table.name not in present:
            session.create_table(table, if_missing=True)
        known.add(table.name)


def is_ensured(target: Target, table: str) -> bool:
    """Whether a table of the bookkeeping is known to be there, in the layout of this version."""
    return table in _settled.get(target, ())


def exists(session: Session, target: Target, table: str) -> bool:
    """Whether a table of the bookkeeping is there, perhaps in an older layout; for those who only read.

    Raises:
        BookkeepingNewer: a newer Vitrina wrote it.
    """
    if is_ensured(target, table):
        return True
    if is_ensured(target, META):
        return session.relation(table) == "table"
    present = session.tables(PREFIX)
    if META in present:
        _version(session, target)
    return table in present


def _version(session: Session, target: Target) -> int:
    """The layout the target says it has. Raises BookkeepingNewer."""
    meta = target.dialect.quote(META)
    found = session.query(f"SELECT version FROM {meta} WHERE name = %s", (LAYOUT,))
    version = int(found[0][0]) if found else FIRST
    if version > VERSION:
        raise BookkeepingNewer(target.name, version, VERSION)
    return version


def _migrate(session: Session, target: Target, present: frozenset[str]) -> None:
    """Do the migrations that the target lacks; `session` does the DDL, another one holds the lock meanwhile."""
    meta, clock = target.dialect.quote(META), target.dialect.utc_now
    session.create_table(TABLE, if_missing=True)
    _say(session, target, FIRST if present - {META} else VERSION)
    with target.session() as locking, locking.transaction():
        locking.execute(f"UPDATE {meta} SET version = version WHERE name = %s", (LAYOUT,))
        layout = _Layout(session, present)
        for migration in MIGRATIONS[_version(locking, target) - FIRST :]:
            migration(layout)
        locking.execute(f"UPDATE {meta} SET version = %s, changed_at = {clock} WHERE name = %s", (VERSION, LAYOUT))


def _say(session: Session, target: Target, version: int) -> None:
    """Write the target's version, if it has none; another process may be quicker."""
    meta, clock = target.dialect.quote(META), target.dialect.utc_now
    with suppress(StatementFailed), session.transaction():
        if not session.query(f"SELECT 1 FROM {meta} WHERE name = %s", (LAYOUT,)):
            session.execute(
                f"INSERT INTO {meta} (name, version, changed_at) VALUES (%s, %s, {clock})", (LAYOUT, version)
            )

"""Bookkeeping of older and newer Vitrinas, with rows in it, and replication over it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from framework import bookkeeping, history, lease
from framework.databases.base import Session, Target
from framework.databases.duckdb import DuckDBTarget
from framework.databases.mysql.session import MySQLSession
from framework.databases.mysql.target import MySQLTarget
from framework.errors import BookkeepingNewer
from framework.events import RunStarted
from framework.generate import marker
from framework.marts import capture
from framework.replicate import journal, state
from framework.tables import Column, Table
from framework.types import varchar
from tests.replicate.anywhere import Anywhere

LONG = "manual__" + "x" * 110

TABLES = (lease.TABLE, state.TABLE, journal.TABLE, history.RUNS_TABLE, history.STEPS_TABLE, capture.CHAINS)


def first_layout(table: Table) -> Table:
    """A table as the first Vitrina made it."""
    columns = [Column(c.name, varchar(64), c.nullable) if c.name == "run_id" else c for c in table.columns]
    if table.name == state.STATE:
        columns = [column for column in columns if column.name != "mapping"]
    if table.name == history.RUNS or table.name == history.STEPS:
        columns = list(table.columns)
    if table.name == journal.PARTS:
        columns = [Column("run_id", varchar(64), nullable=False) if c.name == "token" else c for c in columns]
        return Table(table.name, tuple(columns), ("table_name", "run_id", "part"))
    return Table(table.name, tuple(columns), table.primary_key)


def age(anywhere: Anywhere, *, through: int = len(TABLES)) -> None:
    """Give the target the first layout, with the rows that are there (journals had other keys, and are of no use)."""
    with anywhere.target.session() as session:
        for table in TABLES[:through]:
            old = first_layout(table)
            names = ", ".join(c.name for c in old.columns)
            rows = session.query(f"SELECT {names} FROM {table.name}") if table is not journal.TABLE else []
            session.drop_tables(table.name)
            session.create_table(old)
            for row in rows:
                marks = ", ".join(["%s"] * len(row))
                session.execute(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", row)
        session.execute(f"INSERT INTO {journal.PARTS} VALUES ('copy', 'old', 'merge', '{{}}')")
        session.execute(f"INSERT INTO {capture.CHAINS.name} VALUES ('m', 'other', 'f', 'k', 'r')")
        session.drop_tables(bookkeeping.META)


@contextmanager
def reopened(anywhere: Anywhere) -> Iterator[Target]:
    """The target as another process finds it."""
    target = anywhere.target
    if isinstance(target, DuckDBTarget):
        target.close()
        again: Target = DuckDBTarget(target.name, target._path)
    else:
        assert isinstance(target, MySQLTarget)
        again = MySQLTarget(target.name, target._url.render_as_string(hide_password=False))
    anywhere.target = again
    try:
        yield again
    finally:
        again.close()
        anywhere.target = target


@pytest.fixture
def old(anywhere: Anywhere) -> Anywhere:
    """A copy of a table, and bookkeeping as the first Vitrina made it."""
    history.Recorder(anywhere.target)(RunStarted("first", "shop", "run", ()))
    with anywhere.target.session() as session:
        capture.ensure(session, anywhere.target)
    anywhere()
    age(anywhere)
    return anywhere


def layout(anywhere: Anywhere) -> int:
    return int(anywhere.query("SELECT version FROM _vitrina_meta")[0][0])


def change(anywhere: Anywhere) -> None:
    anywhere.source.execute("UPDATE t SET name = 'changed', updated_at = now() WHERE id = 2")


def test_a_fresh_target_is_of_this_version(anywhere: Anywhere) -> None:
    anywhere()
    assert layout(anywhere) == bookkeeping.VERSION


def test_an_increment_goes_on_over_the_first_layout(old: Anywhere) -> None:
    change(old)
    with reopened(old) as target:
        stats = old({"run_id": LONG})
        assert (stats.rows_written, stats.rows_read) == (1, 5)
        assert old.rows("id, name")[1] == (2, "changed")
        assert layout(old) == bookkeeping.VERSION
        assert old.query("SELECT run_id FROM _vitrina_state") == [(LONG,)]
        assert old.query("SELECT mart, run_id FROM _vitrina_chains") == [("m", "r")]
        history.Recorder(target)(RunStarted(LONG, "shop", "run", ()))
        with target.session() as session:
            assert {run.run_id for run in history.last_runs(session, target, "shop")} == {"first", LONG}
        captures = capture.watch(target, {}, LONG)
        assert captures is not None
        with target.session() as session, session.transaction():
            captures.record(session, target.dialect, "other", "unused", ("id",))


def test_a_migration_that_died_anywhere_is_finished(old: Anywhere, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(10):
        with reopened(old) as target, target.session() as session:
            dying = _Dying(session, number)
            try:
                bookkeeping.ensure(dying, target, state.TABLE)
            except _Died:
                continue
        break
    assert number > 3
    change(old)
    with reopened(old):
        assert old({"run_id": LONG}).rows_written == 1


class _Died(Exception):
    """A process died."""


class _Dying:
    """A session of a process that dies after some of its DDL."""

    def __init__(self, session: Session, after: int) -> None:
        self._session = session
        self._left = after

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._session, name)
        return self._counted(found) if name in ("alter_table", "drop_tables", "create_table", "execute") else found

    def _counted(self, statement: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **named: Any) -> Any:
            if not self._left:
                raise _Died
            self._left -= 1
            return statement(*arguments, **named)

        return run


def test_several_processes_migrate_at_once(old: Anywhere) -> None:
    if isinstance(old.target, DuckDBTarget):
        pytest.skip("a DuckDB file belongs to one process")
    barrier = threading.Barrier(4)

    def process(_: int) -> int:
        assert isinstance(old.target, MySQLTarget)
        target = MySQLTarget("warehouse", old.target._url.render_as_string(hide_password=False))
        try:
            with target.session() as session:
                barrier.wait()
                bookkeeping.ensure(session, target, *TABLES)
                return len(session.query("SELECT version FROM _vitrina_meta"))
        finally:
            target.close()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(process, range(4))) == [1] * 4
    assert layout(old) == bookkeeping.VERSION
    change(old)
    assert old({"run_id": LONG}).rows_written == 1


def test_several_threads_migrate_at_once(old: Anywhere) -> None:
    barrier = threading.Barrier(4)
    with reopened(old) as target:

        def thread(_: int) -> None:
            with target.session() as session:
                barrier.wait()
                bookkeeping.ensure(session, target, *TABLES)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(thread, range(4)))
        assert old.query("SELECT name, version FROM _vitrina_meta") == [(bookkeeping.LAYOUT, bookkeeping.VERSION)]


def test_several_threads_begin_at_once(anywhere: Anywhere) -> None:
    barrier = threading.Barrier(4)

    def thread(_: int) -> None:
        with anywhere.target.session() as session:
            barrier.wait()
            bookkeeping.ensure(session, anywhere.target, *TABLES)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(thread, range(4)))
    assert anywhere.query("SELECT name, version FROM _vitrina_meta") == [(bookkeeping.LAYOUT, bookkeeping.VERSION)]


def test_what_a_newer_vitrina_wrote_is_left_alone(anywhere: Anywhere) -> None:
    anywhere()
    anywhere.execute("UPDATE _vitrina_meta SET version = 1000")
    change(anywhere)
    with reopened(anywhere) as target:
        with pytest.raises(BookkeepingNewer, match="version 1000, this one knows") as caught:
            anywhere()
        assert "upgrade Vitrina" in caught.value.fix
        for use in (
            lambda: history.Recorder(target)(RunStarted("r", "shop", "run", ())),
            lambda: lease.release_all(target, "r"),
            lambda: capture.watch(target, {}, "r"),
        ):
            with pytest.raises(BookkeepingNewer):
                use()
        with target.session() as session, pytest.raises(BookkeepingNewer):
            history.last_runs(session, target, "shop")
        assert anywhere.rows("id, name")[1] == (2, "person 2")


def test_who_only_reads_changes_nothing(old: Anywhere) -> None:
    with reopened(old) as target, target.session() as session:
        assert [run.run_id for run in history.last_runs(session, target, "shop")] == ["first"]
        assert not bookkeeping.exists(session, target, bookkeeping.META)


def test_it_costs_nothing_when_there_is_nothing_to_do(anywhere: Anywhere, monkeypatch: pytest.MonkeyPatch) -> None:
    anywhere()
    if isinstance(anywhere.target, DuckDBTarget):
        return
    with reopened(anywhere) as target, target.session() as session:
        asked: list[str] = []
        query = MySQLSession.query

        def counted(self: MySQLSession, sql: str, parameters: Any = ()) -> Any:
            asked.append(sql)
            return query(self, sql, parameters)

        monkeypatch.setattr(MySQLSession, "query", counted)
        bookkeeping.ensure(session, target, lease.TABLE)
        assert len(asked) == 2
        bookkeeping.ensure(session, target, lease.TABLE)
        assert len(asked) == 2


def test_marks_of_a_newer_vitrina_in_the_source_are_left_alone(anywhere: Anywhere) -> None:
    anywhere.source.execute(marker.CREATE)
    with anywhere.postgres.session() as session:
        assert marker.read(session) == {}
        anywhere.source.execute(f"COMMENT ON TABLE _vitrina_fills IS '{marker.LAYOUT}7'")
        with pytest.raises(BookkeepingNewer, match="version 7"):
            marker.read(session)

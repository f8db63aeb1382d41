"""What real servers say, and what is made of it: what passes, what does not, and what has an error of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing, contextmanager
from typing import Any

import pytest
from pymysql import err
from sqlalchemy.engine import make_url

from framework.databases.mysql.errors import as_ours
from framework.databases.mysql.target import MySQLTarget
from framework.databases.postgres.source import PostgresSource
from framework.errors import (
    ConnectionFailed,
    DiskFull,
    LoadRefused,
    PrivilegeMissing,
    ReadOnly,
    StatementFailed,
    StepsFailed,
    VitrinaError,
)
from tests.faults.conftest import ROWS, Faulty, slowly
from tests.services.databases import Database, SourceDatabase, TargetDatabase


@contextmanager
def opened(database: Database) -> Any:
    url, kind = database.url, database.kind
    opened = PostgresSource("here", url) if kind == "postgres" else MySQLTarget("here", url)
    with closing(opened):
        yield opened


def failure(work: Callable[[], object]) -> VitrinaError:
    with pytest.raises(VitrinaError) as failed:
        work()
    return failed.value


# --- what passes


def test_a_source_session_that_is_ended(source: SourceDatabase) -> None:
    def work(database: PostgresSource) -> None:
        with database.session() as session, session.transaction():
            pid = session.query("SELECT pg_backend_pid()")[0][0]
            source.admin(f"SELECT pg_terminate_backend({pid})")
            session.query("SELECT 1")

    with opened(source) as database:
        error = failure(lambda: work(database))
        assert isinstance(error, StatementFailed)
        assert error.transient
        assert "connection was lost" in error.fact
        with database.session() as session:
            assert session.query("SELECT 1") == [(1,)]


def test_a_target_session_that_is_ended(target: TargetDatabase) -> None:
    def work(database: MySQLTarget) -> None:
        with database.session() as session, session.transaction():
            thread = session.query("SELECT CONNECTION_ID()")[0][0]
            target.admin(f"KILL {thread}")
            session.query("SELECT 1")

    with opened(target) as database:
        error = failure(lambda: work(database))
        assert isinstance(error, StatementFailed)
        assert error.transient
        assert "connection was lost" in error.fact
        with database.session() as session:
            assert session.query("SELECT 1") == [(1,)]


def test_a_cancelled_statement_is_not_tried_again(source: SourceDatabase, target: TargetDatabase) -> None:
    with opened(source) as database, database.session() as session:
        threading.Timer(0.5, database.cancel).start()
        error = failure(lambda: session.query("SELECT pg_sleep(20)"))
        assert not error.transient
    with opened(target) as database, database.session() as session:
        session.execute("CREATE TABLE a (id int)")
        session.execute("INSERT INTO a VALUES (1)")
        threading.Timer(0.5, database.cancel).start()
        error = failure(lambda: session.query("SELECT id FROM a WHERE SLEEP(20) = 0 AND SLEEP(20) = 0"))
        assert not error.transient


def test_a_lock_of_another_session(source: SourceDatabase, target: TargetDatabase) -> None:
    source.execute("CREATE TABLE a (id int)")
    target.execute("CREATE TABLE a (id int PRIMARY KEY)")
    target.execute("INSERT INTO a VALUES (1)")
    with closing(source.connect()) as other, other.cursor() as cursor, opened(source) as database:
        cursor.execute("LOCK TABLE a")
        with database.session() as session:
            session.execute("SET lock_timeout = '200ms'")
            error = failure(lambda: session.query("SELECT * FROM a"))
            assert error.transient
    with closing(target.connect()) as other, other.cursor() as cursor, opened(target) as database:
        cursor.execute("SELECT * FROM a FOR UPDATE")
        with database.session() as session:
            session.execute("SET SESSION innodb_lock_wait_timeout = 1")
            error = failure(lambda: session.execute("UPDATE a SET id = 2"))
            assert isinstance(error, StatementFailed)
            assert error.lock
            assert error.transient


def test_too_many_connections(source: SourceDatabase, target: TargetDatabase) -> None:
    source.admin(f'ALTER ROLE "{source.user}" CONNECTION LIMIT 1')
    with closing(source.connect()), opened(source) as database:
        error = failure(lambda: database.version())
        assert isinstance(error, ConnectionFailed)
        assert error.transient
        assert not error.unknown
    target.admin(f"ALTER USER `{target.user}`@`%` WITH MAX_USER_CONNECTIONS 1")
    with closing(target.connect()), opened(target) as database:
        error = failure(lambda: database.version())
        assert isinstance(error, ConnectionFailed)
        assert error.transient
        assert not error.unknown


def test_nobody_at_the_address(faulty: Faulty) -> None:
    """Before anything answered, the address is thought to be wrong; later, the server is thought to come back."""
    faulty.networks["source"].close()
    with pytest.raises(StepsFailed) as failed:
        faulty()
    error = failed.value.errors["replicate:t"]
    assert isinstance(error, ConnectionFailed)
    assert error.transient
    assert error.unknown
    assert faulty.notices == []
    faulty.networks["target"].close()
    later = failure(lambda: faulty.mysql.session().__enter__())
    assert isinstance(later, ConnectionFailed)
    assert later.transient
    assert not later.unknown


@pytest.mark.parametrize("side", ["source", "target"])
def test_sessions_that_end_in_the_middle_of_a_run(faulty: Faulty, side: str) -> None:
    faulty(prepare=slowly)
    faulty.change()
    over = threading.Event()

    def end_one() -> None:
        while not over.wait(0.05):
            if side == "source":
                ended = faulty.source.rows(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND query LIKE 'COPY%%' AND state = 'active'"
                )
            else:
                ended = faulty.target.rows(
                    "SELECT id FROM information_schema.processlist WHERE info LIKE 'LOAD DATA%%'"
                )
                for (session,) in ended:
                    faulty.target.execute(f"KILL {session}")
            if ended:
                return

    ending = threading.Thread(target=end_one)
    ending.start()
    try:
        faulty(prepare=slowly)
    finally:
        over.set()
        ending.join()
    assert any("tried again" in notice for notice in faulty.notices), faulty.notices
    faulty.assert_exact()


# --- what does not pass


@pytest.mark.parametrize(
    ("kind", "number", "text"),
    [
        (DiskFull, 1021, "Disk full (/tmp/#sql); waiting for someone to free some space... (errno: 28)"),
        (DiskFull, 1114, "The table 'a' is full"),
        (DiskFull, 3, "Error writing file '/tmp/MYfd' (OS errno 28 - No space left on device)"),
        (DiskFull, 1030, "Got error 28 - 'No space left on device' from storage engine"),
        (StatementFailed, 1030, "Got error 122 - 'Internal error' from storage engine"),
        (ReadOnly, 1290, "The MySQL server is running with the --super-read-only option so it cannot execute this"),
        (ReadOnly, 1290, "The MariaDB server is running with the --read-only option so it cannot execute this"),
        (StatementFailed, 1290, "The MySQL server is running with the --secure-file-priv option so it cannot"),
        (ReadOnly, 1792, "Cannot execute statement in a READ ONLY transaction."),
        (PrivilegeMissing, 1142, "INSERT command denied to user"),
        (StatementFailed, 1146, "Table 'a' doesn't exist"),
    ],
)
def test_what_does_not_pass_on_the_target(kind: type[VitrinaError], number: int, text: str) -> None:
    error = as_ours("here", err.OperationalError(number, text))
    assert type(error) is kind
    assert not error.transient


def test_a_disk_that_is_full(target: TargetDatabase) -> None:
    """A table in memory is full in the same way as one on a disk."""
    with opened(target) as database, database.session() as session:
        session.execute("SET SESSION max_heap_table_size = 16384")
        session.execute("CREATE TABLE a (t char(250)) ENGINE=MEMORY")
        session.execute("INSERT INTO a VALUES (REPEAT('x', 250))")

        def fill() -> None:
            for _ in range(20):
                session.execute("INSERT INTO a SELECT * FROM a")

        error = failure(fill)
        assert isinstance(error, DiskFull)
        assert "make room" in error.fix


def test_a_source_that_takes_no_changes(source: SourceDatabase) -> None:
    with opened(source) as database, database.session() as session, session.transaction("READ ONLY"):
        error = failure(lambda: session.execute("CREATE TABLE a (id int)"))
        assert isinstance(error, ReadOnly)
        assert not error.transient


def test_a_target_that_takes_no_changes(faulty: Faulty) -> None:
    """Transactions that may only read stand for a server that is read-only, which would stop all other tests."""
    faulty()
    faulty.change()
    with opened(faulty.target) as database, database.session() as session:
        session.execute("SET SESSION TRANSACTION READ ONLY")

        def write() -> None:
            with session.transaction():
                session.execute("DELETE FROM t")

        error = failure(write)
        assert isinstance(error, ReadOnly)
        assert "primary" in error.fix
    faulty.target.admin(f"REVOKE INSERT ON `{faulty.target.name}`.* FROM `{faulty.target.user}`@`%`")
    faulty.mysql.close()  # sessions that are there keep their privileges
    with pytest.raises(StepsFailed) as failed:
        faulty()
    error = failed.value.errors["replicate:t"]
    assert isinstance(error, PrivilegeMissing)
    assert "INSERT" in error.fact
    assert not any("tried again" in notice for notice in faulty.notices)
    faulty.target.admin(f"GRANT INSERT ON `{faulty.target.name}`.* TO `{faulty.target.user}`@`%`")
    faulty.mysql.close()
    faulty()
    faulty.assert_exact()


def test_statements_that_the_server_gives_up(faulty: Faulty) -> None:
    """Neither a missing table nor a refused value is tried again."""
    faulty.source.execute("ALTER TABLE t ADD far timestamptz")
    faulty.source.execute("UPDATE t SET far = 'infinity' WHERE id = 7")
    with pytest.raises(StepsFailed) as failed:
        faulty()
    assert isinstance(failed.value.errors["replicate:t"], LoadRefused)
    assert faulty.notices == []
    faulty.source.execute("UPDATE t SET far = NULL")
    assert faulty().rows_written == ROWS


def test_urls_with_impossible_timeouts(source: SourceDatabase) -> None:
    for wrong in ("0", "-1", "soon"):
        url = make_url(source.url).update_query_dict({"read_timeout": wrong})
        with pytest.raises(ValueError, match="read_timeout"):
            PostgresSource("here", url.render_as_string(hide_password=False))

"""What is committed late, with a cursor value below others that were read long ago: met, or declared not to be.

A target is not what this is about, so there is one that costs nothing. Deletes are kept, since a comparison of keys
would bring new rows whatever their cursor says.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from typing import Any

import pytest

from framework import explain
from framework.databases.duckdb import DuckDBTarget
from framework.databases.postgres.origin import Origin
from framework.databases.postgres.snapshot import horizon
from framework.doctor import source as of_source
from framework.replicate import cursor
from framework.spec.models import Spec
from framework.spec.replication import ReplicateTask
from tests.replicate.anywhere import Anywhere
from tests.services import Server
from tests.services.databases import SourceDatabase


@pytest.fixture(scope="module")
def made(postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anywhere]:
    path = tmp_path_factory.mktemp("late") / "warehouse.duckdb"
    with ExitStack() as stack:
        source = SourceDatabase(postgres_server)
        stack.callback(source.drop)
        made = Anywhere(source, stack.enter_context(closing(DuckDBTarget("warehouse", path))))
        stack.callback(made.postgres.close)
        made.settings |= {"cursor": "v", "except": ["v"], "lookback": "1ms", "deletes": {"policy": "keep"}}
        yield made


@pytest.fixture
def copying(made: Anywhere) -> Anywhere:
    """Neither a table nor a copy of it."""
    made.source.execute("DROP TABLE IF EXISTS t")
    made.source.execute("DROP SEQUENCE IF EXISTS s")
    with made.target.session() as session:
        if session.relation("copy") is not None:
            session.drop_tables("copy")
            session.execute("DELETE FROM _vitrina_state")
    return made


@contextmanager
def late(source: SourceDatabase, *statements: str) -> Iterator[Any]:
    """A transaction of another session that has done something, and is still open; it commits at the end."""
    with closing(source.connect()) as connection:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        yield connection
        connection.commit()


SPEC = {
    "version": 1,
    "pipeline": "late",
    "source": "shop_postgres",
    "target": "warehouse",
    "replicate": {"t": {"mode": "incremental", "cursor": "v"}},
}
A_MOMENT_AGO, AN_HOUR_AGO = "now() - interval '5 s'", "now() - interval '1 h'"
ZONE = "SET LOCAL TimeZone = 'America/New_York'"
DRAWN = "SELECT nextval('s')"

# cursor, what the late row has, what others have meanwhile, lookback, whether it is met, what is said
CASES = [
    pytest.param("timestamptz", "now()", "clock_timestamp()", "1ms", True, "", id="the transaction's clock"),
    pytest.param("timestamptz", "clock_timestamp()", "clock_timestamp()", "1ms", True, "", id="the clock itself"),
    pytest.param("timestamptz", A_MOMENT_AGO, "now()", "10s", True, "", id="a client's clock within the lookback"),
    pytest.param("timestamptz", AN_HOUR_AGO, "now()", "10s", False, "", id="a client's clock beyond the lookback"),
    pytest.param("timestamptz", "NULL", "now()", "1ms", True, "", id="no value"),
    pytest.param("timestamptz", "'infinity'", "now()", "1ms", True, "", id="an endless value"),
    pytest.param("timestamp", "now()", "clock_timestamp()", "10s", True, "only within", id="without zone"),
    pytest.param("timestamp", f"{ZONE}; now()", "now()", "10s", False, "only within", id="another zone"),
    pytest.param("timestamp", f"{ZONE}; now()", "now()", "1d", True, "of 1d", id="another zone, within the lookback"),
    pytest.param("date", "current_date", "current_date", "1ms", True, "only within", id="the same day"),
    pytest.param("date", "current_date - 1", "current_date", "1d", True, "of 1d", id="yesterday"),
    pytest.param("bigint", "1", "1", 0, True, "missed", id="a tie"),
    pytest.param("bigint", f"{DRAWN}; 2", "nextval('s') + 1", 0, False, "`lookback`", id="a number drawn before"),
    pytest.param("bigint", f"{DRAWN}; 2", "nextval('s') + 1", 10, True, "of 10", id="a number within the lookback"),
    pytest.param("bigint", "2", "nextval('s') + 1", "10s", False, "`lookback`", id="a lookback of another unit"),
    pytest.param("smallint", "-32768", "-32700", 1000, True, "of 1000", id="at the end of the range"),
    pytest.param("numeric(3,1)", "-99.5", "-99.1", 5, True, "of 5", id="beyond the precision"),
    pytest.param("float8", "1.5", "2.5", 1, True, "of 1", id="a fraction"),
    pytest.param("text", "'b'", "'c'", "10s", False, "missed", id="a text"),
    pytest.param("text", "'c'", "'c'", "10s", True, "missed", id="a tie of texts"),
]


@pytest.mark.parametrize(("type_", "theirs", "others", "lookback", "met", "said"), CASES)
def test_a_row_that_is_committed_late(
    copying: Anywhere, type_: str, theirs: str, others: str, lookback: str | int, met: bool, said: str
) -> None:
    *before, value = theirs.split("; ")
    copying.source.execute(f"CREATE TABLE t (id int PRIMARY KEY, v {type_})")
    copying.source.execute("CREATE SEQUENCE s START 2")
    copying(lookback=lookback)
    with late(copying.source, *before, f"INSERT INTO t VALUES (1, {value})"):
        time.sleep(0.05)
        for key in (2, 3):
            copying.source.execute(f"INSERT INTO t VALUES ({key}, {others})")
        copying(lookback=lookback)
        time.sleep(0.05)
        copying(lookback=lookback)
    copying(lookback=lookback)
    assert [row[0] for row in copying.rows("id")] == ([1, 2, 3] if met else [2, 3])
    assert said in "; ".join(copying.notices)
    assert bool(said) == bool(copying.notices)


def test_what_has_no_value_changes_is_read_each_time(copying: Anywhere) -> None:
    """The policy for NULL, and for endless values: always."""
    copying.source.execute("CREATE TABLE t (id int PRIMARY KEY, v timestamptz, n int DEFAULT 0)")
    copying.source.execute("INSERT INTO t VALUES (1, NULL), (2, 'infinity'), (3, '-infinity'), (4, now())")
    copying()
    time.sleep(0.01)
    for number in (1, 2):
        copying.source.execute("UPDATE t SET n = %s WHERE id < 4", number)
        assert copying().rows_written == 3
    assert copying.rows("id, n") == [(1, 2), (2, 2), (3, 2), (4, 0)]


@pytest.mark.parametrize("type_", ["timestamptz", "timestamp"])
def test_changes_at_the_very_watermark_and_a_microsecond_behind_it(copying: Anywhere, type_: str) -> None:
    copying.source.execute(f"CREATE TABLE t (id int PRIMARY KEY, v {type_} NOT NULL, n int DEFAULT 0)")
    copying.source.execute("INSERT INTO t SELECT i, now() FROM generate_series(1, 3) AS i")
    copying(lookback="0s")
    top = copying.source.rows("SELECT max(v) FROM t")[0][0]
    copying.source.execute("UPDATE t SET n = 1 WHERE id = 1")
    copying.source.execute("UPDATE t SET n = 1, v = v + interval '1 microsecond' WHERE id = 2")
    copying.source.execute("INSERT INTO t VALUES (4, %s)", top)
    # A horizon is behind the rows: what is written with older values later is what a lookback is for.
    stats = copying(lookback="10s" if type_ == "timestamptz" else "0s")
    assert stats.rows_written == 3
    assert copying.rows("id, n") == [(1, 1), (2, 1), (3, 0), (4, 0)]


def test_a_clock_that_was_set_back_is_noticed(copying: Anywhere) -> None:
    """By itself, and by the target's; a server's clock cannot be set here, so what is remembered of it is."""
    copying.source.execute("CREATE TABLE t (id int PRIMARY KEY, v timestamptz NOT NULL)")
    copying.source.execute("INSERT INTO t SELECT i, now() FROM generate_series(1, 5) AS i")
    copying()
    for number, field in enumerate(("clock", "ahead")):
        copying.source.execute(f"INSERT INTO t VALUES ({10 + number}, {AN_HOUR_AGO})")
        _remember(copying, field, 3700)
        assert copying().rows_read == 6 + number
        assert "set back by" in copying.notices[0]
        assert "read again, this once" in copying.notices[0]
        assert copying().rows_read == 0
        assert copying.notices == []
    assert len(copying.rows()) == 7
    # Within the lookback, nothing has to be done.
    _remember(copying, "clock", 3700)
    copying(lookback="2h")
    assert copying.notices == []


def _remember(copying: Anywhere, field: str, more: float) -> None:
    (text,) = copying.query("SELECT origin FROM _vitrina_state")[0]
    known = Origin.from_text(text)
    told = replace(known, **{field: getattr(known, field) + more}).as_text()
    copying.execute(f"UPDATE _vitrina_state SET origin = '{told}'")


def test_who_holds_the_bound_back_is_told(copying: Anywhere, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who it is, but not what he does: statements may hold secrets."""
    copying.source.execute("CREATE TABLE t (id int PRIMARY KEY, v timestamptz NOT NULL DEFAULT now())")
    copying()
    with late(copying.source, "SET application_name = 'nightly report'", "SELECT 'secret'") as connection:
        pid = connection.get_backend_pid()
        copying()
        assert copying.notices == []  # not worth a word yet
        monkeypatch.setattr(cursor, "STANDING", 0.0)
        copying()
        (told,) = copying.notices
        assert f"session {pid}" in told
        assert copying.source.user in told
        assert "'nightly report'" in told
        assert "idle in transaction" in told
        assert "secret" not in told
        monkeypatch.setattr(cursor, "LONG", 0.0)
        with copying.postgres.session() as session:
            assert [*cursor.held_back(horizon(session))] == [told]
            remarks = [*of_source._held_back(Spec.model_validate(SPEC), session)]
        assert [(remark.fact, remark.rule) for remark in remarks] == [(told, "open-transactions")]
        assert explain._held_back(copying.postgres, ReplicateTask.model_validate(copying.settings)) == f"\n{told}"
    copying()
    assert copying.notices == []


def test_a_prepared_transaction_is_named(copying: Anywhere) -> None:
    copying.source.execute("CREATE TABLE t (id int PRIMARY KEY, v timestamptz NOT NULL DEFAULT now())")
    copying()
    with closing(copying.source.connect()) as connection:
        connection.tpc_begin("payroll")
        with connection.cursor() as writing:
            writing.execute("INSERT INTO t VALUES (1)")
        time.sleep(0.05)
        connection.tpc_prepare()
        for _ in range(2):
            copying()
            assert "'payroll'" in copying.notices[0]
            assert "prepared at" in copying.notices[0]
        connection.tpc_commit()
    copying()
    assert copying.rows("id") == [(1,)]
    assert copying.notices == []


def test_workers_of_a_query_are_not_asked_for_their_own_sake(copying: Anywhere) -> None:
    """They begin with their leader, who is told."""
    copying.source.execute("CREATE TABLE t (id int PRIMARY KEY, v timestamptz NOT NULL DEFAULT now())")
    forced = "debug_parallel_query" if _version(copying.source) >= 16 else "force_parallel_mode"
    with closing(copying.source.connect()) as connection, connection.cursor() as running:
        running.execute(f"SET {forced} = on")
        running.execute("CREATE FUNCTION slow() RETURNS text PARALLEL SAFE LANGUAGE sql AS 'SELECT pg_sleep(1)::text'")
        connection.commit()
        pid = connection.get_backend_pid()
        thread = threading.Thread(target=lambda: running.execute("SELECT slow() FROM (VALUES (1)) AS x"))
        thread.start()
        time.sleep(0.5)
        with copying.postgres.session() as session:
            assert f"session {pid} " in horizon(session).held_by
        thread.join()


def _version(source: SourceDatabase) -> int:
    return int(source.rows("SHOW server_version_num")[0][0]) // 10000

"""Other servers answer in the place of one that was read: an older backup, a standby, one that was promoted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from framework.databases.duckdb import DuckDBTarget
from framework.databases.postgres.snapshot import horizon
from framework.databases.postgres.source import PostgresSource
from framework.errors import SourceBehind
from framework.events import Stats
from tests.replicate.anywhere import Anywhere
from tests.services import ServerUnavailable, launch_mortal
from tests.services.databases import SourceDatabase
from tests.services.environment import required
from tests.services.login import connect
from tests.services.postgres import copied
from tests.services.process import Launched

KEEP = {"policy": "keep"}
SETTINGS = ("shared_buffers=16MB", "max_wal_size=256MB")


class Servers:
    """A primary with a database, and copies of the server."""

    def __init__(self, stack: ExitStack, primary: Launched) -> None:
        self._stack = stack
        self.primary = primary
        server = primary.wait()
        with closing(connect(server.url)) as connection, closing(connection.cursor()) as cursor:
            cursor.execute("ALTER SYSTEM SET wal_level = logical")
            cursor.execute("ALTER SYSTEM SET autovacuum_naptime = '1s'")
        primary.restart()
        self.source = SourceDatabase(server)
        self.source.execute("CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 0, updated_at timestamptz NOT NULL)")
        self.source.execute("INSERT INTO t SELECT i, 0, now() FROM generate_series(1, 100) AS i")

    def copy(self, *, standby: bool = False) -> Launched:
        """A copy of the primary as it is now, up and running."""
        made = copied(self.primary, *SETTINGS, standby=standby)
        self._stack.callback(made.stop)
        made.wait()
        return made

    def moved(self, server: Launched, url: str) -> str:
        """A URL of the primary as one of another server."""
        return make_url(url).set(port=make_url(server.url).port).render_as_string(hide_password=False)


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with ExitStack() as stack:
        try:
            primary = launch_mortal("postgres")
            stack.callback(primary.stop)
            yield Servers(stack, primary)
        except ServerUnavailable as error:
            if required():
                pytest.fail(str(error), pytrace=False)
            pytest.skip(str(error))


class Followed(Anywhere):
    """A copy whose source's URL may lead elsewhere."""

    servers: Servers

    def follow(self, server: Launched) -> None:
        self.postgres.close()
        self.postgres = PostgresSource("shop_postgres", self.servers.moved(server, self.source.url))

    def admin(self, server: Launched, statement: str) -> list[Any]:
        url = self.servers.moved(server, self.source.admin_url)
        with closing(connect(url)) as connection, closing(connection.cursor()) as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []

    def caught_up(self, server: Launched) -> None:
        (end,) = self.source.rows("SELECT pg_current_wal_flush_lsn()::text")[0]
        while not self.admin(server, f"SELECT pg_last_wal_replay_lsn() >= '{end}'")[0][0]:
            time.sleep(0.05)

    def assert_exact(self) -> None:
        assert self.rows("id, n") == self.source.rows("SELECT id, n FROM t ORDER BY id")


@pytest.fixture
def followed(servers: Servers, tmp_path: Path) -> Iterator[Followed]:
    with closing(DuckDBTarget("warehouse", tmp_path / "warehouse.duckdb")) as target:
        made = Followed(servers.source, target)
        made.servers = servers
        made.settings["lookback"] = "30s"
        yield made
        made.postgres.close()


def change(followed: Followed, number: int) -> Stats:
    followed.source.execute("UPDATE t SET n = %s, updated_at = now() WHERE id = 1", number)
    followed.source.execute("INSERT INTO t VALUES (%s, 0, now())", 100 + number)
    return followed()


@pytest.mark.slow
def test_a_backup_that_is_older_than_the_copy(followed: Followed) -> None:
    followed()
    backup = followed.servers.copy()
    assert change(followed, 1).rows_written == 2
    before = followed.rows()
    followed.follow(backup)
    with pytest.raises(SourceBehind, match="restored from an older backup") as behind:
        followed()
    assert not behind.value.transient
    assert "--full-refresh --table copy" in behind.value.fix
    with pytest.raises(SourceBehind):
        followed({"resync": "true"})
    assert followed.rows() == before
    assert followed({"full_refresh": True}).rows_written == 100
    assert followed().rows_written == 0
    # The server of before knows nothing of what was done elsewhere; its log is longer.
    followed.follow(followed.servers.primary)
    assert followed().rows_written == 2
    followed.assert_exact()


@pytest.mark.slow
def test_a_standby_that_lags_and_is_promoted(followed: Followed) -> None:
    followed()
    standby = followed.servers.copy(standby=True)
    followed.caught_up(standby)
    followed.follow(standby)
    followed()
    assert "standby" in followed.notices[0]
    assert "only within the lookback of 30s" in followed.notices[0]
    # Late on the primary: the standby cannot know, and its bound is what it has replayed. The lookback meets it.
    with closing(followed.source.connect()) as late:
        with late.cursor() as cursor:
            cursor.execute("INSERT INTO t VALUES (1000, 0, now())")
        followed.source.execute("INSERT INTO t VALUES (1001, 0, clock_timestamp())")
        followed.caught_up(standby)
        followed(deletes=KEEP)
        late.commit()
    followed.caught_up(standby)
    followed(deletes=KEEP)
    followed.assert_exact()
    # Behind what was read from the primary: it may catch up.
    followed.admin(standby, "SELECT pg_wal_replay_pause()")
    followed.follow(followed.servers.primary)
    change(followed, 2)
    followed.follow(standby)
    with pytest.raises(SourceBehind, match="is behind") as behind:
        followed()
    assert behind.value.transient
    followed.admin(standby, "SELECT pg_wal_replay_resume()")
    followed.caught_up(standby)
    assert followed().rows_written == 0
    # Promoted, it goes on with another history, which may lack something: all rows are looked at, once.
    followed.follow(followed.servers.primary)
    followed()
    followed.admin(standby, "SELECT pg_promote()")
    followed.follow(standby)
    followed.admin(standby, "UPDATE t SET n = 77 WHERE id = 50")  # as if it had never heard of a change
    stats = followed()
    assert "timeline 1 became 2" in followed.notices[0]
    assert (stats.rows_read, stats.rows_written) == (len(followed.rows()), 1)
    assert followed(lookback="1ms").rows_read == 0
    assert followed.notices == []


@pytest.mark.slow
def test_workers_that_write_and_workers_that_clean(followed: Followed) -> None:
    """A worker of a subscription is a writer like any other, but with another server's clock; vacuum is none."""
    source = followed.source
    source.admin("CREATE DATABASE publisher")
    publisher = source.admin_url.replace(f"/{source.name}", "/publisher")
    with closing(connect(publisher)) as there, there.cursor() as cursor:
        cursor.execute("CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 0, updated_at timestamptz NOT NULL)")
        cursor.execute("CREATE PUBLICATION p FOR TABLE t")
        cursor.execute("SELECT pg_create_logical_replication_slot('vitrina', 'pgoutput')")
        source.execute("INSERT INTO t VALUES (5000, 0, now())")
        plain = publisher.replace("+psycopg2", "")
        source.admin(
            f"CREATE SUBSCRIPTION sub CONNECTION '{plain}' PUBLICATION p WITH (create_slot = false, "
            "slot_name = 'vitrina', copy_data = false)"
        )
        followed()
        assert followed.notices == []  # a fill needs no bound of before
        with closing(source.connect()) as blocking, blocking.cursor() as holding:
            holding.execute("SELECT 1")
            holding.execute("INSERT INTO t VALUES (6001, 0, now())")
            cursor.execute("INSERT INTO t VALUES (6000, 0, now()), (6001, 0, now())")
            while not source.rows(
                "SELECT 1 FROM pg_stat_activity WHERE backend_type LIKE 'logical replication%%worker' "
                "AND wait_event_type = 'Lock' AND xact_start IS NOT NULL"
            ):
                time.sleep(0.05)
            followed(deletes=KEEP)
            assert "subscription sub" in followed.notices[0]
            assert "lookback of 30s" in followed.notices[0]
            blocking.rollback()
        while not source.rows("SELECT 1 FROM t WHERE id = 6001"):
            time.sleep(0.05)
        followed(deletes=KEEP)
        followed.assert_exact()
        source.admin("ALTER SUBSCRIPTION sub DISABLE", "ALTER SUBSCRIPTION sub SET (slot_name = NONE)")
        source.admin("DROP SUBSCRIPTION sub")
    followed()
    assert followed.notices == []

    source.execute(
        "CREATE TABLE dusty WITH (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1) "
        "AS SELECT repeat('x', 1000) AS n FROM generate_series(1, 5000)"
    )
    source.execute("UPDATE dusty SET n = 'y'")
    while not source.rows(
        "SELECT 1 FROM pg_stat_activity WHERE backend_type = 'autovacuum worker' AND datname = current_database() "
        "AND xact_start < now() - interval '1 s'"
    ):
        time.sleep(0.1)
    with followed.postgres.session() as session:
        seen = horizon(session)
        assert session.query("SELECT now() - %s::timestamp < '1 s'", (seen.moment,)) == [(True,)]
        assert seen.held_by == ""

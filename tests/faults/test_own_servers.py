"""Servers that restart, are full, read-only or out of connections in the middle of a run: those of these tests."""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import pytest

from framework.databases.mysql import session as mysql_session
from framework.databases.mysql.target import MySQLTarget
from framework.databases.postgres.source import PostgresSource
from framework.errors import DiskFull, LoadRefused, ReadOnly, StepsFailed, VitrinaError
from framework.events import Event, StepProgress
from tests.faults.conftest import ROWS, Faulty, slowly
from tests.services import Kind, ServerUnavailable, launch_mortal
from tests.services.databases import SourceDatabase, TargetDatabase
from tests.services.environment import required
from tests.services.login import connect
from tests.services.process import Launched

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, Launched]]:
    kinds: dict[str, Kind] = {"source": "postgres", "target": "mysql"}
    with ExitStack() as stack:
        try:
            launched = {}
            for side, kind in kinds.items():
                launched[side] = launch_mortal(kind)
                stack.callback(launched[side].stop)
            for each in launched.values():
                each.wait()
            yield launched
        except ServerUnavailable as error:
            if required():
                pytest.fail(str(error), pytrace=False)
            pytest.skip(str(error))


@pytest.fixture
def own(servers: dict[str, Launched]) -> Iterator[Faulty]:
    """A pipeline between two servers that nobody else uses."""
    with ExitStack() as stack:
        source = SourceDatabase(servers["source"].wait())
        stack.callback(source.drop)
        target = TargetDatabase(servers["target"].wait())
        stack.callback(target.drop)
        source.execute("CREATE TABLE t (id int PRIMARY KEY, body text, updated_at timestamptz NOT NULL DEFAULT now())")
        source.execute(
            "INSERT INTO t (id, body) SELECT i, repeat(md5(i::text), 4) FROM generate_series(1, %s) AS i", ROWS
        )
        postgres = PostgresSource("faults_postgres", source.url)
        stack.callback(postgres.close)
        mysql = MySQLTarget("faults_mysql", target.url)
        stack.callback(mysql.close)
        yield Faulty(source, target, {}, postgres, mysql)


@contextmanager
def at_first(faulty: Faulty, phase: str, happens: Callable[[], object]) -> Iterator[threading.Event]:
    """Something happens once, in a thread of its own, when the run first tells of a phase."""
    begun = threading.Event()
    threads: list[threading.Thread] = []

    def hear(event: Event) -> None:
        if isinstance(event, StepProgress) and event.phase == phase and not begun.is_set():
            begun.set()
            threads.append(threading.Thread(target=happens))
            threads[0].start()

    faulty.also = hear
    try:
        yield begun
    finally:
        faulty.also = None
        for thread in threads:
            thread.join()


def failure(work: Callable[[], object]) -> VitrinaError:
    with pytest.raises(StepsFailed) as failed:
        work()
    return failed.value.errors["replicate:t"]


def admin(faulty: Faulty, statement: str) -> list[Any]:
    with closing(connect(faulty.target.admin_url)) as connection, closing(connection.cursor()) as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


@pytest.mark.parametrize(("side", "load", "increment"), [("source", "restart", "kill"), ("target", "kill", "restart")])
def test_a_server_that_restarts_in_the_middle_of_a_load(
    own: Faulty, servers: dict[str, Launched], side: str, load: str, increment: str
) -> None:
    for phase, how in (("load", load), ("compare keys", increment)):
        with at_first(own, phase, getattr(servers[side], how)) as begun:
            own(retries=20, prepare=slowly)
        assert begun.is_set()
        assert any("tried again" in notice for notice in own.notices)
        reconnect(own)
        own.assert_exact()
        own.change()
        own.notices.clear()


def test_a_server_that_restarts_in_the_middle_of_a_merge(own: Faulty, servers: dict[str, Launched]) -> None:
    own()
    own.change()
    with closing(own.target.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM t WHERE id = 2 FOR UPDATE")
        cursor.fetchall()

        def kill() -> None:
            _until_waiting(own)
            servers["target"].kill()

        restarting = threading.Thread(target=kill)
        restarting.start()
        own(retries=20)
        restarting.join()
    assert any("tried again" in notice for notice in own.notices)
    reconnect(own)
    own.assert_exact()


def _until_waiting(faulty: Faulty) -> None:
    while not admin(faulty, "SELECT 1 FROM performance_schema.data_lock_waits LIMIT 1"):
        time.sleep(0.05)


def reconnect(faulty: Faulty) -> None:
    """The test's own sessions are gone, too."""
    faulty.source.forget_connection()
    faulty.target.forget_connection()


def test_a_lock_that_is_waited_for_in_vain(own: Faulty, monkeypatch: pytest.MonkeyPatch) -> None:
    """1205, three times within the merge, and then the step is tried again."""
    settings = [each.replace("innodb_lock_wait_timeout = 30", "innodb_lock_wait_timeout = 1") for each in _SETTINGS]
    monkeypatch.setattr(mysql_session, "SETTINGS", tuple(settings))
    own()
    own.change()
    with closing(own.target.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM t WHERE id = 2 FOR UPDATE")
        cursor.fetchall()
        release = threading.Timer(5, connection.rollback)
        release.start()
        own()
        release.join()
    assert any("held a lock for too long" in notice for notice in own.notices)
    own.assert_exact()


_SETTINGS = mysql_session.SETTINGS


def test_a_deadlock(own: Faulty) -> None:
    """1213: the merge has done less, so it is the victim; it is made again in the same step."""
    own()
    own.source.execute("UPDATE t SET body = 'new', updated_at = now() WHERE id < 10")
    before = deadlocks(own)
    with closing(own.target.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE t SET body = reverse(body)")

        def collide() -> None:
            _until_waiting(own)
            cursor.execute("UPDATE _vitrina_leases SET owner = owner WHERE name = 't'")
            connection.rollback()

        colliding = threading.Thread(target=collide)
        colliding.start()
        own(retries=0)
        colliding.join()
    assert deadlocks(own) > before
    own.assert_exact()


def deadlocks(faulty: Faulty) -> int:
    query = "SELECT count FROM information_schema.innodb_metrics WHERE name = 'lock_deadlocks'"
    return int(admin(faulty, query)[0][0])


def test_a_target_that_becomes_read_only(own: Faulty) -> None:
    own()
    own.change()
    try:
        with at_first(own, "compare keys", lambda: admin(own, "SET GLOBAL super_read_only = ON")):
            error = failure(lambda: own())
    finally:
        admin(own, "SET GLOBAL super_read_only = OFF")
        admin(own, "SET GLOBAL read_only = OFF")
    assert isinstance(error, ReadOnly)
    assert "primary" in error.fix
    assert not any("tried again" in notice for notice in own.notices)
    # It could not be given back.
    own.target.execute("UPDATE _vitrina_leases SET expires_at = '2001-01-01'")
    own()
    own.assert_exact()


def test_a_server_without_connections_for_a_while(own: Faulty) -> None:
    own()
    own.change()
    own.mysql.close()
    usual = admin(own, "SELECT @@GLOBAL.max_connections")[0][0]
    with closing(connect(own.target.admin_url)) as keeping, keeping.cursor() as cursor:
        cursor.execute("SET GLOBAL max_connections = 1")
        # It may be known again by then: the run waits.
        release = threading.Timer(1, lambda: cursor.execute(f"SET GLOBAL max_connections = {usual}"))
        release.start()
        own(retries=20)
        release.join()
    assert any("oo many connections" in notice for notice in own.notices)
    own.assert_exact()


@pytest.mark.parametrize("lane", ["LOAD DATA", "INSERT"])
def test_packets_that_are_too_small(own: Faulty, lane: str) -> None:
    own.source.execute("DELETE FROM t WHERE id > 100")
    own.source.execute("UPDATE t SET body = repeat('x', 3000000) WHERE id = 50")
    usual = admin(own, "SELECT @@GLOBAL.max_allowed_packet")[0][0]
    admin(own, f"SET GLOBAL local_infile = {'ON' if lane == 'LOAD DATA' else 'OFF'}")
    try:
        admin(own, "SET GLOBAL max_allowed_packet = 1048576")
        assert own.mysql.capabilities.lane == lane
        if lane == "LOAD DATA":  # where rows are longer than packets
            admin(own, "SET GLOBAL max_allowed_packet = 16384")
            own()
            own.assert_exact()
        else:
            error = failure(own)
            assert isinstance(error, LoadRefused)
            assert "a row is longer than max_allowed_packet (1047552 bytes)" in error.fact
            assert "raise max_allowed_packet" in error.fix
            assert own.notices == []
    finally:
        admin(own, f"SET GLOBAL max_allowed_packet = {usual}")
        admin(own, "SET GLOBAL local_infile = ON")
    own.mysql.close()
    own()
    own.assert_exact()


def test_a_disk_that_is_full(own: Faulty, servers: dict[str, Launched]) -> None:
    """No file of the server may grow beyond a size for a while, which it is told in the same way."""
    own()
    own.source.execute("UPDATE t SET body = repeat(body, 30)")
    process = servers["target"].process
    usual = resource.prlimit(process, resource.RLIMIT_FSIZE)
    resource.prlimit(process, resource.RLIMIT_FSIZE, (40 << 20, usual[1]))
    error = failure(lambda: own(full_refresh=True))
    resource.prlimit(process, resource.RLIMIT_FSIZE, usual)
    assert isinstance(error, DiskFull), error
    assert not any("tried again" in notice for notice in own.notices)
    assert own(full_refresh=True).rows_written == ROWS
    own.assert_exact()

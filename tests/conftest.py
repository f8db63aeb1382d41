"""Fixtures: real servers for the session, a fresh database for each test."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.services import Kind, Server, ServerUnavailable, launch
from tests.services.databases import SourceDatabase, TargetDatabase
from tests.services.environment import required
from tests.services.pool import Pool


def pytest_configure() -> None:
    """Ctrl-C works in the processes that tests start, also where a shell started the tests in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgres_server(pool: Pool) -> Iterator[Server]:
    yield from _server("postgres", pool)


@pytest.fixture(scope="session")
def mysql_server(pool: Pool) -> Iterator[Server]:
    yield from _server("mysql", pool)


@pytest.fixture(scope="session")
def mariadb_server(pool: Pool) -> Iterator[Server]:
    yield from _server("mariadb", pool)


@pytest.fixture(scope="session")
def pool() -> Pool:
    """Databases that tests lend; whoever stops a server closes it first."""
    return Pool()


@pytest.fixture
def new_source(pool: Pool, postgres_server: Server) -> Iterator[Callable[..., SourceDatabase]]:
    """Makes PostgreSQL databases: `new_source(read_all_stats=False)` has an owner who sees less."""
    with ExitStack() as stack:

        def make(*, read_all_stats: bool = True) -> SourceDatabase:
            return stack.enter_context(pool.source(postgres_server, read_all_stats=read_all_stats))

        yield make


@pytest.fixture
def source(new_source: Callable[..., SourceDatabase]) -> SourceDatabase:
    """A fresh PostgreSQL database."""
    return new_source()


@pytest.fixture(params=["mysql", "mariadb"])
def target(pool: Pool, request: pytest.FixtureRequest) -> Iterator[TargetDatabase]:
    """A fresh target database. Every test that asks for one runs on MySQL and on MariaDB."""
    with pool.target(request.getfixturevalue(f"{request.param}_server")) as database:
        yield database


def _server(kind: Kind, pool: Pool) -> Iterator[Server]:
    handle = None
    try:
        handle = launch(kind)
        yield handle.wait()
    except ServerUnavailable as error:
        if required():
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))
    finally:
        if handle is not None:
            pool.close()
            handle.stop()

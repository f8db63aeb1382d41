"""From a connection to its database: the URL decides which product it is.

Drivers of the embedded databases are imported when they are asked for: they are an extra of the distribution.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from framework.connections import Connection, mask
from framework.databases.base import Target
from framework.databases.postgres.source import PostgresSource
from framework.errors import StartError, UsageError

EMBEDDED_SOURCE = "embedded:postgres"
EMBEDDED_TARGET = "embedded:duckdb"
EMBEDDED_FILE = "warehouse.duckdb"

SOURCES = "a source is `postgresql+psycopg2://user:password@host/database`, or `embedded:postgres`"
TARGETS = "a target is `mysql+pymysql://user:password@host/database`, `duckdb:///path`, or `embedded:duckdb`"


@contextmanager
def open_source(connection: Connection, home: Path) -> Iterator[PostgresSource]:
    """The source behind ``connection`` until the context ends; an embedded server that nobody else uses ends with it.

    Args:
        connection: whose URL decides.
        home: the directory of the embedded databases (`framework.databases.embedded.home`).

    Raises:
        UsageError: the URL is none of a source.
        StartError: it is embedded, and the extra is not installed.
        ConnectionFailed: the embedded server does not start.
    """
    if connection.url == EMBEDDED_SOURCE:
        from framework.databases.embedded import open_postgres

        with open_postgres(connection.name, home) as url, _closing_source(connection, url) as source:
            yield source
        return
    if _product(connection, SOURCES) not in ("postgresql", "postgresql+psycopg2"):
        raise _wrong_kind(connection, "source", SOURCES)
    with _closing_source(connection, connection.url) as source:
        yield source


@contextmanager
def open_target(connection: Connection, home: Path) -> Iterator[Target]:
    """The target behind ``connection`` until the context ends.

    Args:
        connection: whose URL decides.
        home: the directory of the embedded databases.

    Raises:
        UsageError: the URL is none of a target.
        StartError: it is DuckDB, and the extra is not installed.
    """
    target = _target(connection, home)
    try:
        yield target
    finally:
        target.close()


def _target(connection: Connection, home: Path) -> Target:
    if connection.url == EMBEDDED_TARGET:
        return _duckdb(connection.name, home / EMBEDDED_FILE)
    product = _product(connection, TARGETS)
    if product in ("mysql", "mysql+pymysql", "mariadb", "mariadb+pymysql"):
        from framework.databases.mysql.target import MySQLTarget

        with _usable_options(connection):
            return MySQLTarget(connection.name, connection.url)
    database = make_url(connection.url).database if product == "duckdb" else None
    if not database:
        raise _wrong_kind(connection, "target", TARGETS)
    return _duckdb(connection.name, Path(database))


def _duckdb(name: str, path: Path) -> Target:
    try:
        from framework.databases.duckdb import DuckDBTarget
    except ModuleNotFoundError as error:
        if error.name != "duckdb":
            raise
        raise StartError(f"{name!r} is a DuckDB database, and duckdb is not installed", _INSTALL) from error
    return DuckDBTarget(name, path)


_INSTALL = 'pip install "vitrina[embedded]"'


@contextmanager
def _closing_source(connection: Connection, url: str) -> Iterator[PostgresSource]:
    with _usable_options(connection):
        source = PostgresSource(connection.name, url, connection.may_generate)
    try:
        yield source
    finally:
        source.close()


@contextmanager
def _usable_options(connection: Connection) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        fact = f"the URL of connection {connection.name!r} has an option that cannot be used: {error}"
        raise UsageError(fact, "correct the options of the connection's URL") from error


def _product(connection: Connection, expected: str) -> str:
    if connection.url in (EMBEDDED_SOURCE, EMBEDDED_TARGET):
        return connection.url
    try:
        return make_url(connection.url).drivername
    except (ArgumentError, ValueError) as error:
        raise UsageError(f"the URL of connection {connection.name!r} cannot be read", expected) from error


def _wrong_kind(connection: Connection, role: str, expected: str) -> UsageError:
    return UsageError(f"connection {connection.name!r} ({mask(connection.url)}) cannot be a {role}", expected)

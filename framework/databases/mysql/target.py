"""A MySQL or MariaDB database that is written to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property

import pymysql.err
import sqlalchemy
from pymysql.constants import CLIENT
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql
from sqlalchemy.engine import make_url
from sqlalchemy.pool import QueuePool

from framework.connections import mask, without
from framework.databases import waits
from framework.databases.base import Capabilities
from framework.databases.mysql.canonical import MySQLCanonical
from framework.databases.mysql.connection import CLIENT_FLAGS, StreamingConnection
from framework.databases.mysql.dialect import MySQLDialect
from framework.databases.mysql.errors import connection_failed
from framework.databases.mysql.load import ESCAPED, longest_statement
from framework.databases.mysql.session import MySQLSession
from framework.databases.mysql.tls import OPTIONS
from framework.databases.mysql.tls import of as tls_of
from framework.errors import ConnectionFailed, StatementFailed

WAITS = {"connect_timeout": waits.CONNECT, "read_timeout": waits.SILENCE, "write_timeout": waits.SILENCE}
"""PyMySQL's options."""


class MySQLTarget:
    """A MySQL database behind an SQLAlchemy URL (``mysql+pymysql://``), whose options (TLS) reach the driver.

    Implements `framework.databases.base.Target`.
    """

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.url = mask(url)
        self.dialect = MySQLDialect()
        self._url = make_url(url)
        self._tls = tls_of(self._url.query)
        self._engine = sqlalchemy.create_engine(
            self._url,
            creator=self._connect,
            poolclass=QueuePool,
            pool_size=4,
            max_overflow=-1,
            pool_pre_ping=True,
            pool_reset_on_return=None,
        )
        self._lost: dict[int, str] = {}
        self._busy: dict[int, StreamingConnection] = {}
        self._reached = False

    @cached_property
    def capabilities(self) -> Capabilities:
        """Whether the server takes LOAD DATA LOCAL decides the lane."""
        if self._server[1]:
            return Capabilities(lane="LOAD DATA", single_writer=False, hides_columns=True)
        longest = longest_statement(self._server[2])
        return Capabilities("INSERT", single_writer=False, hides_columns=True, longest_row=longest, doubled=ESCAPED)

    @cached_property
    def canonical(self) -> MySQLCanonical:
        """MariaDB stores -0 as 0."""
        return MySQLCanonical(signed_zero=not self._is_mariadb)

    @contextmanager
    def session(self) -> Iterator[MySQLSession]:
        """A connection of its own, given back at the end; an open transaction is rolled back."""
        pooled = self._raw_connection()
        connection = pooled.driver_connection
        assert isinstance(connection, StreamingConnection)
        thread = int(connection.thread_id())  # type: ignore[no-untyped-call]
        self._busy[thread] = connection
        try:
            session = MySQLSession(self.name, connection, self._collation, self.capabilities.lane == "LOAD DATA")
            session.pin()
            self._end_lost(session)
            yield session
        except BaseException:
            # Where a server shares the machine, it knows at once.
            if not connection.open and ":" in (connection.origin or ""):
                self._lost[thread] = str(connection.origin)
            pooled.invalidate()
            raise
        finally:
            self._busy.pop(thread, None)
            pooled.close()

    def version(self) -> str:
        """The server's product and version."""
        version = self._server[0]
        return f"MariaDB {version.split('-')[0]}" if self._is_mariadb else f"MySQL {version.split('-')[0]}"

    def cancel(self) -> None:
        """Kill the statements that other threads are running; a user may always kill his own."""
        busy = dict(self._busy)
        late = threading.Timer(waits.CANCEL, self._cut, (busy,))
        late.daemon = True
        late.start()
        with self.session() as session:
            for thread in busy:
                # It may have ended in the meantime.
                with suppress(StatementFailed):
                    session.execute(f"KILL QUERY {thread}")

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _end_lost(self, session: MySQLSession) -> None:
        """End what goes on at the server's end of connections that broke: who hears nothing keeps his locks for long.

        Numbers of sessions begin anew with each start of the server, so where a session came from must be right, too.
        """
        for thread in tuple(self._lost):
            origin = self._lost.pop(thread, None)
            found = session.query("SELECT HOST FROM information_schema.PROCESSLIST WHERE ID = %s", (thread,))
            if found == [(origin,)]:
                with suppress(StatementFailed):
                    session.execute(f"KILL {thread}")

    def _cut(self, doomed: dict[int, StreamingConnection]) -> None:
        """End those connections that are still busy, whatever they wait for."""
        for thread, connection in doomed.items():
            if self._busy.get(thread) is connection:
                connection.cut()

    @cached_property
    def _server(self) -> tuple[str, bool, int]:
        pooled = self._raw_connection()
        try:
            connection = pooled.driver_connection
            assert isinstance(connection, StreamingConnection)
            with connection.cursor() as cursor:
                cursor.execute("SELECT VERSION(), @@GLOBAL.local_infile, @@max_allowed_packet")
                version, local_infile, packet = cursor.fetchall()[0]
        finally:
            pooled.close()
        return str(version), bool(int(local_infile)), int(packet)

    @property
    def _collation(self) -> str:
        # Both compare as PostgreSQL does: by bytes, without padding.
        return "utf8mb4_nopad_bin" if self._is_mariadb else "utf8mb4_0900_bin"

    @property
    def _is_mariadb(self) -> bool:
        return "MariaDB" in self._server[0]

    def _raw_connection(self) -> sqlalchemy.pool.PoolProxiedConnection:
        try:
            pooled = self._engine.raw_connection()
        except pymysql.err.MySQLError as error:
            password = str(self._url.password or "")
            raise connection_failed(self.name, self.url, error, password, reached=self._reached) from error
        except (TypeError, ValueError, AttributeError, LookupError, OSError) as error:
            # The driver takes the URL's options as they are.
            fact = without(str(self._url.password or ""), str(error))
            raise ConnectionFailed(self.name, self.url, fact, "correct the options of the connection's URL") from error
        self._reached = True
        return pooled

    def _connect(self) -> StreamingConnection:
        plain = self._url.difference_update_query(OPTIONS)
        arguments = MySQLDialect_pymysql().create_connect_args(plain)[1]
        flags = (int(arguments.get("client_flag", 0)) | CLIENT_FLAGS) & ~CLIENT.MULTI_STATEMENTS
        ours = {"charset": "utf8mb4", "local_infile": True, "autocommit": True, "client_flag": flags}
        given = {**WAITS, **arguments, **ours, **self._tls.arguments}
        connection = StreamingConnection(**given, defer_connect=True)
        connection.demands_tls = self._tls.is_demanded
        connection.connect()
        return connection

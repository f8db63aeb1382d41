"""A PostgreSQL database that is read, and, where allowed, filled."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any, BinaryIO

import psycopg2
import psycopg2.extensions
import sqlalchemy
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import QueuePool

from framework.connections import mask
from framework.databases import waits
from framework.databases.postgres.errors import connection_failed, translated
from framework.databases.postgres.silence import Watch
from framework.databases.postgres.tls import secured
from framework.errors import StatementFailed, VitrinaError

Row = tuple[Any, ...]
Parameters = Sequence[Any] | Mapping[str, Any]

# Once for each connection: later statements change settings within their transactions only.
# With row_security off, a query whose rows a policy would hide from the role fails, instead of missing them. Probes
# end a session whose client's machine is gone: it would hold back the horizon, and dead rows, for hours.
SESSION = f"""
SET tcp_keepalives_idle = {waits.IDLE};
SET tcp_keepalives_interval = {waits.INTERVAL};
SET tcp_keepalives_count = {waits.PROBES};
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
SET bytea_output = 'hex';
SET extra_float_digits = 1;
SET quote_all_identifiers = off;
SET standard_conforming_strings = on;
SET lock_timeout = '30s';
SET idle_in_transaction_session_timeout = 0;
SET statement_timeout = 0;
SET row_security = off;
"""


WAITS = {
    "connect_timeout": waits.CONNECT,
    "keepalives_idle": waits.IDLE,
    "keepalives_interval": waits.INTERVAL,
    "keepalives_count": waits.PROBES,
    "tcp_user_timeout": waits.UNACKNOWLEDGED * 1000,
}
"""libpq's options."""


def _unmistakable(value: Any) -> Any:
    """A value whose literal is read by the type it is cast to, and by nothing else."""
    if isinstance(value, timedelta):
        # MySQL's drivers give a time of day as a span, and PostgreSQL would take a span of 24 hours for midnight.
        minutes, seconds = divmod(value // timedelta(seconds=1), 60)
        return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}.{value.microseconds:06}"
    # Some types of numbers cannot be made of integers, only of texts.
    return str(value) if isinstance(value, (int, float, Decimal)) else value


class PostgresSession:
    """One connection with pinned settings. Outside of `transaction` every statement commits by itself."""

    def __init__(self, name: str, connection: psycopg2.extensions.connection) -> None:
        self.name = name
        self.connection = connection

    def execute(self, sql: str, parameters: Parameters = ()) -> int:
        """Run a statement; the number of rows it touched."""
        with translated(self.name), self.connection.cursor() as cursor:
            cursor.execute(sql, parameters or None)
            return cursor.rowcount

    def query(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """Run a query; all its rows."""
        with translated(self.name), self.connection.cursor() as cursor:
            cursor.execute(sql, parameters or None)
            return cursor.fetchall()

    def literals(self, values: Sequence[Any], types: Sequence[str]) -> str:
        """The values as a row of literals, ``(1::bigint)``, for statements that take no bound values."""
        with translated(self.name), self.connection.cursor() as cursor:
            slots = ", ".join(f"(%s)::{type_.replace('%', '%%')}" for type_ in types)
            return str(cursor.mogrify(f"({slots})", tuple(map(_unmistakable, values))).decode())

    def copy_in(self, sql: str, source: BinaryIO) -> int:
        """Run a ``COPY ... FROM STDIN`` that reads ``source``; the number of rows."""
        with translated(self.name), self.connection.cursor() as cursor:
            cursor.copy_expert(sql, source, size=1 << 20)
            return cursor.rowcount

    def copy_out(self, sql: str, sink: BinaryIO) -> int:
        """Run a ``COPY ... TO STDOUT`` that writes to ``sink``; the number of rows."""
        with translated(self.name), self.connection.cursor() as cursor:
            cursor.copy_expert(sql, sink)
            return cursor.rowcount

    def stream(self, sql: str, size: int) -> Iterator[list[Row]]:
        """Run a query through a server-side cursor; its rows in lists of at most ``size``. Needs a transaction."""
        self.execute(f"DECLARE vitrina_stream NO SCROLL CURSOR FOR {sql}")
        while rows := self.query(f"FETCH {int(size)} FROM vitrina_stream"):
            yield rows
        self.execute("CLOSE vitrina_stream")

    @contextmanager
    def transaction(self, characteristics: str = "") -> Iterator[None]:
        """Commits at the end, rolls back on an exception. Not nested.

        Args:
            characteristics: what follows BEGIN, such as ``ISOLATION LEVEL REPEATABLE READ READ ONLY``.
        """
        self.execute(f"BEGIN {characteristics}")
        try:
            yield
        except BaseException:
            # A connection that is gone has nothing to roll back; the error that ended it tells more.
            with suppress(VitrinaError):
                if not self.connection.closed:
                    self.execute("ROLLBACK")
            raise
        self.execute("COMMIT")


class PostgresSource:
    """A PostgreSQL database behind an SQLAlchemy URL (``postgresql+psycopg2://``)."""

    def __init__(self, name: str, url: str, may_generate: bool = False) -> None:
        self.name = name
        self.url = mask(url)
        self.may_generate = may_generate
        self._url: URL = secured(make_url(url))
        self._busy: set[psycopg2.extensions.connection] = set()
        self._cancelled = False
        self._reached = False
        self._watch = Watch(_seconds(self._url))
        self.settings: Mapping[str, str] = {}
        """What sessions are opened with, without a statement that says so. Neither names nor values hold spaces."""
        self._login: tuple[Any, dict[str, Any]] = ((), {})
        self._engine = sqlalchemy.create_engine(
            self._url.difference_update_query(["read_timeout"]),
            poolclass=QueuePool,
            pool_size=4,
            max_overflow=-1,
            pool_pre_ping=True,
            pool_reset_on_return=None,
            isolation_level="AUTOCOMMIT",
            connect_args={name: value for name, value in WAITS.items() if name not in self._url.query},
        )
        sqlalchemy.event.listen(self._engine, "do_connect", self._connect)

    @contextmanager
    def session(self) -> Iterator[PostgresSession]:
        """A connection of its own, given back at the end; an open transaction is rolled back.

        Raises:
            ConnectionFailed: the server cannot be reached, or refuses the login.
        """
        if self._cancelled:
            raise StatementFailed(self.name, "the run was cancelled", "run again")
        try:
            pooled = self._engine.raw_connection()
        except psycopg2.Error as error:
            password = str(self._url.password or "")
            raise connection_failed(self.name, self.url, error, password, reached=self._reached) from error
        connection = pooled.driver_connection
        assert isinstance(connection, psycopg2.extensions.connection)
        self._reached = True
        self._busy.add(connection)
        try:
            connection.autocommit = True
            connection.set_client_encoding("UTF8")
            session = PostgresSession(self.name, connection)
            if not pooled.info.get("pinned"):
                session.execute(SESSION)
                pooled.info["pinned"] = True
            yield session
        except BaseException as error:
            pooled.invalidate()
            if self._watch.has_cut(connection) and isinstance(error, StatementFailed):
                raise self._silent() from error
            raise
        finally:
            self._busy.discard(connection)
            pooled.close()

    def version(self) -> str:
        """The server's product and version."""
        with self.session() as session:
            return "PostgreSQL " + str(session.query("SHOW server_version")[0][0]).split(" ")[0]

    def cancel(self) -> None:
        """End the statements that other threads are running, and let none begin: they fail."""
        self._cancelled = True
        if busy := tuple(self._busy):
            threading.Thread(target=self._cancel, args=(busy,), daemon=True).start()
        late = threading.Timer(waits.CANCEL, self._watch.cut_all)
        late.daemon = True
        late.start()

    def close(self) -> None:
        """Close all connections."""
        self._watch.stop()
        self._engine.dispose()

    def _connect(self, _dialect: Any, _record: Any, arguments: Any, options: Any) -> psycopg2.extensions.connection:
        """A connection that is watched before the pool, which tries it first, has it."""
        given = [f"-c {name}={value}" for name, value in self.settings.items()]
        with_settings = {**options, "options": " ".join([options.get("options", ""), *given])} if given else options
        try:
            connection: psycopg2.extensions.connection = psycopg2.connect(*arguments, **with_settings)
        except psycopg2.OperationalError as error:
            if not given or "startup parameter" not in str(error):  # a pooler's word
                raise
            connection = psycopg2.connect(*arguments, **options)
        self._watch.over(connection)
        self._login = arguments, options
        return connection

    def _cancel(self, busy: Sequence[psycopg2.extensions.connection]) -> None:
        """Have the server end statements. The driver's own way would stop all threads until the server has answered."""
        # Where the server cannot be asked, the connections are cut a little later.
        with suppress(psycopg2.Error):
            pids = [connection.info.backend_pid for connection in busy]
            arguments, options = self._login
            with closing(psycopg2.connect(*arguments, **options)) as asking, asking.cursor() as cursor:
                cursor.execute("SELECT pg_cancel_backend(pid) FROM unnest(%s) AS pid", (pids,))

    def _silent(self) -> StatementFailed:
        return StatementFailed(
            self.name,
            f"the server said nothing for {self._watch.silence} seconds",
            "run again; if statements take that long, raise `read_timeout` in the connection's URL",
            transient=True,
        )


def _seconds(url: URL) -> int:
    """The `read_timeout` of a URL. Raises ValueError."""
    given = str(url.query.get("read_timeout", waits.SILENCE))
    if not given.isdecimal() or not int(given):
        raise ValueError(f"read_timeout={given} is no number of seconds")
    return int(given)

"""A DuckDB file that is written to. It belongs to one process at a time; who comes second waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from framework.databases.base import Capabilities, Dialect
from framework.databases.canonical import Canonical
from framework.databases.duckdb.canonical import DuckDBCanonical
from framework.databases.duckdb.dialect import DuckDBDialect
from framework.databases.duckdb.errors import connection_failed, lock_holder, translated
from framework.databases.duckdb.load import LINE_BYTES
from framework.databases.duckdb.session import DuckDBSession

POLL = 0.2
"""Seconds between two attempts to open a database that another process has open."""

SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    # Nothing is fetched from the network while queries run.
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    # What does not fit goes to a directory beside the file.
    "memory_limit": "1GB",
}


class DuckDBTarget:
    """A DuckDB file, opened by the first session and closed by `close`, which lets other processes have it.

    Implements `framework.databases.base.Target`.

    Args:
        wait: seconds to wait for another process that has the file open.
    """

    def __init__(self, name: str, path: Path, wait: float = 60.0) -> None:
        self.name = name
        self.url = f"duckdb:///{path}"
        self.dialect: Dialect = DuckDBDialect()
        self.canonical: Canonical = DuckDBCanonical()
        self.capabilities = Capabilities(
            lane="CSV", single_writer=True, foreign_keys=False, longest_row=LINE_BYTES, doubled='"'
        )
        self._path = path
        self._wait = wait
        self._opening = threading.Lock()
        self._writing = threading.RLock()
        self._database: duckdb.DuckDBPyConnection | None = None
        self._busy: list[duckdb.DuckDBPyConnection] = []

    @contextmanager
    def session(self) -> Iterator[DuckDBSession]:
        """A connection of its own, given back at the end; an open transaction is rolled back."""
        with translated(self.name), self._open().cursor() as cursor:
            session = DuckDBSession(self.name, cursor, self._writing)
            session.pin()
            self._busy.append(cursor)
            try:
                yield session
            finally:
                self._busy.remove(cursor)
                session.rollback()

    def version(self) -> str:
        """The library's product and version."""
        return f"DuckDB {duckdb.__version__}"

    def cancel(self) -> None:
        """Interrupt the statements that other threads are running; they fail."""
        for cursor in tuple(self._busy):
            cursor.interrupt()

    def close(self) -> None:
        """Close the file."""
        with self._opening:
            if self._database is not None:
                self._database.close()
                self._database = None

    def _open(self) -> duckdb.DuckDBPyConnection:
        with self._opening:
            if self._database is None:
                self._database = self._connect()
            return self._database

    def _connect(self) -> duckdb.DuckDBPyConnection:
        deadline = time.monotonic() + self._wait
        while True:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                return duckdb.connect(str(self._path), config=SETTINGS)
            except duckdb.Error as error:
                if lock_holder(error) is None or time.monotonic() > deadline:
                    raise connection_failed(self.name, self.url, error) from error
            time.sleep(POLL)

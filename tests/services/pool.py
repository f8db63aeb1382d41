"""Databases that one test after the other uses: making one takes longer than most tests.

A test finds it as new. What it leaves is removed; if anything is then unlike a new database, it is given up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from tests.services.databases import Database, SourceDatabase, TargetDatabase
from tests.services.server import Server


class Pool:
    """Databases of a session of tests, in its process alone."""

    def __init__(self) -> None:
        self._idle: defaultdict[tuple[str, bool], list[Database]] = defaultdict(list)

    @contextmanager
    def source(self, server: Server, *, read_all_stats: bool = True) -> Iterator[SourceDatabase]:
        """A PostgreSQL database as new."""
        idle = self._idle[server.url, read_all_stats]
        database = idle.pop() if idle else SourceDatabase(server, read_all_stats=read_all_stats)
        assert isinstance(database, SourceDatabase)
        with self._lent(database, idle):
            yield database

    @contextmanager
    def target(self, server: Server) -> Iterator[TargetDatabase]:
        """A database of MySQL or MariaDB as new."""
        idle = self._idle[server.url, True]
        database = idle.pop() if idle else TargetDatabase(server)
        assert isinstance(database, TargetDatabase)
        with self._lent(database, idle):
            yield database

    def close(self) -> None:
        """Drop them."""
        for idle in self._idle.values():
            while idle:
                idle.pop().drop()

    @contextmanager
    def _lent(self, database: Database, idle: list[Database]) -> Iterator[None]:
        try:
            yield
        finally:
            if database.renewed():
                idle.append(database)
            else:
                database.drop()

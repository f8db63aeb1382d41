"""Reading the source at one point in time, and the horizon below which no transaction is still open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from framework.databases.postgres.names import quote
from framework.databases.postgres.source import PostgresSession, PostgresSource

# Every transaction that may still commit rows began at or after this moment. The clock is the statement's start, so a
# transaction that begins while the sessions are being read cannot be older than it. Sessions of other databases cannot
# write here. A session that the role may not see has no backend_type. Prepared transactions have no session, and when
# they began is not known; they are counted after the sessions are read, so that none is missed on its way.
HORIZON = """
SELECT least(
         statement_timestamp(),
         (SELECT min(xact_start) FROM pg_stat_activity
          WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type <> 'autovacuum worker')
       ) AT TIME ZONE 'UTC',
       (SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()),
       NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND backend_type IS NULL)
         AND NOT pg_is_in_recovery()
"""


@dataclass(frozen=True)
class Horizon:
    """A lower bound of every cursor value that a transaction may still commit.

    Attributes:
        moment: UTC, as text with microseconds.
        exact: whether the role could see all sessions of the primary; if not, the bound may be too late.
        prepared: transactions that are prepared and not yet committed: nobody knows when they began.
    """

    moment: str
    exact: bool
    prepared: int


def horizon(session: PostgresSession) -> Horizon:
    """The start of the oldest transaction still open, or now. Call it outside of a transaction, before the snapshot."""
    moment, prepared, exact = session.query(HORIZON)[0]
    return Horizon(moment.isoformat(" ", "microseconds"), bool(exact), int(prepared))


class Extracted:
    """The rows of one query, in wire form (implements `framework.databases.base.Extract`)."""

    def __init__(self, session: PostgresSession, query: str, columns: Sequence[str]) -> None:
        self._session = session
        self._query = query
        self.columns = tuple(columns)

    def copy_to(self, sink: BinaryIO) -> int:
        """Write all rows as CSV and return how many there were."""
        statement = f"COPY ({self._query}) TO STDOUT (FORMAT csv, FORCE_QUOTE *, NULL 'NULL', ENCODING 'UTF8')"
        return self._session.copy_out(statement, sink)

    def batches(self, size: int) -> Iterator[Sequence[tuple[str | None, ...]]]:
        """The rows in lists of at most ``size``, every value as text."""
        # The type's output form, as COPY writes it; a cast to text would strip char's padding, for one.
        columns = ", ".join(
            f"CASE WHEN {name} IS NOT NULL THEN format('%s', {name}) END" for name in map(quote, self.columns)
        )
        names = ", ".join(quote(name) for name in self.columns)
        yield from self._session.stream(f"SELECT {columns} FROM ({self._query}) AS q({names})", size)


class Snapshot:
    """One point in time of the source, which several connections can share."""

    def __init__(self, source: PostgresSource, session: PostgresSession) -> None:
        self._source = source
        self.session = session
        self._id = str(session.query("SELECT pg_export_snapshot()")[0][0])

    @contextmanager
    def another_session(self) -> Iterator[PostgresSession]:
        """A further connection that sees the same rows."""
        with (
            self._source.session() as session,
            session.transaction("ISOLATION LEVEL REPEATABLE READ READ ONLY"),
        ):
            session.execute("SET TRANSACTION SNAPSHOT %s", (self._id,))
            yield session


@contextmanager
def snapshot(source: PostgresSource) -> Iterator[Snapshot]:
    """Hold one point in time of the source for as long as the context lasts."""
    with source.session() as session, session.transaction("ISOLATION LEVEL REPEATABLE READ READ ONLY"):
        yield Snapshot(source, session)

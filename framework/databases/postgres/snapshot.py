"""Reading the source at one point in time, and the horizon below which no transaction is still open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from framework.databases.postgres.names import quote
from framework.databases.postgres.source import PostgresSession, PostgresSource

# Every transaction that may still commit rows began at or after this moment. The clock is the statement's start, so a
# transaction that begins while the sessions are being read cannot be older than it. Sessions of other databases cannot
# write here. A session that the role may not see has no backend_type. Prepared transactions have no session, and when
# they began is not known; they are counted after the sessions are read, so that none is missed on its way.
# Workers of a parallel query begin with their leader; vacuum writes no rows; all else that runs transactions may:
# workers of extensions, of a subscription, sessions of the replication protocol.
# A standby shows what is open on itself alone. What it has not replayed yet was committed after what it has.
HORIZON = """
WITH oldest AS (
    SELECT * FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
    AND backend_type NOT IN ('autovacuum worker', 'parallel worker')
    ORDER BY xact_start LIMIT 1
)
SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_xact_replay_timestamp()
            ELSE least(statement_timestamp(), (SELECT xact_start FROM oldest)) END AT TIME ZONE 'UTC',
       (SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()),
       NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND backend_type IS NULL),
       pg_is_in_recovery(),
       (SELECT json_build_object(
            'pid', pid, 'user', usename, 'application', application_name, 'kind', backend_type, 'state', state,
            'since', to_char(xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
            'seconds', extract(epoch FROM statement_timestamp() - xact_start)) FROM oldest),
       (SELECT json_build_object(
            'gid', gid, 'user', owner, 'since', to_char(prepared AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'))
        FROM pg_prepared_xacts WHERE database = current_database() ORDER BY prepared LIMIT 1)
"""

# Their rows bring the cursor values of another server's clock, as late as they are.
_SUBSCRIPTIONS = """
WITH RECURSIVE tree AS (
    SELECT %(table)s::regclass::oid AS oid
  UNION
    SELECT i.inhrelid FROM pg_inherits i JOIN tree t ON t.oid = i.inhparent
)
SELECT coalesce(string_agg(DISTINCT s.subname, ', ' ORDER BY s.subname), '')
FROM tree JOIN pg_subscription_rel r ON r.srrelid = tree.oid JOIN pg_subscription s ON s.oid = r.srsubid
"""


@dataclass(frozen=True)
class Horizon:
    """A lower bound of every cursor value that a transaction may still commit.

    Attributes:
        moment: UTC, as text with microseconds; None where there is none, on a standby that has replayed nothing.
        exact: whether the role could see all sessions; if not, the bound may be too late.
        prepared: transactions that are prepared and not yet committed: nobody knows when they began.
        standby: the server is one: its moment is that of the last commit it has replayed, whose transaction may have
            been shorter than others.
        subscriptions: names of those that bring rows of the table that was asked for.
        held_by: the session whose transaction is the oldest, or the prepared one, for people; empty if there is none.
            Never its statement, which may hold secrets.
        held_for: seconds that this transaction has been open; None if that is not known.
    """

    moment: str | None
    exact: bool
    prepared: int
    standby: bool = False
    subscriptions: str = ""
    held_by: str = ""
    held_for: float | None = 0.0


def horizon(session: PostgresSession, table: str | None = None) -> Horizon:
    """The start of the oldest transaction still open, or now. Call it outside of a transaction, before the snapshot.

    Args:
        session: of the source.
        table: a quoted name: whether its rows come from a subscription is looked at, too.
    """
    moment, prepared, exact, standby, oldest, waiting = session.query(HORIZON)[0]
    subscriptions = session.query(_SUBSCRIPTIONS, {"table": table})[0][0] if table is not None else ""
    held_by: str = ""
    held_for: float | None = 0.0
    if waiting is not None:
        held_by = f"prepared transaction {waiting['gid']!r} of {waiting['user']!r}, prepared at {waiting['since']} UTC"
        held_for = None
    elif oldest is not None and not standby:
        held_by, held_for = _described(oldest), float(oldest["seconds"])
    known = moment.isoformat(" ", "microseconds") if moment is not None else None
    return Horizon(known, bool(exact), int(prepared), bool(standby), str(subscriptions), held_by, held_for)


def _described(oldest: dict[str, Any]) -> str:
    kind = "session" if oldest["kind"] == "client backend" else str(oldest["kind"])
    words = [
        f"user {oldest['user']!r}" if oldest["user"] else "",
        f"application {oldest['application']!r}" if oldest["application"] else "",
        str(oldest["state"] or ""),
    ]
    told = ", ".join(filter(None, words))
    return (
        f"{kind} {oldest['pid']}{f' ({told})' if told else ''}, whose transaction is open since {oldest['since']} UTC"
    )


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

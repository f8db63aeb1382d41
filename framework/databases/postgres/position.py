"""Where a table was when it was read, so that it can be told later what has changed since."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from framework.databases.postgres.source import PostgresSession

# Numbers of transactions have 32 bits; txid_ functions give all 64. The statement's snapshot is older than what the
# other queries of it see: who has got a number since has one that is not below `next`.
_FLOOR = """
SELECT CASE WHEN pg_is_in_recovery() OR EXISTS (
           SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND backend_type IS NULL)
       THEN txid_snapshot_xmin(txid_current_snapshot())
       ELSE (SELECT least(next, min(next - behind) FILTER (WHERE behind < 2147483648))
             FROM (SELECT next, (next - number) & 4294967295 AS behind
                   FROM (SELECT txid_snapshot_xmax(txid_current_snapshot()) AS next) AS n LEFT JOIN LATERAL (
                       SELECT backend_xid::text::bigint AS number FROM pg_stat_activity
                       WHERE datname = current_database() AND pid <> pg_backend_pid()
                     UNION ALL
                       SELECT transaction::text::bigint FROM pg_prepared_xacts WHERE database = current_database()
                   ) AS open ON true) AS counted
             GROUP BY next)
       END,
       statement_timestamp()::text
"""

# The counters of the statistics begin anew when they are reset, and, with all statistics, after a crash. A standby does
# not count.
_COUNTED = """
WITH RECURSIVE tree AS (
    SELECT %(table)s::regclass::oid AS oid
  UNION
    SELECT i.inhrelid FROM pg_inherits i JOIN tree t ON t.oid = i.inhparent WHERE %(children)s
)
SELECT bool_and(c.relkind IN ('r', 'p', 'm')),
       CASE WHEN current_setting('track_counts')::boolean AND NOT pg_is_in_recovery()
       THEN encode(sha256(convert_to(concat_ws(' ',
           (SELECT stats_reset FROM pg_stat_bgwriter),
           (SELECT stats_reset FROM pg_stat_database WHERE datname = current_database()),
           string_agg(concat_ws(':', c.oid, pg_relation_filenode(c.oid), pg_stat_get_tuples_deleted(c.oid),
                      pg_stat_get_tuples_updated(c.oid)), ' ' ORDER BY c.oid)), 'UTF8')), 'hex') END
FROM tree JOIN pg_class c ON c.oid = tree.oid
"""

# The first eight digits of a log file's name are the server's timeline, which another server that took over has not. A
# crash, which may have lost transactions that others had seen, resets the statistics.
_FILES = """
WITH RECURSIVE tree AS (
    SELECT %(table)s::regclass::oid AS oid
  UNION
    SELECT i.inhrelid FROM pg_inherits i JOIN tree t ON t.oid = i.inhparent WHERE %(children)s
)
SELECT concat_ws(' ',
    CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END,
    (SELECT stats_reset FROM pg_stat_bgwriter),
    string_agg(concat(oid, ':', pg_relation_filenode(oid)), ' ' ORDER BY oid))
FROM tree
"""

# A session tells its counts a second after a transaction's end, or, if it does nothing more, after ten.
_AT_WORK = """
SELECT EXISTS (
    SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type IS DISTINCT FROM 'autovacuum worker'
    AND pid <> pg_backend_pid() AND pid <> ALL (%s)
    AND (state_change IS NULL OR state_change >= %s::timestamptz)
)
"""

SETTLED = 11
"""Seconds after which a session that does nothing more has told its counts."""


@dataclass(frozen=True)
class Position:
    """Where a table was.

    Attributes:
        floor: every transaction below this number was over, as far as it could write here; None where rows do not tell
            whose they are (views, foreign tables).
        moment: the source's clock.
        counted: a text that changes when rows are deleted or updated; None where nobody counts.
    """

    floor: int | None
    moment: str
    counted: str | None

    def as_text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Position:
        """The inverse of `as_text`."""
        return cls(**json.loads(text))


def position(session: PostgresSession, table: str, *, children: bool) -> Position:
    """Where ``table`` (its quoted name) is; outside of a transaction, before the snapshot that it is read in."""
    floor, moment = session.query(_FLOOR)[0]
    numbered, counted = session.query(_COUNTED, {"table": table, "children": children})[0]
    return Position(int(floor), moment, counted) if numbered else Position(None, moment, None)


def files(session: PostgresSession, table: str, *, children: bool) -> str:
    """A text that stays as long as transactions' numbers tell which rows of a table are new.

    TRUNCATE and rewrites give a table other files, partitions come and go with all their rows.
    """
    return str(session.query(_FILES, {"table": table, "children": children})[0][0])


def changed(since: Position) -> str | None:
    """The condition that a row may have changed since; None where rows do not tell.

    Row versions carry the number of the transaction that wrote them. It has 32 bits, so one that is older than four
    billion transactions may seem to have changed.
    """
    if since.floor is None:
        return None
    next_ = "(SELECT txid_snapshot_xmax(txid_current_snapshot()))"  # asked once, and not for each row
    number = f"({next_} - (({next_} - xmin::text::bigint) & 4294967295))"
    return f"(xmin::text = '0' OR {number} >= {since.floor})"


def is_settled(session: PostgresSession, since: Position, *others: PostgresSession) -> bool:
    """Whether nobody, ``others`` aside, has been at work since, so that all that was done has been counted."""
    pids = [other.connection.get_backend_pid() for other in others]
    return not session.query(_AT_WORK, (pids, since.moment))[0][0]

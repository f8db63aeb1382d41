"""Which server answers, and how far its log has come: what tells a server that has forgotten what was read from it.

A restored backup and a standby that is promoted too early lack transactions that the copy has. A log never goes back
by itself, not even in a crash, as far as it was on disk; whoever promotes or restores to a point in time begins another
timeline.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

from framework.databases.postgres.source import PostgresSession
from framework.errors import PrivilegeMissing, StatementFailed

# What was read is on disk by then, but for transactions that do not wait for it (`synchronous_commit = off`).
_LOG = """
SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_flush_lsn() END - '0/0'::pg_lsn,
       CASE WHEN NOT pg_is_in_recovery() THEN left(pg_walfile_name(pg_current_wal_lsn()), 8) END
"""
_CONTROL = "SELECT system_identifier::text, timeline_id FROM pg_control_system(), pg_control_checkpoint()"
_CLOCK = "SELECT extract(epoch FROM clock_timestamp())::float8, pg_is_in_recovery()"


@dataclass(frozen=True)
class Origin:
    """A server at a moment; None stands for what the role may not know.

    Attributes:
        clock: the server's, in seconds since 1970.
        standby: whether it replays another's log.
        system: a number that a server shares with its standbys and backups, and with nobody else.
        timeline: grows when a standby is promoted, or a backup restored to a point in time.
        log: bytes of the log that are on disk; on a standby, that were replayed.
        ahead: seconds by which the clock is ahead of the target's, at least.
        blur: seconds by which it may be more.
    """

    clock: float
    standby: bool
    system: str | None = None
    timeline: int | None = None
    log: int | None = None
    ahead: float | None = None
    blur: float = 0.0

    def as_text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Origin:
        """The inverse of `as_text`."""
        return cls(**json.loads(text))


def origin(session: PostgresSession) -> Origin:
    """The server that answers, as it is; outside of a transaction, before the snapshot that is read."""
    clock, standby = session.query(_CLOCK)[0]
    found = Origin(float(clock), bool(standby))
    try:
        log, timeline = session.query(_LOG)[0]
        found = replace(found, log=None if log is None else int(log), timeline=int(timeline, 16) if timeline else None)
        system, checkpointed = session.query(_CONTROL)[0]
        # A standby does not say which timeline it replays; that of its last checkpoint may be an earlier one.
        return replace(found, system=system, timeline=found.timeline or int(checkpointed))
    except (PrivilegeMissing, StatementFailed) as error:
        if error.transient:
            raise
        return found  # a server that keeps these to itself

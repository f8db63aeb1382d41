"""What the parts of a run have done, each written in the transaction of the rows it speaks of.

A part that is tried again, by another process perhaps, finds here that it is done. A journal belongs to the lease's
token: a plan that is made again begins another one, and whoever still works by the old one does not disturb it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from framework.databases.base import PREFIX, Session, Target
from framework.errors import LeaseLost
from framework.events import Stats
from framework.tables import Column, Table
from framework.types import Kind, LogicalType, varchar

PARTS = f"{PREFIX}parts"
MERGE, ATTEMPT, PLANNED = "merge", "attempt", "planned"
LOAD = "load "

TABLE = Table(
    PARTS,
    (
        Column("table_name", varchar(64), nullable=False),
        Column("token", LogicalType(Kind.BIGINT, "bigint"), nullable=False),
        Column("part", varchar(32), nullable=False),
        Column("done", LogicalType(Kind.TEXT, "text"), nullable=False),
    ),
    primary_key=("table_name", "token", "part"),
)


@dataclass(frozen=True)
class Loaded:
    """What one part of a load did.

    Attributes:
        rows: rows read.
        keys: keys that the source has, within the part; None if they were not read.
        watermark: the largest cursor value; None where another part tells it, or there is none.
        replaced: by column, values that something else took the place of.
        rejected: rows that cannot go: of the part where it was read alone, else of the source.
        census: of the source's keys, as text; None where another part tells it, or increments do not compare keys.
        live: rows of the copy that count, before the merge; None if they were not counted.
        looked: whether all keys of the copy were looked at.
        kept: how many of the rows were there already.
        new: rows whose keys the copy lacked; None if they were not counted.
    """

    rows: int
    keys: int | None
    watermark: str | None
    replaced: Mapping[str, int] = field(default_factory=dict)
    rejected: int = 0
    census: str | None = None
    live: int | None = None
    looked: bool = True
    kept: int = 0
    new: int | None = None


@dataclass(frozen=True)
class Merged:
    """What a merge did. ``rows``: how many the copy must have now; None if that is not known."""

    stats: Stats
    rows: int | None


class Journal:
    """The journal of one plan of one table."""

    def __init__(self, target: Target, table: str, token: int) -> None:
        self._name = target.dialect.quote(PARTS)
        self._key = (table, token)

    def begin(self, session: Session) -> None:
        """Begin an empty journal; earlier ones of the table are forgotten."""
        self._forget(session)

    def claim(self, session: Session, number: int) -> None:
        """Reserve a part of the load in the open transaction: who else claims it waits, and fails if this commits.

        Uncommitted, a claim says which session has it.
        """
        self._insert(session, _part(number), {"session": session.tag})

    def end_others(self, session: Session) -> None:
        """End the sessions that load parts by an earlier token: they may be stalled, and would be waited for."""
        found = session.query_uncommitted(
            f"SELECT done FROM {self._name} WHERE table_name = %s AND token < %s AND part LIKE '{LOAD}%%'", self._key
        )
        for (done,) in found:
            if tag := json.loads(done).get("session"):
                session.end(tag)

    def plan(self, session: Session, planned: Mapping[str, Any]) -> None:
        """Write what is planned, for a later run that may go on with it."""
        self._insert(session, PLANNED, dict(planned))

    def plans(self, session: Session) -> dict[int, dict[str, Any]]:
        """What was planned by this token and by earlier ones."""
        found = session.query(
            f"SELECT token, done FROM {self._name} WHERE table_name = %s AND token <= %s AND part = '{PLANNED}'",
            self._key,
        )
        return {int(token): json.loads(done) for token, done in found}

    def all_loaded(self, session: Session, token: int) -> dict[int, Loaded]:
        """What the parts of some token have done."""
        found = session.query(
            f"SELECT part, done FROM {self._name} WHERE table_name = %s AND token = %s AND part LIKE '{LOAD}%%'",
            (self._key[0], token),
        )
        return {int(part.removeprefix(LOAD)): Loaded(**json.loads(done)) for part, done in found}

    def take_over(self, session: Session, planned: Mapping[str, Any], loaded: Mapping[int, Loaded]) -> None:
        """Begin with what an earlier run has done; in a transaction that guards the lease."""
        self._forget(session)
        self.plan(session, planned)
        for number, done in loaded.items():
            self._insert(session, _part(number), asdict(done))

    def note(self, session: Session, number: int, done: Loaded) -> None:
        """Write what a claimed part has done, in the transaction that does it."""
        self._update(session, _part(number), asdict(done))

    def loaded(self, session: Session, number: int) -> Loaded | None:
        """What a part has done, None if it is not done."""
        found = self._done(session, _part(number))
        return Loaded(**found) if found is not None else None

    def attempt(self, session: Session) -> str:
        """Begin an attempt of the merge, in a transaction that guards the lease: earlier attempts may not go on."""
        nonce = secrets.token_hex(4)
        self._delete(session, ATTEMPT)
        self._insert(session, ATTEMPT, {"nonce": nonce})
        return nonce

    def require_attempt(self, session: Session, nonce: str, table: str) -> None:
        """Raises LeaseLost if another attempt has begun; in a transaction that guards the lease."""
        found = self._done(session, ATTEMPT)
        if found is None or found["nonce"] != nonce:
            raise LeaseLost(table)

    def finish(self, session: Session, done: Merged, *, again: bool) -> None:
        """Write what the merge does, in its transaction, which guards the lease; ``again``: it may have done so."""
        if again:
            self._delete(session, MERGE)
        self._insert(session, MERGE, {"stats": done.stats.as_json(), "rows": done.rows})

    def merged(self, session: Session) -> Merged | None:
        """What the merge did, None if it is not done."""
        found = self._done(session, MERGE)
        return Merged(Stats.from_json(found["stats"]), found["rows"]) if found is not None else None

    def _forget(self, session: Session) -> None:
        session.execute(f"DELETE FROM {self._name} WHERE table_name = %s AND token <= %s", self._key)

    def _insert(self, session: Session, part: str, done: dict[str, Any]) -> None:
        session.execute(
            f"INSERT INTO {self._name} (table_name, token, part, done) VALUES (%s, %s, %s, %s)",
            (*self._key, part, json.dumps(done)),
        )

    def _update(self, session: Session, part: str, done: dict[str, Any]) -> None:
        session.execute(
            f"UPDATE {self._name} SET done = %s WHERE table_name = %s AND token = %s AND part = %s",
            (json.dumps(done), *self._key, part),
        )

    def _delete(self, session: Session, part: str) -> None:
        session.execute(
            f"DELETE FROM {self._name} WHERE table_name = %s AND token = %s AND part = %s", (*self._key, part)
        )

    def _done(self, session: Session, part: str) -> dict[str, Any] | None:
        found = session.query(
            f"SELECT done FROM {self._name} WHERE table_name = %s AND token = %s AND part = %s", (*self._key, part)
        )
        return dict(json.loads(found[0][0])) if found else None


def _part(number: int) -> str:
    return f"{LOAD}{number}"

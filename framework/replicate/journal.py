"""What the parts of a run have done, each written in the transaction of the rows it speaks of.

A part that is tried again, by another process perhaps, finds here that it is done. The journal of a table is that of
its last run: the next one clears it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from framework.databases.base import PREFIX, Session, Target
from framework.events import Stats
from framework.tables import Column, Table
from framework.types import Kind, LogicalType, varchar

PARTS = f"{PREFIX}parts"
MERGE = "merge"

TABLE = Table(
    PARTS,
    (
        Column("table_name", varchar(64), nullable=False),
        Column("run_id", varchar(128), nullable=False),
        Column("part", varchar(32), nullable=False),
        Column("done", LogicalType(Kind.TEXT, "text"), nullable=False),
    ),
    primary_key=("table_name", "run_id", "part"),
)


@dataclass(frozen=True)
class Loaded:
    """What one part of a load did.

    Attributes:
        rows: rows read.
        keys: keys that the source has, within the part; None if they were not read.
        watermark: the largest cursor value; None where another part tells it, or there is none.
    """

    rows: int
    keys: int | None
    watermark: str | None


@dataclass(frozen=True)
class Merged:
    """What a merge did. ``rows``: how many the copy must have now; None if that is not known."""

    stats: Stats
    rows: int | None


class Journal:
    """The journal of one run of one table."""

    def __init__(self, target: Target, table: str, run_id: str) -> None:
        self._name = target.dialect.quote(PARTS)
        self._run = (table, run_id)

    def begin(self, session: Session) -> None:
        """Make an empty journal; those of the table's earlier runs are forgotten."""
        session.create_table(TABLE, if_missing=True)
        session.execute(f"DELETE FROM {self._name} WHERE table_name = %s", self._run[:1])

    def claim(self, session: Session, number: int) -> None:
        """Reserve a part of the load in the open transaction: who else claims it waits, and fails if this commits."""
        self._insert(session, _part(number), {})

    def note(self, session: Session, number: int, done: Loaded) -> None:
        """Write what a claimed part has done, in the transaction that does it."""
        session.execute(
            f"UPDATE {self._name} SET done = %s WHERE table_name = %s AND run_id = %s AND part = %s",
            (json.dumps(asdict(done)), *self._run, _part(number)),
        )

    def loaded(self, session: Session, number: int) -> Loaded | None:
        """What a part has done, None if it is not done."""
        found = self._done(session, _part(number))
        return Loaded(**found) if found is not None else None

    def finish(self, session: Session, done: Merged) -> None:
        """Write what the merge does, in its transaction; fails if another process of this run has done it."""
        self._insert(session, MERGE, {"stats": done.stats.as_json(), "rows": done.rows})

    def merged(self, session: Session) -> Merged | None:
        """What the merge did, None if it is not done."""
        found = self._done(session, MERGE)
        return Merged(Stats.from_json(found["stats"]), found["rows"]) if found is not None else None

    def unfinish(self, session: Session) -> None:
        """Take back what was noted of a merge whose work never became visible."""
        session.execute(
            f"DELETE FROM {self._name} WHERE table_name = %s AND run_id = %s AND part = %s", (*self._run, MERGE)
        )

    def _insert(self, session: Session, part: str, done: dict[str, Any]) -> None:
        session.execute(
            f"INSERT INTO {self._name} (table_name, run_id, part, done) VALUES (%s, %s, %s, %s)",
            (*self._run, part, json.dumps(done)),
        )

    def _done(self, session: Session, part: str) -> dict[str, Any] | None:
        found = session.query(
            f"SELECT done FROM {self._name} WHERE table_name = %s AND run_id = %s AND part = %s", (*self._run, part)
        )
        return dict(json.loads(found[0][0])) if found else None


def _part(number: int) -> str:
    return f"load {number}"

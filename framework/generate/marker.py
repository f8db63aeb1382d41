"""The table in the source that says which tables were filled, by which rules, and how far their ticks have come.

A table that has rows and no mark here belongs to somebody else.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum

from framework.databases.postgres.source import PostgresSession
from framework.errors import BookkeepingNewer, LeaseHeld, StatementFailed
from framework.events import Reporter
from framework.spec.entities import GenerateTask

TABLE = "_vitrina_fills"

CREATE = """
CREATE TABLE IF NOT EXISTS public._vitrina_fills (
    schema_name text NOT NULL,
    table_name text NOT NULL,
    pipeline text NOT NULL,
    state text NOT NULL,
    made_table boolean NOT NULL,
    fingerprint text NOT NULL,
    rows bigint NOT NULL,
    next_row bigint NOT NULL,
    ticks bigint NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (schema_name, table_name)
)
"""
WRITE = """
INSERT INTO public._vitrina_fills
    (schema_name, table_name, pipeline, state, made_table, fingerprint, rows, next_row, ticks, changed_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, now())
ON CONFLICT (schema_name, table_name) DO UPDATE SET
    pipeline = excluded.pipeline, state = excluded.state, made_table = excluded.made_table,
    fingerprint = excluded.fingerprint, rows = excluded.rows, next_row = excluded.next_row, ticks = excluded.ticks,
    changed_at = now()
"""
READ = """
SELECT schema_name, table_name, pipeline, state, made_table, fingerprint, rows, next_row, ticks
FROM public._vitrina_fills
"""

LAYOUT = "vitrina fills "
"""Begins the table's comment, in front of the version of its columns; a table without one is of version 1."""

LAYOUT_VERSION = 1

RULES_VERSION = 2
"""Grows when the same rules would make other values than before."""

PATIENCE = 10
"""Seconds to wait for another fill or tick: one that was killed is gone by then."""

# Any number that nobody else uses: "vitrina" in ASCII.
_LOCK = 0x76697472696E61


class State(str, Enum):
    """How far a fill has come."""

    FILLING = "filling"
    """Its rows, if any, are to be thrown away."""
    LOADED = "loaded"
    """All rows and indexes are there; foreign keys may be missing."""
    COMPLETE = "complete"


@dataclass(frozen=True)
class Mark:
    """What is known of one filled table.

    Attributes:
        made_table: Vitrina created the table, and may drop it.
        fingerprint: of the rules the rows were made with.
        rows: the rows of the fill.
        next_row: the number of the next row a tick inserts.
        ticks: the number of the last tick.
    """

    schema: str
    table: str
    pipeline: str
    state: State
    made_table: bool
    fingerprint: str
    rows: int
    next_row: int
    ticks: int = 0


Marks = Mapping[tuple[str, str], Mark]
"""Marks by schema and table."""


def read(session: PostgresSession) -> Marks:
    """All marks; none where nothing was ever filled. Raises BookkeepingNewer."""
    found = session.query("SELECT t, obj_description(t) FROM to_regclass('public._vitrina_fills') AS t")
    if found[0][0] is None:
        return {}
    layout = str(found[0][1] or "").removeprefix(LAYOUT)
    if layout.isdigit() and int(layout) > LAYOUT_VERSION:
        raise BookkeepingNewer(session.name, int(layout), LAYOUT_VERSION)
    marks = (
        Mark(schema, table, pipeline, State(state), made, fingerprint, rows, next_row, ticks)
        for schema, table, pipeline, state, made, fingerprint, rows, next_row, ticks in session.query(READ)
    )
    return {(mark.schema, mark.table): mark for mark in marks}


def write(session: PostgresSession, mark: Mark) -> None:
    """Set the mark of a table."""
    values = (mark.schema, mark.table, mark.pipeline, mark.state.value, mark.made_table)
    session.execute(WRITE, (*values, mark.fingerprint, mark.rows, mark.next_row, mark.ticks))


@contextmanager
def exclusive(session: PostgresSession, reporter: Reporter) -> Iterator[None]:
    """Keep other fills and ticks of this database out. Raises LeaseHeld if there is one that does not end soon."""
    # The server gives back the lock of a process that was killed, when it notices; amid a statement it looks only if
    # it is told to, and not on every system.
    with suppress(StatementFailed):
        session.execute("SET client_connection_check_interval = '1s'")
    deadline, told = time.monotonic() + PATIENCE, False
    while not session.query("SELECT pg_try_advisory_lock(%s)", (_LOCK,))[0][0]:
        if time.monotonic() > deadline:
            raise LeaseHeld(session.name, "of another `vitrina generate`")
        if not told:
            reporter.notice("another `vitrina generate` is at work here, or was until now: waiting for it to end")
            told = True
        time.sleep(PATIENCE / 100)
    try:
        yield
    finally:
        if not session.connection.closed:
            session.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))


def fingerprint(task: GenerateTask, entity: str) -> str:
    """A hash of all that the rows of a table follow from, except the tables it refers to."""
    rules = task.entities[entity].model_dump(mode="json", by_alias=True, exclude={"changes", "description"})
    text = json.dumps([RULES_VERSION, task.seed, task.now, task.locale, rules], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]

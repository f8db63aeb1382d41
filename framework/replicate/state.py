"""What the target remembers of a replicated table: how it was filled, and up to where.

A table's marker (its comment) names its generation, and state is kept by generation: the statement that makes a fresh
table visible also makes its state the current one. Increments write state in the transaction of their merge.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

from framework import bookkeeping
from framework.databases.base import PREFIX, Session, Target
from framework.databases.postgres.origin import Origin
from framework.errors import ForeignTable, OwnedElsewhere
from framework.replicate.schema.structure import Structure
from framework.tables import Column, Table
from framework.types import Kind, LogicalType, varchar

STATE = f"{PREFIX}state"
MARK = "vitrina:"
"""Markers of replicated tables: this, the generation (it begins with the lease's token), and the table's name."""

_LATER = ("mapping", "position", "pipeline", "origin", "census")
"""Columns that the tables of older Vitrinas lack."""

LOOKS, PAUSE = 20, 0.1
"""How often a table that should be there is looked for, and the seconds between."""

TABLE = Table(
    STATE,
    (
        Column("table_name", varchar(64), nullable=False),
        Column("generation", varchar(32), nullable=False),
        Column("fingerprint", varchar(64), nullable=False),
        Column("bound", varchar(255)),
        Column("watermark", varchar(255)),
        Column("run_id", varchar(128), nullable=False),
        Column("loaded_at", LogicalType(Kind.TIMESTAMP, "timestamp"), nullable=False),
        Column("mapping", LogicalType(Kind.TEXT, "text")),
        Column("position", LogicalType(Kind.TEXT, "text")),
        Column("pipeline", varchar(64)),
        Column("origin", LogicalType(Kind.TEXT, "text")),
        Column("census", LogicalType(Kind.TEXT, "text")),
    ),
    primary_key=("table_name", "generation"),
)


@dataclass(frozen=True)
class State:
    """How far a copy has come.

    Attributes:
        generation: which filling of the table it speaks of.
        fingerprint: of the mapping the copy was made with.
        bound: the next increment reads from here (less the lookback): the horizon of the last read, or the largest
            cursor value where the cursor is no timestamptz.
        watermark: the largest cursor value seen, for people.
        structure: what the copy is made of; None if an older Vitrina wrote the state.
        position: where the source was when the copy was brought to its present, as text; None if it is not known.
        pipeline: whose copy it is; empty if that is not known.
        origin: the server that it was read from; None if it is not known.
        census: of the keys that the copy has, as text; None if it is not known.
    """

    generation: str
    fingerprint: str
    bound: str | None
    watermark: str | None
    structure: Structure | None = None
    position: str | None = None
    pipeline: str = ""
    origin: Origin | None = None
    census: str | None = None


def new_generation(token: int) -> str:
    """A name no other filling has; ``token`` is that of the lease."""
    return f"{token}.{secrets.token_hex(6)}"


def renewed(generation: str, token: int) -> str:
    """The same filling in the hands of another holder of the lease."""
    return f"{token}.{filling(generation)}"


def filling(generation: str) -> str:
    """What stays of a generation's name whoever goes on with the filling."""
    return generation.partition(".")[2]


def marker(generation: str, table: str) -> str:
    """The marker of a filling of ``table``."""
    return f"{MARK}{generation} of {table}"


def ensure(session: Session, target: Target) -> None:
    """Create the table of states if it is missing. Raises BookkeepingNewer."""
    bookkeeping.ensure(session, target, TABLE)


def current(session: Session, target: Target, table: str) -> State | None:
    """The state of the visible copy; None if there is no copy.

    Raises:
        ForeignTable: there is a table or view of that name that Vitrina did not make.
    """
    found = _current(session, target, table)
    for _ in range(LOOKS):
        if found is None or found.fingerprint:
            break
        # Who only reads may have seen the marker of a copy that was exchanged, and its state forgotten, since.
        before, found = found, _current(session, target, table)
        if found == before:
            break
    return found


def _current(session: Session, target: Target, table: str) -> State | None:
    relation, mark = _seen(session, target, table)
    if relation is None:
        return None
    if relation == "view" or not mark.startswith(MARK):
        raise ForeignTable(table, target.name, "drop or rename it, or replicate under another name")
    generation = mark.removeprefix(MARK).partition(" ")[0]
    quote = target.dialect.quote
    # Who only reads may meet the table of an older Vitrina.
    present = _LATER if bookkeeping.is_ensured(target, STATE) else session.columns(STATE)
    texts = ", ".join(quote(name) if name in present else "NULL" for name in _LATER)
    found = session.query(
        f"SELECT fingerprint, bound, watermark, {texts} FROM {quote(STATE)} WHERE table_name = %s AND generation = %s",
        (table, generation),
    )
    if not found:
        # A copy without state (somebody emptied the table of states) can only be filled anew.
        return State(generation, "", None, None)
    fingerprint, bound, watermark, structure, position, pipeline, origin, counted = found[0]
    return State(
        generation,
        fingerprint,
        bound,
        watermark,
        Structure.from_text(structure) if structure else None,
        position,
        pipeline or "",
        Origin.from_text(origin) if origin else None,
        counted,
    )


def require_owner(last: State | None, table: str, pipeline: str) -> None:
    """Raises OwnedElsewhere if the copy is another pipeline's: two of them would undo each other's work."""
    if last is not None and last.pipeline and pipeline and last.pipeline != pipeline:
        raise OwnedElsewhere(table, last.pipeline, pipeline)


def _seen(session: Session, target: Target, table: str) -> tuple[str | None, str]:
    """What has the table's name, and its marker.

    While a table is altered, MariaDB may not show it for a moment: a copy that has a state is looked for again.
    """
    for _ in range(LOOKS):
        if (found := session.described(table)) is not None:
            return found
        name = target.dialect.quote(STATE)
        # Who only reads may come before the first run.
        known = bookkeeping.is_ensured(target, STATE) or session.columns(STATE)
        if not known or not session.query(f"SELECT 1 FROM {name} WHERE table_name = %s", (table,)):
            break
        time.sleep(PAUSE)
    return None, ""


def write(session: Session, target: Target, table: str, state: State, run_id: str, *, alone: bool = False) -> None:
    """Remember ``state``; belongs into the transaction of the rows it speaks of. ``alone``: there is no other copy."""
    quote, clock = target.dialect.quote, target.dialect.utc_now
    name, later = quote(STATE), ", ".join(map(quote, _LATER))
    own = (table,) if alone else (table, state.generation)
    session.execute(f"DELETE FROM {name} WHERE table_name = %s{'' if alone else ' AND generation = %s'}", own)
    session.execute(
        f"INSERT INTO {name} (table_name, generation, fingerprint, bound, watermark, run_id, loaded_at, "
        f"{later}) VALUES (%s, %s, %s, %s, %s, %s, {clock}, %s, %s, %s, %s, %s)",
        (
            table,
            state.generation,
            state.fingerprint,
            state.bound,
            state.watermark,
            run_id,
            state.structure.as_text() if state.structure is not None else None,
            state.position,
            state.pipeline or None,
            state.origin.as_text() if state.origin is not None else None,
            state.census,
        ),
    )


def forget_others(session: Session, target: Target, table: str, generation: str) -> None:
    """Delete the states of fillings that are not visible any more."""
    name = target.dialect.quote(STATE)
    session.execute(f"DELETE FROM {name} WHERE table_name = %s AND generation <> %s", (table, generation))

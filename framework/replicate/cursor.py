"""Cursors: which rows an increment must read so that none is missed.

With a ``timestamptz`` cursor the bound is a horizon: the start of the oldest transaction that was still open when the
last run began to read. Whoever commits later, with whatever cursor value drawn in his transaction, is at or above it.
With other cursors the bound is the largest value seen, and rows that commit late with smaller values are met only by
the lookback.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from framework import units
from framework.databases.postgres.names import literal, quote
from framework.databases.postgres.snapshot import Horizon
from framework.databases.postgres.source import PostgresSession
from framework.replicate.mapping import Mapping
from framework.spec.replication import LOOKBACK
from framework.types import INTEGER_KINDS, Kind

TIME_KINDS = frozenset({Kind.TIMESTAMPTZ, Kind.TIMESTAMP, Kind.DATE})
ENDLESS_NUMBERS = frozenset({Kind.REAL, Kind.DOUBLE, Kind.NUMERIC})
NUMBER_KINDS = ENDLESS_NUMBERS | INTEGER_KINDS
_SMALLEST = {Kind.SMALLINT: -(2**15), Kind.INTEGER: -(2**31), Kind.BIGINT: -(2**63)}

LONG = 300.0
"""Seconds after which an open transaction is said to hold the bound back."""

STANDING = 60.0
"""The same, where the bound is the one of the last run."""


def largest(mapping: Mapping, session: PostgresSession, bound: str | None = None) -> str | None:
    """The largest finite cursor value, among the rows from ``bound`` on, as text (UTC)."""
    if mapping.cursor is None or mapping.task.mode != "incremental":
        return None
    conditions = " AND ".join(filter(None, (_newer(mapping, bound), _finite(mapping))))
    column = quote(mapping.cursor.name)
    # By the index, if there is one. Without statistics of the newest rows, the planner may have max() read all of them.
    known = " AND ".join(filter(None, (conditions, f"{column} IS NOT NULL")))
    values = f"SELECT {column} AS v FROM {mapping.origin}{mapping.filter(known)} ORDER BY 1 DESC LIMIT 1"
    found = session.query(f"SELECT v::text FROM ({values}) AS q")
    return str(found[0][0]) if found else None


def _newer(mapping: Mapping, bound: str | None) -> str:
    assert mapping.cursor is not None
    if bound is None:
        return ""
    start = f"{literal(bound)}::{mapping.cursor.type.name}"
    lookback = _lookback(mapping)
    if isinstance(lookback, str):
        seconds = units.duration(lookback).total_seconds()
        start = f"{start} - {literal(f'{seconds} seconds')}::interval"
    elif lookback:
        kind = mapping.cursor.type.kind
        if kind in INTEGER_KINDS:
            start = f"greatest({start}::numeric - {lookback}, {_SMALLEST[kind]})::{mapping.cursor.type.name}"
        else:
            # Without the column's precision, which the difference may exceed.
            start = f"{literal(bound)}::{'numeric' if kind is Kind.NUMERIC else 'float8'} - {lookback}"
    return f"{quote(mapping.cursor.name)} >= {start}"


def _lookback(mapping: Mapping) -> str | int | None:
    """How far behind the bound is read: a time, or a number; None where the cursor's type knows no distance.

    A lookback of the other kind is that of `defaults`, and means other tables.
    """
    assert mapping.cursor is not None
    kind, said = mapping.cursor.type.kind, mapping.task.lookback
    if kind in TIME_KINDS:
        return said if isinstance(said, str) else LOOKBACK
    return (said if isinstance(said, int) else 0) if kind in NUMBER_KINDS else None


def _finite(mapping: Mapping) -> str:
    """The condition that a cursor value can be a bound: an infinite one, or NaN, would swallow all that follows."""
    assert mapping.cursor is not None
    column, kind = quote(mapping.cursor.name), mapping.cursor.type.kind
    if kind in TIME_KINDS:
        return f"isfinite({column})"
    return f"{column}::text NOT IN ('NaN', 'Infinity', '-Infinity')" if kind in ENDLESS_NUMBERS else ""


def _least(mapping: Mapping) -> str:
    """The condition of the one value that is never above a bound; the other endless ones, NaN among them, always are.

    An equality, so that the cursor's index serves it.
    """
    assert mapping.cursor is not None
    column, kind = quote(mapping.cursor.name), mapping.cursor.type.kind
    if kind is Kind.NUMERIC:
        return f"{column}::text = '-Infinity'"  # before PostgreSQL 14, numeric has no such value to compare with
    return f"{column} = '-infinity'" if kind in TIME_KINDS or kind in ENDLESS_NUMBERS else ""


def next_bound(mapping: Mapping, seen: Horizon, watermark: str | None, last: str | None) -> str | None:
    """Where the next increment begins; an empty read leaves a bound of values where it was.

    A prepared transaction began at a time that nobody knows: while there is one, the bound stays where it is.
    """
    if mapping.cursor is None or mapping.task.mode != "incremental":
        return None
    if mapping.cursor.type.kind is Kind.TIMESTAMPTZ:
        return last if seen.prepared or seen.moment is None else f"{seen.moment}+00"
    return watermark if watermark is not None else last


def since(mapping: Mapping, bound: str | None, backfill: Collection[str] = ()) -> str:
    """The condition of the rows that an increment reads; rows without a finite cursor value are always read.

    So is what has a value in one of the columns ``backfill``, which the copy has not had.
    """
    assert mapping.cursor is not None
    if bound is None:
        return ""
    without = f"{quote(mapping.cursor.name)} IS NULL" if mapping.cursor.nullable else ""
    valued = (f"({column.expression}) IS NOT NULL" for column in mapping.columns if column.name in backfill)
    return " OR ".join(filter(None, (_newer(mapping, bound), _least(mapping), without, *valued)))


def is_timely(mapping: Mapping, seen: Horizon) -> bool:
    """Whether all that changes from now on can be read from the horizon ``seen``."""
    return mapping.cursor is not None and mapping.task.mode == "incremental" and doubts(mapping, seen) is None


def sentences(mapping: Mapping, seen: Horizon, bound: str | None) -> Iterator[str]:
    """What the user should know before an increment from ``bound`` is read."""
    if doubt := doubts(mapping, seen):
        yield doubt
    if mapping.cursor is not None and mapping.cursor.type.kind is Kind.TIMESTAMPTZ:
        yield from held_back(seen, bound)


def held_back(seen: Horizon, bound: str | None = None) -> Iterator[str]:
    """Who keeps the next bound back, and is read again and again because of that; that of a prepared one is a doubt."""
    stands = bound is not None and seen.moment is not None and f"{seen.moment}+00" <= bound
    if seen.held_by and seen.held_for is not None and seen.held_for >= (STANDING if stands else LONG):
        yield f"increments read from {seen.moment} UTC on until a transaction ends: {seen.held_by}"


def doubts(mapping: Mapping, seen: Horizon) -> str | None:
    """Why a row that commits late could be missed, in a sentence; None if it cannot."""
    assert mapping.cursor is not None
    lookback = _lookback(mapping)
    within = f"met only within the lookback of {lookback}" if lookback else "missed"
    if mapping.cursor.type.kind is not Kind.TIMESTAMPTZ:
        advice = "" if lookback or lookback is None else "; give the table a `lookback`, in the cursor's own unit"
        return (
            f"cursor {mapping.cursor.name} is of type {mapping.cursor.type}: rows that are committed late with smaller "
            f"values are {within}{advice}"
        )
    if seen.prepared:
        return (
            f"{seen.prepared} prepared transaction{'s are' if seen.prepared > 1 else ' is'} open: until they end, each "
            f"run reads from the same bound; the oldest: {seen.held_by}"
        )
    if seen.subscriptions:
        return (
            f"rows come from another server by subscription {seen.subscriptions}, with the values of its clock: those "
            f"that are late are {within}"
        )
    if seen.standby:
        return (
            "the source is a standby, where the primary's open transactions cannot be seen: rows that are committed "
            f"late are {within}; read from the primary, or let `lookback` be longer than the longest transaction"
        )
    if not seen.exact:
        return (
            f"open transactions of other roles cannot be seen, so rows that are committed late are {within}; GRANT "
            "pg_read_all_stats to the source role"
        )
    return None

"""Cursors: which rows an increment must read so that none is missed.

With a ``timestamptz`` cursor the bound is a horizon: the start of the oldest transaction that was still open when the
last run began to read. Whoever commits later, with whatever cursor value drawn in his transaction, is at or above it.
With other cursors the bound is the largest value seen, and rows that commit late with smaller values are met only by
the lookback.
"""

from __future__ import annotations

from collections.abc import Collection

from framework import units
from framework.databases.postgres.names import literal, quote
from framework.databases.postgres.snapshot import Horizon
from framework.databases.postgres.source import PostgresSession
from framework.replicate.mapping import Mapping
from framework.types import Kind

TIME_KINDS = frozenset({Kind.TIMESTAMPTZ, Kind.TIMESTAMP, Kind.DATE})
ENDLESS_NUMBERS = frozenset({Kind.REAL, Kind.DOUBLE, Kind.NUMERIC})


def largest(mapping: Mapping, session: PostgresSession, bound: str | None = None) -> str | None:
    """The largest finite cursor value, among the rows from ``bound`` on, as text (UTC)."""
    if mapping.cursor is None or mapping.task.mode != "incremental":
        return None
    conditions = " AND ".join(filter(None, (_newer(mapping, bound), _finite(mapping))))
    column = quote(mapping.cursor.name)
    value = session.query(f"SELECT max({column})::text FROM {mapping.origin}{mapping.filter(conditions)}")[0][0]
    return None if value is None else str(value)


def _newer(mapping: Mapping, bound: str | None) -> str:
    assert mapping.cursor is not None
    if bound is None:
        return ""
    start = f"{literal(bound)}::{mapping.cursor.type.name}"
    if mapping.cursor.type.kind in TIME_KINDS:
        seconds = units.duration(mapping.task.lookback).total_seconds()
        start = f"{start} - {literal(f'{seconds} seconds')}::interval"
    return f"{quote(mapping.cursor.name)} >= {start}"


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
        return last if seen.prepared else f"{seen.moment}+00"
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


def doubts(mapping: Mapping, seen: Horizon) -> str | None:
    """Why a row that commits late could be missed, in a sentence; None if it cannot."""
    assert mapping.cursor is not None
    if mapping.cursor.type.kind is not Kind.TIMESTAMPTZ:
        beyond = f" beyond the lookback of {mapping.task.lookback}" if mapping.cursor.type.kind in TIME_KINDS else ""
        return (
            f"cursor {mapping.cursor.name} is of type {mapping.cursor.type}: rows that are committed late with smaller "
            f"values{beyond} are missed"
        )
    if seen.prepared:
        return f"{seen.prepared} prepared transactions are open: until they end, each run reads from the same bound"
    if not seen.exact:
        return (
            "open transactions of other roles cannot be seen, so late commits are met only within the lookback of "
            f"{mapping.task.lookback}; GRANT pg_read_all_stats to the source role (on a primary)"
        )
    return None

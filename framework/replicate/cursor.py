"""Cursors: which rows an increment must read so that none is missed.

With a ``timestamptz`` cursor the bound is a horizon: the start of the oldest transaction that was still open when the
last run began to read. Whoever commits later, with whatever cursor value drawn in his transaction, is at or above it.
With other cursors the bound is the largest value seen, and rows that commit late with smaller values are met only by
the lookback.
"""

from __future__ import annotations

from framework import units
from framework.databases.postgres.snapshot import Horizon
from framework.databases.postgres.source import PostgresSession, literal, quote
from framework.replicate.mapping import Mapping
from framework.types import Kind

TIME_KINDS = frozenset({Kind.TIMESTAMPTZ, Kind.TIMESTAMP, Kind.DATE})


def largest(mapping: Mapping, session: PostgresSession, condition: str = "") -> str | None:
    """The largest cursor value among the rows for which ``condition`` holds, as text (UTC)."""
    if mapping.cursor is None or mapping.task.mode != "incremental":
        return None
    column = quote(mapping.cursor.name)
    value = session.query(f"SELECT max({column})::text FROM {mapping.origin}{mapping.filter(condition)}")[0][0]
    return None if value is None else str(value)


def next_bound(mapping: Mapping, seen: Horizon, watermark: str | None, last: str | None) -> str | None:
    """Where the next increment begins; an empty read leaves a bound of values where it was."""
    if mapping.cursor is None or mapping.task.mode != "incremental":
        return None
    if mapping.cursor.type.kind is Kind.TIMESTAMPTZ:
        return f"{seen.moment}+00"
    return watermark if watermark is not None else last


def since(mapping: Mapping, bound: str | None) -> str:
    """The condition of the rows that an increment reads; rows without a cursor value are always read."""
    assert mapping.cursor is not None
    if bound is None:
        return ""
    column, kind = quote(mapping.cursor.name), mapping.cursor.type.kind
    start = f"{literal(bound)}::{mapping.cursor.type.name}"
    if kind in TIME_KINDS:
        seconds = units.duration(mapping.task.lookback).total_seconds()
        start = f"{start} - {literal(f'{seconds} seconds')}::interval"
    newer = f"{column} >= {start}"
    return f"{newer} OR {column} IS NULL" if mapping.cursor.nullable else newer


def doubts(mapping: Mapping, seen: Horizon) -> str | None:
    """Why a row that commits late could be missed, in a sentence; None if it cannot."""
    assert mapping.cursor is not None
    if mapping.cursor.type.kind is not Kind.TIMESTAMPTZ:
        return (
            f"cursor {mapping.cursor.name} is of type {mapping.cursor.type}: rows that are committed late are met only "
            f"within the lookback of {mapping.task.lookback}"
        )
    if not seen.exact:
        return (
            "open transactions of other roles cannot be seen, so late commits are met only within the lookback of "
            f"{mapping.task.lookback}; GRANT pg_read_all_stats to the source role (on a primary)"
        )
    return None

"""Splitting a table into key ranges that are copied at once."""

from __future__ import annotations

from framework.databases.postgres.source import PostgresSession, quote
from framework.replicate.mapping import Mapping
from framework.types import INTEGER_KINDS

WORTH_SPLITTING = 200_000
"""Rows (estimated by the server) below which one stream is as quick."""

ESTIMATE = "SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = %s::regclass"


def estimated_rows(session: PostgresSession, mapping: Mapping) -> int:
    """How many rows the server believes the source table has; 0 if it was never analysed."""
    return int(session.query(ESTIMATE, (mapping.origin,))[0][0])


def conditions(session: PostgresSession, mapping: Mapping, streams: int) -> list[str]:
    """Conditions that split the rows into at most ``streams`` parts; one empty condition where that is not worth it."""
    column = _integer_key(mapping)
    if column is None or streams < 2 or estimated_rows(session, mapping) < WORTH_SPLITTING:
        return [""]
    low, high = session.query(f"SELECT min({column}), max({column}) FROM {mapping.origin}")[0]
    if low is None or high - low < streams:
        return [""]
    bounds = [low + (high - low) * part // streams for part in range(1, streams)]
    lower = ["", *(f"{column} >= {bound}" for bound in bounds)]
    upper = [*(f"{column} < {bound}" for bound in bounds), ""]
    return [" AND ".join(filter(None, pair)) for pair in zip(lower, upper, strict=True)]


def _integer_key(mapping: Mapping) -> str | None:
    if len(mapping.key) != 1:
        return None
    origin = next(column.origin for column in mapping.columns if column.name == mapping.key[0])
    column = mapping.source.column(origin) if origin else None
    if column is None or column.type.kind not in INTEGER_KINDS or column.nullable:
        return None
    return quote(column.name)

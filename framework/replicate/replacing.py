"""Values that the target has no place for and the settings replace: they are counted, and told."""

from __future__ import annotations

from collections import Counter as Amounts
from collections.abc import Iterable, Mapping

from framework.databases.postgres.source import PostgresSession
from framework.replicate.mapping import Mapping as TableMapping
from framework.replicate.mapping import Selected

Replaced = Mapping[str, int]
"""By column, how many values."""

_TAKES = {"null": "NULL takes their place", "clamp": "the nearest value takes their place"}


def count(session: PostgresSession, mapping: TableMapping, condition: str) -> dict[str, int]:
    """How many values of the rows for which ``condition`` holds are replaced; columns without any are left out."""
    columns = [column for column in mapping.columns if column.replaced is not None]
    if not columns:
        return {}
    counts = ", ".join(f"count(*) FILTER (WHERE {column.replaced})" for column in columns)
    found = session.query(f"SELECT {counts} FROM {mapping.origin}{mapping.filter(condition)}")[0]
    return {column.name: int(number) for column, number in zip(columns, found, strict=True) if number}


def added(parts: Iterable[Replaced]) -> dict[str, int]:
    """The numbers of several reads, added up."""
    total: Amounts[str] = Amounts()
    for part in parts:
        total.update(part)
    return dict(total)


def sentences(mapping: TableMapping, replaced: Replaced) -> tuple[str, ...]:
    """What is told of it, a sentence a column."""
    return tuple(_sentence(column, replaced[column.name]) for column in mapping.columns if column.name in replaced)


def _sentence(column: Selected, number: int) -> str:
    values, have = ("value", "has") if number == 1 else ("values", "have")
    return f"{number} {values} of {column.name} {have} no place in the target: {_TAKES[column.policy]}"

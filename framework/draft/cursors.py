"""Which column may tell what changed. It is proposed and never used: what does not maintain it would be missed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from framework.databases.postgres.names import qualified, quote
from framework.draft.survey import Relation
from framework.draft.types import Declared
from framework.draft.words import CHANGED, says
from framework.types import Kind

_KINDS = (Kind.TIMESTAMPTZ, Kind.TIMESTAMP)


@dataclass(frozen=True)
class Cursor:
    """A column that a change of a row seems to set.

    Attributes:
        trigger: a trigger of the table that speaks of it; empty if none does.
        indexed: whether an index begins with it.
    """

    column: str
    type: Declared
    trigger: str
    indexed: bool

    def reasons(self, relation: Relation) -> Iterator[str]:
        """What speaks for it, and what is to be checked."""
        known = f"{self.type.text}, NOT NULL{', indexed' if self.indexed else ''}"
        if self.trigger:
            yield f"{self.column} ({known}) may tell what changed: the trigger {self.trigger} speaks of it."
        else:
            yield f"{self.column} ({known}) may tell what changed; no trigger sets it: see that all changes do."
        if not self.indexed:
            made = f"CREATE INDEX CONCURRENTLY ON {qualified(relation.schema, relation.name)} ({quote(self.column)})"
            yield f"It has no index, so every run would read all rows: {made}."
        if self.type.type.kind is Kind.TIMESTAMP:
            yield "It has no time zone: rows that are committed late are met by `lookback:` alone."


def cursor(relation: Relation, types: dict[str, Declared], key: tuple[str, ...]) -> Cursor | None:
    """The column that deserves it most; None where none does, or nothing tells the rows apart."""
    if not key or not relation.stores:
        return None
    found = [
        Cursor(column.name, types[column.name], _trigger(relation, column.name), _is_indexed(relation, column.name))
        for column in relation.columns
        if types[column.name].type.kind in _KINDS and column.not_null and says(column.name, CHANGED)
    ]
    return max(found, key=_merit, default=None)


def _merit(candidate: Cursor) -> tuple[bool, bool, bool]:
    return bool(candidate.trigger), candidate.indexed, candidate.type.type.kind is Kind.TIMESTAMPTZ


def _trigger(relation: Relation, column: str) -> str:
    word = re.compile(rf"(?<!\w){re.escape(column)}(?!\w)", re.IGNORECASE)
    return next((each.name for each in relation.triggers if each.before_update and word.search(each.text)), "")


def _is_indexed(relation: Relation, column: str) -> bool:
    return any(index.plain[:1] == (column,) and index.method == "btree" for index in relation.indexes)

"""Rows that stand in the database, found by their numbers: their keys are computed, and the table is not scanned.

It works for tables whose rows are still those of their rules, where the wanted columns follow from the row's number
alone (sequence, uuid, pattern, ...). Rows that others inserted are never found; rows that are gone are found missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from framework.databases.postgres.names import qualified, quote
from framework.databases.postgres.source import PostgresSession, Row
from framework.generate.columns.streams import Rows
from framework.generate.rules.batch import Drawn, Recomputed, TableRules
from framework.generate.ticks.literals import unnested

_UNSAID = frozenset({"real", "double precision"})
"""Types whose values have no exact text here."""


@dataclass(frozen=True)
class Addressed:
    """A table whose rows have numbers from 0 to ``next_row`` - 1, some of them perhaps gone."""

    rules: TableRules
    next_row: int

    def can_compute(self, columns: Sequence[str]) -> bool:
        """Whether the columns follow from the number, and no update has changed them."""
        changes = self.rules.entity.changes
        changed = {*changes.update.redraw, *changes.update.set} if changes and changes.update else set[str]()
        return (
            bool(columns)
            and self.next_row > 0
            and all(
                name in self.rules.rules
                and not self.rules.rules[name].reads
                and not self.rules.rules[name].parent_reads
                and not self.rules.entity.columns[name].may_be_null
                and name not in changed
                and self.rules.type_of(name).name not in _UNSAID
                for name in columns
            )
        )

    def literals(self, columns: Sequence[str], rows: Rows) -> str:
        """A table expression ``unnest(...)`` of the columns of these rows."""
        batch = Drawn(self.rules, rows, Recomputed({}, _Nobody()))
        made = unnested([self.rules.type_of(name) for name in columns], [batch.column(name) for name in columns])
        assert made is not None
        return made

    def found(
        self, session: PostgresSession, columns: Sequence[str], rows: Rows, condition: str, reads: Sequence[str] = ()
    ) -> list[Row]:
        """The places within ``rows`` of those that are there and meet the condition (alias ``t``), with ``reads``."""
        if not len(rows):
            return []
        table = qualified(self.rules.table.schema, self.rules.name)
        names = ", ".join(quote(name) for name in columns)
        same = " AND ".join(f"t.{quote(name)} = wanted.{quote(name)}" for name in columns)
        read = "".join(f", t.{quote(name)}" for name in reads)
        return session.query(
            f"SELECT wanted._place - 1{read} FROM {self.literals(columns, rows)} "
            f"WITH ORDINALITY AS wanted({names}, _place) JOIN {table} AS t ON {same} WHERE {condition} ORDER BY 1"
        )


class _Nobody:
    """Finds no parents: columns that follow from the row's number have none."""

    def find(self, rules: TableRules, reference: str, rows: Rows) -> Drawn:  # noqa: ARG002
        raise AssertionError(reference)


Tables = Mapping[str, Addressed]
"""Those of the tables that can be addressed."""


def first(rows: Rows, places: Sequence[Row], wanted: int) -> Rows:
    """The rows at the first places."""
    return rows[np.array([place for place, *_ in places[:wanted]], dtype=np.int64)]

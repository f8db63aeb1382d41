"""Rows that stand in the database: parents to refer to, found by their place in the order of the key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from framework.databases.postgres.names import literal, qualified, quote
from framework.databases.postgres.source import PostgresSession
from framework.errors import SourceMismatch
from framework.generate.columns.convert import vector_of
from framework.generate.columns.streams import Rows
from framework.generate.columns.values import Vector
from framework.generate.rules.batch import TableRules
from framework.generate.rules.relations import Relation
from framework.generate.rules.rule import ParentRows
from framework.spec.declared import table_of
from framework.spec.entities import Entity
from framework.tables import Table
from framework.types import TEXT_KINDS, Kind, LogicalType

_ATTEMPTS = 8
"""So many parents of a row may be gone before all are counted."""

AT_PLACES = """
SELECT numbered.place, {columns}
FROM (
    SELECT row_number() OVER (ORDER BY {order}) - 1 AS place, {columns} FROM {table} AS t WHERE {condition}
) AS numbered
JOIN unnest({places}::bigint[]) AS wanted(place) USING (place)
ORDER BY 1
"""


def ordering(table: Table, columns: Sequence[str], alias: str = "t") -> str:
    """An ORDER BY list that no server's collation changes."""
    return ", ".join(
        f'{alias}.{quote(name)} COLLATE "C"'
        if (column := table.column(name)) is not None and column.type.kind in TEXT_KINDS
        else f"{alias}.{quote(name)}"
        for name in columns
    )


def vectors(types: Sequence[LogicalType], rows: Sequence[tuple[Any, ...]]) -> list[Vector]:
    """Rows of the driver as columns."""
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True)) if rows else [()] * len(types)
    return [vector_of(type_, _plain(type_, values)) for type_, values in zip(types, columns, strict=True)]


def _plain(type_: LogicalType, values: Sequence[Any]) -> Sequence[Any]:
    if type_.kind is Kind.CHAR:  # padded with spaces that are no part of the value
        return [value if value is None else value.rstrip(" ") for value in values]
    return values


class Numbered(Protocol):
    """A table whose rows are found by their numbers: `ticks.addressed.Addressed`."""

    @property
    def next_row(self) -> int:
        """One more than the last number."""

    def can_compute(self, columns: Sequence[str]) -> bool:
        """Whether the columns follow from the number alone."""

    def found(
        self, session: PostgresSession, columns: Sequence[str], rows: Rows, condition: str, reads: Sequence[str] = ()
    ) -> list[tuple[Any, ...]]:
        """The places within ``rows`` of those that are there, with ``reads``."""


@dataclass(frozen=True)
class Fetched:
    """Parents that were read from the database."""

    columns: Mapping[str, Vector]

    def column(self, name: str) -> Vector:
        """A column of the parents."""
        return self.columns[name]


class StoredParents:
    """Finds parents among the rows of the database (implements `batch.Parents`).

    Args:
        first_row: the number of the first new row; unique references count from it.
        addressed: tables whose rows are found by their numbers, which does not scan them.
    """

    def __init__(
        self,
        session: PostgresSession,
        entities: Mapping[str, Entity],
        first_row: int = 0,
        addressed: Mapping[str, Numbered] | None = None,
    ) -> None:
        self._addressed = addressed or {}
        self._session = session
        self._entities = entities
        self._first_row = first_row
        self._counts: dict[tuple[str, str], int] = {}

    def find(self, rules: TableRules, reference: str, rows: Rows) -> ParentRows:
        """The parents of the rows, in their order.

        Raises:
            SourceMismatch: there are none to refer to.
        """
        relation = rules.relations[reference]
        columns = rules.parent_columns(reference)
        numbered = self._by_number(rules, relation, columns, rows)
        if numbered is not None:
            return numbered
        count = self._count(rules, relation)
        if count == 0:
            return self._nothing(rules, relation, columns, len(rows))
        places_of = relation.places(rules.scopes[reference], count, len(rows))
        places = places_of(rows - self._first_row if relation.unique else rows)
        wanted, positions = np.unique(places, return_inverse=True)
        found = self._at(rules, relation, columns, wanted)
        return Fetched({name: vector.take(positions) for name, vector in found.items()})

    def _by_number(
        self, rules: TableRules, relation: Relation, columns: Sequence[str], rows: Rows
    ) -> ParentRows | None:
        """Parents by their row numbers; who meets one that is gone tries others. None where that cannot be."""
        parent = self._addressed.get(relation.parent)
        if parent is None or relation.unique or not parent.can_compute((relation.parent_column,)):
            return None
        scope, found = rules.scopes[relation.column], dict[int, tuple[Any, ...]]()
        missing = np.arange(len(rows))
        for attempt in range(_ATTEMPTS):
            again = scope if not attempt else scope.child(f"attempt {attempt}")
            places = relation.places(again, parent.next_row, len(rows))(rows[missing])
            wanted, positions = np.unique(places, return_inverse=True)
            there = {
                int(place): values
                for place, *values in parent.found(self._session, (relation.parent_column,), wanted, "true", columns)
            }
            hits = [
                (row, there.get(position)) for row, position in zip(missing.tolist(), positions.tolist(), strict=True)
            ]
            found.update((row, tuple(values)) for row, values in hits if values is not None)
            missing = np.array([row for row, values in hits if values is None], dtype=np.int64)
            if not len(missing):
                return self._fetched(self._parent(relation), columns, [found[row] for row in range(len(rows))])
        return None

    def _fetched(self, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> Fetched:
        types = [column.type for name in columns if (column := table.column(name)) is not None]
        return Fetched(dict(zip(columns, vectors(types, rows), strict=True)))

    def _nothing(self, rules: TableRules, relation: Relation, columns: Sequence[str], count: int) -> ParentRows:
        if not rules.entity.columns[relation.column].may_be_null:
            raise SourceMismatch(
                rules.name,
                f"{relation.parent!r} has no row left that {rules.name}.{relation.column} could refer to",
                f"insert rows into {relation.parent!r} first",
                relation.column,
            )
        table = self._parent(relation)
        types = [column.type for name in columns if (column := table.column(name)) is not None]
        nulls = [vector_of(type_, [None]).take(np.zeros(count, dtype=np.int64)) for type_ in types]
        return Fetched(dict(zip(columns, nulls, strict=True)))

    def _count(self, rules: TableRules, relation: Relation) -> int:
        key = (rules.name, relation.column)
        if key not in self._counts:
            table = self._parent(relation)
            sql = f"SELECT count(*) FROM {qualified(table.schema, table.name)} AS t WHERE {_free(rules, relation)}"
            self._counts[key] = int(self._session.query(sql)[0][0])
        return self._counts[key]

    def _at(self, rules: TableRules, relation: Relation, columns: Sequence[str], places: Rows) -> dict[str, Vector]:
        table = self._parent(relation)
        sql = AT_PLACES.format(
            columns=", ".join(quote(name) for name in columns),
            order=ordering(table, table.primary_key or (relation.parent_column,)),
            table=qualified(table.schema, table.name),
            condition=_free(rules, relation),
            places=literal(f"{{{','.join(map(str, places.tolist()))}}}"),
        )
        rows = self._session.query(sql)
        types = [column.type for name in columns if (column := table.column(name)) is not None]
        return dict(zip(columns, vectors(types, [row[1:] for row in rows]), strict=True))

    def _parent(self, relation: Relation) -> Table:
        return table_of(relation.parent, self._entities[relation.parent])


def _free(rules: TableRules, relation: Relation) -> str:
    """The condition that a parent may be referred to: unique references need one that is not taken."""
    target = f"t.{quote(relation.parent_column)}"
    if not relation.unique:
        return f"{target} IS NOT NULL"
    own = qualified(rules.table.schema, rules.table.name)
    return f"NOT EXISTS (SELECT 1 FROM {own} AS taken WHERE taken.{quote(relation.column)} = {target})"

"""Rows of one table, whose columns and parents are drawn when asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from framework import units
from framework.generate.columns.streams import Rows
from framework.generate.columns.values import Vector
from framework.generate.rules.relations import Relation
from framework.generate.rules.rule import ParentRows, Rule, Scope
from framework.spec.entities import Entity
from framework.tables import Table
from framework.types import LogicalType


@dataclass(frozen=True)
class TableRules:
    """How one table is filled.

    Attributes:
        count: the rows of its fill.
        rules: the rule of each column that refers to no other table.
        relations: the referring columns.
        scopes: what the rule of each column knows.
        schemas: the schemas of all tables of the task.
    """

    name: str
    entity: Entity
    table: Table
    count: int
    rules: Mapping[str, Rule]
    relations: Mapping[str, Relation]
    scopes: Mapping[str, Scope]
    schemas: Mapping[str, str]

    def type_of(self, column: str) -> LogicalType:
        """The type of a column."""
        return self.scopes[column].types[column]

    def nulls(self, column: str, rows: Rows) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]] | None:
        """Which of the rows the column's share of NULLs falls on."""
        share = self.entity.columns[column].nulls
        if share is None:
            return None
        return self.scopes[column].stream.child("nulls").uniform(rows) < units.fraction(share)

    def parent_schema(self, reference: str) -> str | None:
        """The schema of the table that ``reference`` refers to."""
        return self.schemas.get(self.relations[reference].parent)

    def parent_columns(self, reference: str) -> tuple[str, ...]:
        """The columns that are read from the rows that ``reference`` refers to."""
        wanted = {self.relations[reference].parent_column}
        for rule in self.rules.values():
            wanted |= {column for through, column in rule.parent_reads if through == reference}
        return tuple(sorted(wanted))


class Parents(Protocol):
    """Finds the rows that a batch refers to."""

    def find(self, rules: TableRules, reference: str, rows: Rows) -> ParentRows:
        """The parents of the rows, in their order."""


class Drawn:
    """Rows of one table whose columns are drawn from their rules (implements `rule.Batch`).

    Args:
        given: columns whose values are known, and need not be drawn.
        given_parents: parents that are known.
    """

    def __init__(
        self,
        rules: TableRules,
        rows: Rows,
        parents: Parents,
        given: Mapping[str, Vector] | None = None,
        given_parents: Mapping[str, ParentRows] | None = None,
    ) -> None:
        self.rules = rules
        self.rows = rows
        self._finder = parents
        self._columns = dict(given or {})
        self._parents = dict(given_parents or {})

    def column(self, name: str) -> Vector:
        """The values of one column."""
        if name not in self._columns:
            self._columns[name] = self._draw(name)
        return self._columns[name]

    def parent(self, reference: str) -> ParentRows:
        """The rows that the column ``reference`` refers to."""
        if reference not in self._parents:
            found = self._finder.find(self.rules, reference, self.rows)
            nulls = self.rules.nulls(reference, self.rows)
            self._parents[reference] = found if nulls is None else _Sometimes(found, nulls)
        return self._parents[reference]

    def _draw(self, name: str) -> Vector:
        relation = self.rules.relations.get(name)
        if relation is not None:
            return self.parent(name).column(relation.parent_column)
        return self.rules.rules[name].draw(self, self.rows).with_nulls(self.rules.nulls(name, self.rows))


@dataclass(frozen=True)
class _Sometimes:
    """Parents of rows some of which refer to nothing."""

    parents: ParentRows
    nulls: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]

    def column(self, name: str) -> Vector:
        return self.parents.column(name).with_nulls(self.nulls)


class Recomputed:
    """Parents whose values follow from their row numbers: nothing is looked up.

    Args:
        finder: finds the parents' own parents.
    """

    def __init__(self, tables: Mapping[str, TableRules], finder: Parents) -> None:
        self._tables = tables
        self._finder = finder
        self._places: dict[tuple[str, str], Callable[[Rows], Rows]] = {}

    def find(self, rules: TableRules, reference: str, rows: Rows) -> ParentRows:
        """The parents of the rows, in their order."""
        relation = rules.relations[reference]
        places = self._places_of(rules, relation)(rows)
        parents = Drawn(self._tables[relation.parent], places, self._finder)
        return _Sometimes(parents, rows == 0) if relation.own else parents

    def _places_of(self, rules: TableRules, relation: Relation) -> Callable[[Rows], Rows]:
        key = (rules.name, relation.column)
        if key not in self._places:
            scope = rules.scopes[relation.column]
            self._places[key] = (
                relation.earlier(scope.stream)
                if relation.own
                else relation.places(scope, self._tables[relation.parent].count)
            )
        return self._places[key]

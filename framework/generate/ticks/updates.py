"""The updates of a tick: columns drawn anew, states that move on, and what is computed from either."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from framework.databases.postgres.names import qualified, quote, type_name
from framework.databases.postgres.source import PostgresSession
from framework.generate import load
from framework.generate.columns.values import Vector
from framework.generate.rules.batch import Drawn, Parents, TableRules
from framework.generate.rules.rule import REDRAWN, ParentRows
from framework.generate.stored import Fetched, vectors
from framework.generate.ticks.literals import unnested
from framework.generate.ticks.sample import Choice
from framework.spec.entities import NextState, Update
from framework.tables import Column, Table

_CHUNK = 20_000
_FOLLOWERS = ("expression", "template")
"""Rules whose values must follow when a column that they read changes."""
_FRESH = "_vitrina_fresh"


def redrawn(rules: TableRules, update: Update) -> tuple[str, ...]:
    """The columns whose values an update makes: those of `redraw`, and those that follow a changed one."""
    changed = {*update.redraw, *update.set}
    grown = True
    while grown:
        followers = {
            name
            for name, rule in rules.rules.items()
            if name not in changed
            and ((rule.reads & changed and _kind(rules, name) in _FOLLOWERS) or _is_of_one_of(rules, name, changed))
        }
        changed |= followers
        grown = bool(followers)
    touch = rules.entity.changes.touch if rules.entity.changes else None
    return tuple(name for name in rules.table.column_names if name in changed - update.set.keys() - {touch})


def _is_of_one_of(rules: TableRules, column: str, changed: set[str]) -> bool:
    """Whether a column is a part of a person of whom another part changes: a row gets another person as a whole."""
    mine = rules.entity.columns[column].fake
    if mine is None or mine.persona is None:
        return False
    others = (rules.entity.columns[name].fake for name in changed)
    return any(
        other is not None and other.persona is not None and other.persona.locale == mine.persona.locale
        for other in others
    )


def _kind(rules: TableRules, column: str) -> str:
    rule = rules.entity.columns[column].fake
    return rule.kind if rule is not None else ""


@dataclass(frozen=True)
class Updating:
    """One update of one table in one tick; ``number`` is the table's among those of the session."""

    session: PostgresSession
    rules: TableRules
    update: Update
    parents: Parents
    tick: int
    number: int = 0

    def perform(self, sample: Choice) -> int:
        """Update the chosen rows; how many were written.

        Rows that have no next state stay untouched.
        """
        columns = redrawn(self.rules, self.update)
        if not columns:
            return self._move_on(sample)
        fresh = self._fresh_table(columns)
        if sample.numbers is not None and not self._wanted(columns):
            return self._named(sample, fresh, columns)
        self._make(fresh)
        written = 0
        for first, rows in self._chosen(sample, columns):
            load.copy(self.session, fresh, [load.encoded(fresh, self._values(first, rows, columns))])
            written += self._apply(quote(fresh.name), columns)
            if len(rows) == _CHUNK:
                self.session.execute(f"TRUNCATE {quote(fresh.name)}")
        return written

    # --- in the server alone

    def _move_on(self, sample: Choice) -> int:
        assignments, parameters = self._assignments()
        if not assignments:
            return 0
        moves = " OR ".join(f"{self._state(name)} = ANY (%s{self._cast(name, '[]')})" for name in self.update.set)
        states = [list(step.next) for step in self.update.set.values()]
        return self.session.execute(
            f"UPDATE {self._table} AS t SET {assignments} "
            f"FROM ({sample.query.replace('%', '%%')}) AS chosen "
            f"WHERE {self._same_key('chosen')} AND ({moves or 'true'})",
            (*parameters, *states),
        )

    def _assignments(self) -> tuple[str, list[Any]]:
        """SET for states and the touch column, and the values bound in it."""
        parts, parameters = [], []
        for name, step in self.update.set.items():
            expression, values = self._next(name, step)
            parts.append(f"{quote(name)} = {expression}")
            parameters += values
        touch = self.rules.entity.changes.touch if self.rules.entity.changes else None
        if touch is not None:
            parts.append(f"{quote(touch)} = now()")
        return ", ".join(parts), parameters

    def _next(self, column: str, step: NextState) -> tuple[str, list[Any]]:
        name, cast = self._state(column), self._cast(column)
        cases, values = [], []
        for state, following in step.next.items():
            cases.append(f"WHEN {name} = %s{cast} THEN CAST(%s AS {self.rules.type_of(column).name})")
            values += [state, str(following)]
        return f"CASE {' '.join(cases)} ELSE t.{quote(column)} END", values

    def _state(self, column: str) -> str:
        """The column as states are compared with it: json has no equality, its text has."""
        name = f"t.{quote(column)}"
        return f"{name}::text" if self.rules.type_of(column).name == "json" else name

    def _cast(self, column: str, array: str = "") -> str:
        name = self.rules.type_of(column).name
        return f"::{'text' if name == 'json' else name}{array}"

    # --- with values made here

    def _chosen(self, sample: Choice, columns: Sequence[str]) -> Iterator[tuple[int, list[tuple[Any, ...]]]]:
        """The chosen rows in lists, each with the number of its first: their keys and what is read of them."""
        expressions, parameters = self._reads(columns)
        escaped = sample.query.replace("%", "%%") if parameters else sample.query
        keys = [f"t.{quote(name)}" for name in self.rules.table.primary_key]
        query = (
            f"SELECT {', '.join([*keys, *expressions])} FROM {self._table} AS t "
            f"JOIN ({escaped}) AS chosen ON {self._same_key('chosen')} "
            f"ORDER BY chosen.place"
        )
        with self.session.connection.cursor() as cursor:
            bound = cursor.mogrify(query, tuple(parameters) or None).decode()
        first = 0
        for rows in self.session.stream(bound, _CHUNK):
            yield first, rows
            first += len(rows)

    def _wanted(self, columns: Sequence[str]) -> list[tuple[str, str]]:
        """What must be read from the database to make ``columns``: pairs of a reference (or nothing) and a column."""
        wanted: set[tuple[str, str]] = set()
        for name in columns:
            rule = self.rules.rules.get(name)
            if rule is None:
                continue
            wanted |= {("", read) for read in rule.reads if read not in columns}
            wanted |= {(reference, read) for reference, read in rule.parent_reads if reference not in columns}
        return sorted(wanted)

    def _reads(self, columns: Sequence[str]) -> tuple[list[str], list[Any]]:
        expressions: list[str] = []
        parameters: list[Any] = []
        for reference, name in self._wanted(columns):
            step = self.update.set.get(name)
            if reference:
                expressions.append(self._parent_value(reference, name))
            elif step is not None:
                expression, values = self._next(name, step)
                expressions.append(expression)
                parameters += values
            else:
                expressions.append(f"t.{quote(name)}")
        return expressions, parameters

    def _parent_value(self, reference: str, column: str) -> str:
        relation = self.rules.relations[reference]
        table = qualified(self.rules.parent_schema(reference), relation.parent)
        key = f"p.{quote(relation.parent_column)}"
        return f"(SELECT p.{quote(column)} FROM {table} AS p WHERE {key} = t.{quote(reference)})"

    def _values(self, first: int, rows: list[tuple[Any, ...]], columns: Sequence[str]) -> list[Vector]:
        """Keys and new values of some chosen rows."""
        table, wanted = self.rules.table, self._wanted(columns)
        keys = [self.rules.type_of(name) for name in table.primary_key]
        types = [
            self.rules.scopes[reference].parents[self.rules.relations[reference].parent][1][name]
            if reference
            else self.rules.type_of(name)
            for reference, name in wanted
        ]
        read = vectors([*keys, *types], rows)
        found = dict(zip(wanted, read[len(keys) :], strict=True))
        numbers = self.tick * REDRAWN + np.arange(first, first + len(rows), dtype=np.int64)
        batch = Drawn(self.rules, numbers, self.parents, *self._known(found))
        return [*read[: len(keys)], *(batch.column(name) for name in columns)]

    def _known(self, found: Mapping[tuple[str, str], Vector]) -> tuple[dict[str, Vector], dict[str, ParentRows]]:
        columns = {name: vector for (reference, name), vector in found.items() if not reference}
        parents: dict[str, ParentRows] = {
            reference: Fetched({name: vector for (through, name), vector in found.items() if through == reference})
            for reference, _ in found
            if reference
        }
        return columns, parents

    def _fresh_table(self, columns: Sequence[str]) -> Table:
        names = (*self.rules.table.primary_key, *columns)
        # Numbered, because a key column may be drawn anew.
        return Table(
            f"{_FRESH}_{self.number}",
            tuple(Column(f"c{place}", self.rules.type_of(name)) for place, name in enumerate(names)),
            schema="pg_temp",
        )

    def _named(self, sample: Choice, fresh: Table, columns: Sequence[str]) -> int:
        """Update rows whose keys are known by values that nothing has to be read for."""
        assert sample.numbers is not None
        rows, keys, written = sample.numbers, self.rules.table.primary_key, 0
        for first in range(0, len(rows), _CHUNK):
            named = Drawn(self.rules, rows[first : first + _CHUNK], self.parents)
            vectors_ = [named.column(name) for name in keys]
            numbers = self.tick * REDRAWN + np.arange(first, first + len(vectors_[0]), dtype=np.int64)
            batch = Drawn(self.rules, numbers, self.parents)
            vectors_ += [batch.column(name) for name in columns]
            arrays = unnested([column.type for column in fresh.columns], vectors_)
            if arrays is None:
                load.copy(self.session, self._make(fresh), [load.encoded(fresh, vectors_)])
                written += self._apply(quote(fresh.name), columns)
                self.session.execute(f"TRUNCATE {quote(fresh.name)}")
            else:
                names = ", ".join(column.name for column in fresh.columns)
                written += self._apply(f"(SELECT * FROM {arrays} AS made({names}))", columns)
        return written

    def _make(self, fresh: Table) -> Table:
        """Made once for a session: a table for every tick would leave the catalog full of dead rows."""
        self.session.execute(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS {quote(fresh.name)} ({_definitions(fresh)}) ON COMMIT DELETE ROWS"
        )
        return fresh

    def _apply(self, table: str, columns: Sequence[str]) -> int:
        keys = self.rules.table.primary_key
        fresh = [f"{quote(name)} = fresh.c{place}" for place, name in enumerate(columns, len(keys))]
        assignments, parameters = self._assignments()
        same = " AND ".join(f"t.{quote(name)} = fresh.c{place}" for place, name in enumerate(keys))
        escaped = table.replace("%", "%%") if parameters else table
        return self.session.execute(
            f"UPDATE {self._table} AS t SET {', '.join([*fresh, *([assignments] if assignments else [])])} "
            f"FROM {escaped} AS fresh WHERE {same}",
            parameters,
        )

    @property
    def _table(self) -> str:
        return qualified(self.rules.table.schema, self.rules.name)

    def _same_key(self, other: str) -> str:
        return " AND ".join(f"t.{quote(name)} = {other}.{quote(name)}" for name in self.rules.table.primary_key)


def _definitions(table: Table) -> str:
    return ", ".join(f"{column.name} {type_name(column.type)}" for column in table.columns)

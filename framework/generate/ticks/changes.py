"""Ticks: the changes of a living system, each tick one transaction."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from framework import units
from framework.databases.postgres.names import qualified, quote
from framework.databases.postgres.source import PostgresSession, PostgresSource
from framework.errors import RuleImpossible, SourceMismatch
from framework.events import Reporter, Stats
from framework.generate import load, marker
from framework.generate.columns.scalars import microseconds
from framework.generate.columns.streams import Stream
from framework.generate.columns.values import Vector
from framework.generate.filling import require_permission
from framework.generate.marker import Mark, Marks, State
from framework.generate.rules import coerce
from framework.generate.rules.batch import Drawn, TableRules
from framework.generate.rules.dataset import compile_table, reference_order
from framework.generate.rules.drawn import Pools
from framework.generate.stored import StoredParents
from framework.generate.ticks.addressed import Addressed
from framework.generate.ticks.deletes import deletable
from framework.generate.ticks.sample import Choice, Sample, by_number, share
from framework.generate.ticks.updates import Updating
from framework.spec.entities import Changes, Entity, GenerateTask

_CHUNK = 20_000


def tick(
    source: PostgresSource, task: GenerateTask, ticks: int, reporter: Reporter, pools: Pools | None = None
) -> Stats:
    """Perform so many ticks of `changes`; they go on where the last ones ended.

    All values follow from the seed and the number of the tick, except those of touch columns, which get the clock of
    the transaction. Relative dates mean the task's `now`, or the server's clock where that is earlier. ``rows_deleted``
    does not count the rows that the database deletes by cascade.

    Raises:
        GenerationForbidden: the source does not allow generated data.
        SourceMismatch: a table has not been filled yet.
        RuleImpossible: a change cannot be made; the tick was undone.
        LeaseHeld: another fill or tick is at work.
    """
    require_permission(source)
    with source.session() as session, marker.exclusive(session, reporter):
        work = Ticks(session, task, reporter, pools or Pools(announce=reporter.notice))
        total = Stats()
        for done in range(ticks):
            stats = work.perform()
            total = Stats(
                rows_written=total.rows_written + stats.rows_written,
                rows_deleted=total.rows_deleted + stats.rows_deleted,
            )
            reporter.progress("ticks", done + 1, ticks)
        return total


class Ticks:
    """Ticks of one task on one connection."""

    def __init__(self, session: PostgresSession, task: GenerateTask, reporter: Reporter, pools: Pools) -> None:
        self._session = session
        self._task = task
        names = tuple(name for name in reference_order(task.entities) if task.entities[name].rows is not None)
        self._names = names
        marks = marker.read(session)
        self._marks = {name: self._require_filled(name, marks) for name in names}
        self._number = max((mark.ticks for mark in self._marks.values()), default=0)
        for name, mark in self._marks.items():
            if mark.fingerprint != marker.fingerprint(task, name):
                reporter.notice(f"{name} was filled by other rules; its ticks follow those of the spec")
        self._now = min(microseconds(units.parse_datetime(task.now)), self._clock())
        self._pools = pools
        self._rules = {name: self._compile(name) for name in names if task.entities[name].changes is not None}
        for rules in self._rules.values():
            _require_key(rules)
        self._numbered = {name: self._rules.get(name) or self._keys_alone(name) for name in self._unchanged()}
        self._counts: dict[str, int] = {}
        self._next_rows = {name: mark.next_row for name, mark in self._marks.items()}

    @property
    def number(self) -> int:
        """The number of the last tick."""
        return self._number

    def expected(self) -> int:
        """About how many changes a tick makes."""
        return sum(self._expected(name) for name in self._rules)

    def _expected(self, name: str) -> int:
        changes = self._changes(name)
        parts = (part.rows for part in (changes.update, changes.delete) if part is not None) if changes else ()
        return (changes.insert if changes else 0) + sum(share(part, self._total(name)) for part in parts)

    def _compile(self, name: str, only: Collection[str] | None = None) -> TableRules:
        return compile_table(self._task, name, self._marks[name].rows, self._now, self._pools, only=only)

    def _unchanged(self) -> list[str]:
        """The tables whose rows are still those of the spec's rules."""
        return [name for name in self._names if self._marks[name].fingerprint == marker.fingerprint(self._task, name)]

    def _keys_alone(self, name: str) -> TableRules:
        """The rules of the columns that others refer to, of a table that no tick changes."""
        referred = {
            column.references.column
            for entity in self._task.entities.values()
            for column in entity.columns.values()
            if column.references is not None and column.references.table == name
        }
        return self._compile(name, referred)

    def _addressed(self) -> dict[str, Addressed]:
        return {name: Addressed(rules, self._next_rows[name]) for name, rules in self._numbered.items()}

    def perform(self) -> Stats:
        """One tick: deletes from the children up, then updates, then inserts from the parents down."""
        self._number += 1
        marks = dict(self._marks)
        written = deleted = 0
        with self._session.transaction():
            now = self._clock()
            for name in reversed(self._names):
                deleted += self._delete(name)
            for name in self._names:
                written += self._update(name)
            for name in self._names:
                inserted = self._insert(name, now)
                self._next_rows[name] += inserted
                marks[name] = replace(marks[name], next_row=self._next_rows[name], ticks=self._number)
                written += inserted
            for mark in marks.values():
                marker.write(self._session, mark)
        self._marks = marks
        return Stats(rows_written=written, rows_deleted=deleted)

    def _delete(self, name: str) -> int:
        changes, table = self._changes(name), self._table(name)
        if changes is None or changes.delete is None:
            return 0
        rules = self._rules[name]
        condition = deletable(self._session, rules.table.schema or "public", name)
        wanted = share(changes.delete.rows, self._total(name))
        keys = " AND ".join(f"t.{quote(key)} = chosen.{quote(key)}" for key in rules.table.primary_key)
        chosen = self._chosen(name, "delete", wanted, condition)
        deleted = self._session.execute(f"DELETE FROM {table} AS t USING ({chosen.query}) AS chosen WHERE {keys}")
        if deleted:
            self._counts[name] -= deleted
            self._forget_cascades()
        return deleted

    def _chosen(self, name: str, purpose: str, wanted: int, condition: str) -> Choice:
        """The rows that a change falls on."""
        stream, table = self._stream(name, purpose), self._table(name)
        if (numbered := self._addressed().get(name)) is not None:
            chosen = by_number(self._session, numbered, stream, self._total(name), wanted, condition)
            if chosen is not None:
                return chosen
        total = self._total(name) if condition == "true" else self._count(table, condition)
        return Choice(Sample.of(stream, total, wanted).keys(self._rules[name].table, table, condition))

    def _update(self, name: str) -> int:
        changes = self._changes(name)
        if changes is None or changes.update is None:
            return 0
        chosen = self._chosen(name, "update", share(changes.update.rows, self._total(name)), "true")
        parents = StoredParents(self._session, self._task.entities, addressed=self._addressed())
        place = self._names.index(name)
        updating = Updating(self._session, self._rules[name], changes.update, parents, self._number, place)
        return updating.perform(chosen)

    def _insert(self, name: str, now: int) -> int:
        changes = self._changes(name)
        if changes is None or not changes.insert:
            return 0
        rules, first = self._rules[name], self._marks[name].next_row
        parents = StoredParents(self._session, self._task.entities, first, self._addressed())
        # What unique references have taken must not change between two chunks.
        unique = any(relation.unique for relation in rules.relations.values())
        size = changes.insert if unique else _CHUNK
        for start in range(first, first + changes.insert, size):
            rows = np.arange(start, min(start + size, first + changes.insert), dtype=np.int64)
            batch = Drawn(rules, rows, parents, _touched(rules, changes, len(rows), now))
            columns = [batch.column(column) for column in rules.table.column_names]
            load.copy(self._session, rules.table, [load.encoded(rules.table, columns)])
        if name in self._counts:
            self._counts[name] += changes.insert
        return changes.insert

    def _require_filled(self, name: str, marks: Marks) -> Mark:
        mark = marks.get((self._task.entities[name].schema_, name))
        if mark is None or mark.state is not State.COMPLETE:
            raise SourceMismatch(
                name, f"{name!r} has not been filled yet", "run `vitrina generate SPEC` without --tick first"
            )
        return mark

    def _clock(self) -> int:
        return microseconds(self._session.query("SELECT now()")[0][0])

    def _total(self, name: str) -> int:
        """The rows of a table; counted once, then kept up with what the ticks do."""
        if name not in self._counts:
            self._counts[name] = self._count(self._table(name), "true")
        return self._counts[name]

    def _forget_cascades(self) -> None:
        """Rows were deleted, and with them perhaps rows of tables that cascade."""
        for name, entity in self._task.entities.items():
            if any(of.references and of.references.on_delete == "cascade" for of in entity.columns.values()):
                self._counts.pop(name, None)

    def _count(self, table: str, condition: str) -> int:
        return int(self._session.query(f"SELECT count(*) FROM {table} AS t WHERE {condition}")[0][0])

    def _stream(self, name: str, purpose: str) -> Stream:
        return Stream(self._task.seed, name, purpose, self._number)

    def _entity(self, name: str) -> Entity:
        return self._task.entities[name]

    def _changes(self, name: str) -> Changes | None:
        return self._entity(name).changes

    def _table(self, name: str) -> str:
        return qualified(self._entity(name).schema_, name)


def _touched(rules: TableRules, changes: Changes, count: int, now: int) -> dict[str, Vector]:
    """The touch column of new rows."""
    if changes.touch is None:
        return {}
    scope = rules.scopes[changes.touch]
    convert = coerce.moments(scope, "touch", rules.type_of(changes.touch), 1)
    return {changes.touch: convert(np.full(count, now, dtype=np.int64))}


def _require_key(rules: TableRules) -> None:
    changes = rules.entity.changes
    if changes is not None and (changes.update or changes.delete) and not rules.table.primary_key:
        raise RuleImpossible(
            rules.name, "changes", "rows without a primary key cannot be told apart", "give the entity a primary key"
        )

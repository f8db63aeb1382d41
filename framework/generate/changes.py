"""Ticks: the changes of a living system, each tick one transaction."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from framework import units
from framework.databases.postgres.names import qualified, quote
from framework.databases.postgres.source import PostgresSession, PostgresSource
from framework.errors import RuleImpossible, SourceMismatch
from framework.events import Reporter, Stats
from framework.generate import coerce, load, marker
from framework.generate.batch import Drawn, TableRules
from framework.generate.dataset import compile_table, reference_order
from framework.generate.deletes import deletable
from framework.generate.drawn import Pools
from framework.generate.filling import require_permission
from framework.generate.marker import Mark, Marks, State
from framework.generate.sample import Sample, share
from framework.generate.scalars import microseconds
from framework.generate.stored import StoredParents
from framework.generate.streams import Stream
from framework.generate.updates import Updating
from framework.generate.values import Vector
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
    with source.session() as session, marker.exclusive(session):
        work = _Ticks(session, task, reporter, pools or Pools(announce=reporter.notice))
        total = Stats()
        for done in range(ticks):
            stats = work.perform()
            total = Stats(
                rows_written=total.rows_written + stats.rows_written,
                rows_deleted=total.rows_deleted + stats.rows_deleted,
            )
            reporter.progress("ticks", done + 1, ticks)
        return total


class _Ticks:
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
        limit = min(microseconds(units.parse_datetime(task.now)), self._clock())
        self._rules = {
            name: compile_table(task, name, self._marks[name].rows, limit, pools)
            for name in names
            if task.entities[name].changes is not None
        }
        for rules in self._rules.values():
            _require_key(rules)

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
                marks[name] = replace(marks[name], next_row=marks[name].next_row + inserted, ticks=self._number)
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
        wanted = share(changes.delete.rows, self._count(table, "true"))
        sample = Sample.of(self._stream(name, "delete"), self._count(table, condition), wanted)
        keys = " AND ".join(f"t.{quote(key)} = chosen.{quote(key)}" for key in rules.table.primary_key)
        chosen = sample.keys(rules.table, table, condition)
        return self._session.execute(f"DELETE FROM {table} AS t USING ({chosen}) AS chosen WHERE {keys}")

    def _update(self, name: str) -> int:
        changes, table = self._changes(name), self._table(name)
        if changes is None or changes.update is None:
            return 0
        total = self._count(table, "true")
        sample = Sample.of(self._stream(name, "update"), total, share(changes.update.rows, total))
        parents = StoredParents(self._session, self._task.entities)
        updating = Updating(self._session, self._rules[name], changes.update, parents, self._number)
        return updating.perform(sample)

    def _insert(self, name: str, now: int) -> int:
        changes = self._changes(name)
        if changes is None or not changes.insert:
            return 0
        rules, first = self._rules[name], self._marks[name].next_row
        parents = StoredParents(self._session, self._task.entities, first)
        # What unique references have taken must not change between two chunks.
        unique = any(relation.unique for relation in rules.relations.values())
        size = changes.insert if unique else _CHUNK
        for start in range(first, first + changes.insert, size):
            rows = np.arange(start, min(start + size, first + changes.insert), dtype=np.int64)
            batch = Drawn(rules, rows, parents, _touched(rules, changes, len(rows), now))
            columns = [batch.column(column) for column in rules.table.column_names]
            load.copy(self._session, rules.table, [load.encoded(rules.table, columns)])
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

"""The keys of a table's source and of its copy: two sides to be compared, and what differs, written beside the copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property

from framework.compare.pair import Pair
from framework.compare.side import Side
from framework.databases.base import Row, Session
from framework.databases.canonical import integer
from framework.databases.postgres.source import PostgresSession
from framework.errors import StatementFailed
from framework.replicate.job import Counter, Job
from framework.replicate.mapping import DELETED_AT
from framework.replicate.sides import source_keys, target_keys
from framework.tables import Table

ABSENT_AT_ONCE = 1_000
"""Rows that are fetched by their keys in one query."""

LISTED = 50_000
"""Keys that the target is asked for, or told, at once."""

Place = tuple[str, str]
"""Where keys may differ: a condition of the source's, and of the copy's; empty if anywhere."""


@dataclass(frozen=True)
class Tables:
    """What the target has.

    Attributes:
        rows: staged rows.
        keys: empty; keys of the source are staged here.
        gone: empty; filled with the keys that the copy has and the source has not.
        into: the copy's name.
        former: the names that its columns have until it is altered, by the names they have then.
    """

    rows: Table
    keys: Table
    gone: Table
    into: str
    former: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Keys:
    """What is asked and staged in the open transaction of ``session``.

    Attributes:
        job: the table's.
        session: of the target.
        reading: of the source, in the snapshot that the rows were read in; masks are installed.
        tables: of the target.
        pool: has a thread for the target's answers.
    """

    job: Job
    session: Session
    reading: PostgresSession
    tables: Tables
    pool: ThreadPoolExecutor

    @cached_property
    def _names(self) -> dict[str, str]:
        """By key column, its name in the copy, which may have been altered already."""
        key, former = self.job.mapping.key, self.tables.former
        present = self.session.columns(self.tables.into) if former else key
        return {name: self.job.quote(name if name in present else former[name]) for name in key}

    @cached_property
    def pair(self) -> Pair:
        """Source and copy."""
        job, canonical = self.job, self.job.target.canonical
        source = source_keys(self.reading, job.mapping, canonical)
        into, live = canonical.keyed(job.quote(self.tables.into)), self._live("")
        return Pair(source, target_keys(self.session, job.mapping, canonical, self._names, into, live), self.pool)

    @cached_property
    def new(self) -> Side:
        """What was staged and the copy has not."""
        job = self.job
        names = {name: job.quote(name) for name in job.mapping.key}
        relation = f"({self.staged_keys(known=False)}) AS n"
        return target_keys(self.session, job.mapping, job.target.canonical, names, relation)

    def staged_keys(self, *, known: bool) -> str:
        """The query of the keys that were staged, and that the copy has, or has not."""
        job = self.job
        return (
            f"SELECT {job.list(job.mapping.key, 't.')} FROM {job.quote(self.tables.rows.name)} AS t "
            f"WHERE {'' if known else 'NOT '}{self._has_counterpart()}"
        )

    def _has_counterpart(self) -> str:
        """The condition that the copy has a row that counts, with the key of ``t``."""
        same = " AND ".join(f"t.{self.job.quote(name)} = o.{own}" for name, own in self._names.items())
        live = self._live("o.")
        return self.job.target.dialect.has_key(self.job.quote(self.tables.into), f"{same} AND {live}" if live else same)

    def _live(self, alias: str) -> str:
        """The condition that a row of the copy counts; empty if all do."""
        return f"{alias}{self.job.quote(DELETED_AT)} IS NULL" if self.job.mapping.marks_deletes else ""

    def stage(self, source: str, copy: str) -> int:
        """Stage the keys that the source has in some place, and find those that only the copy has; how many."""
        job, tables = self.job, self.tables
        extract = job.extract(self.reading, source, job.mapping.key)
        staged = self.session.load(tables.keys, extract, Counter(job.reporter, "compare keys", None))
        same = " AND ".join(f"t.{own} = o.{job.quote(name)}" for name, own in self._names.items())
        conditions = [f"({part})" for part in (self._live("t."), copy) if part]
        conditions.append(f"NOT EXISTS (SELECT 1 FROM {job.quote(tables.keys.name)} AS o WHERE {same})")
        names = ", ".join(f"t.{own}" for own in self._names.values())
        self.session.execute(
            f"INSERT INTO {job.quote(tables.gone.name)} ({job.list(tuple(self._names))}) "
            f"SELECT {names} FROM {job.quote(tables.into)} AS t WHERE {' AND '.join(conditions)}"
        )
        return staged

    def fetch_absent(self) -> int:
        """Stage the rows whose key the source has and the copy has not, whatever their cursor says; how many.

        So a row that comes back with an old cursor value (it was deleted, or had left the filter) is met.
        """
        job, rows, staged = self.job, self.tables.rows, 0
        missing = (
            f"SELECT {job.list(job.mapping.key, 't.')} FROM {job.quote(self.tables.keys.name)} AS t "
            f"WHERE NOT {self._has_counterpart()} "
            f"AND NOT {job.target.dialect.has_key(job.quote(rows.name), job.same_key())} LIMIT {LISTED}"
        )
        while found := self.session.query(missing):
            staged += self.fetch(found)
        return staged

    def fetch(self, keys: Sequence[Row]) -> int:
        """Stage the rows that have these keys; how many."""
        job = self.job
        for start in range(0, len(keys), ABSENT_AT_ONCE):
            chosen = keys[start : start + ABSENT_AT_ONCE]
            extract = job.extract(self.reading, job.mapping.has_key(self.reading, chosen))
            loaded = self.session.load(self.tables.rows, extract, lambda _: None)
            if loaded != len(chosen):
                raise StatementFailed(
                    job.source.name,
                    f"{len(chosen)} keys of {job.table!r} were read, {loaded} of their rows could be",
                    f"refill the table with `vitrina replicate SPEC --full-refresh --table {job.table}`",
                )
        return len(keys)

    def remove(self, keys: Sequence[int]) -> None:
        """Note keys, each one integer, of rows that only the copy has."""
        into, (name,) = self.job.quote(self.tables.gone.name), self.job.mapping.key
        for start in range(0, len(keys), LISTED):
            rows = ", ".join(f"({integer(key)})" for key in keys[start : start + LISTED])
            self.session.execute(f"INSERT INTO {into} ({self.job.quote(name)}) VALUES {rows}")

"""Filling the source: tables are made, loaded, given their keys, and tied together by foreign keys at the end."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace

from framework import units
from framework.databases.postgres import ddl
from framework.databases.postgres.catalog import describe
from framework.databases.postgres.names import qualified
from framework.databases.postgres.source import PostgresSession, PostgresSource
from framework.errors import ForeignTable, GenerationForbidden, SourceMismatch
from framework.events import Reporter, Stats
from framework.generate import existing, load, marker
from framework.generate.chunks import Progress, chunk_maker, ranges
from framework.generate.columns.scalars import microseconds
from framework.generate.columns.streams import Rows
from framework.generate.marker import Mark, Marks, State
from framework.generate.rules.batch import Parents, Recomputed, TableRules
from framework.generate.rules.dataset import check_parents, compile_table, reference_order, row_count
from framework.generate.rules.drawn import Pools
from framework.generate.rules.rule import ParentRows
from framework.generate.stored import StoredParents
from framework.spec.declared import table_of
from framework.spec.entities import GenerateTask, RowsPer
from framework.tables import Table

_LARGE = 100_000
"""Rows from which it pays to fill two tables at once."""
_AT_ONCE = 2


def fill(
    source: PostgresSource,
    task: GenerateTask,
    reporter: Reporter,
    *,
    recreate: bool = False,
    pools: Pools | None = None,
) -> Stats:
    """Create the missing tables of a task, and fill all that have `rows` and have not been filled.

    With ``recreate``, what Vitrina has filled before is dropped and filled anew. Values of Faker are those of
    ``pools``.

    Raises:
        GenerationForbidden: the source does not allow generated data.
        RuleImpossible: a column cannot be filled as the spec says; nothing was written.
        ForeignTable: a table has rows that Vitrina did not make; nothing was written.
        SourceMismatch: a table is not what the spec says; nothing was written.
        LeaseHeld: another fill or tick is at work.
    """
    require_permission(source)
    with source.session() as session, marker.exclusive(session, reporter):
        return _Fill(source, session, task, reporter, pools or Pools(announce=reporter.notice)).run(recreate=recreate)


def pending(source: PostgresSource, task: GenerateTask) -> tuple[str, ...]:
    """The tables with `rows` that a fill would fill. Writes nothing."""
    with source.session() as session:
        marks = marker.read(session)
        return tuple(name for name in _generated(task) if not _is_complete(session, task, name, marks))


def require_permission(source: PostgresSource) -> None:
    """Raises GenerationForbidden unless the connection says ``generate: allow``."""
    if not source.may_generate:
        raise GenerationForbidden(source.name, "default")


def _generated(task: GenerateTask) -> tuple[str, ...]:
    """The tables with `rows`, every one behind those it refers to."""
    return tuple(name for name in reference_order(task.entities) if task.entities[name].rows is not None)


def _is_filled(session: PostgresSession, task: GenerateTask, name: str, marks: Marks) -> bool:
    """Whether the table stands with all its rows; its foreign keys may be missing."""
    schema = task.entities[name].schema_
    mark = marks.get((schema, name))
    return mark is not None and mark.state is not State.FILLING and describe(session, schema, name) is not None


def _is_complete(session: PostgresSession, task: GenerateTask, name: str, marks: Marks) -> bool:
    filled = _is_filled(session, task, name, marks)
    return filled and marks[task.entities[name].schema_, name].state is State.COMPLETE


@dataclass(frozen=True)
class _Job:
    """A table to be filled. ``made``: Vitrina creates it, and drops what is left of an earlier attempt."""

    rules: TableRules
    made: bool


class _Fill:
    """One run of `fill`."""

    def __init__(
        self, source: PostgresSource, session: PostgresSession, task: GenerateTask, reporter: Reporter, pools: Pools
    ) -> None:
        self._pools = pools
        self._stopped = threading.Event()
        self._source = source
        self._session = session
        self._task = task
        self._reporter = reporter
        self._now = microseconds(units.parse_datetime(task.now))
        self._marks = marker.read(session)

    def run(self, *, recreate: bool) -> Stats:
        names = _generated(self._task)
        filled = () if recreate else tuple(n for n in names if _is_filled(self._session, self._task, n, self._marks))
        made = {name: self._examine(name) for name in names if name not in filled}
        for name in filled:
            self._require_unchanged(name)
        rules = self._compile(tuple(made)) if made else {}
        jobs = [_Job(rules[name], made[name]) for name in made]
        self._session.execute(marker.CREATE)
        if recreate:
            self._clear(names)
        for job in jobs:
            self._prepare(job)
        written = self._load_all(jobs, rules)
        self._tie(names)
        return Stats(rows_written=written)

    # --- before anything is written

    def _examine(self, name: str) -> bool:
        """Whether the table is Vitrina's to make; raises if it is somebody else's."""
        table = self._declared(name)
        mark = self._mark(name)
        found = describe(self._session, table.schema or "public", name)
        if found is None or (mark is not None and mark.made_table):
            return True
        if mark is None and not existing.is_empty(self._session, table):
            raise ForeignTable(
                name, self._source.name, "give the entity another name, or take `rows` away to only describe it"
            )
        existing.require_match(table, found, existing.ALTER, foreign_keys=True)
        return False

    def _require_unchanged(self, name: str) -> None:
        table, mark = self._declared(name), self._mark(name)
        found = describe(self._session, table.schema or "public", name)
        assert found is not None and mark is not None  # noqa: PT018
        fix = existing.RECREATE if mark.made_table else existing.ALTER
        existing.require_match(table, found, fix, foreign_keys=mark.state is State.COMPLETE)
        if mark.fingerprint != marker.fingerprint(self._task, name):
            self._reporter.notice(
                f"{name} was filled by other rules, another seed or another `now`; "
                "it is kept (--recreate fills it anew)"
            )

    def _compile(self, filling: tuple[str, ...]) -> dict[str, TableRules]:
        """The rules of the tables to fill, and of those whose rows follow from their numbers alone."""
        counts: dict[str, int] = {}
        rules: dict[str, TableRules] = {}
        for name in reference_order(self._task.entities):
            entity = self._task.entities[name]
            if entity.rows is not None and (name in filling or self._is_recomputable(name, rules)):
                counts[name] = row_count(entity, counts)
                rules[name] = compile_table(self._task, name, counts[name], self._now, self._pools)
                check_parents(rules[name], counts)
            elif self._is_dealt_out(name, filling):
                counts[name] = self._count(name)
        return rules

    def _is_recomputable(self, name: str, rules: Mapping[str, TableRules]) -> bool:
        """Whether the rows in the table are still those that the rules give."""
        mark = self._mark(name)
        if mark is None or mark.ticks or mark.fingerprint != marker.fingerprint(self._task, name):
            return False
        columns = self._task.entities[name].columns.values()
        parents = {column.references.table for column in columns if column.references} - {name}
        return parents <= rules.keys()

    def _is_dealt_out(self, name: str, filling: tuple[str, ...]) -> bool:
        """Whether a table to fill has so many rows for each row of this one."""
        for other in filling:
            rows = self._task.entities[other].rows
            if isinstance(rows, RowsPer):
                reference = self._task.entities[other].columns[rows.per].references
                if reference is not None and reference.table == name:
                    return True
        return False

    def _count(self, name: str) -> int:
        table = self._declared(name)
        if describe(self._session, table.schema or "public", name) is None:
            raise SourceMismatch(
                name, f"the source {self._source.name!r} has no table {name!r}", "create it, or give the entity `rows`"
            )
        return int(self._session.query(f"SELECT count(*) FROM {qualified(table.schema, name)}")[0][0])

    # --- writing

    def _clear(self, names: tuple[str, ...]) -> None:
        """Drop what Vitrina made and empty what it only filled, children first."""
        with self._session.transaction():
            for name in reversed(names):
                table, mark = self._declared(name), self._mark(name)
                if mark is not None and mark.made_table:
                    ddl.drop_table(self._session, table)
                elif mark is not None:
                    self._session.execute(f"DELETE FROM {qualified(table.schema, name)}")
                if mark is not None:
                    marker.write(self._session, replace(mark, state=State.FILLING))

    def _prepare(self, job: _Job) -> None:
        """The mark is committed before the first row: a table with rows and no mark is never ours."""
        table = job.rules.table
        with self._session.transaction():
            if job.made:
                ddl.create_schema(self._session, table.schema or "public")
                ddl.drop_table(self._session, table)
                ddl.create_table(self._session, table)
            marker.write(self._session, self._fresh_mark(job, State.FILLING))

    def _load_all(self, jobs: Sequence[_Job], rules: Mapping[str, TableRules]) -> int:
        """All tables; large ones two at a time: while one gets its indexes, the other gets its rows.

        Who makes the tables adds their foreign keys at the end, and recomputes parents that are not there yet.
        """
        rows = sum(job.rules.count for job in jobs)
        if rows < _LARGE or len(jobs) < _AT_ONCE or not all(job.made for job in jobs):
            return sum(
                self._load_apart(job, rules, Progress(self._reporter, job.rules.name, job.rules.count)) for job in jobs
            )
        progress = Progress(self._reporter, "all tables", rows)
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="vitrina-fill") as pool:
            ordered = sorted(jobs, key=lambda job: -job.rules.count)
            loads = [pool.submit(self._load_apart, job, rules, progress) for job in ordered]
            try:
                return sum(load.result() for load in as_completed(loads))
            except BaseException:
                self._stopped.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _load_apart(self, job: _Job, rules: Mapping[str, TableRules], progress: Progress) -> int:
        with self._source.session() as session, self._source.session() as lookup:
            return self._load(session, job, _Both(rules, StoredParents(lookup, self._task.entities)), progress)

    def _load(self, session: PostgresSession, job: _Job, parents: Parents, progress: Progress) -> int:
        table, name = job.rules.table, qualified(job.rules.table.schema, job.rules.name)
        with session.transaction():
            # In the transaction that emptied it, PostgreSQL writes a table's rows as if they had aged already.
            session.execute(f"TRUNCATE {name}" if job.made else f"DELETE FROM {name}")
            chunks = load.ahead(chunk_maker(job.rules, parents), ranges(job.rules, parents, 0, job.rules.count))
            written = load.copy(session, table, self._until_stopped(chunks), freeze=job.made, loaded=progress.add)
            if job.made:
                ddl.create_keys(session, table)
            session.execute(f"ANALYZE {name}")
            marker.write(session, self._fresh_mark(job, State.LOADED))
        progress.finish()
        return written

    def _until_stopped(self, chunks: Iterable[load.Chunk]) -> Iterator[load.Chunk]:
        for chunk in chunks:
            if self._stopped.is_set():
                raise CancelledError
            yield chunk

    def _tie(self, names: tuple[str, ...]) -> None:
        """Add the foreign keys that are missing, and declare the tables complete."""
        for name in names:
            table, mark = self._declared(name), marker.read(self._session)[self._key(name)]
            found = describe(self._session, table.schema or "public", name)
            assert found is not None
            with self._session.transaction():
                for key in table.foreign_keys if mark.made_table else ():
                    if key not in found.foreign_keys:
                        referred = self._task.entities[key.referred_table].schema_
                        ddl.create_foreign_key(self._session, table, key, referred)
                if mark.state is not State.COMPLETE:
                    marker.write(self._session, replace(mark, state=State.COMPLETE))

    def _fresh_mark(self, job: _Job, state: State) -> Mark:
        return Mark(
            schema=job.rules.table.schema or "public",
            table=job.rules.name,
            pipeline=self._task.pipeline,
            state=state,
            made_table=job.made,
            fingerprint=marker.fingerprint(self._task, job.rules.name),
            rows=job.rules.count,
            next_row=job.rules.count,
        )

    def _declared(self, name: str) -> Table:
        return table_of(name, self._task.entities[name])

    def _key(self, name: str) -> tuple[str, str]:
        return self._task.entities[name].schema_, name

    def _mark(self, name: str) -> Mark | None:
        return self._marks.get(self._key(name))


class _Both:
    """Parents that are recomputed where their rules are known, else looked up (implements `batch.Parents`)."""

    def __init__(self, rules: Mapping[str, TableRules], stored: StoredParents) -> None:
        self._rules = rules
        self._recomputed = Recomputed(rules, self)
        self._stored = stored

    def find(self, rules: TableRules, reference: str, rows: Rows) -> ParentRows:
        known = rules.relations[reference].parent in self._rules
        return (self._recomputed if known else self._stored).find(rules, reference, rows)

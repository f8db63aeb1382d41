"""The phases of one table's replication as tasks of their own, each with connections of its own, and tried again."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pkgutil import resolve_name
from typing import Any

import pytest

from framework import lease
from framework.databases.mysql.target import MySQLTarget
from framework.databases.postgres.source import PostgresSource
from framework.errors import LeaseHeld, LeaseLost, OutlineStale, StatementFailed, VerifyFailed
from framework.events import Reporter, Stats
from framework.replicate.engine import opened
from framework.replicate.job import Job
from framework.replicate.options import Options
from framework.replicate.outline import Outline
from framework.replicate.phases import load, merge, plan, verify
from framework.spec.replication import ReplicateTask
from tests.replicate.conftest import DEFAULTS, Copying


class Tasks:
    """One run of one table; every phase opens the databases anew, as a process would."""

    def __init__(self, copying: Copying, run_id: str = "manual__1", **settings: Any) -> None:
        self._copying = copying
        self._run_id = run_id
        self._settings = {**DEFAULTS, "chunk_rows": 1000, **settings}

    def plan(self, *, full_refresh: bool = False) -> Outline:
        with self._opened(None, full_refresh=full_refresh) as job:
            # Outlines travel as JSON.
            return Outline.from_json(json.loads(json.dumps(plan(job).as_json())))

    def load(self, outline: Outline, number: int) -> int:
        with self._opened(outline) as job:
            return load(job, outline, number)

    def merge(self, outline: Outline) -> Stats:
        with self._opened(outline) as job:
            return merge(job, outline).stats

    def verify(self, outline: Outline) -> None:
        with self._opened(outline) as job:
            verify(job)

    def end(self) -> None:
        """What a runner does when the run is over."""
        lease.release_all(self._copying.mysql, self._run_id)

    def all(self) -> Stats:
        outline = self.plan()
        for number in range(len(outline.ranges)):
            self.load(outline, number)
        stats = self.merge(outline)
        self.verify(outline)
        return stats

    @contextmanager
    def _opened(self, outline: Outline | None, *, full_refresh: bool = False) -> Iterator[Job]:
        source = PostgresSource("shop_postgres", self._copying.source.url)
        target = MySQLTarget("shop_mysql", self._copying.target.url)
        task = ReplicateTask.model_validate(self._settings)
        options = Options(self._run_id, full_refresh=full_refresh, spread=True)
        try:
            with opened(source, target, task, options, Reporter("replicate:copy"), outline) as job:
                yield job
        finally:
            source.close()
            target.close()


@pytest.fixture
def many(people: Copying) -> Copying:
    """5,005 rows, analysed, so that parts of 1,000 are known to be several."""
    people.source.execute("INSERT INTO t (id, name) SELECT i, 'n' || i FROM generate_series(1001, 6000) AS i")
    people.source.execute("ANALYZE t")
    return people


def test_parts_are_read_at_different_times_and_caught_up(many: Copying) -> None:
    tasks = Tasks(many)
    outline = tasks.plan()
    assert len(outline.ranges) == 6
    assert not outline.one_snapshot
    tasks.load(outline, 0)
    # Behind the first part's back, and before the others read: rows change, go, come and move between the parts.
    many.source.execute("UPDATE t SET name = 'changed', updated_at = clock_timestamp() WHERE id IN (1, 5500)")
    many.source.execute("DELETE FROM t WHERE id IN (2, 5501)")
    many.source.execute("INSERT INTO t (id, name) VALUES (7, 'new'), (9000, 'new')")
    many.source.execute("UPDATE t SET id = 8, updated_at = clock_timestamp() WHERE id = 5502")
    many.source.execute("UPDATE t SET id = 6500, updated_at = '2001-01-01' WHERE id = 3")  # a cursor that lies
    for number in range(1, len(outline.ranges)):
        tasks.load(outline, number)
    many.source.execute("UPDATE t SET name = 'late', updated_at = clock_timestamp() WHERE id = 4")
    stats = tasks.merge(outline)
    tasks.verify(outline)
    assert many.rows("id, name") == many.source.rows("SELECT id, name FROM t ORDER BY id")
    assert stats.watermark is not None
    assert many.leftovers() == []
    tasks.end()
    many.source.execute("UPDATE t SET name = 'later', updated_at = clock_timestamp() WHERE id = 4")
    assert Tasks(many, "manual__2").all().rows_written == 1
    assert many.rows("id, name") == many.source.rows("SELECT id, name FROM t ORDER BY id")


@pytest.mark.parametrize("key", ["name", "name, day"])
def test_parts_of_a_key_that_is_no_integer_are_caught_up_too(copying: Copying, key: str) -> None:
    source = copying.source
    source.execute("CREATE TABLE t (name text, day date, n int, updated_at timestamptz NOT NULL DEFAULT now())")
    source.execute(f"ALTER TABLE t ADD PRIMARY KEY ({key})")
    odd = "(ARRAY['é', 'E', 'e', 'o''clock', '%s', ' ', '漢'])[1 + i % 7]"
    source.execute(f"INSERT INTO t SELECT {odd} || i, date '2020-01-01' + i % 9, i FROM generate_series(1, 3000) AS i")
    source.execute("ANALYZE t")
    tasks = Tasks(copying)
    outline = tasks.plan()
    assert len(outline.ranges) == 3
    assert outline.by == tuple(key.split(", "))
    tasks.load(outline, 0)
    source.execute("UPDATE t SET n = -n, updated_at = clock_timestamp() WHERE n % 100 = 0")
    source.execute("DELETE FROM t WHERE n % 100 = 1")
    source.execute("INSERT INTO t VALUES ('', '2020-01-01', -1), ('zz', '2020-01-01', -2)")
    source.execute("UPDATE t SET name = reverse(name) || 'x', updated_at = clock_timestamp() WHERE n % 100 = 2")
    for number in range(1, len(outline.ranges)):
        tasks.load(outline, number)
    tasks.merge(outline)
    tasks.verify(outline)
    wanted = source.rows("SELECT n, name, day FROM t ORDER BY n")
    assert copying.rows("n, name, day") == wanted
    assert copying.leftovers() == []


def test_rows_that_cannot_go_are_those_of_the_time_the_parts_are_caught_up_to(many: Copying) -> None:
    many.source.execute("ALTER TABLE t ADD COLUMN born date")
    many.source.execute("UPDATE t SET born = 'infinity' WHERE id IN (1, 2, 1001, 5500)")
    tasks = Tasks(many, on_error={"policy": "quarantine", "limit": "1%"})
    outline = tasks.plan()
    assert not outline.one_snapshot
    for number in range(3):
        tasks.load(outline, number)
    # Read as good ones and bad now, or the other way round; with a cursor that moves, and without.
    many.source.execute("UPDATE t SET born = NULL WHERE id IN (1, 5500)")
    many.source.execute("UPDATE t SET born = NULL, updated_at = clock_timestamp() WHERE id = 2")
    many.source.execute("UPDATE t SET born = 'infinity' WHERE id IN (3, 5501)")
    many.source.execute("UPDATE t SET born = 'infinity', updated_at = clock_timestamp() WHERE id = 4")
    for number in range(3, len(outline.ranges)):
        tasks.load(outline, number)
    stats = tasks.merge(outline)
    assert tasks.merge(outline) == stats
    tasks.verify(outline)
    assert stats.rows_rejected == 4
    bad = "born = 'infinity'"
    assert many.rows("id") == many.source.rows(f"SELECT id FROM t WHERE {bad} IS NOT TRUE ORDER BY id")
    entries = "SELECT CAST(JSON_EXTRACT(row_key, '$.id') AS SIGNED) FROM _vitrina_rejects ORDER BY 1"
    assert many.target.rows(entries) == many.source.rows(f"SELECT id FROM t WHERE {bad} ORDER BY id")
    assert many.leftovers() == []
    tasks.end()
    many.source.execute("UPDATE t SET born = NULL WHERE id = 1001")
    assert Tasks(many, "manual__2", on_error={"policy": "quarantine", "limit": "1%"}).all().rows_rejected == 3
    assert many.rows("id") == many.source.rows(f"SELECT id FROM t WHERE {bad} IS NOT TRUE ORDER BY id")


def test_a_table_that_cannot_be_caught_up_is_one_part(many: Copying) -> None:
    tasks = Tasks(many, mode="full")
    assert tasks.plan().ranges == ((None, None),)
    tasks.end()
    many.source.execute("ALTER TABLE t ALTER updated_at TYPE timestamp")
    assert Tasks(many, "manual__2").plan().ranges == ((None, None),)


def test_every_phase_may_be_tried_again(many: Copying) -> None:
    tasks = Tasks(many)
    outline = tasks.plan()
    outline = tasks.plan()
    for number in range(len(outline.ranges)):
        assert tasks.load(outline, number) == tasks.load(outline, number)
    stats = tasks.merge(outline)
    assert stats.rows_written == 5005
    assert tasks.merge(outline) == stats
    tasks.verify(outline)
    tasks.verify(outline)
    many.source.execute("UPDATE t SET name = 'x', updated_at = clock_timestamp() WHERE id = 4")
    tasks.end()
    tasks = Tasks(many, "manual__2")
    outline = tasks.plan()
    assert tasks.load(outline, 0) == tasks.load(outline, 0)
    stats = tasks.merge(outline)
    assert stats.rows_written == 1
    assert tasks.merge(outline) == stats
    assert len(many.rows()) == 5005


def test_a_merge_that_died_before_the_rename_is_done_again(many: Copying, monkeypatch: pytest.MonkeyPatch) -> None:
    settings: dict[str, Any] = {"mode": "full", "columns": {"name": {"sql": "left(name, 20)", "type": "varchar(20)"}}}
    many()
    tasks = Tasks(many, indexes=[["name"]], **settings)
    outline = tasks.plan()
    for number in range(len(outline.ranges)):
        tasks.load(outline, number)
    with monkeypatch.context() as broken:
        broken.setattr("framework.replicate.state.forget_others", _die)
        with pytest.raises(RuntimeError):
            tasks.merge(outline)  # the rename is through, what follows it is not
    assert tasks.merge(outline).rows_written == 5005
    tasks.end()
    outline = (again := Tasks(many, "manual__2", **settings)).plan()
    for number in range(len(outline.ranges)):
        again.load(outline, number)
    with monkeypatch.context() as broken:
        broken.setattr("framework.databases.mysql.session.MySQLSession.swap", _die)
        with pytest.raises(RuntimeError):
            again.merge(outline)  # the state is written, the rename is not
    assert again.merge(outline).rows_written == 5005
    again.verify(outline)
    assert many.leftovers() == []


def test_a_part_that_dies_leaves_nothing_of_its_rows(many: Copying, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = Tasks(many)
    outline = tasks.plan()
    with monkeypatch.context() as broken:
        broken.setattr("framework.replicate.journal.Journal.note", _die)
        with pytest.raises(RuntimeError):
            tasks.load(outline, 3)
    with pytest.raises(StatementFailed, match="6 of 6 parts are not loaded"):
        tasks.merge(outline)
    for number in range(len(outline.ranges)):
        tasks.load(outline, number)
    tasks.merge(outline)
    tasks.verify(outline)


def test_the_lease_is_kept_between_tasks(many: Copying, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = Tasks(many)
    outline = tasks.plan()
    monkeypatch.setattr("framework.lease.TERM", 2)
    with pytest.raises(LeaseHeld, match="manual__1") as held:
        many(options={"run_id": "a command"})
    assert "its lease ends at" in held.value.fix
    tasks.load(outline, 0)


def test_who_was_taken_over_between_two_tasks_cannot_write(many: Copying) -> None:
    many()
    tasks = Tasks(many)
    outline = tasks.plan()
    tasks.load(outline, 0)
    many.target.execute("UPDATE _vitrina_leases SET expires_at = '2001-01-01'")
    many.source.execute("UPDATE t SET name = 'newer', updated_at = clock_timestamp() WHERE id = 1")
    many()
    with pytest.raises(LeaseLost):
        tasks.merge(outline)
    assert many.rows("id, name")[0] == (1, "newer")


def test_a_mapping_that_changes_between_tasks_stops_the_run(many: Copying) -> None:
    outline = Tasks(many).plan()
    with pytest.raises(OutlineStale):
        Tasks(many, where="id > 1").load(outline, 0)


@pytest.mark.parametrize("statement", ["DELETE FROM copy WHERE id = 1", "INSERT INTO copy (id, active) VALUES (0, 1)"])
def test_a_copy_of_another_size_is_told(many: Copying, statement: str) -> None:
    tasks = Tasks(many)
    outline = tasks.plan()
    for number in range(len(outline.ranges)):
        tasks.load(outline, number)
    tasks.merge(outline)
    many.target.execute(
        statement.replace(
            "(id, active) VALUES (0, 1)", "SELECT 0, email, name, active, updated_at FROM copy WHERE id = 1"
        )
    )
    with pytest.raises(VerifyFailed, match="the source had 5005"):
        tasks.verify(outline)


# --- attempts that were given up, and wake ----------------------------------------------------------------------------


class Stalled:
    """The first call of a function waits, in a thread of its own, before or after it does its work."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str, *, after: bool = False) -> None:
        original = resolve_name(name)
        self._reached, self._go = threading.Event(), threading.Event()
        self._pool = ThreadPoolExecutor(1)
        waiting = threading.Lock()

        def stall(*arguments: Any, **settings: Any) -> Any:
            mine = waiting.acquire(blocking=False) and not self._reached.is_set()
            result = original(*arguments, **settings) if after or not mine else None
            if mine:
                self._reached.set()
                assert self._go.wait(60)
            return result if after or not mine else original(*arguments, **settings)

        monkeypatch.setattr(name, stall)

    def start(self, work: Callable[[], Any]) -> Future[Any]:
        future = self._pool.submit(work)
        while not self._reached.wait(0.05):
            assert not future.done(), future.result()
        return future

    def wake(self, future: Future[Any]) -> BaseException | None:
        """What the stalled work ends with."""
        self._go.set()
        error = future.exception(60)
        self._pool.shutdown()
        return error


def assert_equal(copying: Copying) -> None:
    assert copying.rows("id, name") == copying.source.rows("SELECT id, name FROM t ORDER BY id")


def take_over(copying: Copying) -> None:
    copying.target.execute("UPDATE _vitrina_leases SET expires_at = '2001-01-01'")


@pytest.mark.parametrize("policy", ["keep", "remove"])
def test_a_plan_that_wakes_does_not_empty_what_its_retry_loaded(
    many: Copying, monkeypatch: pytest.MonkeyPatch, policy: str
) -> None:
    many()
    many.source.execute("UPDATE t SET name = 'new', updated_at = clock_timestamp() WHERE id = 1")
    tasks = Tasks(many, deletes={"policy": policy, "fuse": "100%"})
    many(options={"full_refresh": True}, deletes={"policy": policy, "fuse": "100%"})
    many.source.execute("UPDATE t SET name = 'newer', updated_at = clock_timestamp() WHERE id = 1")
    stalled = Stalled(monkeypatch, "framework.replicate.journal.Journal.begin", after=True)
    zombie = stalled.start(tasks.plan)
    outline = tasks.plan()
    tasks.load(outline, 0)
    stalled.wake(zombie)
    assert tasks.merge(outline).rows_written == 1
    tasks.verify(outline)
    assert_equal(many)


def test_a_merge_that_wakes_beside_its_retry_changes_nothing(many: Copying, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = Tasks(many)
    outline = tasks.plan()
    for number in range(len(outline.ranges)):
        tasks.load(outline, number)
    many.source.execute("UPDATE t SET name = 'first', updated_at = clock_timestamp() WHERE id < 3")
    stalled = Stalled(monkeypatch, "framework.replicate.merging.in_transaction")
    zombie = stalled.start(lambda: tasks.merge(outline))
    many.source.execute("UPDATE t SET name = 'second', updated_at = clock_timestamp() WHERE id < 3")
    tasks.merge(outline)
    error = stalled.wake(zombie)
    assert error is None or isinstance(error, (LeaseLost, StatementFailed))
    tasks.verify(outline)
    assert_equal(many)
    tasks.end()
    assert Tasks(many, "manual__2").all().rows_written == 0
    assert_equal(many)


@pytest.mark.parametrize("policy", ["keep", "mark", "remove"])
def test_a_row_that_moves_into_a_part_that_was_read_arrives(many: Copying, policy: str) -> None:
    tasks = Tasks(many, deletes={"policy": policy})
    outline = tasks.plan()
    tasks.load(outline, 0)
    many.source.execute("UPDATE t SET id = 8 WHERE id = 5502")
    many.source.execute("DELETE FROM t WHERE id = 2")
    for number in range(1, len(outline.ranges)):
        tasks.load(outline, number)
    tasks.merge(outline)
    tasks.verify(outline)
    assert_equal(many)


def test_a_part_of_an_earlier_plan_is_no_part_of_this_one(many: Copying) -> None:
    tasks = Tasks(many)
    old = tasks.plan()
    many.source.execute("INSERT INTO t (id) VALUES (60000)")
    outline = tasks.plan()
    with pytest.raises(LeaseLost):
        tasks.load(old, 0)
    for number in range(len(outline.ranges)):
        tasks.load(outline, number)
    tasks.merge(outline)
    assert_equal(many)


def test_who_wakes_after_his_rename_leaves_the_states_of_his_successor(
    many: Copying, monkeypatch: pytest.MonkeyPatch
) -> None:
    many()
    stalled = Stalled(monkeypatch, "framework.replicate.full._forget_others")
    zombie = stalled.start(lambda: many(options={"run_id": "stalled", "full_refresh": True}))
    take_over(many)
    many(options={"run_id": "successor", "full_refresh": True})
    stalled.wake(zombie)
    many.source.execute("UPDATE t SET name = 'x', updated_at = clock_timestamp() WHERE id = 1")
    assert many().rows_written == 1
    assert_equal(many)


def test_who_wakes_before_his_rename_does_not_rename(many: Copying, monkeypatch: pytest.MonkeyPatch) -> None:
    many()
    stalled = Stalled(monkeypatch, "framework.databases.mysql.session.MySQLSession.swap")
    refill = {"run_id": "stalled", "full_refresh": True}
    zombie = stalled.start(lambda: many(options=refill, columns={"name": {"sql": "upper(name)", "type": "text"}}))
    take_over(many)
    many.source.execute("UPDATE t SET name = 'x', updated_at = clock_timestamp() WHERE id = 1")
    many(options={"run_id": "successor"})
    assert isinstance(stalled.wake(zombie), (LeaseLost, StatementFailed))
    assert_equal(many)
    assert many().rows_written == 0


def _die(*_: object) -> None:
    raise RuntimeError("killed")


# --- tables that are altered ------------------------------------------------------------------------------------------

FOLLOWS: dict[str, Any] = {"schema_change": {"rename": "apply"}}


def alter_source(copying: Copying) -> None:
    copying.source.execute("ALTER TABLE t ADD note text NOT NULL DEFAULT 'n', ALTER email TYPE text, DROP active")
    copying.source.execute("ALTER TABLE t RENAME COLUMN name TO full_name")


def assert_altered(copying: Copying) -> None:
    wanted = copying.source.rows("SELECT id, email, full_name, note FROM t ORDER BY id")
    assert copying.rows("id, email, full_name, note") == wanted
    assert len(copying.rows()[0]) == 6  # nothing is hidden, and `active` is kept


def test_a_copy_is_altered_by_tasks(many: Copying) -> None:
    many(**FOLLOWS)
    alter_source(many)
    many.source.execute("UPDATE t SET full_name = 'x', updated_at = clock_timestamp() WHERE id = 4")
    tasks = Tasks(many, **FOLLOWS)
    outline = tasks.plan()
    assert outline.alters
    assert tasks.load(outline, 0) == tasks.load(outline, 0) == 5005
    stats = tasks.merge(outline)
    assert tasks.merge(outline) == stats
    tasks.verify(outline)
    assert_altered(many)


def test_a_merge_that_wakes_behind_its_retry_does_not_alter_again(
    many: Copying, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(**FOLLOWS)
    alter_source(many)
    tasks = Tasks(many, **FOLLOWS)
    outline = tasks.plan()
    tasks.load(outline, 0)
    stalled = Stalled(monkeypatch, "framework.replicate.evolve.alter")
    zombie = stalled.start(lambda: tasks.merge(outline))
    stats = tasks.merge(outline)
    assert stalled.wake(zombie) is None
    assert zombie.result() == stats
    tasks.verify(outline)
    assert_altered(many)


def test_a_run_that_wakes_behind_another_does_not_alter(many: Copying, monkeypatch: pytest.MonkeyPatch) -> None:
    many(**FOLLOWS)
    alter_source(many)
    tasks = Tasks(many, **FOLLOWS)
    outline = tasks.plan()
    tasks.load(outline, 0)
    stalled = Stalled(monkeypatch, "framework.replicate.evolve.alter")
    zombie = stalled.start(lambda: tasks.merge(outline))
    take_over(many)
    many(**FOLLOWS)
    assert_altered(many)
    assert isinstance(stalled.wake(zombie), LeaseLost)
    assert_altered(many)


def test_a_merge_that_dies_before_it_shows_what_is_new_is_finished_by_its_retry(
    many: Copying, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(**FOLLOWS)
    alter_source(many)
    tasks = Tasks(many, **FOLLOWS)
    outline = tasks.plan()
    tasks.load(outline, 0)
    with monkeypatch.context() as broken:
        broken.setattr("framework.replicate.evolve.reveal", _die)
        with pytest.raises(RuntimeError):
            tasks.merge(outline)
    tasks.merge(outline)
    tasks.verify(outline)
    assert_altered(many)


def test_a_refill_by_tasks_keeps_columns(many: Copying) -> None:
    many(**FOLLOWS)
    many.source.execute("ALTER TABLE t DROP active, ALTER name TYPE varchar(40)")
    tasks = Tasks(many, schema_change={"narrow": "refill"})
    tasks.all()
    assert_equal(many)
    assert many.rows("id, active")[0] == (1, None)
    tasks.end()
    many.source.execute("UPDATE t SET name = 'x', updated_at = clock_timestamp() WHERE id = 4")
    assert Tasks(many, "manual__2").all().rows_written == 1
    assert_equal(many)

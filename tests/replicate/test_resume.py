"""A full load that died is gone on with by the next run, which reads only what is missing or has changed."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pkgutil import resolve_name
from typing import Any

import pytest

from framework.databases.mysql.target import MySQLTarget
from framework.errors import DiskFull, LeaseLost, VitrinaError
from framework.events import Stats
from framework.replicate import phases
from framework.replicate.job import Job
from framework.replicate.outline import Outline
from tests.replicate.anywhere import Anywhere
from tests.replicate.conftest import Copying
from tests.replicate.following import is_exact
from tests.replicate.test_phases import Tasks

ROWS, PARTS = 5005, 6
COUNTS: dict[str, Any] = {"chunk_rows": 1000, "deletes": {"policy": "remove", "fuse": "100%"}}
NO_CURSOR: dict[str, Any] = {**COUNTS, "mode": "full"}
COLUMNS = "id, email, name, active, updated_at AT TIME ZONE 'UTC'"


class Died(Exception):
    """Stands for the end of a process: nothing of the engine catches it."""


def _more(source: Any) -> None:
    """5,005 rows of old, analysed, so that parts of 1,000 are known to be several."""
    source.execute("INSERT INTO t (id, name) SELECT i, 'n' || i FROM generate_series(1001, 6000) AS i")
    source.execute("UPDATE t SET updated_at = '2020-01-01'")
    source.execute("ANALYZE t")


@contextmanager
def dying(where: str, after: int = 1) -> Iterator[None]:
    """A function of the engine ends the run, once it was called so often."""
    owner, _, name = where.rpartition(".")
    holder = resolve_name(f"framework.replicate.{owner}")
    calls: list[int] = []
    original = getattr(holder, name)

    def perhaps(*arguments: Any, **settings: Any) -> Any:
        if len(calls) < after:
            result = original(*arguments, **settings)
            calls.append(1)
            if len(calls) < after:
                return result
        raise Died

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(holder, name, perhaps)
        with pytest.raises(Died):
            yield


def begun(copy: Anywhere, parts: int, options: dict[str, Any] | None = None, **settings: Any) -> None:
    """A load that dies when so many parts are loaded."""
    with dying("phases.load", parts):
        copy({"streams": 1, **(options or {})}, **{**COUNTS, **settings})


def gone_on(copy: Anywhere, options: dict[str, Any] | None = None, **settings: Any) -> Stats:
    stats = copy({"streams": 1, **(options or {})}, **{**COUNTS, **settings})
    assert is_exact(copy)
    assert copy.leftovers() == []
    return stats


def _count(copy: Anywhere) -> int:
    return int(copy.source.rows("SELECT count(*) FROM t")[0][0])


def _change(source: Any, clock: str) -> None:
    """Rows of the first parts, and of the last, change, go, come, and get other keys."""
    for statement in (
        f"UPDATE t SET name = 'changed', updated_at = {clock} WHERE id IN (1, 1500, 5990)",
        "DELETE FROM t WHERE id IN (2, 1501, 5991)",
        f"INSERT INTO t (id, name, updated_at) VALUES (7, 'n', {clock}), (-4, 'n', {clock}), (9000, 'n', {clock})",
        f"UPDATE t SET id = 8, updated_at = {clock} WHERE id = 5992",
        f"UPDATE t SET id = 6500, updated_at = {clock} WHERE id = 3",
        f"UPDATE t SET id = 1502000, updated_at = {clock} WHERE id = 1502",
        f"UPDATE t SET id = 10, updated_at = {clock} WHERE id = 1503",
    ):
        source.execute(statement)


def test_rows_that_were_loaded_stay(anywhere: Anywhere) -> None:
    _more(anywhere.source)
    begun(anywhere, 4)
    assert any("the next run goes on: 4 of 6 parts are loaded" in notice for notice in anywhere.notices)
    _change(anywhere.source, "clock_timestamp()")
    stats = gone_on(anywhere)
    assert any("run-1 began: 4 of 6 parts are kept" in notice for notice in anywhere.notices)
    assert stats.rows_read < 2100
    assert stats.rows_read + stats.rows_unchanged == stats.rows_written + stats.rows_unchanged == _count(anywhere)
    # The bound speaks of the whole copy: the next increment has nothing left to do but what comes now.
    anywhere.source.execute("UPDATE t SET name = 'later', updated_at = clock_timestamp() WHERE id = 4")
    assert gone_on(anywhere).rows_written == 1


def test_no_cursor_is_needed(anywhere: Anywhere) -> None:
    _more(anywhere.source)
    begun(anywhere, 4, **NO_CURSOR)
    _change(anywhere.source, "'2001-01-01'")
    stats = gone_on(anywhere, **NO_CURSOR)
    assert any("4 of 6 parts are kept, but for what differs" in notice for notice in anywhere.notices)
    assert stats.rows_read < 2100
    assert stats.rows_read + stats.rows_unchanged == _count(anywhere)


VALUED: tuple[tuple[dict[str, Any], str, int], ...] = (
    # The settings, what happens to the source when 3 of 6 parts are loaded, and how many rows are read at most.
    ({}, "ALTER TYPE mood RENAME VALUE 'good' TO 'fair'", ROWS),
    ({"columns": {"word": {"sql": "word(id)", "type": "text"}}}, "UPDATE words SET word = 'two' WHERE id = 1004", 3100),
    # As many rows enter the filter as leave it.
    ({"where": "id IN (SELECT id FROM words)"}, "UPDATE words SET id = id + 1 WHERE id IN (1010, 1013)", 3100),
)


def test_what_rows_do_not_tell_is_compared_by_value(anywhere: Anywhere) -> None:
    _more(anywhere.source)
    for statement in (
        "CREATE TYPE mood AS ENUM ('good', 'bad')",
        "ALTER TABLE t ADD mood mood DEFAULT 'good'",
        "CREATE TABLE words AS SELECT id, 'one'::text AS word FROM t WHERE id % 3 <> 0",
        "CREATE FUNCTION word(bigint) RETURNS text LANGUAGE sql STABLE AS 'SELECT word FROM words WHERE id = $1'",
        "CREATE INDEX ON words (id)",
    ):
        anywhere.source.execute(statement)
    for settings, change, most in VALUED:
        begun(anywhere, 3, **NO_CURSOR, **settings)
        anywhere.source.execute(change)
        stats = anywhere({"streams": 1}, **NO_CURSOR, **settings)
        assert stats.rows_read <= most
        word = "word(id)" if "columns" in settings else "NULL"
        wanted = f"SELECT id, name, mood::text, {word} FROM t WHERE {settings.get('where', 'true')} ORDER BY 1"
        got = anywhere.rows(f"id, name, mood, {'word' if 'columns' in settings else 'NULL'}")
        assert got == anywhere.source.rows(wanted)


def test_whatever_changes_is_met(anywhere: Anywhere) -> None:
    _more(anywhere.source)
    chance = random.Random(6)
    for _ in range(3):
        anywhere.execute("DROP TABLE IF EXISTS `copy`")
        begun(anywhere, chance.randrange(1, 6), **NO_CURSOR)
        for _ in range(chance.choice([1, 30])):
            key, other = (chance.randrange(-50, 7000) for _ in range(2))
            statement = chance.choice(
                [
                    "UPDATE t SET name = name || '!' WHERE id = {0}",
                    "UPDATE t SET name = NULL WHERE id = {0}",
                    "DELETE FROM t WHERE id = {0}",
                    "DELETE FROM t WHERE id BETWEEN {0} AND {0} + 1500",
                    "INSERT INTO t (id) VALUES ({0}) ON CONFLICT DO NOTHING",
                    "UPDATE t SET id = {1} WHERE id = {0} AND NOT EXISTS (SELECT 1 FROM t WHERE id = {1})",
                ]
            )
            anywhere.source.execute(statement.format(key, other))
        gone_on(anywhere, **NO_CURSOR)


def test_a_full_refresh_does_not_trust_the_cursor(anywhere: Anywhere) -> None:
    _more(anywhere.source)
    anywhere(**COUNTS)
    begun(anywhere, 3, {"full_refresh": True})
    anywhere.source.execute("UPDATE t SET name = 'unseen' WHERE id = 1001")
    assert gone_on(anywhere, {"full_refresh": True}).rows_read < 4000
    begun(anywhere, 3, {"full_refresh": True})
    assert gone_on(anywhere).rows_unchanged < 10  # an increment has no use for it


def test_what_the_load_was_made_of_must_be_the_same(anywhere: Anywhere) -> None:
    _more(anywhere.source)
    begun(anywhere, 4)
    assert anywhere({}, **COUNTS, **{"except": ["active"]}).rows_read == ROWS
    assert anywhere.columns() == ("id", "email", "name", "updated_at")
    assert anywhere.leftovers() == []
    anywhere.execute("DROP TABLE `copy`")
    # A column that was made anew has other values, whatever its name is and whatever the cursor says.
    begun(anywhere, 4)
    anywhere.source.execute("ALTER TABLE t DROP COLUMN active")
    anywhere.source.execute("ALTER TABLE t ADD COLUMN active boolean DEFAULT false")
    assert anywhere({}, **COUNTS).rows_read == ROWS
    anywhere.execute("DROP TABLE `copy`")
    # So may have rows that were loaded into an emptied table: their cursors are no evidence.
    begun(anywhere, 4)
    anywhere.source.execute("CREATE TABLE u AS SELECT * FROM t")
    anywhere.source.execute("TRUNCATE t")
    anywhere.source.execute("INSERT INTO t SELECT * FROM u")
    anywhere.source.execute("UPDATE t SET name = 'x' WHERE id = 1002")
    columns = "id, email, name, updated_at AT TIME ZONE 'UTC', active"
    assert anywhere({}, **COUNTS).rows_read < 3000
    assert is_exact(anywhere, columns)


def test_runs_may_die_one_after_the_other(anywhere: Anywhere) -> None:
    _more(anywhere.source)
    settings = {**COUNTS, "indexes": [["name"]], "unique": [["email"]]}
    begun(anywhere, 2, **settings)
    for where, after in (("resume.take", 1), ("resume.go_on", 1), ("phases.load", 1), ("phases.load", 5)):
        anywhere.source.execute("UPDATE t SET name = name || '+', updated_at = clock_timestamp() WHERE id % 1000 = 1")
        with dying(where, after):
            anywhere({"streams": 1}, **settings)
    for where in ("duplicates.named", "full._guard"):
        with dying(where):
            anywhere({"streams": 1}, **settings)
    # The table has its indexes; unique values move, and a part is left half way.
    anywhere.source.execute("UPDATE t SET email = NULL WHERE id = 1")
    anywhere.source.execute("UPDATE t SET email = 'p1@example.com' WHERE id = 5900")
    with dying("reuse._Refresh._delete"):
        anywhere({"full_refresh": True, "streams": 1}, **settings)
    stats = gone_on(anywhere, **settings)
    assert stats.rows_read < 1000


class Stalled:
    """A run of its own that stops at a call of the engine, without a sign of life, until it is woken."""

    def __init__(self, copying: Copying, where: str, after: int) -> None:
        self.error: BaseException | None = None
        self._copy = Anywhere(copying.source, MySQLTarget("shop_mysql", copying.target.url))
        self._at, self._woken = threading.Event(), threading.Event()
        owner, _, self._name = where.rpartition(".")
        self._holder = resolve_name(f"framework.replicate.{owner}")
        self._calls, self._after = 0, after
        self._thread = threading.Thread(target=self._run)

    def begin(self) -> None:
        original = getattr(self._holder, self._name)

        def perhaps(*arguments: Any, **settings: Any) -> Any:
            if threading.current_thread().name.startswith("vitrina-load"):
                self._calls += 1
                if self._calls == self._after:
                    self._at.set()
                    assert self._woken.wait(120)
            return original(*arguments, **settings)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(self._holder, self._name, perhaps)
            patched.setattr("framework.lease._renew", lambda lease, stop: None)
            self._thread.start()
            assert self._at.wait(120)
        self._copy.execute("UPDATE _vitrina_leases SET expires_at = '2001-01-01'")

    def wake(self) -> None:
        self._woken.set()
        self._thread.join(120)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._copy({"streams": 1}, **COUNTS)
        except VitrinaError as error:
            self.error = error
        finally:
            self._copy.postgres.close()
            self._copy.target.close()


@pytest.mark.parametrize(
    ("where", "after"), [("job.Counter.__call__", 3), ("journal.Journal.claim", 3), ("journal.Journal.note", 3)]
)
def test_who_wakes_finds_nothing_to_write_to(people: Copying, where: str, after: int) -> None:
    _more(people.source)
    stalled = Stalled(people, where, after)
    stalled.begin()
    people.source.execute("UPDATE t SET name = 'changed', updated_at = clock_timestamp() WHERE id = 1")
    with pytest.MonkeyPatch.context() as patched:
        plan = phases.plan

        def and_wake(job: Job) -> Outline:
            outline = plan(job)
            stalled.wake()
            return outline

        patched.setattr("framework.replicate.phases.plan", and_wake)
        people({"streams": 1}, **COUNTS)
    assert stalled.error is not None
    assert any("2 of 6 parts are kept" in notice for notice in people.notices)
    assert people.rows("id, name") == people.source.rows("SELECT id, name FROM t ORDER BY id")
    assert people.leftovers() == []


def test_tasks_go_on_with_what_tasks_or_a_run_began(people: Copying) -> None:
    _more(people.source)
    first = Tasks(people)
    outline = begun_with = first.plan()
    for number in (0, 3):
        first.load(outline, number)
    first.end()
    people.source.execute("UPDATE t SET name = 'changed', updated_at = clock_timestamp() WHERE id IN (1, 2000)")
    people.source.execute("DELETE FROM t WHERE id = 2")
    second = Tasks(people, "manual__2")
    outline = second.plan()
    assert outline.kept == (0, 3)
    assert outline.unread == (1, 2, 4, 5)
    for number in outline.unread:
        second.load(outline, number)
    with pytest.raises(LeaseLost):
        first.load(begun_with, 1)
    assert second.merge(outline).rows_read < 4100
    second.verify(outline)
    second.end()
    assert people.rows("id, name") == people.source.rows("SELECT id, name FROM t ORDER BY id")
    assert people.leftovers() == []
    # Compared, and caught up from the horizon of now.
    anew = Tasks(people, "manual__3")
    outline = anew.plan(full_refresh=True)
    anew.load(outline, 5)
    anew.end()
    people.source.execute("UPDATE t SET name = 'unseen' WHERE id = 5999")
    anew = Tasks(people, "manual__4")
    outline = anew.plan(full_refresh=True)
    assert (outline.kept, outline.compared, outline.one_snapshot) == ((), (5,), False)
    for number in outline.unread:
        anew.load(outline, number)
    people.source.execute("UPDATE t SET name = 'late', updated_at = clock_timestamp() WHERE id = 4")
    anew.merge(outline)
    anew.verify(outline)
    assert people.rows("id, name") == people.source.rows("SELECT id, name FROM t ORDER BY id")


def test_partitions_are_counted_for_parts(people: Copying) -> None:
    people.source.execute("CREATE TABLE p (id bigint PRIMARY KEY, name text) PARTITION BY RANGE (id)")
    people.source.execute("CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (2000)")
    people.source.execute("CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (2000) TO (5000)")
    people.source.execute("INSERT INTO p SELECT i, 'n' || i FROM generate_series(1, 4000) AS i")
    people.source.execute("ANALYZE p1")
    people.source.execute("ANALYZE p2")
    settings = {**NO_CURSOR, "source_table": "p"}
    with dying("phases.load", 3):
        people({"streams": 1}, **settings)
    people.source.execute("UPDATE p SET name = 'x' WHERE id = 5")
    people.source.execute("UPDATE p SET id = 4500 WHERE id = 6")
    assert people({"streams": 1}, **settings).rows_read < 1100
    # A partition is exchanged: none of its rows is new, and they are others.
    people.source.execute("CREATE TABLE p3 (LIKE p INCLUDING ALL)")
    people.source.execute("INSERT INTO p3 SELECT id, 'y' FROM p1")
    with dying("phases.load", 3):
        people({"streams": 1}, **settings)
    people.source.execute("ALTER TABLE p DETACH PARTITION p1")
    people.source.execute("ALTER TABLE p ATTACH PARTITION p3 FOR VALUES FROM (0) TO (2000)")
    people({"streams": 1}, **settings)
    assert people.rows() == people.source.rows("SELECT * FROM p ORDER BY id")


def test_small_loads_and_full_disks_leave_nothing(people: Copying) -> None:
    with dying("duplicates.named"):
        people()
    assert people.leftovers() == []
    _more(people.source)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("framework.replicate.full.finish", _full_disk)
        with pytest.raises(DiskFull):
            people(**COUNTS)
    assert people.leftovers() == []


def _full_disk(*_: Any) -> None:
    raise DiskFull("shop_mysql", "the table is full")

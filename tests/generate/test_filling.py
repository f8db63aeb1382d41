"""What a fill makes, what it leaves alone, and what it finds after it was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from framework.databases.postgres.catalog import describe
from framework.errors import ForeignTable, GenerationForbidden, LeaseHeld, SourceMismatch
from framework.events import Notice, Reporter, StepProgress
from framework.generate import marker
from framework.generate.filling import fill, pending
from framework.generate.ticks.changes import tick
from framework.spec.declared import table_of
from tests.generate.conftest import dump, one_table, task

REPORTER = Reporter("generate")
TEXT = {"type": "varchar(20)", "fake": "word"}


def wide(rows: int = 100) -> dict[str, Any]:
    """Two tables with every kind of key and index."""
    return {
        "a": {
            "schema": "app",
            "rows": rows,
            "columns": {
                "id": {"type": "bigint", "primary_key": True, "fake": "sequence"},
                "code": {"type": "uuid", "unique": True, "fake": "uuid"},
                "name": {"type": "varchar(20)", "index": True, "nulls": "5%", "fake": "word"},
                "price": {"type": "numeric(12,2)", "fake": {"integer": {"min": 1, "max": 9}}},
            },
            "indexes": [["name", "price"]],
        },
        "b": {
            "rows": rows,
            "columns": {
                "code": {"type": "char(4)", "primary_key": True, "fake": {"pattern": "####"}},
                "a_id": {"type": "bigint", "references": {"table": "a", "column": "id", "on_delete": "cascade"}},
                "at": {"type": "timestamptz", "fake": {"datetime": {"from": "-1d", "to": "now"}}},
            },
        },
    }


def test_a_fill_makes_what_the_spec_says(source, postgres):
    spec = task(wide())
    assert pending(postgres, spec) == ("a", "b")
    assert source.rows("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]
    stats = fill(postgres, spec, REPORTER)
    assert (stats.rows_written, pending(postgres, spec)) == (200, ())
    with postgres.session() as session:
        for name in ("a", "b"):
            declared, found = table_of(name, spec.entities[name]), describe(session, spec.entities[name].schema_, name)
            assert found is not None
            columns = [(c.name, c.type.kind, c.type.length, c.type.precision, c.nullable) for c in found.columns]
            assert columns == [
                (c.name, c.type.kind, c.type.length, c.type.precision, c.nullable) for c in declared.columns
            ]
            assert (found.primary_key, found.foreign_keys) == (declared.primary_key, declared.foreign_keys)
            assert set(found.indexes) == set(declared.indexes)


def test_a_second_fill_writes_nothing(source, postgres):
    spec = one_table(50, v=TEXT)
    fill(postgres, spec, REPORTER)
    before = source.rows("SELECT xmin::text, ctid::text FROM t ORDER BY id")
    assert fill(postgres, spec, REPORTER).rows_written == 0
    assert source.rows("SELECT xmin::text, ctid::text FROM t ORDER BY id") == before


def test_other_rules_are_told_and_kept_until_recreate(source, postgres):
    fill(postgres, one_table(50, v=TEXT), REPORTER)
    before = dump(source, "t")
    events: list[Any] = []
    fill(postgres, one_table(50, seed=43, v=TEXT), Reporter("generate", events.append))
    assert [event.message for event in events if isinstance(event, Notice)] == [
        "t was filled by other rules, another seed or another `now`; it is kept (--recreate fills it anew)"
    ]
    assert dump(source, "t") == before
    assert fill(postgres, one_table(50, seed=43, v=TEXT), REPORTER, recreate=True).rows_written == 50
    assert dump(source, "t") != before


def test_a_new_column_in_the_spec_is_a_mismatch_until_recreate(source, postgres):
    fill(postgres, one_table(50, v=TEXT), REPORTER)
    changed = one_table(50, v=TEXT, w=TEXT)
    with pytest.raises(SourceMismatch, match="no column 'w'") as caught:
        fill(postgres, changed, REPORTER)
    assert (caught.value.column, "--recreate" in caught.value.fix) == ("w", True)
    fill(postgres, changed, REPORTER, recreate=True)
    assert source.rows("SELECT count(w) FROM t") == [(50,)]


def test_recreate_drops_tables_that_refer_to_each_other(source, postgres):
    fill(postgres, task(wide()), REPORTER)
    assert fill(postgres, task(wide(30)), REPORTER, recreate=True).rows_written == 60
    assert source.rows("SELECT (SELECT count(*) FROM app.a), (SELECT count(*) FROM b)") == [(30, 30)]


@pytest.mark.parametrize("recreate", [False, True])
def test_rows_of_others_are_never_touched(source, postgres, recreate):
    source.execute("CREATE TABLE t (id bigint PRIMARY KEY, v varchar(20) NOT NULL)")
    source.execute("INSERT INTO t VALUES (7, 'theirs')")
    entities = {**one_table(5, v=TEXT).model_dump(mode="json", by_alias=True, exclude_unset=True)["entities"], **wide()}
    with pytest.raises(ForeignTable, match="'t'"):
        fill(postgres, task(entities), REPORTER, recreate=recreate)
    assert source.rows("SELECT * FROM t") == [(7, "theirs")]
    assert source.rows("SELECT tablename FROM pg_tables WHERE schemaname IN ('public', 'app')") == [("t",)]


def test_an_empty_table_that_matches_is_filled_and_never_dropped(source, postgres):
    source.execute("CREATE TABLE t (id bigint PRIMARY KEY, v varchar(20) NOT NULL, extra int DEFAULT 5)")
    oid = source.rows("SELECT 't'::regclass::oid")
    fill(postgres, one_table(50, v=TEXT), REPORTER)
    assert fill(postgres, one_table(60, v=TEXT), REPORTER, recreate=True).rows_written == 60
    assert source.rows("SELECT count(*), min(extra) FROM t") == [(60, 5)]
    assert source.rows("SELECT 't'::regclass::oid") == oid


@pytest.mark.parametrize(
    ("ddl", "fact"),
    [
        ("id bigint PRIMARY KEY", "no column 'v'"),
        ("id bigint PRIMARY KEY, v varchar(10) NOT NULL", r"t\.v is of type character varying\(10\)"),
        ("id int PRIMARY KEY, v varchar(20) NOT NULL", r"t\.id is of type integer"),
        ("id bigint, v varchar(20) NOT NULL", "primary key"),
        ("id bigint PRIMARY KEY, v varchar(20) NOT NULL, w int NOT NULL", r"t\.w is NOT NULL"),
    ],
)
def test_an_empty_table_that_differs_is_named(source, postgres, ddl, fact):
    source.execute(f"CREATE TABLE t ({ddl})")
    with pytest.raises(SourceMismatch, match=fact):
        fill(postgres, one_table(50, v=TEXT), REPORTER)
    assert source.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == [("t",)]


def test_a_source_that_does_not_allow_it_is_not_written(source, open_source):
    closed = open_source(source, may_generate=False)
    for attempt in (lambda: fill(closed, one_table(), REPORTER), lambda: tick(closed, one_table(), 1, REPORTER)):
        with pytest.raises(GenerationForbidden):
            attempt()
    assert source.rows("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def test_a_killed_fill_is_recognised_and_done_again(source, postgres, new_source, open_source):
    spec = one_table(400_000, v={"type": "text", "fake": "name"})
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, source.url, spec.model_dump_json(by_alias=True, exclude_unset=True)]
    )
    try:
        _wait_for(lambda: _copied(source) > 20_000)
        os.kill(child.pid, signal.SIGKILL)
    finally:
        child.kill()
        child.wait()
    assert source.rows("SELECT state FROM _vitrina_fills") == [("filling",)]
    assert pending(postgres, spec) == ("t",)
    _wait_for(lambda: source.rows("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)])
    small = one_table(500, v={"type": "text", "fake": "name"})
    assert fill(postgres, small, REPORTER).rows_written == 500
    other = new_source()
    fill(open_source(other), small, REPORTER)
    assert dump(source, "t") == dump(other, "t")
    assert source.rows("SELECT state FROM _vitrina_fills") == [("complete",)]


CHILD = """
import sys
from framework.databases.postgres.source import PostgresSource
from framework.events import Reporter
from framework.generate.filling import fill
from framework.spec.entities import GenerateTask
fill(PostgresSource("shop", sys.argv[1], True), GenerateTask.model_validate_json(sys.argv[2]), Reporter("generate"))
"""


def test_a_fill_that_died_before_its_foreign_keys_only_adds_them(source, postgres):
    fill(postgres, task(wide()), REPORTER)
    before = dump(source, "b")
    source.execute("ALTER TABLE b DROP CONSTRAINT b_a_id_fkey")
    source.execute("UPDATE _vitrina_fills SET state = 'loaded'")
    assert pending(postgres, task(wide())) == ("a", "b")
    assert fill(postgres, task(wide()), REPORTER).rows_written == 0
    assert source.rows("SELECT conname FROM pg_constraint WHERE contype = 'f'") == [("b_a_id_fkey",)]
    assert source.rows("SELECT DISTINCT state FROM _vitrina_fills") == [("complete",)]
    assert dump(source, "b") == before


def test_a_table_that_was_dropped_is_filled_again(source, postgres):
    spec = task(wide())
    fill(postgres, spec, REPORTER)
    before = dump(source, "b")
    source.execute("DROP TABLE b")
    assert pending(postgres, spec) == ("b",)
    assert fill(postgres, spec, REPORTER).rows_written == 100
    assert dump(source, "b") == before


def test_two_fills_keep_out_of_each_other_s_way(source, postgres, open_source, monkeypatch):
    monkeypatch.setattr(marker, "PATIENCE", 0.1)
    with postgres.session() as session, marker.exclusive(session, REPORTER), pytest.raises(LeaseHeld):
        fill(open_source(source), one_table(), REPORTER)


def test_a_fill_waits_for_one_that_is_about_to_end(source, postgres, open_source):
    events: list[Any] = []
    with postgres.session() as session, marker.exclusive(session, REPORTER), ThreadPoolExecutor(1) as pool:
        other = open_source(source)
        filling = pool.submit(fill, other, one_table(), Reporter("generate", events.append))
        _wait_for(lambda: events)
        session.execute("SELECT pg_advisory_unlock_all()")
        assert filling.result().rows_written == 1000
    assert "waiting for it to end" in events[0].message


def test_a_killed_fill_s_lock_is_given_back_amid_a_statement(source, postgres):
    killed = subprocess.Popen([sys.executable, "-c", SLEEPING, source.url], stdout=subprocess.PIPE)
    assert killed.stdout is not None
    killed.stdout.readline()
    killed.kill()
    killed.communicate()
    assert fill(postgres, one_table(), REPORTER).rows_written == 1000


def test_progress_ends_with_all_rows(source, postgres):
    events: list[Any] = []
    fill(postgres, one_table(30_000, v=TEXT), Reporter("generate", events.append))
    progress = [event for event in events if isinstance(event, StepProgress)]
    assert progress[-1] == StepProgress("generate", "t", 30_000, 30_000)
    assert len(progress) < 50


@pytest.mark.parametrize("rows", [0, 1])
def test_few_rows(source, postgres, rows):
    fill(postgres, one_table(rows, v=TEXT, u={"type": "text", "unique": True, "fake": "email"}), REPORTER)
    assert source.rows("SELECT count(*) FROM t") == [(rows,)]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(new_source):
    peaks = []
    for rows in (100_000, 1_000_000):
        spec = one_table(rows, v={"type": "text", "fake": "name"}, e={"type": "text", "unique": True, "fake": "email"})
        text = spec.model_dump_json(by_alias=True, exclude_unset=True)
        command = [sys.executable, "-c", CHILD + PEAK, new_source().url, text]
        peaks.append(int(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    assert peaks[1] < peaks[0] * 1.15


SLEEPING = """
import sys
from framework.databases.postgres.source import PostgresSource
from framework.events import Reporter
from framework.generate import marker
reporter = Reporter("generate", lambda event: None)
with PostgresSource("shop", sys.argv[1], True).session() as session, marker.exclusive(session, reporter):
    print("taken", flush=True)
    session.execute("SELECT pg_sleep(60)")
"""
PEAK = "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"


def _copied(source) -> int:
    progress = "pg_stat_progress_copy WHERE datname = current_database()"
    rows = source.rows(f"SELECT coalesce(max(tuples_processed), 0) FROM {progress}")
    return int(rows[0][0])


def _wait_for(condition) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_descriptions_are_the_comments_of_what_is_made(source, postgres):
    column = {"type": "int", "description": "It's 5", "fake": {"integer": {"min": 1, "max": 9}}}
    spec = one_table(3, v=column)
    told = spec.model_copy(update={"entities": {"t": spec.entities["t"].model_copy(update={"description": "A thing"})}})
    fill(postgres, told, REPORTER)
    with postgres.session() as session:
        table = describe(session, "public", "t")
    assert table is not None
    assert (table.comment, table.columns[1].comment) == ("A thing", "It's 5")


def test_numbers_without_their_last_places(source, postgres):
    column = {"type": "numeric(4,-2)", "fake": {"integer": {"min": -999949, "max": 999949}}}
    fill(postgres, one_table(500, v=column), REPORTER)
    found = {value % 100 for (value,) in source.rows("SELECT v FROM t")}
    assert found == {0}

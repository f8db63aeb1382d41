from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from sqlalchemy.engine import make_url

from framework import lease
from framework.databases.mysql import session as mysql_session
from framework.databases.mysql.session import SETTINGS
from framework.databases.postgres.catalog import require
from framework.databases.postgres.source import PostgresSource
from framework.errors import (
    CheckFailed,
    DeleteFuseBlown,
    LeaseHeld,
    LeaseLost,
    MappingChanged,
    SourceMismatch,
    StatementFailed,
)
from framework.replicate import cursor, engine
from framework.replicate.job import Job
from framework.replicate.mapping import resolve
from framework.replicate.outline import Outline
from framework.spec.replication import ReplicateTask
from tests.replicate.conftest import DEFAULTS, Copying
from tests.services.databases import SourceDatabase

KEEP = {"policy": "keep"}
MASKED = {"columns": {"email": {"from": "email", "mask": "hmac"}}}


def test_the_second_run_writes_nothing(people: Copying) -> None:
    assert people().rows_written == 5
    again = people()
    assert (again.rows_written, again.rows_deleted) == (0, 0)
    assert again.rows_read == again.rows_unchanged


def test_inserts_updates_and_deletes_arrive(people: Copying) -> None:
    people()
    people.source.execute("INSERT INTO t (id, email) VALUES (6, 'six@example.com')")
    people.source.execute("UPDATE t SET name = 'changed', updated_at = now() WHERE id = 2")
    people.source.execute("DELETE FROM t WHERE id = 4")
    stats = people()
    assert (stats.rows_written, stats.rows_deleted) == (2, 1)
    assert [(row[0], row[1]) for row in people.rows("id, name")] == [
        (1, "person 1"),
        (2, "changed"),
        (3, "person 3"),
        (5, "person 5"),
        (6, None),
    ]
    assert people.leftovers() == []


def test_the_watermark_advances_and_an_empty_run_keeps_it(people: Copying) -> None:
    first = people().watermark
    people.source.execute("UPDATE t SET updated_at = now() WHERE id = 1")
    second = people().watermark
    assert first is not None
    assert second is not None
    assert second > first
    time.sleep(1.1)
    assert people().watermark == second


def test_a_row_committed_late_with_an_old_cursor_value_arrives(people: Copying) -> None:
    people()
    late = people.source.connect()
    with late.cursor() as cursor:
        cursor.execute("INSERT INTO t (id, name) VALUES (100, 'late')")
        time.sleep(1.5)
        people.source.execute("UPDATE t SET updated_at = clock_timestamp() WHERE id = 1")
        people(deletes=KEEP, lookback="1ms")
        time.sleep(0.2)
        people(deletes=KEEP, lookback="1ms")
    late.commit()
    late.close()
    people(deletes=KEEP, lookback="1ms")
    assert people.rows("id")[-1] == (100,)


def test_swapped_unique_values_do_not_overwrite_other_rows(people: Copying) -> None:
    people()
    people.source.execute("UPDATE t SET email = 'x' || email, updated_at = now() WHERE id IN (1, 2)")
    people.source.execute("UPDATE t SET email = 'p2@example.com', updated_at = now() WHERE id = 1")
    people.source.execute("UPDATE t SET email = 'p1@example.com', updated_at = now() WHERE id = 2")
    people()
    assert people.rows("id, email")[:2] == [(1, "p2@example.com"), (2, "p1@example.com")]


def test_a_row_that_leaves_the_filter_is_deleted_and_comes_back(people: Copying) -> None:
    people(where="active")
    people.source.execute("UPDATE t SET active = false WHERE id = 3")
    assert people(where="active").rows_deleted == 1
    assert (3,) not in people.rows("id")
    people.source.execute("UPDATE t SET active = true, updated_at = '2001-01-01' WHERE id = 3")
    assert people(where="active").rows_written == 1
    assert (3,) in people.rows("id")


def test_mark_keeps_the_row_and_unmarks_it_when_it_returns(people: Copying) -> None:
    mark = {"policy": "mark", "fuse": "100%"}
    people(deletes=mark)
    people.source.execute("CREATE TABLE kept AS SELECT * FROM t WHERE id = 2")
    people.source.execute("DELETE FROM t WHERE id = 2")
    assert people(deletes=mark).rows_deleted == 1
    assert people(deletes=mark).rows_deleted == 0
    marked = {row[0]: row[1] for row in people.rows("id, _deleted_at")}
    assert marked[2] is not None
    assert {value for key, value in marked.items() if key != 2} == {None}
    people.source.execute("INSERT INTO t SELECT * FROM kept")
    people(deletes=mark)
    assert {row[1] for row in people.rows("id, _deleted_at")} == {None}


def test_keep_leaves_deleted_rows(people: Copying) -> None:
    people(deletes=KEEP)
    people.source.execute("DELETE FROM t WHERE id = 2")
    assert people(deletes=KEEP).rows_deleted == 0
    assert len(people.rows()) == 5


def test_the_fuse_stops_a_mass_deletion_and_changes_nothing(people: Copying) -> None:
    guarded = {"policy": "remove", "fuse": "40%"}
    people(deletes=guarded)
    before = people.rows()
    people.source.execute("DELETE FROM t WHERE id > 2")
    people.source.execute("UPDATE t SET name = 'new', updated_at = now()")
    with pytest.raises(DeleteFuseBlown, match="3 of the 5") as blown:
        people(deletes=guarded)
    assert "--full-refresh" in blown.value.fix
    assert people.rows() == before
    assert people.leftovers() == []


@pytest.mark.parametrize(
    ("key", "change"),
    [
        (b"a", {"where": "id > 1"}),
        (b"a", {"columns": {"name": {"sql": "upper(name)", "type": "text"}}}),
        (b"a", {"except": ["name"]}),
        (b"b", {}),
    ],
    ids=["filter", "computed", "columns", "mask key"],
)
def test_another_mapping_asks_for_a_refill(people: Copying, key: bytes, change: dict[str, object]) -> None:
    people(options={"mask_key": b"a"}, **MASKED)
    with pytest.raises(MappingChanged) as changed:
        people(options={"mask_key": key}, **{**MASKED, **change})
    assert "--full-refresh --table copy" in changed.value.fix
    people(options={"mask_key": key, "full_refresh": True}, **{**MASKED, **change})
    assert people(options={"mask_key": key}, **{**MASKED, **change}).rows_written == 0


def test_a_mask_is_hmac_sha256_under_the_key(people: Copying) -> None:
    key = b"k" * 100
    people(options={"mask_key": key}, **MASKED)
    expected = hmac.new(key, b"p1@example.com", hashlib.sha256).hexdigest()
    assert people.rows("id, email")[0] == (1, expected)


def test_rows_without_a_cursor_value_arrive(people: Copying) -> None:
    people.source.execute("ALTER TABLE t ALTER updated_at DROP NOT NULL")
    people()
    people.source.execute("INSERT INTO t (id, updated_at) VALUES (7, NULL)")
    people(deletes=KEEP)
    assert people.rows("id")[-1] == (7,)
    people.source.execute("UPDATE t SET name = 'seven' WHERE id = 7")
    people(deletes=KEEP)
    assert people.rows("id, name")[-1] == (7, "seven")


@pytest.mark.parametrize("type_name", ["bigint", "timestamp", "date", "text"])
def test_other_cursors_work_and_announce_what_they_cannot_promise(copying: Copying, type_name: str) -> None:
    values = {
        "bigint": ["1", "2", "3"],
        "timestamp": ["2024-01-01 00:00:00.000001", "2024-01-02", "2024-01-03"],
        "date": ["2024-01-01", "2024-01-02", "2024-01-03"],
        "text": ["a", "b", "c"],
    }[type_name]
    copying.source.execute(f"CREATE TABLE t (id int PRIMARY KEY, version {type_name} NOT NULL)")
    copying.source.execute("INSERT INTO t VALUES (1, %s), (2, %s)", values[0], values[1])
    copying(cursor="version", deletes=KEEP)
    copying.source.execute("INSERT INTO t VALUES (3, %s), (4, %s)", values[1], values[2])
    stats = copying(cursor="version", deletes=KEEP)
    assert [row[0] for row in copying.rows("id")] == [1, 2, 3, 4]
    assert stats.rows_written == 2
    assert "committed late" in copying.notices[-1]


def test_a_role_that_sees_no_other_sessions_is_told(people: Copying) -> None:
    people()
    assert people.notices == []
    people.source.admin(f"REVOKE pg_read_all_stats FROM {people.source.user}")
    url = make_url(people.source.admin_url)
    with closing(psycopg2.connect(url.render_as_string(hide_password=False).replace("+psycopg2", ""))):
        people()
    assert "pg_read_all_stats" in people.notices[-1]


def test_a_table_without_key_needs_one(copying: Copying) -> None:
    copying.source.execute("CREATE TABLE t (a int NOT NULL, b int NOT NULL, updated_at timestamptz DEFAULT now())")
    copying.source.execute("INSERT INTO t VALUES (1, 1), (1, 2)")
    with pytest.raises(SourceMismatch, match="no primary key") as missing:
        copying()
    assert "key:" in missing.value.fix
    copying(key=["a", "b"])
    copying.source.execute("UPDATE t SET updated_at = now() WHERE b = 2")
    copying.source.execute("DELETE FROM t WHERE b = 1")
    assert copying(key=["a", "b"]).rows_deleted == 1
    assert [row[:2] for row in copying.rows()] == [(1, 2)]


def test_a_failing_check_rolls_the_increment_back(people: Copying) -> None:
    people()
    people.source.execute("UPDATE t SET name = NULL, updated_at = now() WHERE id = 2")
    with pytest.raises(CheckFailed):
        people(checks=[{"not_null": ["name"]}])
    assert people.rows("id, name")[1] == (2, "person 2")
    assert people().rows_written == 1


def test_two_runs_never_write_one_table_at_once(people: Copying) -> None:
    people()
    with lease.held(people.mysql, "copy", "another run"), pytest.raises(LeaseHeld, match="another run"):
        people()
    assert people().rows_written == 0


def test_a_run_that_meets_a_merge_says_whose_it_is(people: Copying, monkeypatch: pytest.MonkeyPatch) -> None:
    people()
    shorter = [each.replace("innodb_lock_wait_timeout = 30", "innodb_lock_wait_timeout = 1") for each in SETTINGS]
    monkeypatch.setattr(mysql_session, "SETTINGS", tuple(shorter))
    holding, told = lease.held(people.mysql, "copy", "another run"), "written by run another run"
    with holding as held, people.mysql.session() as session, session.transaction():
        held.guard(session)
        with pytest.raises(LeaseHeld, match=told):
            people()


def test_the_lease_of_a_dead_run_expires(people: Copying, monkeypatch: pytest.MonkeyPatch) -> None:
    people()
    people.target.execute(
        "UPDATE _vitrina_leases SET owner = 'dead', expires_at = UTC_TIMESTAMP(6) + INTERVAL 2 SECOND"
    )
    begun = time.monotonic()
    assert people().rows_written == 0
    assert time.monotonic() - begun > 1


def test_what_a_dead_run_left_is_cleared(people: Copying) -> None:
    people()
    people.target.execute("CREATE TABLE _vitrina_stage_dead_copy (id int) COMMENT 'vitrina auxiliary 0 of copy'")
    people.target.execute("CREATE TABLE _vitrina_stage_dead_other (id int) COMMENT 'vitrina auxiliary 0 of other'")
    people()
    assert people.leftovers() == ["_vitrina_stage_dead_other"]


def test_a_prepared_transaction_holds_the_bound(people: Copying) -> None:
    people(deletes=KEEP, lookback="1ms")
    with closing(people.source.connect()) as late:
        late.tpc_begin("late")
        with late.cursor() as cursor:
            cursor.execute("UPDATE t SET name = 'late', updated_at = now() WHERE id = 2")
        time.sleep(1)
        late.tpc_prepare()
        people(deletes=KEEP, lookback="1ms")
        assert "prepared" in people.notices[-1]
        people(deletes=KEEP, lookback="1ms")
        late.tpc_commit()
    people(deletes=KEEP, lookback="1ms")
    assert people.rows("id, name")[1] == (2, "late")


def test_another_database_is_not_mixed_into_the_copy(
    people: Copying, new_source: Callable[..., SourceDatabase]
) -> None:
    people()
    other = new_source()
    other.execute(
        "CREATE TABLE t (id bigint PRIMARY KEY, email varchar(60) UNIQUE, name text, "
        "active boolean NOT NULL DEFAULT true, updated_at timestamptz NOT NULL DEFAULT now())"
    )
    people.postgres.close()
    people.postgres = PostgresSource("shop_postgres", other.url)
    with pytest.raises(MappingChanged):
        people()
    assert len(people.rows()) == 5


@pytest.mark.parametrize(("type_name", "endless"), [("timestamp", "infinity"), ("date", "infinity"), ("float8", "NaN")])
def test_a_cursor_without_end_does_not_swallow_what_follows(copying: Copying, type_name: str, endless: str) -> None:
    early, late = ("1", "2") if type_name == "float8" else ("2024-01-01", "2024-01-02")
    copying.source.execute(f"CREATE TABLE t (id int PRIMARY KEY, version {type_name} NOT NULL)")
    copying.source.execute("INSERT INTO t VALUES (1, %s), (2, %s)", early, endless)
    settings: dict[str, Any] = {"cursor": "version", "deletes": KEEP, "except": ["version"]}
    copying(**settings)
    copying.source.execute("INSERT INTO t VALUES (3, %s)", late)
    copying(**settings)
    copying.source.execute("INSERT INTO t VALUES (4, %s)", endless)
    copying(**settings)
    assert copying.rows("id") == [(1,), (2,), (3,), (4,)]


@pytest.mark.parametrize(
    ("type_name", "first", "second"),
    [
        ("boolean", "true", "false"),
        ("real", "0.1", "0.2"),
        ("uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        ("bytea", "\\x00ff", "\\x27"),
        ("time", "01:02:03", "24:00:00"),
        ("timestamptz", "2024-03-31 02:30:00+03", "2024-01-01"),
        ("numeric", "1.5", "2.25"),
        ("char(4)", "ab", "b"),
        ("inet", "10.0.0.1", "10.0.0.2/8"),
    ],
)
def test_a_row_of_any_key_returns(copying: Copying, type_name: str, first: str, second: str) -> None:
    copying.source.execute(
        f"CREATE TABLE t (id {type_name} PRIMARY KEY, updated_at timestamptz NOT NULL DEFAULT now())"
    )
    copying.source.execute("INSERT INTO t (id) VALUES (%s)", first)
    copying()
    copying.source.execute("INSERT INTO t VALUES (%s, '2001-01-01')", second)
    assert copying().rows_written == 1
    assert copying().rows_written == 0
    assert len(copying.rows()) == 2


def test_the_shadow_of_a_dead_refill_is_cleared(people: Copying) -> None:
    people()
    people.target.execute("CREATE TABLE _vitrina_shadow_dead_copy (id int) COMMENT 'vitrina:dead of copy'")
    people()
    assert people.leftovers() == []


def test_a_stalled_refill_that_was_taken_over_publishes_nothing(
    people: Copying, monkeypatch: pytest.MonkeyPatch
) -> None:
    people()
    load = engine._load_all

    def stall(job: Job, outline: Outline) -> None:
        monkeypatch.setattr(engine, "_load_all", load)
        people.target.execute("UPDATE _vitrina_leases SET owner = 'nobody', expires_at = '2001-01-01'")
        people(options={"full_refresh": True})
        load(job, outline)

    monkeypatch.setattr(engine, "_load_all", stall)
    with pytest.raises((LeaseLost, StatementFailed)):
        people(options={"full_refresh": True})
    assert len(people.rows()) == 5
    assert people.leftovers() == []


def test_an_increment_reads_by_the_index_of_the_cursor(people: Copying) -> None:
    people.source.execute(
        "INSERT INTO t (id, updated_at) SELECT i, '2024-01-01'::timestamptz + i * interval '1 min' "
        "FROM generate_series(10, 20000) AS i"
    )
    people.source.execute("CREATE INDEX ON t (updated_at)")
    people.source.execute("ANALYZE t")
    with people.postgres.session() as session:
        mapping = resolve(ReplicateTask.model_validate(DEFAULTS), require(session, "public", "t"), None)
        query = mapping.query(cursor.since(mapping, "2026-11-01 00:00:00+00"))
        plan = "\n".join(row[0] for row in session.query(f"EXPLAIN {query}"))
    assert "Seq Scan" not in plan, plan

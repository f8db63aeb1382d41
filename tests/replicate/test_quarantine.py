"""Rows that a target cannot take: set aside with key and reason, counted, and back when they are fit again."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from framework import status
from framework.databases.duckdb import DuckDBTarget
from framework.databases.mysql.target import MySQLTarget
from framework.errors import DeleteFuseBlown, KeyNotUnique, LoadRefused, RowsRejected
from framework.explain import explain
from framework.plan import compile_plan
from tests.databases.lanes import take_safe_lane
from tests.replicate.anywhere import Anywhere
from tests.replicate.keys import ORDERS, Keys

LATE = (
    """CREATE TABLE t (id bigint PRIMARY KEY, name text, born date, price numeric(10,2),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp())""",
    "INSERT INTO t (id, name, born, price) SELECT i, 'n' || i, date '2000-01-01' + i, i FROM generate_series(1, 9) i",
)

MEGABYTE = 1 << 20

QUARANTINE: dict[str, Any] = {"on_error": {"policy": "quarantine", "limit": "50%"}}

KEEP, MARK, REMOVE = ({"policy": policy, "fuse": "100%"} for policy in ("keep", "mark", "remove"))


ON_MYSQL = pytest.mark.parametrize("anywhere", ["mysql"], indirect=True)
"""For what does not depend on the target."""


@pytest.fixture
def dated(anywhere: Anywhere) -> Anywhere:
    """Nine rows with dates, of a copy that sets rows aside."""
    anywhere.source.execute("DROP TABLE t")
    for statement in LATE:
        anywhere.source.execute(statement)
    anywhere.settings |= QUARANTINE
    return anywhere


def rejects(anywhere: Anywhere, table: str = "copy") -> list[tuple[Any, str, dict[str, Any]]]:
    found = anywhere.query(f"SELECT row_key, reason, row_json FROM `_vitrina_rejects` WHERE table_name = '{table}'")
    return sorted(((key and json.loads(key), reason, json.loads(row)) for key, reason, row in found), key=str)


def ids(anywhere: Anywhere) -> list[int]:
    return [row[0] for row in anywhere.rows("id")]


def change(anywhere: Anywhere, assignment: str, where: str) -> None:
    anywhere.source.execute(f"UPDATE t SET {assignment}, updated_at = clock_timestamp() WHERE {where}")


@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_rows_that_cannot_go_are_set_aside_and_come_back(dated: Anywhere, mode: str) -> None:
    change(dated, "born = 'infinity'", "id = 3")
    stats = dated(mode=mode)
    assert ids(dated) == [1, 2, 4, 5, 6, 7, 8, 9]
    assert stats.rows_rejected == 1
    assert stats.warnings[0].startswith("1 row is in quarantine, see _vitrina_rejects: born = infinity is out of range")
    [(key, reason, row)] = rejects(dated)
    assert key == {"id": 3}
    assert reason == "born = infinity is out of range"
    assert (row["name"], row["born"], row["price"]) == ("n3", "infinity", 3.00)
    # Another one goes bad, and the first is fit again.
    change(dated, "price = 'NaN', born = '0044-03-15 BC'", "id = 5")
    change(dated, "born = '2001-02-03'", "id = 3")
    assert dated(mode=mode).rows_rejected == 1
    assert ids(dated) == [1, 2, 3, 4, 6, 7, 8, 9]
    [(key, reason, row)] = rejects(dated)
    assert (key, row["price"]) == ({"id": 5}, "NaN")
    assert reason == "born = 0044-03-15 BC is out of range; price = NaN is out of range"
    # It is changed, and stays bad; then it is deleted.
    change(dated, "price = 1", "id = 5")
    dated(mode=mode)
    assert [reason for _, reason, _ in rejects(dated)] == ["born = 0044-03-15 BC is out of range"]
    dated.source.execute("DELETE FROM t WHERE id = 5")
    stats = dated(mode=mode)
    assert (rejects(dated), stats.rows_rejected, stats.warnings) == ([], 0, ())
    assert ids(dated) == [1, 2, 3, 4, 6, 7, 8, 9]
    assert dated.leftovers() == []


@ON_MYSQL
def test_a_row_that_cannot_go_any_more_leaves_the_copy_as_if_deleted(dated: Anywhere) -> None:
    dated(deletes=MARK)
    change(dated, "born = 'infinity'", "id = 3")
    assert dated(deletes=MARK).rows_deleted == 1
    assert dated.query("SELECT id FROM `copy` WHERE `_deleted_at` IS NOT NULL") == [(3,)]
    change(dated, "born = NULL", "id = 3")
    dated(deletes=MARK)
    assert dated.query("SELECT id FROM `copy` WHERE `_deleted_at` IS NOT NULL") == []
    change(dated, "born = 'infinity'", "id IN (3, 4)")
    with pytest.raises(DeleteFuseBlown):
        dated(deletes={"policy": "mark", "fuse": "20%"})
    assert rejects(dated) == []


def test_where_deletes_are_kept_the_old_row_stays_and_its_entry_tells(dated: Anywhere) -> None:
    dated(deletes=KEEP)
    change(dated, "born = 'infinity'", "id IN (3, 4)")
    assert dated(deletes=KEEP).rows_rejected == 2
    assert ids(dated) == list(range(1, 10))
    # One becomes fit without its cursor: nobody compares keys, yet it is read again. One is deleted.
    dated.source.execute("UPDATE t SET born = '2001-02-03', name = 'back' WHERE id = 3")
    dated.source.execute("DELETE FROM t WHERE id = 4")
    assert dated(deletes=KEEP).rows_rejected == 0
    assert dated.query("SELECT name FROM `copy` WHERE id = 3") == [("back",)]
    assert rejects(dated) == []


@ON_MYSQL
def test_a_rule_that_makes_rows_fit_brings_them(dated: Anywhere) -> None:
    change(dated, "born = 'infinity'", "id = 3")
    for deletes in (REMOVE, KEEP):
        dated({"full_refresh": True}, deletes=deletes)
        assert len(rejects(dated)) == 1
        with pytest.raises(LoadRefused):
            dated(deletes=deletes, on_error={"policy": "stop"})
        assert len(rejects(dated)) == 1
        assert 3 not in ids(dated)
    dated({"full_refresh": True}, out_of_range="clamp")
    assert (rejects(dated), ids(dated)) == ([], list(range(1, 10)))


def test_more_than_the_limit_fails_and_shows_nothing(dated: Anywhere) -> None:
    tight: dict[str, Any] = {"on_error": {"policy": "quarantine", "limit": "12%"}}
    dated(**tight)
    change(dated, "born = 'infinity', name = 'new'", "id = 3")
    assert dated(**tight).rows_rejected == 1
    change(dated, "born = 'infinity'", "id = 4")
    change(dated, "name = 'newer'", "id = 5")
    for options in ({}, {"full_refresh": True}):
        with pytest.raises(RowsRejected) as caught:
            dated(options, **tight)
        error = caught.value
        assert (error.table, error.rejected, error.total, error.limit) == ("copy", 2, 9, "12%")
        assert 'born = infinity is out of range ({"id":3})' in error.fact
        assert [key for key, _, _ in rejects(dated)] == [{"id": 3}]
        assert dated.query("SELECT name FROM `copy` WHERE id = 5") == [("n5",)]
        assert dated.leftovers() == []
    assert dated(deletes=KEEP, on_error={"policy": "quarantine", "limit": "23%"}).rows_rejected == 2
    dated.source.execute("INSERT INTO t (id) SELECT generate_series(10, 100)")
    change(dated, "born = 'infinity'", "id <= 29")
    assert dated(on_error={"policy": "quarantine", "limit": "29%"}).rows_rejected == 29


def test_keys_may_be_null_and_long(anywhere: Anywhere) -> None:
    anywhere.source.execute("DROP TABLE t")
    anywhere.source.execute("CREATE TABLE t (code text UNIQUE, n int, updated_at timestamptz NOT NULL DEFAULT now())")
    anywhere.source.execute(
        "INSERT INTO t VALUES ('a', 1), (NULL, 2), (NULL, 2), ('b', 3), (repeat('é', 769), 4), (repeat('x', 768), 5)"
    )
    anywhere(key=["code"], **QUARANTINE)
    short = anywhere.target.dialect.name == "duckdb"
    long = [] if short else ["code has 769 characters, more than the 768 of a key"]
    assert sorted(reason for _, reason, _ in rejects(anywhere)) == [*long, *["code is NULL, and a key never is"] * 2]
    assert [key for key, reason, _ in rejects(anywhere) if "NULL" in reason] == [{"code": None}] * 2
    assert [row[0] for row in anywhere.rows("n")] == ([1, 3, 4, 5] if short else [1, 3, 5])
    anywhere.source.execute("UPDATE t SET code = 'c' || n, updated_at = now() WHERE ctid IN ('(0,2)', '(0,5)')")
    anywhere(key=["code"], **QUARANTINE)
    assert [key for key, _, _ in rejects(anywhere)] == [{"code": None}]
    assert [row[0] for row in anywhere.rows("n")] == [1, 2, 3, 4, 5]


@ON_MYSQL
def test_masked_values_are_masked_and_left_out_ones_are_left_out(dated: Anywhere) -> None:
    change(dated, "born = 'infinity', name = 'secret'", "id = 3")
    columns = {"name": {"from": "name", "mask": "hmac"}, "twice": {"sql": "id * 2", "type": "bigint"}}
    dated({"mask_key": b"k"}, columns=columns, **{"except": ["price"]})
    [(_, _, row)] = rejects(dated)
    assert sorted(row) == ["born", "id", "name", "twice", "updated_at"]
    assert len(row["name"]) == 64
    assert row["twice"] == 6
    assert "secret" not in str(anywhere_texts(dated))


def anywhere_texts(anywhere: Anywhere) -> list[Any]:
    return [*anywhere.query("SELECT * FROM `_vitrina_rejects`"), *anywhere.query("SELECT * FROM `copy`")]


@pytest.mark.parametrize("lane", ["fast", "safe"])
def test_rows_too_long_for_a_statement_are_set_aside(dated: Anywhere, lane: str) -> None:
    limited_by(dated, lane)
    longest = dated.target.capabilities.longest_row
    change(dated, f"name = repeat('\"\"x', {(longest or MEGABYTE) // 4})", "id = 3")
    change(dated, f"name = repeat('x', {(longest or MEGABYTE) - 3000})", "id = 4")
    dated()
    assert len(ids(dated)) == (9 if longest is None else 8)
    if longest is not None:
        [(key, reason, row)] = rejects(dated)
        assert key == {"id": 3}
        assert "the longest row that can be loaded has about" in reason
        assert row["name"].endswith(" bytes)")
        assert len(row["name"]) < 600


def limited_by(dated: Anywhere, lane: str) -> None:
    """The lane of MySQL, with limits that are quick to reach."""
    target = dated.target
    if isinstance(target, DuckDBTarget):
        if lane == "fast":
            pytest.skip("DuckDB has one lane")
        target.capabilities = replace(target.capabilities, longest_row=MEGABYTE)
    elif lane == "safe":
        assert isinstance(target, MySQLTarget)
        take_safe_lane(target)
        target.__dict__["capabilities"] = replace(target.capabilities, longest_row=MEGABYTE)


def test_values_of_all_types_are_shown(anywhere: Anywhere) -> None:
    anywhere.source.execute("DROP TABLE t")
    anywhere.source.execute(
        "CREATE TABLE t (id int PRIMARY KEY, k text, q text, b bytea, j json, a int[], n numeric, r real, m money, "
        "i interval, t time, z timestamptz, big numeric)"
    )
    anywhere.source.execute(
        "INSERT INTO t VALUES (1, 'k', 'say \"%s\" ''and'' \\', '\\x00ff', '{\"a\":  1}', '{1,NULL}', 1.50, 'NaN', "
        "12.34, '1 day', '24:00', 'infinity', 1e5000)"
    )
    anywhere(mode="full", on_error={"policy": "quarantine", "limit": "100%"})
    [(_, reason, row)] = rejects(anywhere)
    assert reason.startswith("r = NaN is out of range; z = infinity is out of range; big = 1000")
    assert row["q"] == "say \"%s\" 'and' \\"
    assert (row["b"], row["j"], row["a"], row["n"], row["r"]) == ("\\x00ff", {"a": 1}, [1, None], 1.5, "NaN")
    assert row["big"].endswith("(cut: 5001 bytes)")
    assert anywhere.rows("id") == []


@ON_MYSQL
def test_parts_of_a_load_set_rows_aside_each(dated: Anywhere) -> None:
    dated.source.execute("INSERT INTO t (id) SELECT generate_series(10, 4000)")
    change(dated, "born = 'infinity'", "id % 500 = 0")
    dated.source.execute("ANALYZE t")
    assert dated(chunk_rows=1000, where="id <> 1000").rows_rejected == 7
    assert [key["id"] for key, _, _ in sorted(rejects(dated), key=lambda each: each[0]["id"])] == [
        *(500, 1500, 2000, 2500, 3000, 3500, 4000),
    ]
    assert dated.query("SELECT COUNT(*) FROM `copy`") == [(4000 - 8,)]


@ON_MYSQL
def test_conditions_are_asked_only_of_rows_of_the_filter(dated: Anywhere) -> None:
    columns = {"share": {"sql": "1 / (id - 3)::float8", "type": "float8"}}
    dated(mode="full", where="id <> 3", columns=columns)
    assert len(ids(dated)) == 8


@ON_MYSQL
def test_rows_that_share_a_key_stop_the_load(dated: Anywhere) -> None:
    dated.source.execute("ALTER TABLE t DROP CONSTRAINT t_pkey")
    dated.source.execute("INSERT INTO t (id, name) VALUES (5, 'again')")
    with pytest.raises(KeyNotUnique):
        dated(key=["id"])


def test_whoever_refers_to_a_row_in_quarantine_is_copied_without_the_foreign_key(shop: Keys) -> None:
    settings: dict[str, Any] = {"customers": QUARANTINE, "orders": {}}
    shop.source.execute("UPDATE customers SET updated_at = 'infinity' WHERE id = 3")
    shop.run(settings)
    assert shop.declared() == {}
    assert shop.target.rows("SELECT COUNT(*) FROM orders") == [(20,)]
    spec = shop.spec(settings)
    quarantined = {table.name: table.quarantined for table in status.of(spec, shop.mysql).tables}
    assert quarantined == {"customers": 1, "orders": 0}
    action = explain(compile_plan(spec), spec, shop.postgres, shop.mysql)[0].action
    assert action.endswith("; rows that cannot go are put into quarantine, up to 50% of all; 1 row is there now")
    shop.source.execute("UPDATE customers SET updated_at = now() WHERE id = 3")
    shop.run(settings)
    assert shop.declared() == ORDERS


@ON_MYSQL
def test_a_key_that_was_renamed_is_read_again_and_so_is_one_beside_a_resync(dated: Anywhere) -> None:
    change(dated, "born = 'infinity'", "id IN (3, 4, 5)")
    dated(deletes=KEEP)
    dated.source.execute("UPDATE t SET born = NULL WHERE id = 3")
    dated({"resync": "id = 1 -- no other"}, deletes=KEEP)
    assert ids(dated) == [1, 2, 3, 6, 7, 8, 9]
    dated.source.execute("UPDATE t SET born = NULL WHERE id = 4")
    dated.source.execute("ALTER TABLE t RENAME id TO number")
    dated(deletes=KEEP, schema_change={"rename": "apply"})
    assert [row[0] for row in dated.rows("number")] == [1, 2, 3, 4, 6, 7, 8, 9]
    assert [key for key, _, _ in rejects(dated)] == [{"number": 5}]


@ON_MYSQL
def test_columns_and_indexes_that_come_and_go_change_what_fits(dated: Anywhere) -> None:
    change(dated, "name = repeat('n', 800)", "id = 3")
    dated(unique=[["name"]])
    assert [reason for _, reason, _ in rejects(dated)] == ["name has 800 characters, more than the 768 of a key"]
    dated.source.execute("ALTER TABLE t ADD COLUMN more float8")
    dated.source.execute("UPDATE t SET more = CASE WHEN id = 5 THEN 'NaN'::float8 ELSE id END")
    dated(unique=[["name"]])
    assert [key for key, _, _ in rejects(dated)] == [{"id": 3}, {"id": 5}]
    dated.source.execute("ALTER TABLE t DROP COLUMN more")
    dated()
    assert (ids(dated), rejects(dated)) == ([*range(1, 10)], [])


@ON_MYSQL
def test_names_and_values_are_quoted(dated: Anywhere) -> None:
    dated.source.execute("DROP TABLE t")
    dated.source.execute("""CREATE TABLE t (q text, "a%b" date, "it's" numeric, updated_at timestamptz DEFAULT now(),
        PRIMARY KEY (q))""")
    dated.source.execute("INSERT INTO t VALUES (%s, 'infinity', 'NaN'), ('y', NULL, 1)", "x%s'\\")
    for deletes in (KEEP, REMOVE):
        dated(deletes=deletes, table="co%py's")
        [(key, reason, _)] = rejects(dated, "co%py''s")
        assert key == {"q": "x%s'\\"}
        assert reason == "a%b = infinity is out of range; it's = NaN is out of range"
    dated.source.execute("""UPDATE t SET "a%b" = NULL, "it's" = 1""")
    assert dated(deletes=KEEP, table="co%py's").rows_rejected == 0
    assert dated.query("SELECT COUNT(*) FROM `co%py's`") == [(2,)]

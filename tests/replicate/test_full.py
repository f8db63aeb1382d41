from __future__ import annotations

import threading
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from framework.databases.postgres.source import PostgresSource
from framework.errors import (
    CheckFailed,
    ForeignTable,
    LoadRefused,
    PrivilegeMissing,
    SourceMismatch,
    UnsupportedType,
)
from framework.replicate import chunks
from tests.databases.lanes import take_safe_lane
from tests.replicate.conftest import Copying

HARD_TEXTS = [
    "",
    "NULL",
    "\\N",
    " trailing ",
    'quo"te',
    "back\\slash",
    "comma, semicolon;",
    "line\nfeed",
    "carriage\rreturn\r\n",
    "tab\tform\x0cfeed\x0bvertical\x01\x1f\x7f",
    "é 漢字 😀",
    "'single'",
    "%s %(name)s {brace}",
    None,
]


def test_every_kind_of_value_arrives_exactly(copying: Copying) -> None:
    copying.source.execute(
        "CREATE TABLE t (id int PRIMARY KEY, ok boolean, small smallint, big bigint, money numeric(12,2), "
        "bare numeric, "
        "float8 double precision, float4 real, padded char(5), short varchar(20), body text, raw bytea, day date, "
        "clock time, local timestamp, utc timestamptz, key uuid, doc jsonb, tags text[], span interval, "
        "ip inet)"
    )
    copying.source.execute(
        "INSERT INTO t VALUES (1, true, -32768, 9223372036854775807, -1234567890.12, 0.000000000000000000000000000001, "
        "1.7976931348623157e308, 0.1, 'ab', 'x', 'y', '\\x00ff0a0d5c2227', '2024-02-29', '24:00:00', "
        "'1850-01-01 01:02:03.000001', '2040-01-01 00:00:00.123456+03', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', "
        """'{"price": 1.10, "big": 12345678901234567890}', '{a,NULL,"b,c"}', '1 mon 2 days 03:00', '10.1.2.3/8')"""
    )
    copying.source.execute("INSERT INTO t (id) VALUES (2)")
    copying(mode="full")
    first, second = copying.rows()
    assert first == (
        1,
        1,
        -32768,
        9223372036854775807,
        Decimal("-1234567890.12"),
        Decimal("0.000000000000000000000000000001"),
        1.7976931348623157e308,
        0.1,
        "ab   ",
        "x",
        "y",
        b"\x00\xff\n\r\\\"'",
        date(2024, 2, 29),
        timedelta(days=1),
        datetime(1850, 1, 1, 1, 2, 3, 1),
        datetime(2039, 12, 31, 21, 0, 0, 123456),
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        '{"big": 12345678901234567890, "price": 1.10}',
        '["a",null,"b,c"]',
        "1 mon 2 days 03:00:00",
        "10.1.2.3/8",
    )
    assert second == (2, *[None] * 20)


@pytest.mark.parametrize("lane", ["LOAD DATA", "INSERT"])
def test_hard_texts_arrive_exactly_in_both_lanes(copying: Copying, lane: str) -> None:
    copying.source.execute("CREATE TABLE t (id int PRIMARY KEY, body text, raw bytea)")
    for number, text in enumerate(HARD_TEXTS):
        copying.source.execute("INSERT INTO t VALUES (%s, %s, %s)", number, text, bytes(range(256)))
    if lane == "INSERT":
        take_safe_lane(copying.mysql)
    assert copying.mysql.capabilities.lane == lane
    stats = copying(mode="full")
    assert copying.rows("id, body") == list(enumerate(HARD_TEXTS))
    assert {row[1] for row in copying.rows("id, raw")} == {bytes(range(256))}
    assert stats.rows_written == len(HARD_TEXTS)


def test_keys_that_differ_in_case_accent_or_trailing_space_stay_apart(copying: Copying) -> None:
    copying.source.execute("CREATE TABLE t (id text PRIMARY KEY)")
    for key in ("a", "A", "á", "a "):
        copying.source.execute("INSERT INTO t VALUES (%s)", key)
    copying(mode="full")
    assert sorted(row[0] for row in copying.rows()) == sorted(["a", "A", "á", "a "])


def test_readers_never_miss_the_table_while_it_is_replaced(people: Copying) -> None:
    people(mode="full")
    stop, seen = threading.Event(), set()

    def read() -> None:
        connection = people.target.connect(autocommit=True)
        with connection.cursor() as cursor:
            while not stop.is_set():
                cursor.execute("SELECT COUNT(*) FROM copy")
                seen.add(cursor.fetchall()[0][0])
        connection.close()

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(5):
        people(mode="full")
    stop.set()
    reader.join()
    assert seen == {5}


def test_a_value_the_target_would_alter_refuses_the_load_and_leaves_the_old_copy(people: Copying) -> None:
    people.source.execute("ALTER TABLE t ADD seen timestamp DEFAULT '2024-01-01'")
    people(mode="full")
    people.source.execute("UPDATE t SET seen = 'infinity' WHERE id = 3")
    with pytest.raises(LoadRefused, match=r"'copy'.*'seen'.*1 of column seen: 'infinity' \(id = 3\)") as refused:
        people(mode="full")
    assert "out_of_range: text" in refused.value.fix
    assert {row[1] for row in people.rows("id, seen")} == {datetime(2024, 1, 1)}
    assert people.leftovers() == []


@pytest.mark.parametrize("lane", ["LOAD DATA", "INSERT"])
def test_a_numeric_with_too_many_digits_is_refused_not_rounded(copying: Copying, lane: str) -> None:
    copying.source.execute("CREATE TABLE t (id int PRIMARY KEY, n numeric)")
    copying.source.execute("INSERT INTO t VALUES (1, 1.0000000000000000000000000000000001)")
    if lane == "INSERT":
        take_safe_lane(copying.mysql)
    assert copying.mysql.capabilities.lane == lane
    with pytest.raises(LoadRefused):
        copying(mode="full")


@pytest.mark.parametrize("moment", ["10000-01-01", "0044-03-15 BC", "-infinity"])
@pytest.mark.parametrize("type_name", ["date", "timestamp", "timestamptz"])
def test_dates_the_target_has_no_room_for_are_refused(copying: Copying, moment: str, type_name: str) -> None:
    copying.source.execute(f"CREATE TABLE t (id int PRIMARY KEY, d {type_name})")
    copying.source.execute("INSERT INTO t VALUES (1, %s)", moment)
    with pytest.raises(LoadRefused):
        copying(mode="full")


def test_a_table_that_is_not_ours_is_left_alone(people: Copying) -> None:
    people.target.execute("CREATE TABLE copy (id int)")
    people.target.execute("INSERT INTO copy VALUES (42)")
    with pytest.raises(ForeignTable, match="copy"):
        people(mode="full")
    assert people.rows() == [(42,)]


def test_a_missing_source_table_says_what_to_do(copying: Copying) -> None:
    with pytest.raises(SourceMismatch, match=r"no table public\.t") as missing:
        copying(mode="full")
    assert "from:" in missing.value.fix


def test_a_missing_column_names_those_that_exist(people: Copying) -> None:
    with pytest.raises(SourceMismatch, match="e_mail") as missing:
        people(columns={"mail": {"from": "e_mail"}})
    assert "email" in missing.value.fix


def test_a_type_without_a_home_is_refused_by_name(copying: Copying) -> None:
    copying.source.execute("CREATE TABLE t (id int PRIMARY KEY, p pg_ndistinct)")
    with pytest.raises(UnsupportedType, match=r"column copy\.p") as refused:
        copying(mode="full")
    assert "pg_ndistinct" in str(refused.value)
    assert "out_of_range: text" in refused.value.fix


def test_a_failing_check_leaves_the_old_copy(people: Copying) -> None:
    people(mode="full")
    people.source.execute("UPDATE t SET name = NULL WHERE id = 2")
    with pytest.raises(CheckFailed, match="not_null"):
        people(mode="full", checks=[{"not_null": ["name"]}])
    assert people.rows("id, name")[1] == (2, "person 2")
    assert people.leftovers() == []


def test_selection_rename_computed_column_and_filter(people: Copying) -> None:
    people(
        mode="full",
        where="id > 2",
        columns={"full_name": {"from": "name"}, "twice": {"sql": "id * 2", "type": "bigint"}},
        indexes=[["full_name"]],
        only=["id", "active"],
    )
    assert people.mysql.dialect.name == "mysql"
    assert people.rows() == [(3, "person 3", 1, 6), (4, "person 4", 1, 8), (5, "person 5", 1, 10)]
    indexes = {row[2]: row[4] for row in people.target.rows("SHOW INDEX FROM copy")}
    assert "full_name" in indexes.values()
    assert "PRIMARY" in indexes


def test_large_tables_are_copied_in_parts(people: Copying, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "WORTH_SPLITTING", 1)
    people.source.execute("INSERT INTO t (id) SELECT generate_series(-3000, 0)")
    people.source.execute("ANALYZE t")
    stats = people(mode="full", options={"streams": 3})
    assert stats.rows_written == 3006
    assert people.target.rows("SELECT COUNT(*), MIN(id), MAX(id) FROM copy") == [(3006, -3000, 5)]


def test_the_target_knows_at_once_how_large_a_fresh_copy_is(people: Copying) -> None:
    people.source.execute("INSERT INTO t (id) SELECT generate_series(101, 60100)")
    people(mode="full")
    rows = people.target.rows(
        "SELECT TABLE_ROWS FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'copy'"
    )
    assert 55_000 < rows[0][0] < 65_000


@pytest.mark.parametrize("name", ["100%", "a%s", "a`b", 'say "hi"', "select", "имя", "with space", "x" * 63, "1st"])
def test_names_of_all_kinds(copying: Copying, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    copying.source.execute(f"CREATE TABLE t (id int PRIMARY KEY, {quoted} int, updated_at timestamptz DEFAULT now())")
    copying.source.execute(f"INSERT INTO t (id, {quoted}) VALUES (1, 7), (2, 8)")
    checks = [{"not_null": [name]}, {"between": {name: {"min": 1}}}, {"accepted": {name: [7, 8, 9]}}]
    copying(checks=checks)
    copying.source.execute(f"UPDATE t SET {quoted} = 9, updated_at = now() WHERE id = 2")
    assert copying(checks=checks).rows_written == 1
    assert [row[:2] for row in copying.rows()] == [(1, 7), (2, 9)]


def test_both_lanes_load_the_same(copying: Copying) -> None:
    copying.source.execute("CREATE TABLE t (id int PRIMARY KEY, padded char(5), ip inet, net cidr, body text)")
    copying.source.execute("INSERT INTO t VALUES (1, 'a', '10.0.0.1', '10.0.0.0/8', 'é я')")
    copying.source.admin(f"ALTER ROLE {copying.source.user} SET client_encoding = 'LATIN1'")
    copying.postgres.close()
    copying(mode="full")
    fast = copying.rows()
    take_safe_lane(copying.mysql)
    copying(mode="full")
    assert copying.rows() == fast == [(1, "a    ", "10.0.0.1", "10.0.0.0/8", "é я")]


def test_keys_of_several_texts_share_the_room_of_an_index(copying: Copying) -> None:
    copying.source.execute("CREATE TABLE t (a text, b bytea, c varchar(700), d int, PRIMARY KEY (a, b, c, d))")
    copying.source.execute("INSERT INTO t VALUES ('x', '\\x00', 'y', 1)")
    copying(mode="full")
    assert copying.rows() == [("x", b"\x00", "y", 1)]
    copying.source.execute("INSERT INTO t VALUES (repeat('x', 700), '\\x00', 'y', 1)")
    with pytest.raises(LoadRefused):
        copying(mode="full")


def test_a_comment_in_the_filter_ends_with_its_line(people: Copying) -> None:
    people(where="id > 2 -- the later ones")
    assert len(people.rows()) == 3


def test_rows_that_a_policy_hides_from_the_role_are_not_missed_in_silence(copying: Copying) -> None:
    copying.source.execute("CREATE TABLE t (id int PRIMARY KEY, visible boolean)")
    copying.source.execute("INSERT INTO t VALUES (1, true), (2, false)")
    reader = PostgresSource("shop_postgres", copying.source.reader_url)
    copying.postgres, owner = reader, copying.postgres
    assert copying(mode="full").rows_written == 2
    copying.source.execute("ALTER TABLE t ENABLE ROW LEVEL SECURITY")
    copying.source.execute("CREATE POLICY own ON t USING (visible)")
    with pytest.raises(PrivilegeMissing, match="row-level security") as refused:
        copying(mode="full")
    assert "BYPASSRLS" in refused.value.fix
    assert len(copying.rows()) == 2
    reader.close()
    copying.postgres = owner


def test_a_table_without_the_rows_of_its_children(copying: Copying) -> None:
    copying.source.execute("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE child (more int) INHERITS (t)")
    copying.source.execute("INSERT INTO t VALUES (1); INSERT INTO child VALUES (1, 5), (2, 6)")
    assert copying(mode="full", children=False).rows_written == 1
    with pytest.raises(LoadRefused, match="2 rows with id = 1"):  # the key of a parent is none of its children
        copying(mode="full")
    copying.source.execute("DELETE FROM child WHERE id = 1")
    assert copying(mode="full").rows_written == 2


def test_columns_whose_values_are_replaced_are_counted(copying: Copying) -> None:
    copying.source.execute(
        "CREATE TABLE t (id int PRIMARY KEY, d date NOT NULL, n numeric, f float8, "
        "updated_at timestamptz DEFAULT now())"
    )
    copying.source.execute(
        "INSERT INTO t VALUES (1, '2020-01-01', 1, 1), (2, 'infinity', 'NaN', '-Infinity'), "
        "(3, '0044-03-15 BC', 1e40, 'NaN'), (4, '2020-01-01', NULL, NULL)"
    )
    settings: dict[str, Any] = {"out_of_range": "null", "columns": {"f": {"from": "f", "out_of_range": "text"}}}
    stats = copying(**settings)
    assert stats.warnings == (
        "2 values of d have no place in the target: NULL takes their place",
        "2 values of n have no place in the target: NULL takes their place",
    )
    assert copying.rows("d, n IS NULL, f", "copy")[:2] == [(None, 1, "-Infinity"), (None, 1, "NaN")]
    copying.source.execute("UPDATE t SET d = '-infinity', updated_at = now() WHERE id = 1")
    assert copying(**settings).warnings[0].startswith("3 values of d")  # the lookback reads all of them again
    copying.source.execute("ALTER TABLE t ALTER d DROP NOT NULL; UPDATE t SET d = NULL WHERE id = 4")
    clamped = copying({"full_refresh": True}, out_of_range="clamp", only=["id", "d", "updated_at"])
    assert clamped.warnings == ("3 values of d have no place in the target: the nearest value takes their place",)
    assert [str(row[1]) for row in copying.rows("id, d")] == ["0001-01-01", "9999-12-31", "0001-01-01", "None"]
    with pytest.raises(LoadRefused, match=r"1 of column n: 'NaN' \(id = 2\)") as refused:
        copying({"full_refresh": True}, out_of_range="clamp", only=["id", "n", "updated_at"])
    assert "null, or text, with --full-refresh" in refused.value.fix


def test_a_copied_column_may_have_a_wider_type(copying: Copying) -> None:
    copying.source.execute("CREATE TABLE t (id int PRIMARY KEY, n smallint, updated_at timestamptz DEFAULT now())")
    copying.source.execute("INSERT INTO t VALUES (1, 5)")
    wider = {"n": {"from": "n", "type": "integer"}}
    copying(columns=wider)
    copying.source.execute("UPDATE t SET n = 6, updated_at = now()")
    assert copying(columns=wider).rows_written == 1
    assert copying.rows("id, n") == [(1, 6)]
    copying(columns={"n": {"from": "n", "type": "bigint"}})  # in place, as if the source's column had grown
    (type_,) = copying.target.rows("SELECT DATA_TYPE FROM information_schema.COLUMNS WHERE COLUMN_NAME = 'n'")
    assert type_ == ("bigint",)
    with pytest.raises(SourceMismatch, match="does not hold all its values"):
        copying(columns={"n": {"from": "n", "type": "real"}})

"""The source changes its columns, and the copy follows, or refuses, on every target; it is compared row by row."""

from __future__ import annotations

from typing import Any

import pytest

from framework.databases.duckdb import DuckDBTarget
from framework.errors import LoadRefused, MappingChanged
from tests.replicate.anywhere import Anywhere
from tests.replicate.following import is_exact, refusal, without

TOUCH = "UPDATE t SET name = name || '!', updated_at = now() WHERE id = 2"


# Added columns


def test_a_new_column_arrives_with_its_values_although_no_cursor_moved(anywhere: Anywhere) -> None:
    anywhere()
    anywhere.source.execute("ALTER TABLE t ADD COLUMN note varchar(20), ADD COLUMN n integer NOT NULL DEFAULT 7")
    anywhere.source.execute("UPDATE t SET note = 'x' WHERE id = 1")
    stats = anywhere()
    assert is_exact(anywhere, "id, email, name, active, note, n")
    assert stats.rows_written == 5
    assert any("column note" in notice and "is new in the source: it is added" in notice for notice in anywhere.notices)
    again = anywhere()
    assert (again.rows_written, anywhere.notices) == (0, [])
    # A default of the source's is none of the copy's, for rows that are there.
    anywhere.source.execute("INSERT INTO t (id, n) VALUES (9, 8)")
    anywhere()
    assert is_exact(anywhere, "id, email, name, active, note, n")


def test_a_new_column_with_a_default_is_null_where_the_source_is(anywhere: Anywhere) -> None:
    anywhere()
    anywhere.source.execute("ALTER TABLE t ADD COLUMN note varchar(20)")
    anywhere.source.execute("ALTER TABLE t ALTER note SET DEFAULT 'given'")
    anywhere.source.execute("INSERT INTO t (id) VALUES (6)")
    anywhere()
    assert is_exact(anywhere, "id, note")


def test_backfill_may_leave_rows_that_do_not_change(anywhere: Anywhere) -> None:
    anywhere()
    anywhere.source.execute("ALTER TABLE t ADD COLUMN note text NOT NULL DEFAULT 'x'")
    policy: dict[str, Any] = {"schema_change": {"backfill": "touched"}}
    anywhere.source.execute("UPDATE t SET updated_at = now() - interval '1 day' WHERE id <> 2")
    anywhere(**policy)
    anywhere.source.execute("ALTER TABLE t ADD COLUMN more text NOT NULL DEFAULT 'y'")
    anywhere.source.execute("ALTER TABLE t ALTER note TYPE text, ALTER note DROP NOT NULL")
    anywhere.source.execute("UPDATE t SET updated_at = now() WHERE id = 2")
    anywhere(**policy)
    assert (2, "y") in anywhere.rows("id, more")
    assert [more for key, more in anywhere.rows("id, more") if key == 1] == [None]


def test_a_column_that_the_spec_maps_or_computes_is_filled(anywhere: Anywhere) -> None:
    anywhere(**without("email"))
    assert "email" not in anywhere.columns()
    computed = {"upper_name": {"sql": "upper(name)", "type": "text"}, "address": {"from": "email"}}
    anywhere(columns=computed)
    assert [row[1:] for row in anywhere.rows("id, `upper_name`, `address`")] == [
        (f"PERSON {i}", f"p{i}@example.com") for i in range(1, 6)
    ]


def test_adding_may_be_refused(anywhere: Anywhere) -> None:
    anywhere()
    anywhere.source.execute("ALTER TABLE t ADD COLUMN note text")
    refused = refusal(anywhere, schema_change={"add": "refuse"})
    assert refused.changes == ("column note (text) is new in the source",)
    assert "`add: apply`" in refused.fix
    assert "`except: [note]`" in refused.fix
    assert anywhere(schema_change={"add": "refuse"}, **without("note")).rows_written == 0


def test_a_column_that_was_dropped_and_made_anew_has_the_new_values(anywhere: Anywhere) -> None:
    anywhere()
    anywhere.source.execute("ALTER TABLE t DROP COLUMN name")
    anywhere.source.execute("ALTER TABLE t ADD COLUMN name text")
    anywhere.source.execute("UPDATE t SET name = 'new' WHERE id = 4")
    anywhere()
    assert is_exact(anywhere)
    assert any("column name (text) was dropped in the source and made anew" in notice for notice in anywhere.notices)


# Wider types


@pytest.mark.parametrize(
    ("before", "after", "value", "wide"),
    [
        ("smallint", "integer", "32767", "2147483647"),
        ("integer", "bigint", "-2147483648", "9223372036854775807"),
        ("bigint", "numeric", "9223372036854775807", "12345678901234567890123"),
        ("bigint", "numeric(30,2)", "9223372036854775807", "12345678901234567890123.25"),
        ("numeric(10,2)", "numeric(14,4)", "12345678.25", "1234567890.1234"),
        ("numeric(10,2)", "numeric", "12345678.25", "1234567890.1234"),
        ("varchar(5)", "varchar(500)", "short", "x" * 500),
        ("varchar(5)", "text", "short", "x" * 70_000),
        ("varchar(5)", "varchar", "short", "x" * 20_000),
        ("timestamp(0)", "timestamp(6)", "2026-01-01 10:00:00", "2026-01-01 10:00:00.123456"),
    ],
)
def test_a_wider_type_is_changed_in_place(anywhere: Anywhere, before: str, after: str, value: str, wide: str) -> None:
    anywhere.source.execute(f"ALTER TABLE t ADD COLUMN v {before}")
    anywhere.source.execute("UPDATE t SET v = %s", value)
    anywhere(indexes=[["v"]])
    anywhere.source.execute(f"ALTER TABLE t ALTER v TYPE {after}")
    anywhere.source.execute("UPDATE t SET v = %s, updated_at = now() WHERE id = 3", wide)
    stats = anywhere(indexes=[["v"]])
    assert stats.rows_written == 1
    assert [str(row[0]) for row in anywhere.query("SELECT COUNT(*) FROM `copy`")] == ["5"]
    got = [str(v) for (v,) in anywhere.query("SELECT v FROM `copy` ORDER BY id")]
    wanted = [str(v) for (v,) in anywhere.source.rows("SELECT v FROM t ORDER BY id")]
    assert [number(text) for text in got] == [number(text) for text in wanted]
    refused = {"widen": "refuse"}
    anywhere.source.execute("ALTER TABLE t ALTER active DROP NOT NULL")
    assert refusal(anywhere, indexes=[["v"]], schema_change=refused).changes == ("column active may be NULL",)


def number(text: str) -> Any:
    try:
        from decimal import Decimal

        return Decimal(text)
    except ArithmeticError:
        return text


def test_a_wider_key(anywhere: Anywhere) -> None:
    anywhere.source.execute("ALTER TABLE t ALTER id TYPE integer")
    anywhere()
    anywhere.source.execute("ALTER TABLE t ALTER id TYPE bigint")
    anywhere.source.execute("INSERT INTO t (id, name) VALUES (5000000000, 'far')")
    anywhere()
    assert is_exact(anywhere)


def test_null_is_allowed_from_now_on(anywhere: Anywhere) -> None:
    anywhere()
    anywhere.source.execute("ALTER TABLE t ALTER active DROP NOT NULL")
    anywhere.source.execute("UPDATE t SET active = NULL, updated_at = now() WHERE id = 1")
    anywhere()
    assert is_exact(anywhere)
    # Not to be NULL any more is no change of the copy.
    anywhere.source.execute("UPDATE t SET active = true, updated_at = now() WHERE id = 1")
    anywhere.source.execute("ALTER TABLE t ALTER active SET NOT NULL")
    anywhere()
    assert is_exact(anywhere)
    assert anywhere.notices == []


def test_rows_that_become_too_long_for_mysql_get_longer_texts(anywhere: Anywhere) -> None:
    anywhere.source.execute("ALTER TABLE t ADD COLUMN a varchar(9000) DEFAULT 'a'")
    anywhere(indexes=[["a"]])
    anywhere.source.execute("ALTER TABLE t ADD COLUMN b varchar(9000) DEFAULT 'b'")
    anywhere(indexes=[["a"]])
    assert is_exact(anywhere, "id, a, b")


# Types that are no wider


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("text", "varchar(60)"),
        ("varchar(20)", "varchar(10)"),
        ("char(3)", "char(5)"),
        ("real", "double precision"),
        ("bigint", "integer"),
        ("numeric(10,4)", "numeric(10,2)"),
        ("date", "timestamptz"),
        ("timestamp(6)", "timestamp(0)"),
        ("json", "jsonb"),
    ],
)
def test_another_type_is_refused_or_refilled(anywhere: Anywhere, before: str, after: str) -> None:
    values = {"date": "2026-01-01", "timestamp(6)": "2026-01-01 10:00:00.6", "json": '{"b": 1,  "a": 2}'}
    anywhere.source.execute(f"ALTER TABLE t ADD COLUMN v {before}")
    anywhere.source.execute("UPDATE t SET v = %s", values.get(before, "1.2"[: 1 if "int" in before else 3]))
    anywhere()
    anywhere.source.execute(f"ALTER TABLE t ALTER v TYPE {after}")
    refused = refusal(anywhere)
    assert refused.changes[0].startswith("column v is ")
    assert "`narrow: refill`" in refused.fix
    stats = anywhere(schema_change={"narrow": "refill"})
    assert stats.rows_written == 5
    assert any("the table is copied anew" in notice for notice in anywhere.notices)
    assert is_exact(anywhere)
    assert anywhere().rows_written == 0


def test_a_refill_takes_the_other_changes_along(anywhere: Anywhere) -> None:
    anywhere()
    anywhere.source.execute("ALTER TABLE t ALTER email TYPE varchar(40), ADD COLUMN note text DEFAULT 'n', DROP name")
    anywhere(schema_change={"narrow": "refill"})
    assert is_exact(anywhere, "id, email, note")
    assert anywhere.rows("id, name")[0] == (1, None)


# Columns that go


def test_a_column_that_is_gone_is_kept_and_null_from_now_on(anywhere: Anywhere) -> None:
    anywhere.source.execute("ALTER TABLE t ADD COLUMN size integer NOT NULL DEFAULT 3")
    anywhere()
    anywhere.source.execute("ALTER TABLE t DROP COLUMN size")
    anywhere.source.execute(TOUCH)
    anywhere()
    assert anywhere.rows("id, size") == [(1, 3), (2, None), (3, 3), (4, 3), (5, 3)]
    assert any("column size is gone from the source: it stays" in notice for notice in anywhere.notices)
    assert is_exact(anywhere)
    anywhere()
    assert anywhere.notices == []
    anywhere({"full_refresh": True})
    assert anywhere.rows("id, size") == [(i, None) for i in range(1, 6)]
    anywhere.source.execute(TOUCH)
    anywhere()
    assert is_exact(anywhere)
    # It returns, with another type.
    anywhere.source.execute("ALTER TABLE t ADD COLUMN size text")
    anywhere.source.execute("UPDATE t SET size = 'large' WHERE id = 1")
    anywhere()
    assert is_exact(anywhere, "id, size, name")


def test_a_kept_column_goes_when_nobody_wants_to_keep_it(anywhere: Anywhere) -> None:
    anywhere()
    anywhere.source.execute("ALTER TABLE t DROP COLUMN name")
    anywhere()
    assert "name" in anywhere.columns()
    anywhere(schema_change={"drop": "apply"})
    assert "name" not in anywhere.columns()


def test_a_column_that_is_gone_is_dropped(anywhere: Anywhere) -> None:
    anywhere(indexes=[["name"]])
    anywhere.source.execute("ALTER TABLE t DROP COLUMN name")
    anywhere(schema_change={"drop": "apply"})
    assert set(anywhere.columns()) == {"id", "email", "active", "updated_at"}
    assert is_exact(anywhere, "id, email, active")


def test_a_column_that_the_spec_leaves_out_is_not_kept_in_secret(anywhere: Anywhere) -> None:
    anywhere()
    left_out = without("email")
    refused = refusal(anywhere, **left_out)
    assert refused.changes == ("the spec does not copy column email any more",)
    anywhere(schema_change={"drop": "apply"}, **left_out)
    assert "email" not in anywhere.columns()
    assert is_exact(anywhere, "id, name")


# Names


def test_a_new_name_is_refused_and_both_ways_out_work(anywhere: Anywhere) -> None:
    anywhere()
    anywhere.source.execute("ALTER TABLE t RENAME COLUMN name TO full_name")
    refused = refusal(anywhere)
    assert refused.changes == ("column name is called full_name in the source",)
    assert "`columns: {name: full_name}`" in refused.fix
    assert "`rename: apply`" in refused.fix
    anywhere.source.execute("UPDATE t SET full_name = 'x', updated_at = now() WHERE id = 1")
    kept: dict[str, Any] = {"columns": {"name": {"from": "full_name"}}}
    assert anywhere(**kept).rows_written == 1
    assert anywhere.notices == []
    assert is_exact(anywhere, "id, full_name", full_name="name")
    # And then the copy's name follows after all.
    assert anywhere().rows_written == 0
    assert is_exact(anywhere, "id, full_name")
    assert "name" not in anywhere.columns()


def test_a_new_name_is_followed(anywhere: Anywhere) -> None:
    anywhere(indexes=[["name"]])
    anywhere.source.execute("ALTER TABLE t RENAME COLUMN name TO full_name")
    anywhere.source.execute("ALTER TABLE t ALTER email TYPE varchar(80)")
    assert anywhere(schema_change={"rename": "apply"}, indexes=[["full_name"]]).rows_written == 0
    assert any("column name is called full_name in the source: it is renamed" in notice for notice in anywhere.notices)
    assert is_exact(anywhere, "id, full_name, email")


def test_a_new_name_and_a_wider_type_at_once(anywhere: Anywhere) -> None:
    anywhere(indexes=[["email"]])
    anywhere.source.execute("ALTER TABLE t RENAME COLUMN email TO address")
    anywhere.source.execute("ALTER TABLE t ALTER address TYPE text")
    anywhere.source.execute("UPDATE t SET address = %s, updated_at = now() WHERE id = 1", "long " * 200)
    anywhere(schema_change={"rename": "apply"}, indexes=[["address"]])
    assert is_exact(anywhere, "id, address")


def test_the_key_has_a_new_name(anywhere: Anywhere) -> None:
    anywhere()
    anywhere.source.execute("ALTER TABLE t RENAME COLUMN id TO person_id")
    anywhere.source.execute("INSERT INTO t (person_id, name, updated_at) VALUES (9, 'old', '2001-01-01')")
    anywhere(schema_change={"rename": "apply"})
    assert is_exact(anywhere, "person_id, name")


def test_the_cursor_has_a_new_name(anywhere: Anywhere) -> None:
    anywhere()
    anywhere.source.execute("ALTER TABLE t RENAME COLUMN updated_at TO changed_at")
    anywhere.source.execute("UPDATE t SET name = 'x', changed_at = now() WHERE id = 1")
    assert anywhere(schema_change={"rename": "apply"}, cursor="changed_at").rows_written == 1
    assert is_exact(anywhere, "id, name, changed_at AT TIME ZONE 'UTC'")


def test_columns_that_exchange_their_names_are_refused(anywhere: Anywhere) -> None:
    anywhere()
    for old, new in (("email", "x"), ("name", "email"), ("x", "name")):
        anywhere.source.execute(f"ALTER TABLE t RENAME COLUMN {old} TO {new}")
    assert "and another column was called so" in str(refusal(anywhere, schema_change={"rename": "apply"}))
    anywhere({"full_refresh": True})
    assert is_exact(anywhere)


# What no copy can follow


@pytest.mark.parametrize(
    ("settings", "fact"),
    [
        ({"where": "id > 1"}, "`where` was not there, is id > 1"),
        ({"key": ["email"]}, "the key was id, is email"),
        ({"cursor": "id"}, "the cursor was updated_at, is id"),
        ({"children": False}, "`children` was true, is false"),
        ({"deletes": {"policy": "mark", "fuse": "100%"}}, "rows that are gone from the source are marked"),
        ({"columns": {"name": {"sql": "upper(name)", "type": "text"}}}, "column name is made of something else"),
        ({"columns": {"name": {"from": "email"}}}, "column email is called name in the spec, and another"),
        ({"columns": {"updated_at": {"from": "updated_at", "out_of_range": "text"}}}, "`out_of_range` of column"),
    ],
)
def test_what_no_copy_can_follow_is_named(anywhere: Anywhere, settings: dict[str, Any], fact: str) -> None:
    anywhere.source.execute("ALTER TABLE t ALTER email SET NOT NULL")
    anywhere()
    assert any(change.startswith(fact) for change in refusal(anywhere, **settings).changes)


def test_masks_that_change_are_named(anywhere: Anywhere) -> None:
    masked: dict[str, Any] = {"columns": {"email": {"from": "email", "mask": "hmac"}}}
    anywhere({"mask_key": b"a"}, **masked)
    with pytest.raises(MappingChanged, match="the key of the masks is another one"):
        anywhere({"mask_key": b"b"}, **masked)
    assert refusal(anywhere).changes == ("column email is not masked any more",)
    anywhere.source.execute("ALTER TABLE t ALTER email TYPE text")
    assert anywhere({"mask_key": b"a"}, **masked).rows_written == 0
    anywhere.source.execute("ALTER TABLE t ALTER email TYPE char(40)")
    with pytest.raises(MappingChanged, match="column email is character"):
        anywhere({"mask_key": b"a"}, **masked)


def test_what_is_computed_of_a_column_that_changes_is_named(anywhere: Anywhere) -> None:
    computed: dict[str, Any] = {
        "where": "name <> ''",
        "columns": {"size": {"sql": "length(name)", "type": "integer"}},
        "except": ["name"],
    }
    anywhere(**computed)
    anywhere.source.execute("ALTER TABLE t ALTER name TYPE char(20)")
    changes = refusal(anywhere, **computed).changes
    assert any(change.startswith("`where` reads name, which is character(20) (was text)") for change in changes)
    assert any(change.startswith("the expression of size reads name") for change in changes)


def test_values_that_are_not_rejected_any_more_need_no_refill(anywhere: Anywhere) -> None:
    anywhere.source.execute("ALTER TABLE t ADD COLUMN d date NOT NULL DEFAULT '2026-01-01'")
    anywhere()
    anywhere.source.execute("UPDATE t SET d = 'infinity', updated_at = now() WHERE id = 1")
    with pytest.raises(LoadRefused):
        anywhere()
    assert anywhere(out_of_range="null").rows_written == 1
    assert anywhere.rows("id, d")[0] == (1, None)
    assert "`out_of_range` of column d was null, is clamp" in refusal(anywhere, out_of_range="clamp").changes


# Indexes


def test_indexes_come_and_go_in_place(anywhere: Anywhere) -> None:
    anywhere(indexes=[["name"], ["active", "name"], ["email"]])
    anywhere(indexes=[["active", "name"], ["email"]], unique=[["email"]])
    if isinstance(anywhere.target, DuckDBTarget):
        return
    found = anywhere.query(
        "SELECT GROUP_CONCAT(COLUMN_NAME ORDER BY SEQ_IN_INDEX), MAX(NON_UNIQUE) FROM information_schema.STATISTICS "
        "WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'copy' AND INDEX_NAME <> 'PRIMARY' "
        "GROUP BY INDEX_NAME ORDER BY 1, 2"
    )
    assert found == [("active,name", 1), ("email", 0), ("email", 1)]
    assert "longer texts" in str(refusal(anywhere, unique=[["name"]]))
    assert anywhere(indexes=[["email"]]).rows_written == 0


# Tables that are copied anew each run


def test_a_full_copy_follows_by_the_same_policies(anywhere: Anywhere) -> None:
    anywhere.settings["mode"] = "full"
    anywhere()
    anywhere.source.execute("ALTER TABLE t RENAME COLUMN name TO full_name")
    assert refusal(anywhere).changes == ("column name is called full_name in the source",)
    anywhere(schema_change={"rename": "apply"})
    assert is_exact(anywhere, "id, full_name")
    anywhere.source.execute("ALTER TABLE t ALTER full_name TYPE varchar(30), DROP email, ADD note text DEFAULT 'n'")
    refused = refusal(anywhere)
    assert refused.changes == ("column full_name is character varying(30) (was text)",)
    anywhere(schema_change={"narrow": "refill"})
    assert is_exact(anywhere, "id, full_name, note")
    assert anywhere.rows("id, email")[0] == (1, None)
    anywhere()
    assert "email" in anywhere.columns()
    anywhere(schema_change={"drop": "apply"})
    assert "email" not in anywhere.columns()


def test_a_table_that_leaves_mode_full_is_copied_anew_once(anywhere: Anywhere) -> None:
    cursor = anywhere.settings.pop("cursor")
    anywhere(mode="full")
    anywhere.source.execute("UPDATE t SET name = 'quiet' WHERE id = 1")
    anywhere.settings["cursor"] = cursor
    assert anywhere().rows_written == 5
    anywhere.source.execute(TOUCH)
    assert anywhere().rows_written == 1
    assert is_exact(anywhere)


def test_a_full_copy_follows_its_spec_without_a_word(anywhere: Anywhere) -> None:
    anywhere.settings["mode"] = "full"
    anywhere(where="id > 1")
    anywhere(columns={"address": {"from": "email"}, "name": {"sql": "upper(name)", "type": "varchar(20)"}})
    assert set(anywhere.columns()) == {"id", "address", "name", "active", "updated_at"}
    anywhere(**without("email"))
    assert set(anywhere.columns()) == {"id", "name", "active", "updated_at"}
    assert len(anywhere.rows()) == 5


# States of older Vitrinas


def test_a_state_without_a_structure_learns_it(anywhere: Anywhere) -> None:
    anywhere()
    anywhere.execute("UPDATE `_vitrina_state` SET mapping = NULL")
    assert anywhere().rows_written == 0
    anywhere.source.execute("ALTER TABLE t ADD COLUMN note text DEFAULT 'x'")
    anywhere()
    assert is_exact(anywhere, "id, note")
    anywhere.execute("UPDATE `_vitrina_state` SET mapping = NULL")
    anywhere.source.execute("ALTER TABLE t ADD COLUMN more text")
    assert refusal(anywhere).changes == ()

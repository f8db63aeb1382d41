"""Unique indexes of the copy: what moves arrives, what repeats is named."""

from __future__ import annotations

from typing import Any

import pytest

from framework.errors import CheckFailed, KeyNotUnique, LoadRefused, NotUnique
from tests.databases.lanes import take_safe_lane
from tests.replicate.anywhere import Anywhere
from tests.replicate.conftest import Copying

UNIQUE: dict[str, Any] = {"unique": [["email"]]}
MASKED = {"email": {"from": "email", "mask": "hmac"}}


@pytest.fixture(params=["fast", "safe"])
def lane(request: pytest.FixtureRequest, copying: Copying) -> str:
    if request.param == "safe":
        take_safe_lane(copying.mysql)
    return str(request.param)


def touch(people: Copying, assignment: str, where: str) -> None:
    people.source.execute(f"UPDATE t SET {assignment}, updated_at = now() WHERE {where}")


def age(people: Copying) -> None:
    """Nothing is so new that the lookback would read it again."""
    people.source.execute("UPDATE t SET updated_at = now() - interval '1 hour'")


def emails(people: Copying) -> dict[int, str | None]:
    return dict(people.rows("id, email"))


def test_the_index_is_there(people: Copying) -> None:
    people(**UNIQUE, indexes=[["name", "email"]])
    found = people.target.rows(
        "SELECT NON_UNIQUE, GROUP_CONCAT(COLUMN_NAME ORDER BY SEQ_IN_INDEX) FROM information_schema.STATISTICS "
        "WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'copy' GROUP BY INDEX_NAME, NON_UNIQUE ORDER BY 1, 2"
    )
    assert found == [(0, "email"), (0, "id"), (1, "name,email")]


def test_values_move_from_row_to_row(people: Copying) -> None:
    people(**UNIQUE)
    # 1 and 2 swap, 3 gets the value of 4, which gets another, a new row gets the value of 5, which goes.
    touch(people, "email = 'aside'", "id = 1")
    touch(people, "email = 'p1@example.com'", "id = 2")
    touch(people, "email = 'p2@example.com'", "id = 1")
    touch(people, "email = 'other'", "id = 4")
    touch(people, "email = 'p4@example.com'", "id = 3")
    people.source.execute("DELETE FROM t WHERE id = 5")
    people.source.execute("INSERT INTO t (id, email) VALUES (6, 'p5@example.com'), (7, NULL), (8, NULL)")
    stats = people(**UNIQUE)
    assert (stats.rows_written, stats.rows_deleted) == (7, 1)
    assert emails(people) == dict(people.source.rows("SELECT id, email FROM t"))


def test_an_index_of_somebody_else_is_no_way_to_a_row(people: Copying) -> None:
    people()
    people.target.execute("ALTER TABLE copy MODIFY email VARCHAR(100), ADD UNIQUE (email)")
    touch(people, "email = 'aside'", "id = 1")
    touch(people, "email = 'p1@example.com'", "id = 2")
    touch(people, "email = 'p2@example.com'", "id = 1")
    assert people().rows_written == 2
    assert emails(people) == dict(people.source.rows("SELECT id, email FROM t"))


def test_values_that_go_round_in_every_run(people: Copying) -> None:
    people(**UNIQUE)
    for _ in range(3):
        people.source.execute("ALTER TABLE t DROP CONSTRAINT t_email_key")
        touch(people, "email = 'p' || (1 + id % 5) || '@example.com'", "true")
        people.source.execute("UPDATE t SET email = 'p' || (1 + (id + 1) % 5) || '@example.com' WHERE id < 3")
        people.source.execute("UPDATE t SET email = email || id")
        people.source.execute("ALTER TABLE t ADD UNIQUE (email)")
        people(**UNIQUE)
        assert emails(people) == dict(people.source.rows("SELECT id, email FROM t"))


def test_what_postgres_tells_apart_is_apart(people: Copying) -> None:
    people(**UNIQUE)
    people.source.execute(
        "INSERT INTO t (id, email) SELECT 10 + n, e FROM unnest(ARRAY['a', 'A', 'á', 'a ', '', ' ', 'a\tb']) "
        "WITH ORDINALITY AS u(e, n)"
    )
    people(**UNIQUE)
    assert people({"full_refresh": True}, **UNIQUE).rows_written == 12


def test_a_row_that_did_not_say_that_it_changed(people: Copying) -> None:
    age(people)
    people(**UNIQUE)
    people.source.execute("UPDATE t SET email = 'moved' WHERE id = 1")  # its cursor stays
    people.source.execute("INSERT INTO t (id, email) VALUES (6, 'p1@example.com')")
    touch(people, "name = 'new'", "id = 2")
    before = people.rows()
    with pytest.raises(NotUnique) as refused:
        people(**UNIQUE)
    error = refused.value
    assert (error.table, error.columns) == ("copy", ("email",))
    assert error.repeated == (
        "'p1@example.com' of the row with id = 6 is still that of the row with id = 1 in the copy",
    )
    assert "'updated_at' does not grow" in error.fix
    assert "--full-refresh --table copy" in error.fix
    assert people.rows() == before
    assert people.leftovers() == []
    people({"full_refresh": True}, **UNIQUE)
    assert emails(people) == dict(people.source.rows("SELECT id, email FROM t"))


@pytest.mark.parametrize("policy", ["keep", "mark"])
def test_rows_that_are_kept_keep_their_values(people: Copying, policy: str) -> None:
    age(people)
    settings: dict[str, Any] = {**UNIQUE, "deletes": {"policy": policy, "fuse": "100%"}}
    people(**settings)
    people.source.execute("DELETE FROM t WHERE id = 1")
    people.source.execute("INSERT INTO t (id, email) VALUES (6, 'p1@example.com')")
    with pytest.raises(NotUnique, match="id = 6 is still that of the row with id = 1") as refused:
        people(**settings)
    assert "`deletes: remove`" in refused.value.fix


def test_of_several_columns_the_first_three_are_shown(people: Copying) -> None:
    age(people)
    people.source.execute("UPDATE t SET name = repeat('x', 60)")
    settings: dict[str, Any] = {"unique": [["name", "email"]]}
    people(**settings)
    people.source.execute("UPDATE t SET email = 'moved' || id")
    people.source.execute(
        "INSERT INTO t (id, email, name) SELECT 10 + i, 'p' || i || '@example.com', repeat('x', 60) "
        "FROM generate_series(1, 5) AS i"
    )
    with pytest.raises(NotUnique) as refused:
        people(**settings)
    assert len(refused.value.repeated) == 3
    assert refused.value.repeated[0].startswith(f"('{'x' * 39}..., 'p1@example.com') of the row with id = 11 is still")


def test_masked_values_stay_masked(people: Copying) -> None:
    age(people)
    settings: dict[str, Any] = {**UNIQUE, "columns": MASKED}
    people({"mask_key": b"k"}, **settings)
    people.source.execute("UPDATE t SET email = 'moved' WHERE id = 1")
    people.source.execute("INSERT INTO t (id, email) VALUES (6, 'p1@example.com')")
    with pytest.raises(NotUnique, match="id = 6 is still that of the row with id = 1") as refused:
        people({"mask_key": b"k"}, **settings)
    assert "example.com" not in str(refused.value)


def test_values_that_repeat_in_the_source(people: Copying) -> None:
    with pytest.raises(NotUnique) as refused:
        people(unique=[["active"]])
    assert refused.value.repeated == ("1 is the value of the rows with id = 1 and id = 2 and id = 3",)
    assert "`indexes:`" in refused.value.fix
    assert people.target.rows("SHOW TABLES LIKE 'copy'") == []
    assert people.leftovers() == []


def test_values_that_repeat_among_what_comes(people: Copying) -> None:
    people.source.execute("UPDATE t SET name = id")
    settings: dict[str, Any] = {"unique": [["name"]]}
    people(**settings)
    touch(people, "name = 'same'", "id > 3")
    with pytest.raises(NotUnique, match="'same' is the value of the rows with id = 4 and id = 5"):
        people(**settings)


def test_a_table_without_a_key_counts_them(people: Copying) -> None:
    people.source.execute("ALTER TABLE t DROP CONSTRAINT t_pkey")
    with pytest.raises(NotUnique, match="1 is the value of 5 rows"):
        people(mode="full", unique=[["active"]])


@pytest.mark.usefixtures("lane")
def test_a_key_that_repeats_is_named(people: Copying) -> None:
    people.source.execute("INSERT INTO t (id, email, name) VALUES (6, 'p6', 'person 1'), (7, 'p7', 'person 1')")
    with pytest.raises(KeyNotUnique) as refused:
        people(key=["name"])
    error = refused.value
    assert isinstance(error, LoadRefused)
    assert "because several rows have one key: 3 rows with name = person 1" in str(error)
    assert "`key:`" in error.fix
    assert error.columns == ("name",)
    assert people.leftovers() == []


@pytest.mark.usefixtures("lane")
def test_a_key_that_repeats_in_an_increment_is_named(people: Copying) -> None:
    people(key=["name"])
    before = people.rows()
    people.source.execute("INSERT INTO t (id, email, name) VALUES (6, 'p6', 'n'), (7, 'p7', 'n')")
    with pytest.raises(KeyNotUnique, match="2 rows with name = n"):
        people(key=["name"])
    assert people.rows() == before


def test_a_key_that_repeats_is_named_everywhere(anywhere: Anywhere) -> None:
    anywhere.source.execute("INSERT INTO t (id, email, name) VALUES (6, 'p6', 'person 1')")
    with pytest.raises(KeyNotUnique, match="2 rows with name, active = person 1, true"):
        anywhere(key=["name", "active"])
    assert anywhere.leftovers() == []


def test_a_key_that_repeats_among_tables_that_inherit(people: Copying) -> None:
    people.source.execute("CREATE TABLE child () INHERITS (t)")
    people.source.execute("INSERT INTO child (id, email) VALUES (3, 'again')")
    with pytest.raises(KeyNotUnique, match="2 rows with id = 3") as refused:
        people()
    assert "`children: false`" in refused.value.fix
    assert people(children=False).rows_written == 5


def test_keys_that_a_clamp_makes_one_are_named(people: Copying) -> None:
    people.source.execute("CREATE TABLE days (day date PRIMARY KEY)")
    people.source.execute("INSERT INTO days VALUES ('infinity'), ('20000-01-01')")
    with pytest.raises(KeyNotUnique, match="2 rows with day = 9999-12-31"):
        people(source_table="days", mode="full", out_of_range="clamp")


def test_checks_see_what_repeats_where_no_index_does(anywhere: Anywhere) -> None:
    """DuckDB's copies have no indexes; a check says the same in every target."""
    with pytest.raises(CheckFailed, match=r"active=True|active=1"):
        anywhere(checks=[{"unique": ["active"]}])


def test_an_index_that_comes_later_is_made_or_names_what_repeats(people: Copying) -> None:
    people()
    people(**UNIQUE)
    with pytest.raises(NotUnique, match="1 is the value of the rows with id = 1 and id = 2 and id = 3"):
        people(unique=[["email"], ["active"]])
    touch(people, "email = 'new'", "id = 1")
    assert people(**UNIQUE).rows_written == 1


def test_names_of_any_kind(people: Copying) -> None:
    settings: dict[str, Any] = {
        "unique": [["100% `x`"]],
        "columns": {"100% `x`": {"from": "active"}, "%s": {"from": "id"}},
        "key": ["id"],
    }
    with pytest.raises(NotUnique, match="1 is the value of the rows with %s = 1 and %s = 2 and %s = 3"):
        people(table="co%py", **settings)

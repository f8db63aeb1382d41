"""Texts, bytes and documents in keys and indexes: long values go over, or are refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from framework.errors import LoadRefused
from tests.databases.lanes import take_safe_lane
from tests.replicate.conftest import Copying

TYPES = ["text", "varchar(2000)", "citext", "bytea", "jsonb", "text[]", "varbit", "xml"]
"""Types whose values may be longer than a key."""

LONG = {
    "bytea": "convert_to(repeat('é', {0}), 'UTF8')",
    "jsonb": "to_jsonb(repeat('é', {0}))",
    "text[]": "ARRAY[repeat('é', {0})]",
    "varbit": "repeat('10', {0})::varbit",
    "xml": "('<a>' || repeat('é', {0}) || '</a>')::xml",
}
"""Values of some length of these types; the others are texts."""

KEYED = [type_ for type_ in TYPES if type_ != "xml"]
"""PostgreSQL has no keys of the others."""


@pytest.fixture(params=["fast", "safe"], autouse=True)
def lane(request: pytest.FixtureRequest, copying: Copying) -> str:
    if request.param == "safe":
        take_safe_lane(copying.mysql)
    return str(request.param)


def made(copying: Copying, type_: str, key: str = "id") -> None:
    if type_ == "citext":
        copying.source.admin("CREATE EXTENSION citext")
    copying.source.execute(
        f"CREATE TABLE t (id int NOT NULL, v {type_} NOT NULL, updated_at timestamptz NOT NULL DEFAULT now(), "
        f"PRIMARY KEY ({key}))"
    )


def insert(copying: Copying, type_: str, number: int, length: int) -> None:
    value = LONG.get(type_, "repeat('é', {0})").format(length)
    copying.source.execute(f"INSERT INTO t (id, v) VALUES ({number}, {value})")


def lengths(copying: Copying) -> list[int]:
    return [row[0] for row in copying.target.rows("SELECT CHAR_LENGTH(v) FROM copy ORDER BY id")]


def key_types(copying: Copying) -> dict[str, str]:
    found = copying.target.rows(
        "SELECT COLUMN_NAME, UPPER(COLUMN_TYPE) FROM information_schema.COLUMNS "
        "WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'copy'"
    )
    return dict(found)


@pytest.mark.parametrize("type_", TYPES)
def test_plain_indexes_hold_beginnings(copying: Copying, type_: str) -> None:
    made(copying, type_)
    insert(copying, type_, 1, 900)
    settings: dict[str, Any] = {"indexes": [["v"], ["v", "id"], ["id", "v", "updated_at"]]}
    copying(**settings)
    insert(copying, type_, 2, 950)
    copying.source.execute("UPDATE t SET updated_at = now() WHERE id = 1")
    assert copying(**settings).rows_written == 2
    assert copying.target.rows("SELECT COUNT(*) FROM copy WHERE CHAR_LENGTH(v) >= 900") == [(2,)]
    copies = copying.rows("id, v")
    own = dict(
        copying.source.rows("SELECT id, char_length(v::text) FROM t" if type_ != "bytea" else "SELECT id, v FROM t")
    )
    if type_ == "bytea":
        assert dict(copies) == {number: bytes(value) for number, value in own.items()}


@pytest.mark.parametrize("type_", KEYED)
@pytest.mark.parametrize("place", ["key", "unique"])
def test_whole_values_that_fit_are_exact(copying: Copying, type_: str, place: str) -> None:
    made(copying, type_, "v" if place == "key" else "id")
    settings: dict[str, Any] = {"unique": [["v"]]} if place == "unique" else {}
    insert(copying, type_, 1, 360)
    copying(**settings)
    insert(copying, type_, 2, 370)
    copying.source.execute("UPDATE t SET updated_at = now() WHERE id = 1")
    copying.source.execute("DELETE FROM t WHERE id = 1")
    copying(**settings)
    assert copying.rows("id") == [(2,)]
    assert key_types(copying)["v"].startswith("VAR")


@pytest.mark.parametrize("type_", KEYED)
@pytest.mark.parametrize("place", ["key", "unique"])
def test_whole_values_that_do_not_are_refused_by_name(copying: Copying, type_: str, place: str) -> None:
    made(copying, type_, "id")
    copying.source.execute("ALTER TABLE t ADD UNIQUE (id)")
    settings: dict[str, Any] = {"unique": [["v"]]} if place == "unique" else {"key": ["v"]}
    insert(copying, type_, 1, 10)
    insert(copying, type_, 2, 2000)
    with pytest.raises(LoadRefused) as refused:
        copying(**settings)
    _named(refused.value)
    assert copying.target.rows("SHOW TABLES LIKE 'copy'") == []
    copying.source.execute("DELETE FROM t WHERE id = 2")
    copying(**settings)
    before = copying.rows("id, v")
    insert(copying, type_, 3, 1990)
    with pytest.raises(LoadRefused) as refused:
        copying(**settings)
    _named(refused.value)
    assert copying.rows("id, v") == before
    assert copying.leftovers() == []


def _named(error: LoadRefused) -> None:
    assert error.columns == ("v",)
    assert "1 of column v: " in str(error)
    assert "take v out of the key or the unique index" in error.fix


def test_several_texts_share_a_key(copying: Copying) -> None:
    made(copying, "text", "id, v")
    insert(copying, "text", 1, 752)
    copying()
    assert copying.rows("id") == [(1,)]
    settings: dict[str, Any] = {"unique": [["v", "w"]], "columns": {"w": {"sql": "v", "type": "text"}}}
    with pytest.raises(LoadRefused, match="1 of column v: "):
        copying({"full_refresh": True}, **settings)
    copying.source.execute("UPDATE t SET v = repeat('é', 384)")
    copying({"full_refresh": True}, **settings)
    assert key_types(copying)["w"] == "VARCHAR(384)"


def test_masked_values_are_as_long_as_masks(copying: Copying) -> None:
    made(copying, "text")
    insert(copying, "text", 1, 2000)
    settings: dict[str, Any] = {"unique": [["v"]], "columns": {"v": {"from": "v", "mask": "hmac"}}}
    assert copying({"mask_key": b"k"}, **settings).rows_written == 1
    assert lengths(copying) == [64]

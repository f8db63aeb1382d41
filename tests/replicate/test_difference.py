"""The difference of two structures, without a database."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from framework.databases.duckdb.dialect import DuckDBDialect
from framework.databases.mysql.dialect import MySQLDialect
from framework.databases.postgres.attributes import Attributes
from framework.replicate.mapping import resolve
from framework.replicate.schema.change import Evolution, Outcome
from framework.replicate.schema.difference import between
from framework.replicate.schema.structure import Structure, structure
from framework.replicate.schema.widening import Step, keeps_text, step
from framework.spec.evolving import SchemaChange
from framework.spec.replication import ReplicateTask
from framework.tables import Column, Table
from framework.types import LogicalType, parse_type
from tests.replicate.anywhere import DEFAULTS

KEY = b"key"


def logical(name: str) -> LogicalType:
    found = parse_type(name)
    assert found is not None
    return found


def made(
    columns: dict[str, str], /, oid: int | None = 1, numbers: dict[str, int] | None = None, **settings: Any
) -> Structure:
    """What a copy is made of: columns by name, with their types; a ``!`` behind a type is NOT NULL."""
    source = Table(
        "t",
        tuple(Column(n, logical(t.removesuffix("!")), not t.endswith("!")) for n, t in columns.items()),
        ("id",),
        schema="public",
    )
    found = None if oid is None else Attributes(oid, numbers or {n: i for i, n in enumerate(columns, 1)})
    task = ReplicateTask.model_validate({**DEFAULTS, "cursor": "id", **settings})
    return structure(resolve(task, source, KEY), found, KEY, "db")


def evolution(old: Structure, new: Structure, *, fresh: bool = False, **policy: str) -> Evolution:
    return between(old, new, SchemaChange.model_validate(policy), MySQLDialect(), fresh=fresh)


BASE = {"id": "bigint!", "a": "text", "b": "integer!"}


def test_a_structure_survives_its_text() -> None:
    kept = (Column("gone", logical("numeric(4,-2)")),)
    full = replace(
        made({**BASE, "e": "enum mood", "l": "citext[]"}, where="a <> ''", unique=[["b"]], indexes=[["a"], ["a", "b"]]),
        kept=kept,
        hidden=("a",),
    )
    assert Structure.from_text(full.as_text()) == full
    assert evolution(full, replace(full, kept=(), hidden=())).changes == ()


def test_nothing_has_changed_where_names_of_types_and_comments_have() -> None:
    old = made({"id": "int8!", "v": "varchar(5)", "n": "decimal(5)", "t": "timestamp", "e": "enum mood"})
    new = made(
        {"id": "bigint!", "v": "character varying(5)", "n": "numeric(5,0)", "t": "timestamp(6) without time zone"}
        | {"e": "enum mood"}
    )
    assert evolution(old, new).changes == ()
    # Names of columns count where numbers are not known.
    assert evolution(old, replace(new, oid=None)).changes == ()


def test_tables_that_were_made_anew_are_compared_by_names() -> None:
    old = made(BASE)
    new = made({"id": "bigint!", "c": "text", "b": "integer!"}, oid=2)
    found = evolution(old, new)
    assert [change.fact for change in found.changes] == [
        "column a is gone from the source",
        "column c (text) is new in the source",
    ]
    assert evolution(old, made({"b": "integer!", "a": "text", "id": "bigint!"}, oid=2)).changes == ()


def test_what_is_new_may_be_null_in_the_copy_whatever_the_source_says() -> None:
    found = evolution(made(BASE), made({**BASE, "c": "text!"}))
    added = found.structure.column("c")
    assert added is not None
    assert added.nullable
    # And stays so when nothing else changes.
    again = evolution(found.structure, made({**BASE, "c": "text!"}))
    assert (again.changes, again.structure) == ((), found.structure)


def test_a_name_that_was_kept_and_returns_in_another_case() -> None:
    old = evolution(made(BASE), made({"id": "bigint!", "b": "integer!"}, numbers={"id": 1, "b": 3})).structure
    assert [column.name for column in old.kept] == ["a"]
    new = made({"id": "bigint!", "b": "integer!", "A": "text"}, numbers={"id": 1, "b": 3, "A": 4})
    found = evolution(old, new)
    assert (found.alteration.dropped, found.alteration.added, found.structure.kept) == (("a",), ("A",), ())


def test_a_new_name_that_differs_in_case_only() -> None:
    found = evolution(made(BASE), made({"id": "bigint!", "A": "text", "b": "integer!"}), rename="apply")
    assert found.alteration.renamed == (("a", "A"),)
    assert not found.refused


def test_two_copies_of_one_column_are_told_apart_by_name() -> None:
    twice: dict[str, Any] = {"columns": {"x": {"from": "a"}, "y": {"from": "a"}}}
    old = made(BASE, **twice)
    new = made({"id": "bigint!", "z": "text", "b": "integer!"}, columns={"x": {"from": "z"}, "y": {"from": "z"}})
    assert evolution(old, new).changes == ()
    # Which of the two a third name follows, nobody can say.
    third = made({"id": "bigint!", "z": "text", "b": "integer!"})
    assert {change.outcome for change in evolution(old, third, rename="apply").changes} == {
        Outcome.REFUSED,
        Outcome.DONE,
    }


def test_a_fresh_copy_needs_no_alteration() -> None:
    new = made({"id": "bigint!", "c": "text"}, numbers={"id": 1, "c": 4})
    found = evolution(made(BASE), new, fresh=True)
    assert found.alteration == type(found.alteration)()
    assert found.backfill == ()
    assert [column.name for column in found.structure.kept] == ["a", "b"]


IRRELEVANT = {
    "table",
    "mode",
    "lookback",
    "chunk_rows",
    "checks",
    "schema_change",
    "foreign_keys",
    "on_error",
    "verify",
}
"""Settings that say nothing about what a copy is made of."""

CHANGED: dict[str, dict[str, Any]] = {
    "source_table": {},
    "source_schema": {},
    "cursor": {"cursor": "b"},
    "deletes": {"deletes": {"policy": "mark"}},
    "key": {"key": ["id", "b"]},
    "where": {"where": "b > 1"},
    "only": {"only": ["id", "b"]},
    "except_": {"except": ["a"]},
    "columns": {"columns": {"a": {"sql": "b", "type": "integer"}}},
    "out_of_range": {"out_of_range": "null", "columns": {"d": {"sql": "b", "type": "real"}}},
    "children": {"children": False},
    "unique": {"unique": [["b"]]},
    "indexes": {"indexes": [["b"]]},
}


@pytest.mark.parametrize("field", sorted(set(ReplicateTask.model_fields) - IRRELEVANT))
def test_every_setting_that_changes_a_copy_is_seen(field: str) -> None:
    base: dict[str, Any] = {**CHANGED[field], "out_of_range": "clamp"} if field == "out_of_range" else {}
    old, new = made(BASE, **base), made(BASE, **CHANGED[field])
    if field.startswith("source_"):
        new = replace(new, oid=2, source=("other", "other"))
    assert evolution(old, new).changes


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("smallint", "bigint", Step.WIDER),
        ("bigint", "smallint", Step.OTHER),
        ("integer", "numeric(9,0)", Step.OTHER),
        ("integer", "numeric(10,0)", Step.WIDER),
        ("bigint", "numeric(20,-2)", Step.OTHER),
        ("numeric(10,2)", "numeric(10,3)", Step.OTHER),
        ("numeric(10,2)", "numeric(11,3)", Step.WIDER),
        ("numeric(50,2)", "numeric", Step.OTHER),
        ("numeric(100,2)", "numeric(110,4)", Step.OTHER),
        ("numeric", "numeric(60,20)", Step.OTHER),
        ("varchar(3)", "varchar(4)", Step.WIDER),
        ("varchar(4)", "varchar(3)", Step.OTHER),
        ("varchar", "text", Step.WIDER),
        ("char(3)", "text", Step.OTHER),
        ("text", "citext", Step.NONE),
        ("timestamptz(3)", "timestamptz", Step.WIDER),
        ("timestamp", "timestamptz", Step.OTHER),
        ("json", "jsonb", Step.OTHER),
        ("inet", "cidr", Step.OTHER),
        ("enum mood", "text", Step.OTHER),
        ("integer[]", "bigint[]", Step.OTHER),
        ("oid", "xid", Step.OTHER),
        ("bit(3)", "bit(5)", Step.OTHER),
        ("real", "double precision", Step.OTHER),
    ],
)
def test_steps_from_type_to_type(old: str, new: str, expected: Step) -> None:
    assert step(logical(old), logical(new), MySQLDialect()) is expected
    assert step(logical(new), logical(new)) is Step.NONE


def test_numbers_that_are_texts_in_the_copy_keep_their_digits() -> None:
    duckdb = DuckDBDialect()
    assert step(logical("numeric(10,2)"), logical("numeric(40,4)"), duckdb) is Step.OTHER
    assert step(logical("integer"), logical("numeric(40,2)"), duckdb) is Step.OTHER
    assert step(logical("numeric(10,2)"), logical("numeric"), duckdb) is Step.WIDER
    assert step(logical("numeric(10,2)"), logical("numeric(40,2)"), duckdb) is Step.WIDER


def test_texts_of_values_that_stay() -> None:
    assert keeps_text(logical("integer"), logical("bigint"))
    assert keeps_text(logical("varchar(3)"), logical("text"))
    assert not keeps_text(logical("numeric(10,2)"), logical("numeric(12,4)"))
    assert not keeps_text(logical("integer"), logical("numeric"))


def test_the_first_vitrinas_copies_are_known_again() -> None:
    columns = ("id bigint!", "email character varying(60)", "d numeric(10,2)")
    parts = [column.removesuffix("!").split(" ", 1) for column in columns]
    source = Table("t", tuple(Column(n, logical(t), n != "id") for n, t in parts), ("id",), schema="public")
    settings = {
        "deletes": {"policy": "mark"},
        "where": "id > 0",
        "indexes": [["d"]],
        "columns": {"email": {"from": "email", "mask": "hmac"}, "twice": {"sql": "d * 2", "type": "numeric"}},
    }
    task = ReplicateTask.model_validate({**DEFAULTS, "cursor": "id", **settings})
    # Computed by it; states without a structure are compared by this alone.
    assert resolve(task, source, KEY, "db").fingerprint == "45bebbae8f7a6f23cfe39d7fa1fe767b"

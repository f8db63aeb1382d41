"""Each type as a primary key: keys that PostgreSQL tells apart stay apart, in loads, merges, deletes and joins."""

from __future__ import annotations

from typing import Any

import pytest

from framework.events import Reporter
from framework.marts import graph
from framework.marts.build import build
from framework.spec.marts import Mart, MartTask
from tests.fidelity.conftest import Origin, Place
from tests.fidelity.reading import differences
from tests.fidelity.values import CASES, Case

KEY_TYPES = (
    "boolean", "smallint", "integer", "bigint", "oid", "xid8", "numeric", "numeric(12,2)", "numeric(3,5)", "real",
    "double precision", "money", "tid", "pg_lsn", "text", "varchar", "varchar(10)", "char(10)", "char", "name",
    '"char"', "bytea", "uuid", "date", "time", "timetz", "timestamp", "timestamptz", "interval", "jsonb", "tsvector",
    "inet", "cidr", "macaddr", "macaddr8", "bit(8)", "varbit", "integer[]", "text[]", '"Mood: ""good"""', "code",
    "place", "int4range", "tstzrange", "int4multirange", "citext", "hstore", "ltree",
)  # fmt: skip
LONG = ("SELECT", "repeat", "1e1000", "400")
"""Found in the expressions of values that are longer than a key of MySQL."""

# As PostgreSQL compares them, and as a target's own collation would not.
TEXTS = ("a", "A", "á", "a ", "a\u0301", "ß", "ss", "", " ", "\u0131", "I", "i", "\t", "a\x01", "\\", "'", "x" * 700)


def keyed(origin: Origin, type_: str, values: tuple[str, ...]) -> str:
    """A table whose key is the type; values that equal another are left out."""
    name = origin.new("keyed")
    origin.database.execute(
        f"CREATE TABLE {name} (k {type_} PRIMARY KEY, id serial UNIQUE, v int, "
        "updated_at timestamptz NOT NULL DEFAULT clock_timestamp())"
    )
    add(origin, name, *values)
    return name


def add(origin: Origin, name: str, *values: str, moment: str = "clock_timestamp()") -> None:
    if not values:
        return
    inserts = (f"INSERT INTO {name} (k, updated_at) VALUES ({v}, {moment}) ON CONFLICT DO NOTHING" for v in values)
    origin.database.execute("; ".join(inserts))


def change(origin: Origin, name: str, fresh: str, *again: str) -> None:
    """A third of the rows changes, a third goes, or comes again, and a row comes that the cursor does not tell of."""
    origin.database.execute(f"DELETE FROM {name} WHERE id % 3 = 0")
    origin.database.execute(f"UPDATE {name} SET v = id, updated_at = clock_timestamp() WHERE id % 3 = 1")
    add(origin, name, *again)
    add(origin, name, fresh, moment="'2000-01-01'")


def check(origin: Origin, place: Place, name: str, form: str, *, marked: bool = False) -> None:
    """The copy is exact, and so is a mart that joins it with itself by its key."""
    forms = {"k": place.form(form), "v": "integer"}
    live = " AND b._deleted_at IS NULL" if marked else ""
    sent = origin.reader.read(name, ["id"], forms)
    assert differences(sent, place.reader.read(name, ["id"], forms, "_deleted_at IS NULL" if marked else "1 = 1")) == []
    joined = f"SELECT a.id, b.v FROM {name} AS a JOIN {name} AS b ON a.k = b.k{live}"
    task = MartTask(name="joined", mart=Mart(query=joined), reads=graph.reads(joined))
    build(place.lanes[0], task, Reporter("mart:joined", lambda _: None))
    assert differences(
        {key: row[1:] for key, row in sent.items()}, place.reader.read("joined", ["id"], {"v": "integer"})
    ) == []  # fmt: skip


@pytest.fixture(params=KEY_TYPES)
def key_case(request: pytest.FixtureRequest, origin: Origin) -> Case:
    found = next(case for case in CASES if case.type == request.param)
    if reason := origin.lacks(found):
        pytest.skip(reason)
    return found


def test_keys_of_every_type(origin: Origin, place: Place, key_case: Case) -> None:
    # An index has less room than a column.
    short = tuple(value for value in key_case.fits if len(value) < 300 and not any(map(value.count, LONG)))
    name = keyed(origin, key_case.type, short[1:])
    place.copy(origin, name, lane=0)
    check(origin, place, name, key_case.form)
    change(origin, name, short[0], *short[1::2])
    place.copy(origin, name, lane=1)
    check(origin, place, name, key_case.form)


POLICY_KEYS = {
    "double precision": ("'NaN'", "'Infinity'", "'-Infinity'", "'0.1'", "'-0.0'", "'5e-324'", "'1e308'"),
    "real": ("'NaN'", "'Infinity'", "'0.1'"),
    "numeric": ("'NaN'", "'Infinity'", "'1.10'", "'1e40'", "'1e-40'"),
    "date": ("'infinity'", "'-infinity'", "'0044-03-15 BC'", "'10000-01-01'", "'2024-02-29'"),
    "timestamp": ("'infinity'", "'-infinity'", "'0044-03-15 BC'", "'2024-02-29 00:00:00.1'"),
    "timestamptz": ("'infinity'", "'-infinity'", "'0044-03-15 00:00:00+00 BC'", "'2024-02-29 00:00:00+03'"),
}


@pytest.mark.parametrize("type_", POLICY_KEYS)
def test_keys_without_a_place_go_as_texts(origin: Origin, place: Place, type_: str) -> None:
    values = POLICY_KEYS[type_]
    name = keyed(origin, type_, values[1:])
    settings: dict[str, Any] = {"columns": {"k": {"from": "k", "out_of_range": "text"}}}
    place.copy(origin, name, lane=1, **settings)
    check(origin, place, name, "text")
    change(origin, name, values[0], *values[1::2])
    place.copy(origin, name, lane=0, **settings)
    check(origin, place, name, "text")


@pytest.mark.parametrize("lane", [0, 1])
@pytest.mark.parametrize("policy", ["remove", "mark"])
def test_texts_are_keys_by_their_bytes(origin: Origin, place: Place, lane: int, policy: str) -> None:
    values = tuple("'" + text.replace("'", "''") + "'" for text in TEXTS)
    name = keyed(origin, "text", values[1:])
    assert origin.database.rows(f"SELECT count(*) FROM {name}") == [(len(TEXTS) - 1,)]
    settings: dict[str, Any] = {"deletes": {"policy": policy, "fuse": "100%"}}
    place.copy(origin, name, lane=lane, **settings)
    check(origin, place, name, "text", marked=policy == "mark")
    change(origin, name, values[0])
    stats = place.copy(origin, name, lane=lane, **settings)
    check(origin, place, name, "text", marked=policy == "mark")
    assert stats.rows_deleted == (len(TEXTS) - 1) // 3

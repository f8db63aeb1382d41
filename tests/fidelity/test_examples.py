"""What arrives, written down: the forms as a reader of the documentation knows them."""

from __future__ import annotations

from typing import Any

from tests.fidelity.conftest import Origin, Place

# The type, PostgreSQL's expression, what MySQL and MariaDB show, and what DuckDB shows where it differs.
EXAMPLES: tuple[tuple[str, ...], ...] = (
    ("boolean", "true", "1", "true"),
    ("smallint", "-32768", "-32768"),
    ("bigint", "9223372036854775807", "9223372036854775807"),
    ("oid", "4294967295", "4294967295"),
    ("xid8", "'18446744073709551615'", "18446744073709551615"),
    ("numeric(10,4)", "'1.5'", "1.5000"),
    ("numeric(3,5)", "'0.00123'", "0.00123"),
    ("numeric(4,-2)", "'12345'", "12300"),
    ("numeric", "'1.10'", "1.100000000000000000000000000000", "1.10"),
    ("real", "'0.1'", "0.1"),
    ("double precision", "'-5e-324'", "-5e-324"),
    ("money", "'1234.5'::numeric::money", "1234.50"),
    ("char(5)", "'ab'", "ab   "),
    ("text", r"E'\\N\t\x01'", "\\N\t\x01"),
    ("date", "'0001-01-01'", "0001-01-01"),
    ("time", "'24:00:00'", "24:00:00.000000", "24:00:00"),
    ("timetz", "'12:34:56.7+05:30'", "12:34:56.7+05:30"),
    ("timestamp", "'2024-03-10 02:30:00.000001'", "2024-03-10 02:30:00.000001"),
    ("timestamptz", "'2024-07-01 00:30:00+02'", "2024-06-30 22:30:00.000000", "2024-06-30 22:30:00"),
    ("timestamptz", "'2024-03-10 02:30:00 America/New_York'", "2024-03-10 07:30:00.000000", "2024-03-10 07:30:00"),
    ("interval", "'1 year -2 months 3 days -04:05:06.789'", "10 mons 3 days -04:05:06.789"),
    ("uuid", "'{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ("json", """'{"b": 1.10, "a": 1,  "a": 2}'""", '{"b": 1.10, "a": 1,  "a": 2}'),
    ("jsonb", """'{"b": 1.10, "a": 1,  "a": 2}'""", '{"a": 2, "b": 1.10}'),
    ("integer[]", "'{{1,NULL},{2,3}}'", "[[1,null],[2,3]]"),
    ("integer[]", "'[0:1]={1,2}'", '"[0:1]={1,2}"'),
    ("text[]", """'{a,NULL,"b,c",""}'""", '["a",null,"b,c",""]'),
    ("numeric[]", "'{1.10,NaN}'", '[1.10,"NaN"]'),
    ("place", "'(1,)'", '{"x":1,"y":null}'),
    ("holder", "ROW('null', '{1}', NULL)", '"(null,{1},)"'),
    ("bit(3)", "B'101'", "101"),
    ("inet", "'10.1.2.3/8'", "10.1.2.3/8"),
    ("cidr", "'10.0.0.0/8'", "10.0.0.0/8"),
    ("macaddr8", "'08-00-2b-01-02-03-04-05'", "08:00:2b:01:02:03:04:05"),
    ("point", "'(0.1,-1e300)'", "(0.1,-1e+300)"),
    ("int4range", "'(1,5]'", "[2,6)"),
    ("tstzrange", "'[2024-07-01 00:00:00+02,)'", '["2024-06-30 22:00:00+00",)'),
    ("tsvector", "'b a:1A'", "'a':1A 'b'"),
    ("pg_lsn", "'16/B374D848'", "16/B374D848"),
    ("regclass", "'pg_class'", "pg_class"),
    ("xml", "'<a>é</a>'", "<a>é</a>"),
    ('"char"', "'x'", "x"),
    ("price", "'0.01'", "0.01"),
)


def shown(place: Place, table: str, columns: list[str]) -> tuple[Any, ...]:
    """The row's values as texts."""
    (row,) = place.reader.read(table, ["id"], dict.fromkeys(columns, "text")).values()
    return row


def test_examples(origin: Origin, place: Place) -> None:
    columns = {f"c{number}": example for number, example in enumerate(EXAMPLES)}
    declared = ", ".join(f"{name} {type_}" for name, (type_, *_) in columns.items())
    table = origin.filled("examples", declared, [tuple(value for _, value, *_ in EXAMPLES)])
    expected = tuple(example[-1 if place.kind == "duckdb" else 2] for example in EXAMPLES)
    for lane in range(len(place.lanes)):
        place.copy(origin, table, lane=lane, full=True)
        assert shown(place, table, list(columns)) == expected


def test_dictionaries(origin: Origin, place: Place) -> None:
    table = origin.filled("dictionaries", "v hstore", [("'a=>1, b=>NULL'",)])
    place.copy(origin, table, full=True)
    assert shown(place, table, ["v"]) == ('{"a": "1", "b": null}',)

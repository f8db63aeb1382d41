"""Every rule, on every type it makes values for, as PostgreSQL holds them in the end."""

from __future__ import annotations

import json
import math
import re
import uuid
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from framework.databases.postgres.source import PostgresSource
from framework.events import Reporter
from framework.generate.filling import fill
from tests.generate.conftest import one_table
from tests.services.databases import SourceDatabase

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
REPORTER = Reporter("generate")


@pytest.fixture
def column(source: SourceDatabase, postgres: PostgresSource):
    """Fills one column and returns its values in the order of the rows."""

    def values(type_: str, fake: Any, rows: int = 1000, **more: Any) -> list[Any]:
        fill(postgres, one_table(rows, v={"type": type_, "fake": fake, **more.pop("options", {})}, **more), REPORTER)
        return [value for (value,) in source.rows("SELECT v FROM t ORDER BY id")]

    return values


@pytest.mark.parametrize("type_", ["smallint", "int", "bigint", "numeric(9,2)", "real", "double precision"])
def test_sequence_counts(column, type_):
    assert column(type_, {"sequence": {"start": -5, "step": 3}}, 100) == [3 * row - 5 for row in range(100)]


def test_sequence_as_text(column):
    assert column("varchar(4)", "sequence", 12) == [str(row + 1) for row in range(12)]


@pytest.mark.parametrize("type_", ["smallint", "int", "bigint", "numeric", "numeric(6,3)", "real", "double precision"])
def test_integer_reaches_both_ends_evenly(column, type_):
    values = column(type_, {"integer": {"min": -2, "max": 3}}, 6000)
    assert set(values) == {-2, -1, 0, 1, 2, 3}
    assert all(850 < values.count(value) < 1150 for value in set(values))


def test_integer_spans_the_whole_type(column):
    values = column("bigint", {"integer": {"min": -(2**63), "max": 2**63 - 1}})
    assert min(values) < -(2**62)
    assert max(values) > 2**62


@pytest.mark.parametrize("type_", ["numeric(12,4)", "numeric(40,4)", "numeric", "real", "double precision"])
def test_normal_has_its_mean_and_its_bounds(column, type_):
    values = [float(v) for v in column(type_, {"normal": {"mean": -100, "sigma": 10, "min": -120}}, 5000)]
    assert -101 < sum(values) / len(values) < -99
    assert min(values) == -120
    assert 9 < (sum((v + 100) ** 2 for v in values) / len(values)) ** 0.5 < 11


def test_normal_is_rounded_to_whole_numbers(column):
    assert {0, 1, -1} <= set(column("int", {"normal": {"mean": 0, "sigma": 1}}))


def test_lognormal_has_its_median(column):
    values = sorted(column("numeric(12,2)", {"lognormal": {"mean": 3.2, "sigma": 0.8, "min": 1}}, 5000))
    assert Decimal(23) < values[2500] < Decimal(26)
    assert values[0] >= 1
    assert all(value == round(value, 2) for value in values)


def test_numbers_are_clipped_to_the_type(column):
    values = column("numeric(4,1)", {"normal": {"mean": 0, "sigma": 10000}})
    assert (min(values), max(values)) == (Decimal("-999.9"), Decimal("999.9"))


def test_zipf_prefers_the_first(column):
    values = column("int", {"zipf": {"exponent": 1.0, "max": 1000}}, 5000)
    assert 0.10 < values.count(1) / 5000 < 0.17
    assert 0.04 < values.count(2) / 5000 < 0.09
    assert max(values) <= 1000


def test_zipf_beyond_its_table_of_weights(column):
    values = column("bigint", {"zipf": {"exponent": 0.5, "max": 10_000_000}}, 5000)
    assert 5_000_000 < max(values) <= 10_000_000
    assert 2_000_000 < sorted(values)[2500] < 3_000_000  # half of the weight lies below a quarter of the ranks


def test_choice_by_weight_and_by_type(column):
    values = column("char(2)", {"choice": {"RU": 60, "KZ": 25, "NO": 15, "XX": 0}}, 5000)
    assert set(values) == {"RU", "KZ", "NO"}
    assert 2800 < values.count("RU") < 3200


@pytest.mark.parametrize(
    ("type_", "choices", "expected"),
    [
        ("smallint", ["1", 2], {1, 2}),
        ("boolean", ["yes", "false"], {True, False}),
        ("numeric(5,2)", ["1.10", 2, 3.3], {Decimal("1.10"), Decimal("2.00"), Decimal("3.30")}),
        ("date", ["2024-02-29", "0001-01-01"], {date(2024, 2, 29), date(1, 1, 1)}),
        ("time", ["23:59:59.5", "00:00"], {time(23, 59, 59, 500_000), time(0)}),
        ("timestamp", ["2024-02-29 10:00"], {datetime(2024, 2, 29, 10)}),
        ("timestamptz", ["2024-02-29T10:00:00+03:00"], {datetime(2024, 2, 29, 7, tzinfo=timezone.utc)}),
        ("text", ["", "ё", 1, True], {"", "ё", "1", "true"}),
        ("double precision", ["1e300", -0.5], {1e300, -0.5}),
    ],
)
def test_choice_is_converted_to_the_type(column, type_, choices, expected):
    assert set(column(type_, {"choice": choices}, 200)) == expected


@pytest.mark.parametrize(
    ("type_", "value", "expected"),
    [
        ("bytea", "\\x00ff", b"\x00\xff"),
        ("bytea", "é", "é".encode()),
        ("uuid", "12345678-1234-5678-1234-567812345678", "12345678-1234-5678-1234-567812345678"),
        ("jsonb", "a", "a"),
        ("json", 1.5, 1.5),
        ("numeric(30,2)", "-12345678.91", Decimal("-12345678.91")),
        ("boolean", True, True),
    ],
)
def test_constant(column, type_, value, expected):
    values = column(type_, {"constant": value}, 10)
    assert [bytes(v) if isinstance(v, memoryview) else v for v in values] == [expected] * 10


def test_uuids_are_of_version_4_and_differ(column):
    values = column("uuid", "uuid", 5000)
    assert len(set(values)) == 5000
    assert {(uuid.UUID(value).version, uuid.UUID(value).variant) for value in values} == {(4, uuid.RFC_4122)}


def test_uuid_as_text(column):
    assert all(str(uuid.UUID(value)) == value for value in column("char(36)", "uuid", 10))


def test_dates_reach_both_ends(column):
    values = column("date", {"date": {"from": "2024-02-28", "to": "2024-03-01"}})
    assert set(values) == {date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1)}


@pytest.mark.parametrize("type_", ["timestamptz", "timestamp", "timestamptz(3)"])
def test_datetimes_are_relative_to_now(column, type_):
    values = [value.replace(tzinfo=timezone.utc) for value in column(type_, {"datetime": {"from": "-1w", "to": "now"}})]
    assert min(values) < NOW - timedelta(days=6, hours=20)
    assert NOW - timedelta(hours=4) < max(values) <= NOW


def test_datetime_on_a_date_column_and_date_on_a_timestamp(column, source, postgres):
    task = one_table(
        100,
        d={"type": "date", "fake": {"datetime": {"from": "2024-01-01", "to": "2024-01-02T23:00:00Z"}}},
        s={"type": "timestamp", "fake": {"date": {"from": "2024-01-01", "to": "2024-01-02"}}},
        w={"type": "text", "fake": {"datetime": {"from": "2024-01-01", "to": "2024-01-01"}}},
    )
    fill(postgres, task, REPORTER)
    assert {d for (d,) in source.rows("SELECT d FROM t")} == {date(2024, 1, 1), date(2024, 1, 2)}
    assert {s.hour for (s,) in source.rows("SELECT s FROM t")} == {0}
    assert {w for (w,) in source.rows("SELECT w FROM t")} == {"2024-01-01T00:00:00.000000Z"}


def test_after_and_before_keep_their_distance_and_now(source, postgres):
    task = one_table(
        3000,
        a={"type": "timestamptz", "fake": {"datetime": {"from": "-10d", "to": "now"}}},
        b={"type": "timestamptz", "fake": {"after": {"column": "a", "within": "20d"}}},
        c={"type": "timestamp", "fake": {"before": {"column": "a", "within": "1h"}}},
        d={"type": "date", "fake": {"after": {"column": "a", "within": "3d"}}},
        e={"type": "timestamptz", "fake": {"after": {"column": "d", "within": "1d"}}},
    )
    fill(postgres, task, REPORTER)
    checks = source.rows(
        "SELECT min(b - a) >= '0', max(b - a) > '9 days', max(b) <= '2026-01-01Z', "
        "min(a - c AT TIME ZONE 'UTC') >= '0', max(a - c AT TIME ZONE 'UTC') BETWEEN '55 min' AND '1 hour', "
        "min(d - a::date) >= 0, max(d - a::date) = 3, max(d) = '2026-01-01', min(e - d) >= '0', "
        "max(e) <= '2026-01-01Z' FROM t"
    )
    assert checks == [(True,) * 10]


def test_template_joins_columns_of_all_types(source, postgres):
    task = one_table(
        50,
        name={"type": "text", "fake": {"choice": ["Ёж", "a"]}},
        price={"type": "numeric(6,2)", "fake": {"integer": {"min": -1, "max": 1}}},
        day={"type": "date", "fake": {"constant": "2024-01-31"}},
        flag={"type": "boolean", "nullable": True, "nulls": "50%", "fake": {"constant": True}},
        v={"type": "text", "nullable": True, "fake": {"template": "{{{name}-{id}/{price}/{day}/{flag}"}},
    )
    fill(postgres, task, REPORTER)
    for id_, name, price, flag, value in source.rows("SELECT id, name, price, flag, v FROM t"):
        assert value == (f"{{{name}-{id_}/{price}/2024-01-31/true" if flag else None)


def test_template_is_cut_at_a_character(column):
    assert set(column("varchar(3)", {"template": "ёжик{id}"}, 10)) == {"ёжи"}


def test_pattern(column):
    values = column("char(9)", {"pattern": "ё-##-???."}, 500)
    assert all(re.fullmatch(r"ё-[0-9]{2}-[A-Z]{3}\.", value) for value in values)
    assert len({value[2] for value in values}) == 10


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("price * quantity", lambda p, q: p * q),
        ("price * quantity * 0.1", lambda p, q: p * q * Decimal("0.1")),
        ("-price + 3 * (quantity - 1)", lambda p, q: -p + 3 * (q - 1)),
        ("round(price, 1) + abs(-quantity)", lambda p, q: _half_up(p, "0.1") + q),
        ("min(price, quantity) + max(price, 5.5)", lambda p, q: min(p, q) + max(p, Decimal("5.5"))),
        ("floor(price) * 10 + ceil(price)", lambda p, q: Decimal(math.floor(p) * 10 + math.ceil(p))),
        ("price // quantity + price % quantity", lambda p, q: p // q + p % q),
        ("price / quantity", lambda p, q: p / q),
    ],
)
def test_expressions_are_exact(source, postgres, expression, expected):
    task = one_table(
        500,
        price={"type": "numeric(12,2)", "fake": {"lognormal": {"mean": 3, "sigma": 1}}},
        quantity={"type": "int", "fake": {"integer": {"min": 1, "max": 9}}},
        v={"type": "numeric(14,2)", "fake": {"expression": expression}},
    )
    fill(postgres, task, REPORTER)
    for price, quantity, value in source.rows("SELECT price, quantity, v FROM t"):
        assert value == _half_up(expected(price, quantity), "0.01")


def test_expression_beyond_int64_stays_exact(source, postgres):
    task = one_table(
        20,
        a={"type": "bigint", "fake": {"integer": {"min": 10**17, "max": 10**18}}},
        v={"type": "bigint", "fake": {"expression": "a * a // a - a + id"}},
    )
    fill(postgres, task, REPORTER)
    assert source.rows("SELECT count(*) FROM t WHERE v <> id") == [(0,)]


def test_expression_of_null_is_null(source, postgres):
    task = one_table(
        100,
        a={"type": "int", "nulls": "50%", "fake": "sequence"},
        v={"type": "int", "nullable": True, "fake": {"expression": "a + 1"}},
    )
    fill(postgres, task, REPORTER)
    assert source.rows("SELECT count(*) FROM t WHERE v IS DISTINCT FROM a + 1") == [(0,)]


def test_json_holds_rules_of_all_kinds(column):
    fake = {
        "json": {
            "channel": {"choice": ["web", 'a"\\pp', 1, True]},
            "coupon": {"pattern": "SALE-##"},
            "amount": {"expression": "id * 2"},
            "id": {"template": "{id}"},
            "when": {"date": {"from": "2024-01-01", "to": "2024-01-01"}},
            "moment": {"datetime": {"from": "2024-01-01", "to": "2024-01-01"}},
            "price": {"normal": {"mean": 5, "sigma": 1}},
            "name": {"faker": {"provider": "name"}},
            "tags": {"array": {"of": {"choice": ["x", "y"]}, "max": 3}},
            "inner": {"json": {"n": {"integer": {"min": 1, "max": 2}}}},
            "key": "uuid",
        }
    }
    values = column("jsonb", fake, 300)
    assert {json.dumps(value["channel"]) for value in values} == {'"web"', '"a\\"\\\\pp"', "1", "true"}
    for row, value in enumerate(values, 1):
        assert (value["amount"], value["id"], value["when"]) == (2 * row, str(row), "2024-01-01")
        assert value["moment"] == "2024-01-01T00:00:00.000000Z"
        assert re.fullmatch(r"SALE-\d\d", value["coupon"])
        assert 0 < value["price"] < 10
        assert len(value["name"]) > 3
        assert set(value["tags"]) <= {"x", "y"}
        assert value["inner"]["n"] in (1, 2)
        assert uuid.UUID(value["key"]).version == 4
    assert {len(value["tags"]) for value in values} == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("type_", "of", "is_element"),
    [
        ("text[]", {"choice": ["a", "ёё"]}, lambda v: v in ("a", "ёё")),
        ("varchar(8)[]", {"faker": {"provider": "word"}}, lambda v: 0 < len(v) <= 8),
        ("int[]", {"integer": {"min": 1, "max": 5}}, lambda v: 1 <= v <= 5),
        ("numeric(6,2)[]", {"normal": {"mean": 5, "sigma": 1}}, lambda v: v == round(v, 2)),
        ("timestamptz[]", {"datetime": {"from": "-1d", "to": "now"}}, lambda v: v <= NOW),
        ("boolean[]", {"choice": [True, False]}, lambda v: v in (True, False)),
        ("jsonb", {"integer": {"min": 1, "max": 5}}, lambda v: 1 <= v <= 5),
    ],
)
def test_arrays(column, type_, of, is_element):
    values = column(type_, {"array": {"of": of, "min": 0, "max": 3}}, 200)
    assert {len(value) for value in values} == {0, 1, 2, 3}
    assert all(is_element(element) for value in values for element in value)
    assert len({str(value) for value in values}) > 4


@pytest.mark.parametrize(
    ("type_", "provider", "arguments", "holds"),
    [
        ("varchar(120)", "name", {}, lambda v: " " in v),
        ("char(13)", "ean13", {}, lambda v: v.isdigit() and len(v) == 13),
        ("varchar(5)", "city", {}, lambda v: 0 < len(v) <= 5),
        ("varchar(3)", "text", {}, lambda v: len(v) == 3),
        ("text", "bothify", {"text": "##-??", "letters": "xy"}, lambda v: re.fullmatch(r"\d\d-[xy]{2}", v)),
        ("int", "random_int", {"min": 5, "max": 9}, lambda v: 5 <= v <= 9),
        ("numeric(8,2)", "pydecimal", {"left_digits": 3, "right_digits": 2}, lambda v: v == round(v, 2)),
        ("boolean", "pybool", {}, lambda v: v in (True, False)),
        ("jsonb", "pylist", {"value_types": ["int"]}, lambda v: isinstance(v, list)),
        ("bytea", "binary", {"length": 7}, lambda v: len(bytes(v)) == 7),
    ],
)
def test_faker_on_types(column, type_, provider, arguments, holds):
    values = column(type_, {"faker": {"provider": provider, "arguments": arguments}}, 300)
    assert all(holds(value) for value in values)
    assert len({str(value) for value in values}) > 1


def test_faker_speaks_the_locale_of_the_task_or_its_own(column):
    assert re.search("[\u0430-\u044f]", "".join(column("text", "name", 20, locale="ru_RU")))


def test_a_rule_may_name_another_locale(column):
    values = column("text", {"faker": {"provider": "name", "locale": "zh_CN"}}, 20, locale="ru_RU")
    assert re.search("[\u4e00-\u9fff]", "".join(values))


@pytest.mark.parametrize("type_", ["int", "text", "uuid", "jsonb", "numeric(5,1)", "date", "int[]", "boolean"])
def test_share_of_nulls(column, type_):
    fakes: dict[str, Any] = {
        "int": "sequence",
        "text": "word",
        "uuid": "uuid",
        "jsonb": {"json": {"a": "sequence"}},
        "numeric(5,1)": {"integer": {"min": 0, "max": 9}},
        "date": {"date": {"from": "-1y", "to": "now"}},
        "int[]": {"array": {"of": {"integer": {"min": 1, "max": 2}}, "max": 2}},
        "boolean": {"constant": True},
    }
    values = column(type_, fakes[type_], 5000, options={"nulls": "20%"})
    assert 850 < values.count(None) < 1150


def test_a_nullable_column_without_a_rule_is_null(column, source, postgres):
    fill(postgres, one_table(5, v={"type": "text", "nullable": True}), REPORTER)
    assert source.rows("SELECT count(v), count(*) FROM t") == [(0, 5)]


def _half_up(value: Decimal, unit: str) -> Decimal:
    return Decimal(value).quantize(Decimal(unit), rounding="ROUND_HALF_UP")

"""Unique columns: no value twice, whatever the number of rows, and all within the type."""

from __future__ import annotations

import re
from typing import Any

import pytest

from framework.errors import RuleImpossible
from framework.events import Reporter
from framework.generate.filling import fill
from tests.generate.conftest import one_table

REPORTER = Reporter("generate")
ROWS = 200_000


def test_200_thousand_rows_of_every_unique_rule(source, postgres):
    columns: dict[str, dict[str, Any]] = {
        "email": {"type": "varchar(40)", "fake": "email"},
        "login": {"type": "varchar(24)", "fake": "user_name"},
        "phone": {"type": "varchar(20)", "fake": "phone_number"},
        "barcode": {"type": "char(13)", "fake": "ean13"},
        "name": {"type": "text", "fake": "name"},
        "code": {"type": "char(8)", "fake": {"pattern": "??-#####"}},
        "number": {"type": "int", "fake": {"integer": {"min": -100_000, "max": 100_000}}},
        "day": {"type": "date", "fake": {"date": {"from": "1001-01-01", "to": "2001-01-01"}}},
        "moment": {"type": "timestamptz", "fake": {"datetime": {"from": "-1d", "to": "now"}}},
        "key": {"type": "uuid", "fake": "uuid"},
        "title": {"type": "text", "fake": {"template": "{name} no. {id}"}},
    }
    unique: dict[str, Any] = {name: {**of, "unique": True} for name, of in columns.items()}
    fill(postgres, one_table(ROWS, **unique), REPORTER)
    distinct = ", ".join(f"count(DISTINCT {name})" for name in columns)
    assert source.rows(f"SELECT {distinct} FROM t") == [(ROWS,) * len(columns)]
    emails = [email for (email,) in source.rows("SELECT email FROM t ORDER BY id")]
    assert all(re.fullmatch(r"[\w.+-]+@[\w.-]+\.\w+", email) for email in emails)
    assert not any(re.search(r"\d@", email) for email in emails[:1000])
    assert all(_is_ean(code) for (code,) in source.rows("SELECT barcode FROM t LIMIT 1000"))


def test_russian_telephones_keep_their_shape(source, postgres):
    fill(
        postgres, one_table(3000, locale="ru_RU", v={"type": "text", "unique": True, "fake": "phone_number"}), REPORTER
    )
    assert all(re.fullmatch(r"(8|\+7)[\d ()-]{10,}", value) for (value,) in source.rows("SELECT v FROM t"))


def test_a_choice_is_a_shuffled_list(source, postgres):
    letters = [chr(ord("a") + place) for place in range(26)]
    fill(postgres, one_table(26, v={"type": "char(1)", "unique": True, "fake": {"choice": letters}}), REPORTER)
    values = [value for (value,) in source.rows("SELECT v FROM t ORDER BY id")]
    assert sorted(values) == letters
    assert values != letters


def test_texts_without_room_for_a_suffix_are_used_once(source, postgres):
    fill(postgres, one_table(100, v={"type": "char(2)", "unique": True, "fake": "country_code"}), REPORTER)
    assert source.rows("SELECT count(DISTINCT v) FROM t") == [(100,)]


def test_unique_columns_may_be_null(source, postgres):
    fill(postgres, one_table(1000, v={"type": "text", "unique": True, "nulls": "50%", "fake": "word"}), REPORTER)
    ((filled, distinct),) = source.rows("SELECT count(v), count(DISTINCT v) FROM t")
    assert filled == distinct
    assert 400 < filled < 600


@pytest.mark.parametrize(
    ("type_", "fake"),
    [
        ("int", {"integer": {"min": 1, "max": 99}}),
        ("char(2)", {"choice": ["a", "b"]}),
        ("char(2)", {"pattern": "x#"}),
        ("date", {"date": {"from": "2024-01-01", "to": "2024-01-02"}}),
        ("char(2)", "country_code"),
        ("int", {"zipf": {"max": 1000}}),
        ("numeric(9,2)", {"normal": {"mean": 1, "sigma": 1}}),
        ("text", {"template": "{id}{id}"}),
        ("int", {"expression": "id + 1"}),
        ("boolean", {"constant": True}),
        ("jsonb", {"json": {"a": "sequence"}}),
        ("int", {"faker": {"provider": "random_int"}}),
    ],
)
def test_too_many_rows_are_refused_before_anything_is_written(source, postgres, type_, fake):
    with pytest.raises(RuleImpossible, match=r"t\.v"):
        fill(postgres, one_table(1000, v={"type": type_, "unique": True, "fake": fake}), REPORTER)
    assert source.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []


def _is_ean(code: str) -> bool:
    return sum(int(digit) * (1 if place % 2 == 0 else 3) for place, digit in enumerate(code)) % 10 == 0

"""What cannot be made is refused by the name of its column, before anything is written."""

from __future__ import annotations

from typing import Any

import pytest

from framework.errors import RuleImpossible
from framework.events import Reporter
from framework.generate.filling import fill
from tests.generate.conftest import one_table, task

REPORTER = Reporter("generate")
KEY = {"type": "bigint", "primary_key": True, "fake": "sequence"}


@pytest.mark.parametrize(
    ("column", "fact"),
    [
        ({"type": "smallint", "fake": {"integer": {"min": 0, "max": 40000}}}, "40000 is out of range for smallint"),
        ({"type": "numeric(4,2)", "fake": {"integer": {"min": 0, "max": 100}}}, "100 is out of range"),
        ({"type": "int", "fake": {"integer": {"min": 2, "max": 1}}}, "no whole number"),
        ({"type": "smallint", "fake": {"sequence": {"start": 32000}}}, "32999 is out of range"),
        ({"type": "varchar(2)", "fake": "sequence"}, "too long for"),
        ({"type": "date", "fake": "sequence"}, "`sequence` makes no values of type date"),
        ({"type": "text", "fake": {"normal": {"mean": 0, "sigma": 1}}}, "`normal` makes no values of type text"),
        ({"type": "numeric(9,2)", "fake": {"lognormal": {"mean": 800, "sigma": 1}}}, "too large"),
        ({"type": "int", "fake": "uuid"}, "`uuid` makes no values"),
        ({"type": "char(35)", "fake": "uuid"}, "36 characters"),
        ({"type": "int", "fake": {"pattern": "###"}}, "`pattern` makes no values"),
        ({"type": "char(2)", "fake": {"pattern": "###"}}, "too long"),
        ({"type": "int", "fake": {"date": {"from": "-1y", "to": "now"}}}, "`date` makes no values"),
        ({"type": "date", "fake": {"date": {"from": "now", "to": "-1y"}}}, "later than"),
        ({"type": "date", "fake": {"date": {"from": "2024-02-30", "to": "now"}}}, "no point in time"),
        ({"type": "date", "fake": {"after": {"column": "nobody", "within": "1d"}}}, "no column 'nobody'"),
        ({"type": "date", "fake": {"after": {"column": "id", "within": "1d"}}}, "'id' is of type bigint"),
        ({"type": "date", "fake": {"after": {"column": "v", "within": "1d"}}}, "wait for each other"),
        ({"type": "text", "fake": {"template": "{nobody}"}}, "names no column"),
        ({"type": "text", "fake": {"template": "{id"}}, "single brace"),
        ({"type": "text", "fake": {"template": "{id:>5}"}}, "names no column"),
        ({"type": "int", "fake": {"expression": "id +"}}, "cannot be read"),
        ({"type": "int", "fake": {"expression": "nobody + 1"}}, "no column 'nobody'"),
        ({"type": "int", "fake": {"expression": "id ** 2"}}, "not allowed"),
        ({"type": "int", "fake": {"expression": "__import__('os')"}}, "no function here"),
        ({"type": "int", "fake": {"expression": "id.real"}}, "not allowed"),
        ({"type": "text", "fake": {"expression": "id + 1"}}, "makes no values"),
        ({"type": "int", "fake": {"choice": ["a"]}}, "'a' is no value of type int"),
        ({"type": "varchar(2)", "fake": {"choice": ["abc"]}}, "'abc' is no value"),
        ({"type": "date", "fake": {"constant": "tomorrow"}}, "'tomorrow' is no value"),
        ({"type": "int", "fake": {"choice": {"1": 0}}}, "weights"),
        ({"type": "int", "fake": {"json": {"a": "sequence"}}}, "`json` makes no values"),
        ({"type": "int", "fake": {"array": {"of": "sequence", "max": 3}}}, "`array` makes no values"),
        ({"type": "int[]", "fake": {"array": {"of": "uuid", "max": 3}}}, "`uuid` makes no values"),
        ({"type": "int[]", "fake": {"array": {"of": {"expression": "id"}, "max": 3}}}, "no column 'id'"),
        ({"type": "text", "fake": "emial"}, "no provider 'emial'"),
        ({"type": "text", "fake": {"faker": {"provider": "name", "locale": "ru_ru"}}}, "no locale"),
        ({"type": "text", "fake": {"faker": {"provider": "name", "arguments": {"x": 1}}}}, "name failed"),
        ({"type": "date", "fake": "date_of_birth"}, "depends on today"),
        ({"type": "int", "fake": "name"}, "is no value of type int"),
        ({"type": "interval", "fake": {"constant": "1 day"}}, "type interval cannot be made"),
        ({"type": "inet[]", "fake": {"array": {"of": "ipv4", "max": 3}}}, "cannot be made"),
        ({"type": "text"}, "has no rule"),
    ],
)
def test_a_rule_that_cannot_be(source, postgres, column, fact):
    with pytest.raises(RuleImpossible) as caught:
        fill(postgres, one_table(1000, v=column), REPORTER)
    assert fact in caught.value.fact
    assert (caught.value.table, caught.value.column) == ("t", "v")
    assert caught.value.fix
    assert source.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []


@pytest.mark.parametrize(
    ("columns", "fact"),
    [
        ({"type": "bigint", "references": {"table": "nobody", "column": "id"}}, "no entity 'nobody'"),
        ({"type": "bigint", "references": {"table": "p", "column": "nobody"}}, "no entity 'p' with a column"),
        ({"type": "int", "references": {"table": "p", "column": "n"}}, "p.n is not unique"),
        ({"type": "bigint", "references": {"table": "t", "column": "id"}}, "refers to 't' itself"),
        ({"type": "bigint", "references": {"table": "p", "column": "id"}, "fake": "sequence"}, "both"),
        ({"type": "bigint", "unique": True, "references": {"table": "p", "column": "id"}}, "5 different values"),
    ],
)
def test_a_reference_that_cannot_be(source, postgres, columns, fact):
    parent = {"rows": 5, "columns": {"id": KEY, "n": {"type": "int", "fake": "sequence"}}}
    with pytest.raises(RuleImpossible) as caught:
        fill(postgres, task({"p": parent, "t": {"rows": 10, "columns": {"id": KEY, "v": columns}}}), REPORTER)
    assert fact in caught.value.fact
    assert source.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []


def test_a_key_of_columns_that_repeat(source, postgres):
    columns: dict[str, Any] = {name: {"type": "int", "fake": {"integer": {"min": 1, "max": 9}}} for name in "ab"}
    entity: dict[str, Any] = {"rows": 50, "columns": columns, "primary_key": ["a", "b"]}
    with pytest.raises(RuleImpossible, match=r"the key \(a, b\) could repeat"):
        fill(postgres, task({"t": entity}), REPORTER)
    entity["columns"]["b"]["fake"] = "sequence"
    fill(postgres, task({"t": entity}), REPORTER)
    assert source.rows("SELECT count(DISTINCT (a, b)) FROM t") == [(50,)]


def test_tables_in_a_circle(source, postgres):
    def table(other: str) -> dict[str, Any]:
        return {
            "rows": 5,
            "columns": {"id": KEY, "v": {"type": "bigint", "references": {"table": other, "column": "id"}}},
        }

    with pytest.raises(RuleImpossible, match="in a circle"):
        fill(postgres, task({"a": table("b"), "b": table("a")}), REPORTER)


def test_what_may_be_null_makes_null(source, postgres):
    columns: dict[str, Any] = {
        "a": {"type": "date", "nulls": "5%", "fake": {"date": {"from": "-1y", "to": "now"}}},
        "v": {"type": "date", "fake": {"after": {"column": "a", "within": "1d"}}},
    }
    with pytest.raises(RuleImpossible, match="computed from 'a', which may be NULL"):
        fill(postgres, one_table(10, **columns), REPORTER)


def test_an_expression_out_of_range_undoes_the_table(source, postgres):
    with pytest.raises(RuleImpossible, match=r"t\.v.*too large, or divided by zero"):
        fill(postgres, one_table(100, v={"type": "int", "fake": {"expression": "1 / (id - 50)"}}), REPORTER)
    assert source.rows("SELECT count(*) FROM t") == [(0,)]
    assert source.rows("SELECT state FROM _vitrina_fills") == [("filling",)]
    assert fill(postgres, one_table(100, v={"type": "int", "fake": "sequence"}), REPORTER).rows_written == 100

"""References: every one meets a row, counts per parent are kept, parents' columns are read."""

from __future__ import annotations

from typing import Any

import pytest

from framework.errors import SourceMismatch
from framework.events import Reporter
from framework.generate.filling import fill
from tests.generate.conftest import task

REPORTER = Reporter("generate")
KEY = {"type": "bigint", "primary_key": True, "fake": "sequence"}


def family(child_rows: Any, parents: int = 1000, **reference: Any) -> dict[str, Any]:
    """Parents with a key unlike their row number, and children that refer to them."""
    options = {name: reference.pop(name) for name in ("unique", "nulls", "nullable") if name in reference}
    return {
        "child": {
            "rows": child_rows,
            "columns": {
                "id": KEY,
                "parent": {
                    "type": "uuid",
                    "references": {"table": "parent", "column": "code", **reference},
                    **options,
                },
            },
        },
        "parent": {
            "rows": parents,
            "columns": {
                "id": {"type": "bigint", "primary_key": True, "fake": {"sequence": {"start": 100, "step": 7}}},
                "code": {"type": "uuid", "unique": True, "fake": "uuid"},
            },
        },
    }


def counts(source) -> list[int]:
    sql = "SELECT count(c.id) FROM parent p LEFT JOIN child c ON c.parent = p.code GROUP BY p.id ORDER BY 1"
    return [count for (count,) in source.rows(sql)]


def test_parents_are_as_likely_as_each_other(source, postgres):
    fill(postgres, task(family(20_000)), REPORTER)
    found = counts(source)
    assert sum(found) == 20_000
    assert found[0] > 2
    assert found[-1] < 45


def test_skew_prefers_few(source, postgres):
    fill(postgres, task(family(20_000, skew=1.5)), REPORTER)
    found = counts(source)
    assert sum(found) == 20_000
    assert sum(found[-50:]) > 6_000
    assert found[500] < 10


def test_without_skew_every_parent_gets_the_mean(source, postgres):
    fill(postgres, task(family({"per": "parent", "mean": 8})), REPORTER)
    assert counts(source) == [8] * 1000


def test_a_broken_mean_is_rounded_in_all(source, postgres):
    fill(postgres, task(family({"per": "parent", "mean": 2.3456})), REPORTER)
    found = counts(source)
    assert sum(found) == 2346
    assert set(found) == {2, 3}


def test_counts_per_parent_follow_the_skew_exactly(new_source, open_source):
    found = []
    for seed in (1, 2):
        database = new_source()
        fill(open_source(database), task(family({"per": "parent", "mean": 8, "skew": 1.2}), seed=seed), REPORTER)
        found.append(counts(database))
    assert sum(found[0]) == 8000
    assert found[0] == found[1]  # the seed says who is rich, the skew how rich they are
    assert sum(found[0][-100:]) > 3000


def test_a_unique_reference_takes_each_parent_once(source, postgres):
    fill(postgres, task(family(900, unique=True)), REPORTER)
    assert counts(source) == [0] * 100 + [1] * 900


def test_a_share_of_references_is_null(source, postgres):
    fill(postgres, task(family(5000, nulls="20%")), REPORTER)
    ((nulls,),) = source.rows("SELECT count(*) FROM child WHERE parent IS NULL")
    assert 850 < nulls < 1150


def test_keys_and_rules_of_the_database(source, postgres):
    fill(postgres, task(family(10, on_delete="set null", nullable=True)), REPORTER)
    assert source.rows(
        "SELECT conrelid::regclass::text, contype::text, confdeltype::text FROM pg_constraint "
        "WHERE conrelid IN ('child'::regclass, 'parent'::regclass) AND contype <> 'n' ORDER BY 1, 2"
    ) == [("child", "f", "n"), ("child", "p", " "), ("parent", "p", " "), ("parent", "u", " ")]


def test_a_table_may_refer_to_itself_backwards(source, postgres):
    staff = {
        "staff": {
            "rows": 2000,
            "columns": {
                "id": KEY,
                "boss": {"type": "bigint", "nulls": "5%", "references": {"table": "staff", "column": "id"}},
            },
        }
    }
    fill(postgres, task(staff), REPORTER)
    assert source.rows("SELECT count(*) FROM staff WHERE boss >= id") == [(0,)]
    ((nulls, bosses),) = source.rows("SELECT count(*) FILTER (WHERE boss IS NULL), count(DISTINCT boss) FROM staff")
    assert 60 < nulls < 140
    assert bosses > 500


def test_after_a_column_of_the_grandparent_s_child(source, postgres):
    moment = {"type": "timestamptz"}
    entities = {
        "a": {"rows": 50, "columns": {"id": KEY, "at": {**moment, "fake": {"datetime": {"from": "-1y", "to": "now"}}}}},
        "b": {
            "rows": {"per": "a_id", "mean": 4},
            "columns": {
                "id": KEY,
                "a_id": {"type": "bigint", "references": {"table": "a", "column": "id"}},
                "at": {**moment, "fake": {"after": {"column": "a.at", "within": "30d"}}},
            },
        },
        "c": {
            "rows": {"per": "b_id", "mean": 3, "skew": 0.5},
            "columns": {
                "id": KEY,
                "b_id": {"type": "bigint", "references": {"table": "b", "column": "id"}},
                "at": {**moment, "fake": {"after": {"column": "b.at", "within": "30d"}}},
            },
        },
    }
    fill(postgres, task(entities), REPORTER)
    sql = (
        "SELECT count(*), bool_and(b.at >= a.at AND c.at >= b.at AND c.at <= '2026-01-01Z'), max(c.at - b.at) "
        "FROM c JOIN b ON b.id = c.b_id JOIN a ON a.id = b.a_id"
    )
    ((rows, in_order, widest),) = source.rows(sql)
    assert (rows, in_order) == (600, True)
    assert 20 < widest.days < 31


def test_parents_that_stand_in_the_database_are_read(source, postgres):
    """A table without rows is somebody else's: its keys are looked up."""
    source.execute("CREATE TABLE parent (code text PRIMARY KEY, born date)")
    source.execute("INSERT INTO parent SELECT 'p' || n, DATE '2020-01-01' + n FROM generate_series(1, 40) n")
    entities = {
        "parent": {"columns": {"code": {"type": "text", "primary_key": True}, "born": {"type": "date"}}},
        "child": {
            "rows": {"per": "parent", "mean": 3},
            "columns": {
                "id": KEY,
                "parent": {"type": "text", "references": {"table": "parent", "column": "code"}},
                "at": {"type": "date", "fake": {"after": {"column": "parent.born", "within": "2d"}}},
            },
        },
    }
    fill(postgres, task(entities), REPORTER)
    sql = (
        "SELECT count(*), count(DISTINCT parent), min(at - born), max(at - born) "
        "FROM child JOIN parent ON code = parent"
    )
    assert source.rows(sql) == [(120, 40, 0, 2)]


def test_an_empty_parent_is_named(source, postgres):
    source.execute("CREATE TABLE parent (code text PRIMARY KEY)")
    entities = family(10)
    entities["parent"] = {"columns": {"code": {"type": "text", "primary_key": True}}}
    entities["child"]["columns"]["parent"]["type"] = "text"
    with pytest.raises(SourceMismatch, match="'parent' has no row"):
        fill(postgres, task(entities), REPORTER)

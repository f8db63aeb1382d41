"""The changes of a living system: each tick one transaction, determined by the seed but for the touch columns."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from framework.errors import RuleImpossible, SourceMismatch
from framework.events import Reporter
from framework.generate.filling import fill
from framework.generate.ticks.changes import tick
from tests.generate.conftest import dump, one_table, task

REPORTER = Reporter("tick")
KEY = {"type": "bigint", "primary_key": True, "fake": "sequence"}
STEPS = {"new": "paid", "paid": "shipped"}


def shop(**changes: Any) -> dict[str, Any]:
    moment = {"type": "timestamptz"}
    return {
        "customers": {
            "rows": 400,
            "columns": {
                "id": KEY,
                "email": {"type": "varchar(60)", "unique": True, "fake": "email"},
                "name": {"type": "varchar(60)", "fake": "name"},
                "created_at": {**moment, "fake": {"datetime": {"from": "-2y", "to": "now"}}},
                "updated_at": {**moment, "fake": {"after": {"column": "created_at", "within": "90d"}}},
            },
            "changes": {
                "touch": "updated_at",
                "insert": 20,
                "update": {"rows": "5%", "redraw": ["name", "email"]},
                "delete": {"rows": 4},
            },
        },
        "orders": {
            "rows": {"per": "customer_id", "mean": 3, "skew": 1.2},
            "columns": {
                "id": KEY,
                "customer_id": {
                    "type": "bigint",
                    "references": {"table": "customers", "column": "id", "on_delete": "restrict"},
                },
                "status": {"type": "varchar(16)", "fake": {"choice": {"new": 40, "paid": 40, "cancelled": 20}}},
                "price": {"type": "numeric(12,2)", "fake": {"integer": {"min": 1, "max": 100}}},
                "quantity": {"type": "int", "fake": {"integer": {"min": 1, "max": 9}}},
                "amount": {"type": "numeric(14,2)", "fake": {"expression": "price * quantity"}},
                "label": {"type": "text", "fake": {"template": "{status}:{id}"}},
                "created_at": {**moment, "fake": {"after": {"column": "customers.created_at", "within": "700d"}}},
                "updated_at": {**moment, "fake": {"after": {"column": "created_at", "within": "30d"}}},
            },
            "changes": {
                "touch": "updated_at",
                "insert": 60,
                "update": {"rows": "10%", "redraw": ["price"], "set": {"status": {"next": STEPS}}},
                "delete": {"rows": "1%"},
            },
        },
    }


def simple(changes: dict[str, Any], rows: int = 1000, **columns: Any) -> Any:
    """A table ``t`` with a touch column and the given changes."""
    entity = {
        "rows": rows,
        "columns": {
            "id": KEY,
            **columns,
            "updated_at": {"type": "timestamptz", "fake": {"constant": "2020-01-01"}},
        },
        "changes": {"touch": "updated_at", **changes},
    }
    return task({"t": entity})


CUSTOMERS = "id, email, name, created_at"
ORDERS = "id, customer_id, status, price, quantity, amount, label, created_at"


def test_ticks_are_the_same_for_the_same_seed_however_they_are_grouped(new_source, open_source):
    dumps = []
    for seed, groups in ((1, (3,)), (1, (1, 2)), (2, (3,))):
        database = new_source()
        source, spec = open_source(database), task(shop(), seed=seed)
        fill(source, spec, REPORTER)
        for ticks in groups:
            tick(source, spec, ticks, REPORTER)
        dumps.append((dump(database, "customers", CUSTOMERS), dump(database, "orders", ORDERS)))
    assert dumps[0] == dumps[1]
    assert dumps[0][0] != dumps[2][0]
    assert dumps[0][1] != dumps[2][1]


def test_a_tick_does_what_it_says(source, postgres):
    spec = task(shop())
    fill(postgres, spec, REPORTER)
    before = {row[0]: row for row in source.rows("SELECT * FROM customers")}
    started = source.rows("SELECT clock_timestamp()")[0][0]
    stats = tick(postgres, spec, 1, REPORTER)
    after = {row[0]: row for row in source.rows("SELECT * FROM customers")}
    new, gone = after.keys() - before.keys(), before.keys() - after.keys()
    changed = {key for key in after.keys() & before.keys() if after[key] != before[key]}
    assert (new, len(gone), len(changed)) == (set(range(401, 421)), 4, 20)
    for key in changed | new:
        assert after[key][4] >= started
    for key in changed:
        assert after[key][1] != before[key][1]
        assert after[key][3] == before[key][3]
    ((orders,),) = source.rows("SELECT count(*) FROM orders WHERE updated_at >= %s", started)
    assert stats.rows_written == 20 + 20 + orders
    assert stats.rows_deleted == 4 + 12
    assert source.rows("SELECT count(DISTINCT updated_at) FROM orders WHERE updated_at >= %s", started) == [(1,)]


def test_transitions_only_along_next_and_what_is_computed_follows(source, postgres):
    spec = task(shop())
    fill(postgres, spec, REPORTER)
    seen: Counter[tuple[str, str]] = Counter()
    for _ in range(4):
        before = dict(source.rows("SELECT id, status FROM orders"))
        tick(postgres, spec, 1, REPORTER)
        after = dict(source.rows("SELECT id, status FROM orders"))
        seen.update((before[key], after[key]) for key in before.keys() & after.keys() if before[key] != after[key])
        wrong = "SELECT count(*) FROM orders WHERE amount <> price * quantity OR label <> status || ':' || id"
        assert source.rows(wrong) == [(0,)]
    assert set(seen) == {("new", "paid"), ("paid", "shipped")}
    assert all(count > 20 for count in seen.values())


def test_rows_without_a_next_state_are_not_touched(source, postgres):
    state = {"type": "text", "fake": {"choice": ["open", "closed"]}}
    spec = simple({"update": {"rows": "100%", "set": {"state": {"next": {"open": "closed"}}}}}, state=state)
    fill(postgres, spec, REPORTER)
    ((opened,),) = source.rows("SELECT count(*) FROM t WHERE state = 'open'")
    assert tick(postgres, spec, 1, REPORTER).rows_written == opened
    assert source.rows("SELECT count(*) FROM t WHERE updated_at > '2021-01-01'") == [(opened,)]
    assert tick(postgres, spec, 1, REPORTER).rows_written == 0


@pytest.mark.parametrize(
    ("type_", "steps"),
    [
        ("boolean", {"false": True}),
        ("int", {"1": 2}),
        ("char(3)", {"a": "b"}),
        ("numeric(5,2)", {"1.5": 2.25}),
    ],
)
def test_states_of_other_types(source, postgres, type_, steps):
    ((first, second),) = steps.items()
    spec = simple(
        {"update": {"rows": 10, "set": {"state": {"next": steps}}}},
        state={"type": type_, "fake": {"constant": first}},
    )
    fill(postgres, spec, REPORTER)
    assert tick(postgres, spec, 1, REPORTER).rows_written == 10
    assert source.rows(f"SELECT count(*) FROM t WHERE state = CAST(%s AS {type_})", str(second)) == [(10,)]


@pytest.mark.parametrize(
    ("on_delete", "nulls"), [("restrict", None), ("no action", None), ("cascade", None), ("set null", "1%")]
)
def test_deletes_as_the_database_does_them(source, postgres, on_delete, nulls):
    reference = {"type": "bigint", "references": {"table": "a", "column": "id", "on_delete": on_delete}}
    entities = {
        "a": {"rows": 100, "columns": {"id": KEY}, "changes": {"delete": {"rows": 30}}},
        "b": {
            "rows": 150,
            "columns": {"id": KEY, "a_id": {**reference, **({"nulls": nulls} if nulls else {})}},
        },
    }
    spec = task(entities)
    fill(postgres, spec, REPORTER)
    ((childless, children),) = source.rows(
        "SELECT count(*) FILTER (WHERE NOT EXISTS (SELECT 1 FROM b WHERE a_id = a.id)), (SELECT count(*) FROM b) FROM a"
    )
    deleted = tick(postgres, spec, 1, REPORTER).rows_deleted
    assert source.rows("SELECT count(*) FROM a") == [(100 - deleted,)]
    ((left, orphans),) = source.rows("SELECT count(*), count(*) FILTER (WHERE a_id IS NULL) FROM b")
    if on_delete in ("restrict", "no action"):
        assert deleted == min(30, childless) > 0
        assert left == children
    else:
        assert deleted == 30
        assert (left < children) if on_delete == "cascade" else (left == children and orphans > 10)


def test_a_cascade_that_meets_a_restriction_holds_the_row_back(source, postgres):
    def child(parent: str, on_delete: str, rows: int) -> dict[str, Any]:
        reference = {"table": parent, "column": "id", "on_delete": on_delete}
        return {"rows": rows, "columns": {"id": KEY, "up": {"type": "bigint", "references": reference}}}

    entities = {
        "a": {"rows": 50, "columns": {"id": KEY}, "changes": {"delete": {"rows": "100%"}}},
        "b": child("a", "cascade", 60),
        "c": child("b", "restrict", 20),
    }
    spec = task(entities)
    fill(postgres, spec, REPORTER)
    ((held,),) = source.rows("SELECT count(DISTINCT b.up) FROM b JOIN c ON c.up = b.id")
    assert tick(postgres, spec, 1, REPORTER).rows_deleted == 50 - held
    assert source.rows("SELECT count(*) FROM a") == [(held,)]


def test_tables_that_no_spec_knows_hold_rows_back_too(source, postgres):
    spec = task({"a": {"rows": 5, "columns": {"id": KEY}, "changes": {"delete": {"rows": 5}}}})
    fill(postgres, spec, REPORTER)
    source.execute("CREATE TABLE theirs (a bigint REFERENCES a)")
    source.execute("INSERT INTO theirs VALUES (2), (4)")
    assert tick(postgres, spec, 1, REPORTER).rows_deleted == 3
    assert source.rows("SELECT id FROM a ORDER BY 1") == [(2,), (4,)]


def test_nothing_lies_beyond_the_clock(source, postgres):
    spec = task(shop())
    fill(postgres, spec, REPORTER)
    latest = "SELECT greatest(max(created_at), max(updated_at)) FROM "
    assert source.rows(latest + "orders")[0][0] <= datetime(2026, 1, 1, tzinfo=timezone.utc)
    tick(postgres, spec, 3, REPORTER)
    for table in ("customers", "orders"):
        assert source.rows(f"{latest}{table}")[0][0] <= datetime.now(timezone.utc) + timedelta(seconds=1)
    early = "SELECT count(*) FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.created_at < c.created_at"
    assert source.rows(early) == [(0,)]


def test_a_now_in_the_future_means_the_clock_in_ticks(source, postgres):
    entities = {
        "t": {
            "rows": 10,
            "columns": {"id": KEY, "at": {"type": "timestamptz", "fake": {"datetime": {"from": "-1s", "to": "now"}}}},
            "changes": {"insert": 10},
        }
    }
    spec = task(entities).model_copy(update={"now": "2999-01-01T00:00:00Z"})
    fill(postgres, spec, REPORTER)
    tick(postgres, spec, 1, REPORTER)
    assert source.rows("SELECT count(*) FROM t WHERE id > 10 AND at <= now()") == [(10,)]


@pytest.mark.parametrize("on_delete", ["cascade", "set null"])
def test_inserts_refer_to_rows_that_are_there(source, postgres, on_delete):
    entities = shop()
    entities["customers"]["changes"] = {"insert": 5, "delete": {"rows": 100}}
    orders = entities["orders"]["columns"]
    orders["customer_id"]["references"]["on_delete"] = on_delete
    if on_delete == "set null":
        for name in ("customer_id", "created_at", "updated_at"):
            orders[name]["nullable"] = True
    spec = task(entities)
    fill(postgres, spec, REPORTER)
    tick(postgres, spec, 3, REPORTER)
    assert source.rows("SELECT count(*) FROM customers") == [(400 + 15 - 300,)]
    assert source.rows("SELECT count(*) FROM orders WHERE id > 1200 AND customer_id > 400")[0][0] > 0


def test_unique_references_take_parents_that_are_free(source, postgres):
    entities = {
        "a": {"rows": 100, "columns": {"id": KEY}, "changes": {"insert": 5}},
        "b": {
            "rows": 60,
            "columns": {"a_id": {"type": "bigint", "primary_key": True, "references": {"table": "a", "column": "id"}}},
            "changes": {"insert": 20},
        },
    }
    spec = task(entities)
    fill(postgres, spec, REPORTER)
    tick(postgres, spec, 2, REPORTER)
    assert source.rows("SELECT count(*), count(DISTINCT a_id) FROM b") == [(100, 100)]
    with pytest.raises(RuleImpossible, match="different values"):
        tick(postgres, spec, 1, REPORTER)
    assert source.rows("SELECT count(*), max(ticks) FROM a, _vitrina_fills WHERE table_name = 'a'") == [(110, 2)]


def test_unique_columns_stay_unique_when_drawn_anew(source, postgres):
    email = {"type": "varchar(60)", "unique": True, "fake": "email"}
    login = {"type": "text", "unique": True, "fake": "user_name"}
    spec = simple({"update": {"rows": "100%", "redraw": ["email", "login"]}, "insert": 500}, email=email, login=login)
    fill(postgres, spec, REPORTER)
    tick(postgres, spec, 3, REPORTER)
    assert source.rows("SELECT count(*), count(DISTINCT email), count(DISTINCT login) FROM t") == [(2500,) * 3]
    assert source.rows("SELECT count(*) FROM t WHERE email LIKE '%%.t3@%%'") == [(2000,)]


def test_a_sequence_cannot_be_drawn_anew(source, postgres):
    spec = simple({"update": {"rows": 1, "redraw": ["n"]}, "insert": 5}, n={"type": "int", "fake": "sequence"})
    fill(postgres, spec, REPORTER)
    before = dump(source, "t")
    with pytest.raises(RuleImpossible, match="drawn anew"):
        tick(postgres, spec, 1, REPORTER)
    assert dump(source, "t") == before


def test_a_redrawn_reference_reads_its_new_parent(source, postgres):
    entities = shop()
    entities["orders"]["changes"] = {"update": {"rows": "50%", "redraw": ["customer_id", "created_at"]}}
    entities["customers"]["changes"] = {"touch": "updated_at"}
    spec = task(entities)
    fill(postgres, spec, REPORTER)
    before = dict(source.rows("SELECT id, customer_id FROM orders"))
    assert tick(postgres, spec, 1, REPORTER).rows_written == 600
    after = dict(source.rows("SELECT id, customer_id FROM orders"))
    assert 500 < sum(before[key] != after[key] for key in before) <= 600
    early = "SELECT count(*) FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.created_at < c.created_at"
    assert source.rows(early) == [(0,)]


def test_keys_of_text_are_found_again(source, postgres):
    entities = {
        "t": {
            "rows": 300,
            "columns": {
                "code": {"type": "char(9)", "primary_key": True, "fake": {"pattern": "?? ######"}},
                "v": {"type": "jsonb", "fake": {"json": {"n": {"integer": {"min": 0, "max": 10**9}}}}},
            },
            "changes": {"update": {"rows": 100, "redraw": ["v"]}, "delete": {"rows": 7}},
        }
    }
    spec = task(entities)
    fill(postgres, spec, REPORTER)
    before = {code: str(v) for code, v in source.rows("SELECT code, v FROM t")}
    stats = tick(postgres, spec, 1, REPORTER)
    after = {code: str(v) for code, v in source.rows("SELECT code, v FROM t")}
    assert (stats.rows_written, stats.rows_deleted, len(after)) == (100, 7, 293)
    assert sum(before[code] != after[code] for code in after) == 100


def test_ticks_need_a_fill(source, postgres):
    with pytest.raises(SourceMismatch, match="'t' has not been filled"):
        tick(postgres, one_table(), 1, REPORTER)


def test_ticks_need_a_key(source, postgres):
    entities = {
        "t": {"rows": 5, "columns": {"v": {"type": "int", "fake": "sequence"}}, "changes": {"delete": {"rows": 1}}}
    }
    fill(postgres, task(entities), REPORTER)
    with pytest.raises(RuleImpossible, match="without a primary key"):
        tick(postgres, task(entities), 1, REPORTER)

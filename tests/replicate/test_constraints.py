"""Foreign keys of the copy: which are declared, and which are not."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from framework import runner
from framework.databases.base import Constraint
from framework.databases.duckdb import DuckDBTarget
from framework.errors import ConstraintNotOurs, StepsFailed
from framework.events import Notice
from framework.explain import explain
from framework.plan import compile_plan
from tests.replicate.keys import FULL, ORDERS, Keys, told


def test_the_sources_foreign_keys_are_in_the_target(shop: Keys) -> None:
    assert shop.run(FULL) == told(1)
    assert shop.declared() == ORDERS
    (constraint,) = shop.constraints("orders")
    assert constraint == shop.constraints("customers")[0]
    assert (constraint.on_delete, constraint.on_update) == ("cascade", "no action")
    assert constraint.is_ours
    assert shop.target.execute("DELETE FROM customers WHERE id = 1") == 1
    assert shop.target.rows("SELECT COUNT(*) FROM orders WHERE customer_id = 1") == [(0,)]


def test_they_are_not_unless_they_are_asked_for(shop: Keys) -> None:
    assert shop.run(FULL, foreign_keys=False) == told(0)
    assert shop.declared() == {}
    shop.run({"customers": {}, "orders": {"foreign_keys": True}}, foreign_keys=False)
    assert shop.declared() == ORDERS


@pytest.mark.parametrize("again", ["customers", "orders", None])
def test_they_outlive_the_exchange_of_tables(shop: Keys, again: str | None) -> None:
    shop.run(FULL)
    shop.source.execute("INSERT INTO customers VALUES (6, 'six')")
    shop.source.execute("INSERT INTO orders VALUES (21, 6)")
    if again == "orders":
        shop.source.execute("UPDATE orders SET customer_id = 5 WHERE id = 21")
    assert shop.run(FULL, tables=[again] if again else ()) == told(1)
    assert shop.declared() == ORDERS
    assert shop.target.rows("SHOW TABLES LIKE '\\_vitrina\\_old%'") == []


def test_a_filter_of_the_parent_is_told(shop: Keys) -> None:
    stats = shop.run({"customers": {"where": "id < 3"}, "orders": {}})
    assert shop.declared() == {}
    assert stats == told(0, "12 rows of orders", "(customer_id = 3, 4, 5)")


def test_names_and_columns_may_be_others(shop: Keys) -> None:
    replicate = {
        "fact orders": {"from": "orders", "columns": {"buyer`s": "customer_id"}},
        "dim_customers": {"from": "customers", "columns": {"ключ": "id"}},
    }
    assert shop.run(replicate) == told(1)
    assert shop.declared() == {"fact orders.buyer`s": "dim_customers.ключ"}


def test_columns_that_are_both_masked_refer(shop: Keys) -> None:
    masked = {"columns": {"customer": {"from": "customer_id", "mask": "hmac"}}}
    parent = {"columns": {"key": {"from": "id", "mask": "hmac"}}}
    assert shop.run({"customers": parent, "orders": masked}) == told(1)
    assert shop.declared() == {"orders.customer": "customers.key"}


@pytest.mark.parametrize(
    "replicate",
    [
        {"orders": {}},
        {"customers": {}, "orders": {"except": ["customer_id"]}},
        {"customers": {"columns": {"id": {"from": "id", "mask": "hmac"}}}, "orders": {}},
        {"customers": {}, "orders": {"columns": {"customer_id": {"sql": "customer_id", "type": "bigint"}}}},
    ],
)
def test_what_is_not_copied_alike_is_left_out(shop: Keys, replicate: dict[str, Any]) -> None:
    assert shop.run(replicate) == told(0)
    assert shop.declared() == {}
    assert any("orders (customer_id) -> public.customers" in notice for notice in shop.notices)


def test_a_reference_to_a_unique_column_needs_the_index(keys: Keys) -> None:
    keys.source.execute("CREATE TABLE a (id int PRIMARY KEY, code varchar(9) UNIQUE, updated_at timestamptz)")
    keys.source.execute("CREATE TABLE b (id int PRIMARY KEY, code varchar(20) REFERENCES a (code) ON UPDATE CASCADE)")
    keys.source.execute("INSERT INTO a VALUES (1, 'x', now()), (2, 'y', now())")
    keys.source.execute("INSERT INTO b VALUES (1, 'x'), (2, NULL)")
    stats = keys.run({"a": {}, "b": {}})
    assert stats == told(0, "code of a is neither its copy's primary key nor a unique index", "`unique: [[code]]`")
    replicate: dict[str, Any] = {"a": {"unique": [["code"]], "mode": "incremental", "cursor": "updated_at"}, "b": {}}
    assert keys.run(replicate, tables=["a"], full_refresh=True) == told(1)
    assert keys.declared() == {"b.code": "a.code"}
    assert keys.constraints("b")[0].on_update == "cascade"
    # No key went, but the value that is referred to did.
    keys.source.execute("UPDATE a SET code = 'z', updated_at = now() WHERE id = 1")
    assert keys.run(replicate, tables=["a"]) == told(0, "1 row of b refers to nothing (code = x)")
    assert keys.run(replicate) == told(1)
    keys.holds()


def test_composite_keys_in_any_order(keys: Keys) -> None:
    keys.source.execute("CREATE TABLE a (x int, y text, z int, PRIMARY KEY (x, y))")
    keys.source.execute(
        "CREATE TABLE b (id int PRIMARY KEY, ay text, ax int, FOREIGN KEY (ay, ax) REFERENCES a (y, x) MATCH FULL)"
    )
    keys.source.execute("INSERT INTO a VALUES (1, 'one'), (2, 'two')")
    keys.source.execute("INSERT INTO b VALUES (1, 'one', 1), (2, NULL, NULL)")
    assert keys.run({"a": {}, "b": {}}) == told(1)
    assert keys.declared() == {"b.ax,ay": "a.x,y"}
    keys.source.execute("ALTER TABLE b DROP CONSTRAINT b_ay_ax_fkey")
    keys.source.execute("INSERT INTO b VALUES (3, 'one', NULL), (4, 'one', 2), (5, 'one', 2)")
    keys.source.execute("ALTER TABLE b ADD FOREIGN KEY (ay, ax) REFERENCES a (y, x) NOT VALID")
    assert keys.run({"a": {}, "b": {}}) == told(0, "2 rows of b refer to nothing (ax, ay = (2, one))")


def test_two_copies_of_a_table_refer_each_to_itself(keys: Keys) -> None:
    keys.source.execute("CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t)")
    keys.source.execute("INSERT INTO t VALUES (1, NULL), (2, 1)")
    assert keys.run({"one": {"from": "t"}, "two": {"from": "t"}}) == told(2)
    assert keys.declared() == {"one.up": "one.id", "two.up": "two.id"}


def test_the_copy_that_has_the_index_is_referred_to(keys: Keys) -> None:
    keys.source.execute("CREATE TABLE a (id int PRIMARY KEY, code varchar(9) UNIQUE)")
    keys.source.execute("CREATE TABLE b (id int PRIMARY KEY, code varchar(9) REFERENCES a (code))")
    assert keys.run({"a": {}, "b": {}, "c": {"from": "a", "unique": [["code"]]}}) == told(1)
    assert keys.declared() == {"b.code": "c.code"}


def test_tables_of_several_schemas(keys: Keys) -> None:
    keys.source.execute("CREATE SCHEMA s")
    keys.source.execute("CREATE TABLE a (id int PRIMARY KEY)")
    keys.source.execute("CREATE TABLE s.a (id int PRIMARY KEY)")
    keys.source.execute("CREATE TABLE b (id int PRIMARY KEY REFERENCES a, other int REFERENCES s.a)")
    keys.source.execute("INSERT INTO a VALUES (1)")
    keys.source.execute("INSERT INTO s.a VALUES (2)")
    keys.source.execute("INSERT INTO b VALUES (1, 2)")
    assert keys.run({"a": {}, "s_a": {"from": "a", "schema": "s"}, "b": {}}) == told(2)
    assert keys.declared() == {"b.id": "a.id", "b.other": "s_a.id"}


def test_partitioned_tables_refer_once(keys: Keys) -> None:
    keys.source.execute("CREATE TABLE a (id int PRIMARY KEY) PARTITION BY RANGE (id)")
    keys.source.execute("CREATE TABLE a1 PARTITION OF a FOR VALUES FROM (0) TO (10)")
    keys.source.execute("CREATE TABLE a2 PARTITION OF a FOR VALUES FROM (10) TO (20)")
    keys.source.execute("CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a) PARTITION BY RANGE (id)")
    keys.source.execute("CREATE TABLE b1 PARTITION OF b FOR VALUES FROM (0) TO (10)")
    keys.source.execute("INSERT INTO a VALUES (1), (11)")
    keys.source.execute("INSERT INTO b VALUES (1, 1), (2, 11)")
    assert keys.run({"a": {}, "b": {}, "b1": {}}) == told(2)
    assert keys.notices == []
    assert keys.declared() == {"b.a": "a.id", "b1.a": "a.id"}


@pytest.mark.parametrize(
    "type_", ["text", "varchar(40)", "char(5)", "uuid", "numeric(12,2)", "date", "citext", "bytea"]
)
def test_keys_of_every_type(keys: Keys, type_: str) -> None:
    if type_ == "citext":
        keys.source.admin("CREATE EXTENSION citext")
    value = {"uuid": "gen_random_uuid()", "numeric(12,2)": "12.5", "date": "'2026-01-01'"}.get(type_, "'abc'")
    keys.source.execute(f"CREATE TABLE a (id {type_} PRIMARY KEY)")
    keys.source.execute(f"CREATE TABLE b (id int PRIMARY KEY, a {type_} REFERENCES a)")
    keys.source.execute(f"INSERT INTO a VALUES ({value})")
    keys.source.execute("INSERT INTO b SELECT 1, id FROM a")
    assert keys.run({"a": {}, "b": {}}) == told(1)
    assert keys.declared() == {"b.a": "a.id"}


def test_several_texts_share_what_a_key_holds(keys: Keys) -> None:
    keys.source.execute("CREATE TABLE a (x text, y text, PRIMARY KEY (x, y))")
    keys.source.execute("CREATE TABLE b (id int PRIMARY KEY, x text, y text, FOREIGN KEY (x, y) REFERENCES a)")
    keys.source.execute("INSERT INTO a VALUES (repeat('x', 300), 'é')")
    keys.source.execute("INSERT INTO b SELECT 1, x, y FROM a")
    assert keys.run({"a": {}, "b": {}}) == told(1)
    assert keys.declared() == {"b.x,y": "a.x,y"}


def test_types_that_differ_are_told(keys: Keys) -> None:
    keys.source.execute("CREATE TABLE a (id bigint PRIMARY KEY)")
    keys.source.execute("CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a)")
    assert keys.run({"a": {}, "b": {}}) == told(0, "b.a is INT", "a.id BIGINT", "one type in the source")


def test_texts_that_were_copied_before_it_was_asked_for(keys: Keys) -> None:
    keys.source.execute("CREATE TABLE a (id text PRIMARY KEY)")
    keys.source.execute("CREATE TABLE b (id int PRIMARY KEY, a text REFERENCES a, updated_at timestamptz)")
    replicate: dict[str, Any] = {"a": {}, "b": {"mode": "incremental", "cursor": "updated_at"}}
    keys.run(replicate, foreign_keys=False)
    assert keys.run(replicate) == told(0, "b.a is a LONGTEXT", "--full-refresh --table b")
    assert keys.run(replicate, full_refresh=True) == told(1)


def test_actions_that_mysql_lacks_are_none(keys: Keys) -> None:
    keys.source.execute("CREATE TABLE a (id int PRIMARY KEY)")
    keys.source.execute(
        "CREATE TABLE b (id int PRIMARY KEY, "
        "r int REFERENCES a ON DELETE RESTRICT, d int DEFAULT 1 REFERENCES a ON DELETE SET DEFAULT, "
        "n int NOT NULL REFERENCES a ON DELETE SET NULL, m int REFERENCES a ON DELETE SET NULL ON UPDATE CASCADE)"
    )
    assert keys.run({"a": {}, "b": {}}) == told(4)
    actions = {one.columns[0]: (one.on_delete, one.on_update) for one in keys.constraints("b")}
    assert actions == {
        "r": ("no action", "no action"),
        "d": ("no action", "no action"),
        "n": ("no action", "no action"),
        "m": ("set null", "cascade"),
    }
    assert keys.run({"a": {}, "b": {}}, tables=["a"]) == told(4)


def test_what_the_source_has_not_any_more_is_dropped(shop: Keys) -> None:
    shop.increment()
    shop.source.execute("ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey")
    assert shop.increment() == told(0)
    assert shop.declared() == {}
    shop.source.execute("ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers ON DELETE SET NULL")
    assert shop.increment() == told(1)
    assert shop.constraints("orders")[0].on_delete == "set null"
    shop.source.execute("ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey")
    shop.source.execute("ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers")
    assert shop.increment() == told(1)
    assert shop.constraints("orders")[0].on_delete == "no action"


def test_duckdb_has_none_and_says_so(shop: Keys, tmp_path: Path) -> None:
    spec = shop.spec(FULL)
    notices: list[str] = []
    target = DuckDBTarget("warehouse", tmp_path / "warehouse.duckdb")
    with closing(target):
        run = runner.Run(
            source=shop.postgres,
            target=target,
            run_id="r",
            command="replicate",
            emit=lambda event: notices.append(event.message) if isinstance(event, Notice) else None,
        )
        assert runner.execute(compile_plan(spec), run)["constraints"] == told(0)
        steps = {step.name: step.action for step in explain(compile_plan(spec), spec, shop.postgres, target)}
    assert notices == ["the target cannot give tables foreign keys: `foreign_keys` is without effect"]
    assert steps["constraints"].startswith("nothing: ")


def test_the_plan_tells_what_would_be_done(shop: Keys) -> None:
    assert shop.explained(FULL, offline=True) == (
        "declare the foreign keys of customers, orders that all rows agree with"
    )
    assert shop.explained(FULL) == "0 declared\ndeclare orders (customer_id) -> customers (id), if all rows agree"
    shop.increment()
    assert shop.explained(FULL) == "1 declared"
    shop.target.execute(f"ALTER TABLE orders DROP FOREIGN KEY `{shop.constraints('orders')[0].name}`")
    assert "declare orders (customer_id) -> customers (id), if all rows agree" in shop.explained(FULL)
    assert "leave out orders (customer_id) -> public.customers" in shop.explained({"orders": {}})


def test_names_are_ours_short_and_their_own() -> None:
    long = Constraint("t" * 64, ("c" * 64,), "имя", ("x",)).named()
    other = Constraint("t" * 64, ("c" * 64,), "имя", ("y",)).named()
    assert len(long.name) == len(other.name) == 64
    assert long.name != other.name
    assert long.is_ours
    assert Constraint("заказы", ("a`b",), "t", ("x",)).named().name.isascii()
    assert not Constraint("t", ("a",), "t", ("b",), name="vitrina_mine").is_ours


def test_they_outlive_changes_of_their_columns(shop: Keys) -> None:
    follows = {"schema_change": {"rename": "apply"}}
    assert shop.increment(**follows) == told(1)
    shop.source.execute("ALTER TABLE customers RENAME id TO customer_id")
    shop.source.execute("ALTER TABLE customers ALTER customer_id TYPE numeric(20)")
    shop.source.execute("ALTER TABLE orders RENAME customer_id TO customer")
    shop.source.execute("ALTER TABLE orders ALTER customer TYPE numeric(20), ADD note text DEFAULT 'n'")
    shop.source.execute("INSERT INTO customers VALUES (12345678901234567890, 'far')")
    shop.source.execute("INSERT INTO orders VALUES (21, 12345678901234567890)")
    assert shop.increment(**follows) == told(1)
    assert shop.declared() == {"orders.customer": "customers.customer_id"}
    shop.holds()
    assert shop.target.rows("SELECT customer FROM orders WHERE id = 21") == [(12345678901234567890,)]


def test_somebody_elses_keeps_its_columns(shop: Keys) -> None:
    shop.increment(foreign_keys=False)
    shop.target.execute("CREATE TABLE theirs (id bigint PRIMARY KEY, FOREIGN KEY mine (id) REFERENCES customers (id))")
    shop.source.execute("ALTER TABLE customers ALTER id TYPE numeric(20)")
    with pytest.raises(StepsFailed) as failed:
        shop.increment(foreign_keys=False)
    error = failed.value.errors["replicate:customers"]
    assert isinstance(error, ConstraintNotOurs)
    assert "theirs" in str(error)
    shop.target.execute("DROP TABLE theirs")
    shop.increment(foreign_keys=False)

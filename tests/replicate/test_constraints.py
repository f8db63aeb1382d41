"""Foreign keys of the copy: declared where all rows agree, never where they do not."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from framework import lease, runner
from framework.databases.base import Constraint
from framework.databases.duckdb import DuckDBTarget
from framework.databases.mysql import constraints
from framework.databases.mysql.target import MySQLTarget
from framework.databases.postgres.source import PostgresSource
from framework.errors import ConstraintNotOurs, StepsFailed
from framework.events import Event, Notice, Stats
from framework.explain import explain
from framework.plan import Kind, compile_plan
from framework.replicate import references
from framework.replicate.job import Job
from framework.spec.models import Spec
from tests.services.databases import SourceDatabase, TargetDatabase

SHOP = (
    "CREATE TABLE customers (id bigint PRIMARY KEY, email varchar(60) UNIQUE, updated_at timestamptz DEFAULT now())",
    "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, updated_at timestamptz NOT NULL DEFAULT now())",
    "ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE",
    "INSERT INTO customers SELECT i, 'c' || i || '@example.com' FROM generate_series(1, 5) AS i",
    "INSERT INTO orders SELECT i, 1 + i % 5 FROM generate_series(1, 20) AS i",
)
FULL: dict[str, Any] = {"customers": {}, "orders": {}}


class Keys:
    """Runs specs that ask for foreign keys, and shows what the target has of them."""

    def __init__(self, source: SourceDatabase, target: TargetDatabase) -> None:
        self.source = source
        self.target = target
        self.postgres = PostgresSource("shop_postgres", source.url)
        self.mysql = MySQLTarget("shop_mysql", target.url)
        self.notices: list[str] = []
        self._runs = itertools.count(1)

    def spec(self, replicate: dict[str, Any], **defaults: Any) -> Spec:
        told = {"mode": "full", "lookback": "1s", "deletes": {"policy": "remove", "fuse": "100%"}, "foreign_keys": True}
        return Spec.model_validate(
            {
                "version": 1,
                "pipeline": "p",
                "source": "pg",
                "target": "my",
                "defaults": {"replicate": {**told, **defaults}},
                "replicate": replicate,
            }
        )

    def run(self, replicate: dict[str, Any], *, full_refresh: bool = False, tables: Any = (), **defaults: Any) -> Stats:
        """Copy, and what the step of the foreign keys did."""
        plan = compile_plan(self.spec(replicate, **defaults)).only({Kind.REPLICATE, Kind.CONSTRAINTS})
        if tables:
            plan = plan.for_tables(tables)
        run = runner.Run(
            source=self.postgres,
            target=self.mysql,
            run_id=f"run-{next(self._runs)}",
            command="replicate",
            emit=self._hear,
            full_refresh=full_refresh,
            mask_key=b"key",
        )
        return runner.execute(plan, run).get("constraints", Stats())

    def increment(self, replicate: dict[str, Any] | None = None, **options: Any) -> Stats:
        return self.run(replicate or FULL, **{"mode": "incremental", "cursor": "updated_at", **options})

    def declared(self) -> dict[str, str]:
        """By table and columns, what they lead to."""
        found = self.target.rows(
            "SELECT TABLE_NAME, GROUP_CONCAT(COLUMN_NAME ORDER BY ORDINAL_POSITION), REFERENCED_TABLE_NAME, "
            "GROUP_CONCAT(REFERENCED_COLUMN_NAME ORDER BY ORDINAL_POSITION) FROM information_schema.KEY_COLUMN_USAGE "
            "WHERE CONSTRAINT_SCHEMA = DATABASE() AND REFERENCED_TABLE_NAME IS NOT NULL "
            "GROUP BY TABLE_NAME, CONSTRAINT_NAME, REFERENCED_TABLE_NAME ORDER BY 1, 2"
        )
        return {f"{table}.{columns}": f"{referred}.{names}" for table, columns, referred, names in found}

    def constraints(self, table: str) -> tuple[Constraint, ...]:
        with self.mysql.session() as session:
            return session.foreign_keys(table)

    def holds(self) -> None:
        """See that no declared foreign key is broken."""
        for table in self.target.rows("SHOW TABLES"):
            for constraint in self.constraints(table[0]):
                rows = references.orphans(self.mysql.dialect, constraint)
                assert self.target.rows(f"SELECT COUNT(*) {rows}") == [(0,)], constraint

    def explained(self, replicate: dict[str, Any], *, offline: bool = False, **defaults: Any) -> str:
        spec = self.spec(replicate, **defaults)
        databases = (None, None) if offline else (self.postgres, self.mysql)
        return next(step.action for step in explain(compile_plan(spec), spec, *databases) if step.name == "constraints")

    def _hear(self, event: Event) -> None:
        if isinstance(event, Notice):
            self.notices.append(event.message)


@pytest.fixture
def keys(source: SourceDatabase, target: TargetDatabase) -> Iterator[Keys]:
    made = Keys(source, target)
    yield made
    made.postgres.close()
    made.mysql.close()


@pytest.fixture
def shop(keys: Keys) -> Keys:
    """Customers and their orders."""
    for statement in SHOP:
        keys.source.execute(statement)
    return keys


ORDERS = {"orders.customer_id": "customers.id"}


def test_the_sources_foreign_keys_are_in_the_target(shop: Keys) -> None:
    assert shop.run(FULL) == _stats(1)
    assert shop.declared() == ORDERS
    (constraint,) = shop.constraints("orders")
    assert constraint == shop.constraints("customers")[0]
    assert (constraint.on_delete, constraint.on_update) == ("cascade", "no action")
    assert constraint.is_ours
    assert shop.target.execute("DELETE FROM customers WHERE id = 1") == 1
    assert shop.target.rows("SELECT COUNT(*) FROM orders WHERE customer_id = 1") == [(0,)]


def test_they_are_not_unless_they_are_asked_for(shop: Keys) -> None:
    assert shop.run(FULL, foreign_keys=False) == Stats()
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
    assert shop.run(FULL, tables=[again] if again else ()) == _stats(1)
    assert shop.declared() == ORDERS
    assert shop.target.rows("SHOW TABLES LIKE '\\_vitrina\\_old%'") == []


def test_increments_neither_cascade_nor_fail(shop: Keys) -> None:
    shop.increment()
    before = shop.constraints("orders")
    shop.source.execute("UPDATE customers SET email = 'new', updated_at = now() WHERE id = 1")
    shop.source.execute("DELETE FROM customers WHERE id = 2")
    shop.source.execute("INSERT INTO customers VALUES (7, 'seven')")
    shop.source.execute("INSERT INTO orders VALUES (70, 7)")
    # One after the other, so that each finds the other as it should be.
    shop.increment(tables=["customers"])
    assert shop.target.rows("SELECT COUNT(*) FROM orders WHERE customer_id = 1") == [(4,)]
    assert shop.increment() == _stats(1)
    assert shop.constraints("orders") == before
    assert _ids(shop.target, "orders") == _ids(shop.source, "orders")
    assert _ids(shop.target, "customers") == _ids(shop.source, "customers")
    shop.holds()


def test_an_increment_that_changes_nothing_declares_nothing_anew(shop: Keys) -> None:
    shop.increment()
    shop.notices.clear()
    created = shop.target.rows("SELECT CREATE_TIME FROM information_schema.TABLES WHERE TABLE_NAME = 'orders'")
    time.sleep(1.1)
    assert shop.increment() == _stats(1)
    assert shop.notices == []
    assert created == shop.target.rows("SELECT CREATE_TIME FROM information_schema.TABLES WHERE TABLE_NAME = 'orders'")


def test_a_child_that_comes_before_its_parent_leaves_it_undeclared(shop: Keys) -> None:
    shop.increment()
    shop.source.execute("INSERT INTO customers VALUES (8, 'eight')")
    shop.source.execute("INSERT INTO orders VALUES (80, 8), (81, 8)")
    stats = shop.increment(tables=["orders"])
    assert shop.declared() == {}
    assert stats == _stats(0, "orders (customer_id) -> customers (id) is not declared", "2 rows", "(customer_id = 8)")
    assert any("is dropped" in notice for notice in shop.notices)
    assert (80,) in _ids(shop.target, "orders")
    assert shop.increment() == _stats(1)
    assert shop.declared() == ORDERS


def test_a_parent_that_goes_before_its_children_leaves_it_undeclared(shop: Keys) -> None:
    shop.increment()
    shop.source.execute("DELETE FROM customers WHERE id = 3")
    stats = shop.increment(tables=["customers"])
    assert shop.declared() == {}
    assert stats == _stats(0, "4 rows of orders", "(customer_id = 3)")
    assert shop.increment() == _stats(1)
    assert shop.declared() == ORDERS


def test_rows_that_are_kept_keep_it_declared(shop: Keys) -> None:
    for policy in ("keep", "mark"):
        shop.increment(full_refresh=True, deletes=policy)
        shop.source.execute("DELETE FROM customers WHERE id = (SELECT max(id) FROM customers)")
        assert shop.increment(deletes=policy) == _stats(1)
        assert shop.declared() == ORDERS
        shop.holds()


def test_children_that_are_kept_have_no_parents_some_day(shop: Keys) -> None:
    kept = {"customers": {}, "orders": {"deletes": "keep"}}
    shop.increment(kept)
    shop.source.execute("DELETE FROM customers WHERE id = 3")
    assert shop.increment(kept) == _stats(0, "4 rows of orders")
    assert shop.increment(kept) == _stats(0, "4 rows of orders")


def test_a_filter_of_the_parent_is_told(shop: Keys) -> None:
    stats = shop.run({"customers": {"where": "id < 3"}, "orders": {}})
    assert shop.declared() == {}
    assert stats == _stats(0, "12 rows of orders", "(customer_id = 3, 4, 5)")


def test_names_and_columns_may_be_others(shop: Keys) -> None:
    replicate = {
        "fact orders": {"from": "orders", "columns": {"buyer`s": "customer_id"}},
        "dim_customers": {"from": "customers", "columns": {"ключ": "id"}},
    }
    assert shop.run(replicate) == _stats(1)
    assert shop.declared() == {"fact orders.buyer`s": "dim_customers.ключ"}


def test_columns_that_are_both_masked_refer(shop: Keys) -> None:
    masked = {"columns": {"customer": {"from": "customer_id", "mask": "hmac"}}}
    parent = {"columns": {"key": {"from": "id", "mask": "hmac"}}}
    assert shop.run({"customers": parent, "orders": masked}) == _stats(1)
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
    assert shop.run(replicate) == _stats(0)
    assert shop.declared() == {}
    assert any("orders (customer_id) -> public.customers" in notice for notice in shop.notices)


def test_a_reference_to_a_unique_column_needs_the_index(keys: Keys) -> None:
    keys.source.execute("CREATE TABLE a (id int PRIMARY KEY, code varchar(9) UNIQUE, updated_at timestamptz)")
    keys.source.execute("CREATE TABLE b (id int PRIMARY KEY, code varchar(20) REFERENCES a (code) ON UPDATE CASCADE)")
    keys.source.execute("INSERT INTO a VALUES (1, 'x', now()), (2, 'y', now())")
    keys.source.execute("INSERT INTO b VALUES (1, 'x'), (2, NULL)")
    stats = keys.run({"a": {}, "b": {}})
    assert stats == _stats(0, "code of a is neither its copy's primary key nor a unique index", "`unique: [[code]]`")
    replicate: dict[str, Any] = {"a": {"unique": [["code"]], "mode": "incremental", "cursor": "updated_at"}, "b": {}}
    assert keys.run(replicate, tables=["a"], full_refresh=True) == _stats(1)
    assert keys.declared() == {"b.code": "a.code"}
    assert keys.constraints("b")[0].on_update == "cascade"
    # No key went, but the value that is referred to did.
    keys.source.execute("UPDATE a SET code = 'z', updated_at = now() WHERE id = 1")
    assert keys.run(replicate, tables=["a"]) == _stats(0, "1 row of b refers to nothing (code = x)")
    assert keys.run(replicate) == _stats(1)
    keys.holds()


def test_composite_keys_in_any_order(keys: Keys) -> None:
    keys.source.execute("CREATE TABLE a (x int, y text, z int, PRIMARY KEY (x, y))")
    keys.source.execute(
        "CREATE TABLE b (id int PRIMARY KEY, ay text, ax int, FOREIGN KEY (ay, ax) REFERENCES a (y, x) MATCH FULL)"
    )
    keys.source.execute("INSERT INTO a VALUES (1, 'one'), (2, 'two')")
    keys.source.execute("INSERT INTO b VALUES (1, 'one', 1), (2, NULL, NULL)")
    assert keys.run({"a": {}, "b": {}}) == _stats(1)
    assert keys.declared() == {"b.ax,ay": "a.x,y"}
    keys.source.execute("ALTER TABLE b DROP CONSTRAINT b_ay_ax_fkey")
    keys.source.execute("INSERT INTO b VALUES (3, 'one', NULL), (4, 'one', 2), (5, 'one', 2)")
    keys.source.execute("ALTER TABLE b ADD FOREIGN KEY (ay, ax) REFERENCES a (y, x) NOT VALID")
    assert keys.run({"a": {}, "b": {}}) == _stats(0, "2 rows of b refer to nothing (ax, ay = (2, one))")


def test_tables_that_refer_to_themselves_and_in_circles(keys: Keys) -> None:
    keys.source.execute(
        "CREATE TABLE people (id int PRIMARY KEY, boss int REFERENCES people, team int, "
        "updated_at timestamptz NOT NULL DEFAULT clock_timestamp())"
    )
    keys.source.execute(
        "CREATE TABLE teams (id int PRIMARY KEY, lead int REFERENCES people, "
        "updated_at timestamptz NOT NULL DEFAULT clock_timestamp())"
    )
    keys.source.execute("ALTER TABLE people ADD FOREIGN KEY (team) REFERENCES teams")
    keys.source.execute("INSERT INTO people VALUES (1, NULL, NULL), (2, 1, NULL), (3, 2, NULL)")
    keys.source.execute("INSERT INTO teams VALUES (1, 1), (2, 3)")
    keys.source.execute("UPDATE people SET team = 1 WHERE id = 2")
    replicate: dict[str, Any] = {"people": {}, "teams": {}}
    every = {"people.boss": "people.id", "people.team": "teams.id", "teams.lead": "people.id"}
    assert keys.increment(replicate) == _stats(3)
    assert keys.declared() == every
    keys.source.execute("INSERT INTO people VALUES (4, 3, 2)")
    keys.source.execute("UPDATE people SET boss = 4, updated_at = now() WHERE id = 2")
    keys.source.execute("UPDATE teams SET lead = 2, updated_at = now() WHERE id = 2")
    assert keys.increment(replicate) == _stats(3)
    assert keys.declared() == every
    for table in (["people"], ["teams"], ["people", "teams"]):
        assert keys.increment(replicate, tables=table, full_refresh=True) == _stats(3)
        assert keys.declared() == every
    keys.source.execute("UPDATE people SET boss = NULL, updated_at = now() WHERE boss = 4")
    keys.source.execute("DELETE FROM people WHERE id = 4")
    assert keys.increment(replicate) == _stats(3)
    assert keys.declared() == every
    keys.holds()


def test_two_copies_of_a_table_refer_each_to_itself(keys: Keys) -> None:
    keys.source.execute("CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t)")
    keys.source.execute("INSERT INTO t VALUES (1, NULL), (2, 1)")
    assert keys.run({"one": {"from": "t"}, "two": {"from": "t"}}) == _stats(2)
    assert keys.declared() == {"one.up": "one.id", "two.up": "two.id"}


def test_the_copy_that_has_the_index_is_referred_to(keys: Keys) -> None:
    keys.source.execute("CREATE TABLE a (id int PRIMARY KEY, code varchar(9) UNIQUE)")
    keys.source.execute("CREATE TABLE b (id int PRIMARY KEY, code varchar(9) REFERENCES a (code))")
    assert keys.run({"a": {}, "b": {}, "c": {"from": "a", "unique": [["code"]]}}) == _stats(1)
    assert keys.declared() == {"b.code": "c.code"}


def test_tables_of_several_schemas(keys: Keys) -> None:
    keys.source.execute("CREATE SCHEMA s")
    keys.source.execute("CREATE TABLE a (id int PRIMARY KEY)")
    keys.source.execute("CREATE TABLE s.a (id int PRIMARY KEY)")
    keys.source.execute("CREATE TABLE b (id int PRIMARY KEY REFERENCES a, other int REFERENCES s.a)")
    keys.source.execute("INSERT INTO a VALUES (1)")
    keys.source.execute("INSERT INTO s.a VALUES (2)")
    keys.source.execute("INSERT INTO b VALUES (1, 2)")
    assert keys.run({"a": {}, "s_a": {"from": "a", "schema": "s"}, "b": {}}) == _stats(2)
    assert keys.declared() == {"b.id": "a.id", "b.other": "s_a.id"}


def test_partitioned_tables_refer_once(keys: Keys) -> None:
    keys.source.execute("CREATE TABLE a (id int PRIMARY KEY) PARTITION BY RANGE (id)")
    keys.source.execute("CREATE TABLE a1 PARTITION OF a FOR VALUES FROM (0) TO (10)")
    keys.source.execute("CREATE TABLE a2 PARTITION OF a FOR VALUES FROM (10) TO (20)")
    keys.source.execute("CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a) PARTITION BY RANGE (id)")
    keys.source.execute("CREATE TABLE b1 PARTITION OF b FOR VALUES FROM (0) TO (10)")
    keys.source.execute("INSERT INTO a VALUES (1), (11)")
    keys.source.execute("INSERT INTO b VALUES (1, 1), (2, 11)")
    assert keys.run({"a": {}, "b": {}, "b1": {}}) == _stats(2)
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
    assert keys.run({"a": {}, "b": {}}) == _stats(1)
    assert keys.declared() == {"b.a": "a.id"}


def test_several_texts_share_what_a_key_holds(keys: Keys) -> None:
    keys.source.execute("CREATE TABLE a (x text, y text, PRIMARY KEY (x, y))")
    keys.source.execute("CREATE TABLE b (id int PRIMARY KEY, x text, y text, FOREIGN KEY (x, y) REFERENCES a)")
    keys.source.execute("INSERT INTO a VALUES (repeat('x', 300), 'é')")
    keys.source.execute("INSERT INTO b SELECT 1, x, y FROM a")
    assert keys.run({"a": {}, "b": {}}) == _stats(1)
    assert keys.declared() == {"b.x,y": "a.x,y"}


def test_types_that_differ_are_told(keys: Keys) -> None:
    keys.source.execute("CREATE TABLE a (id bigint PRIMARY KEY)")
    keys.source.execute("CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a)")
    assert keys.run({"a": {}, "b": {}}) == _stats(0, "b.a is INT", "a.id BIGINT", "one type in the source")


def test_texts_that_were_copied_before_it_was_asked_for(keys: Keys) -> None:
    keys.source.execute("CREATE TABLE a (id text PRIMARY KEY)")
    keys.source.execute("CREATE TABLE b (id int PRIMARY KEY, a text REFERENCES a, updated_at timestamptz)")
    replicate: dict[str, Any] = {"a": {}, "b": {"mode": "incremental", "cursor": "updated_at"}}
    keys.run(replicate, foreign_keys=False)
    assert keys.run(replicate) == _stats(0, "b.a is a LONGTEXT", "--full-refresh --table b")
    assert keys.run(replicate, full_refresh=True) == _stats(1)


def test_actions_that_mysql_lacks_are_none(keys: Keys) -> None:
    keys.source.execute("CREATE TABLE a (id int PRIMARY KEY)")
    keys.source.execute(
        "CREATE TABLE b (id int PRIMARY KEY, "
        "r int REFERENCES a ON DELETE RESTRICT, d int DEFAULT 1 REFERENCES a ON DELETE SET DEFAULT, "
        "n int NOT NULL REFERENCES a ON DELETE SET NULL, m int REFERENCES a ON DELETE SET NULL ON UPDATE CASCADE)"
    )
    assert keys.run({"a": {}, "b": {}}) == _stats(4)
    actions = {one.columns[0]: (one.on_delete, one.on_update) for one in keys.constraints("b")}
    assert actions == {
        "r": ("no action", "no action"),
        "d": ("no action", "no action"),
        "n": ("no action", "no action"),
        "m": ("set null", "cascade"),
    }
    assert keys.run({"a": {}, "b": {}}, tables=["a"]) == _stats(4)


def test_what_the_source_has_not_any_more_is_dropped(shop: Keys) -> None:
    shop.increment()
    shop.source.execute("ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey")
    assert shop.increment() == _stats(0)
    assert shop.declared() == {}
    shop.source.execute("ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers ON DELETE SET NULL")
    assert shop.increment() == _stats(1)
    assert shop.constraints("orders")[0].on_delete == "set null"
    shop.source.execute("ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey")
    shop.source.execute("ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers")
    assert shop.increment() == _stats(1)
    assert shop.constraints("orders")[0].on_delete == "no action"


def test_foreign_keys_of_others_are_left_alone(shop: Keys) -> None:
    shop.increment()
    shop.target.execute("CREATE TABLE notes (id INT PRIMARY KEY, customer BIGINT)")
    shop.target.execute("ALTER TABLE notes ADD CONSTRAINT mine FOREIGN KEY (customer) REFERENCES customers (id)")
    shop.target.execute("INSERT INTO notes VALUES (1, 3), (2, NULL)")
    assert shop.increment() == _stats(1)
    shop.source.execute("UPDATE customers SET email = 'new', updated_at = now() WHERE id = 3")
    assert shop.increment() == _stats(1)
    before = shop.target.rows("SELECT * FROM customers ORDER BY id")
    with pytest.raises(StepsFailed) as failed:
        shop.increment(full_refresh=True)
    error = failed.value.errors["replicate:customers"]
    assert isinstance(error, ConstraintNotOurs)
    assert "'mine' of table 'notes'" in str(error)
    shop.source.execute("DELETE FROM customers WHERE id = 3")
    with pytest.raises(StepsFailed) as failed:
        shop.increment()
    assert "would break it" in str(failed.value.errors["replicate:customers"])
    assert shop.target.rows("SELECT * FROM customers ORDER BY id") == before
    shop.target.execute("DELETE FROM notes")
    assert shop.increment() == _stats(1)
    assert "notes.customer" in shop.declared()


def test_a_run_killed_between_drop_and_rename_is_run_again(shop: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.run(FULL)
    drop = constraints.drop

    def die(*arguments: Any) -> None:
        drop(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(constraints, "drop", die)
        with pytest.raises(KeyboardInterrupt):
            shop.run(FULL)
    assert shop.declared() == {}
    shop.postgres = PostgresSource("shop_postgres", shop.source.url)
    assert shop.run(FULL) == _stats(1)
    assert shop.declared() == ORDERS


def test_what_others_renamed_under_it_is_put_right(shop: Keys) -> None:
    shop.increment()
    shop.target.execute("RENAME TABLE customers TO elsewhere")
    assert shop.declared() == {"orders.customer_id": "elsewhere.id"}
    assert shop.increment() == _stats(1)
    assert shop.declared() == ORDERS


def test_a_table_that_another_run_writes_is_left_for_the_next(shop: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "TERM", 1)
    shop.increment()
    shop.target.execute(f"ALTER TABLE orders DROP FOREIGN KEY `{shop.constraints('orders')[0].name}`")
    plan = compile_plan(shop.spec(FULL)).only({Kind.CONSTRAINTS})
    run = runner.Run(source=shop.postgres, target=shop.mysql, run_id="other", command="replicate")
    with lease.held(shop.mysql, "customers", "somebody"):
        stats = runner.execute(plan, run)["constraints"]
    assert stats == _stats(0, "is being written by run somebody", "the next run tries again")
    assert runner.execute(plan, run)["constraints"] == _stats(1)


def test_long_readers_do_not_fail_it(shop: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constraints, "PATIENCE", 1.0)
    monkeypatch.setattr(constraints, "_ASKED", 1)
    shop.increment()
    shop.target.execute(f"ALTER TABLE orders DROP FOREIGN KEY `{shop.constraints('orders')[0].name}`")
    with closing(shop.target.connect()) as reader, reader.cursor() as cursor:
        cursor.execute("SELECT * FROM orders")
        cursor.fetchall()
        assert shop.increment() == _stats(0, "a lock for too long")
    assert shop.increment() == _stats(1)


def test_merges_that_meet_never_break_it(shop: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    """The child is written and looked at while the parent's removal is not yet committed, and the other way round."""
    shop.increment()
    shop.source.execute("DELETE FROM orders WHERE customer_id = 4")
    shop.increment()
    shop.source.execute("ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey")
    shop.source.execute("DELETE FROM customers WHERE id = 4")
    shop.source.execute("INSERT INTO orders VALUES (90, 4)")
    shop.source.execute(
        "ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers ON DELETE CASCADE NOT VALID"
    )
    meeting, check = threading.Barrier(2, timeout=20), references.require
    met: list[str] = []

    def meet(job: Job, *arguments: Any) -> None:
        # Both have written; neither has looked yet.
        if len(met) < 2:
            met.append(job.table)
            meeting.wait()
        check(job, *arguments)

    monkeypatch.setattr(references, "require", meet)
    stats = shop.increment()
    assert stats == _stats(0, "1 row of orders refers to nothing (customer_id = 4)")
    assert shop.declared() == {}
    assert (90,) in _ids(shop.target, "orders")
    assert (4,) not in _ids(shop.target, "customers")
    assert set(met) == {"customers", "orders"}


def test_writers_that_never_rest(shop: Keys) -> None:
    """Whatever is in flight, what is declared holds after each run, and at rest all is declared."""
    shop.increment()
    stop = threading.Event()
    writing = threading.Thread(target=_live, args=(shop.source, stop))
    writing.start()
    try:
        for _ in range(6):
            shop.increment()
            shop.holds()
    finally:
        stop.set()
        writing.join()
    time.sleep(1.1)
    shop.increment()
    assert shop.increment() == _stats(1)
    assert shop.declared() == ORDERS
    for table in ("customers", "orders"):
        assert _ids(shop.target, table) == _ids(shop.source, table)
    shop.holds()


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
        assert runner.execute(compile_plan(spec), run)["constraints"] == _stats(0)
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


def _stats(checks: int, *warning: str) -> Any:
    """Statistics with so many foreign keys, and one warning that has all these parts."""
    return _Told(checks, warning)


class _Told:
    def __init__(self, checks: int, warning: tuple[str, ...]) -> None:
        self._checks = checks
        self._warning = warning

    def __eq__(self, other: object) -> bool:
        assert isinstance(other, Stats)
        told = len(other.warnings) == bool(self._warning)
        return other.checks == self._checks and told and all(part in other.warnings[0] for part in self._warning)

    def __hash__(self) -> int:
        return hash(self._checks)

    def __repr__(self) -> str:
        return f"{self._checks} foreign keys, warning {self._warning}"


def _ids(database: SourceDatabase | TargetDatabase, table: str) -> list[tuple[Any, ...]]:
    return database.rows(f"SELECT id FROM {table} ORDER BY id")


def _live(source: SourceDatabase, stop: threading.Event) -> None:
    """New customers with orders, and old ones that go, each in one transaction."""
    with closing(source.connect()) as connection:
        for number in itertools.count(1000):
            if stop.is_set():
                return
            with connection, connection.cursor() as cursor:
                cursor.execute("INSERT INTO customers VALUES (%s, %s)", (number, f"n{number}"))
                cursor.execute(
                    "INSERT INTO orders SELECT %s + i, %s FROM generate_series(0, 2) i", (number * 10, number)
                )
                cursor.execute("DELETE FROM customers WHERE id = %s", (number - 40,))
            time.sleep(0.005)

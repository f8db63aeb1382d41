"""Foreign keys of the copy are never declared while they do not hold, whoever writes, reads, or dies."""

from __future__ import annotations

import itertools
import threading
import time
from contextlib import closing
from typing import Any

import pytest

from framework import lease, runner
from framework.databases.mysql import constraints
from framework.databases.postgres.source import PostgresSource
from framework.errors import ConstraintNotOurs, StepsFailed
from framework.plan import Kind, compile_plan
from framework.replicate import references
from framework.replicate.job import Job
from tests.replicate.keys import FULL, ORDERS, Keys, ids, told
from tests.services.databases import SourceDatabase


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
    assert shop.increment() == told(1)
    assert shop.constraints("orders") == before
    assert ids(shop.target, "orders") == ids(shop.source, "orders")
    assert ids(shop.target, "customers") == ids(shop.source, "customers")
    shop.holds()


def test_an_increment_that_changes_nothing_declares_nothing_anew(shop: Keys) -> None:
    shop.increment()
    shop.notices.clear()
    created = shop.target.rows("SELECT CREATE_TIME FROM information_schema.TABLES WHERE TABLE_NAME = 'orders'")
    time.sleep(1.1)
    assert shop.increment() == told(1)
    assert shop.notices == []
    assert created == shop.target.rows("SELECT CREATE_TIME FROM information_schema.TABLES WHERE TABLE_NAME = 'orders'")


def test_a_child_that_comes_before_its_parent_leaves_it_undeclared(shop: Keys) -> None:
    shop.increment()
    shop.source.execute("INSERT INTO customers VALUES (8, 'eight')")
    shop.source.execute("INSERT INTO orders VALUES (80, 8), (81, 8)")
    stats = shop.increment(tables=["orders"])
    assert shop.declared() == {}
    assert stats == told(0, "orders (customer_id) -> customers (id) is not declared", "2 rows", "(customer_id = 8)")
    assert any("is dropped" in notice for notice in shop.notices)
    assert (80,) in ids(shop.target, "orders")
    assert shop.increment() == told(1)
    assert shop.declared() == ORDERS


def test_a_parent_that_goes_before_its_children_leaves_it_undeclared(shop: Keys) -> None:
    shop.increment()
    shop.source.execute("DELETE FROM customers WHERE id = 3")
    stats = shop.increment(tables=["customers"])
    assert shop.declared() == {}
    assert stats == told(0, "4 rows of orders", "(customer_id = 3)")
    assert shop.increment() == told(1)
    assert shop.declared() == ORDERS


def test_rows_that_are_kept_keep_it_declared(shop: Keys) -> None:
    for policy in ("keep", "mark"):
        shop.increment(full_refresh=True, deletes=policy)
        shop.source.execute("DELETE FROM customers WHERE id = (SELECT max(id) FROM customers)")
        assert shop.increment(deletes=policy) == told(1)
        assert shop.declared() == ORDERS
        shop.holds()


def test_children_that_are_kept_have_no_parents_some_day(shop: Keys) -> None:
    kept = {"customers": {}, "orders": {"deletes": "keep"}}
    shop.increment(kept)
    shop.source.execute("DELETE FROM customers WHERE id = 3")
    assert shop.increment(kept) == told(0, "4 rows of orders")
    assert shop.increment(kept) == told(0, "4 rows of orders")


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
    assert keys.increment(replicate) == told(3)
    assert keys.declared() == every
    keys.source.execute("INSERT INTO people VALUES (4, 3, 2)")
    keys.source.execute("UPDATE people SET boss = 4, updated_at = now() WHERE id = 2")
    keys.source.execute("UPDATE teams SET lead = 2, updated_at = now() WHERE id = 2")
    assert keys.increment(replicate) == told(3)
    assert keys.declared() == every
    for table in (["people"], ["teams"], ["people", "teams"]):
        assert keys.increment(replicate, tables=table, full_refresh=True) == told(3)
        assert keys.declared() == every
    keys.source.execute("UPDATE people SET boss = NULL, updated_at = now() WHERE boss = 4")
    keys.source.execute("DELETE FROM people WHERE id = 4")
    assert keys.increment(replicate) == told(3)
    assert keys.declared() == every
    keys.holds()


def test_foreign_keys_of_others_are_left_alone(shop: Keys) -> None:
    shop.increment()
    shop.target.execute("CREATE TABLE notes (id INT PRIMARY KEY, customer BIGINT)")
    shop.target.execute("ALTER TABLE notes ADD CONSTRAINT mine FOREIGN KEY (customer) REFERENCES customers (id)")
    shop.target.execute("INSERT INTO notes VALUES (1, 3), (2, NULL)")
    assert shop.increment() == told(1)
    shop.source.execute("UPDATE customers SET email = 'new', updated_at = now() WHERE id = 3")
    assert shop.increment() == told(1)
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
    assert shop.increment() == told(1)
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
    assert shop.run(FULL) == told(1)
    assert shop.declared() == ORDERS


def test_what_others_renamed_under_it_is_put_right(shop: Keys) -> None:
    shop.increment()
    shop.target.execute("RENAME TABLE customers TO elsewhere")
    assert shop.declared() == {"orders.customer_id": "elsewhere.id"}
    assert shop.increment() == told(1)
    assert shop.declared() == ORDERS


def test_a_table_that_another_run_writes_is_left_for_the_next(shop: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "TERM", 1)
    shop.increment()
    shop.target.execute(f"ALTER TABLE orders DROP FOREIGN KEY `{shop.constraints('orders')[0].name}`")
    plan = compile_plan(shop.spec(FULL)).only({Kind.CONSTRAINTS})
    run = runner.Run(source=shop.postgres, target=shop.mysql, run_id="other", command="replicate")
    with lease.held(shop.mysql, "customers", "somebody"):
        stats = runner.execute(plan, run)["constraints"]
    assert stats == told(0, "is being written by run somebody", "the next run tries again")
    assert runner.execute(plan, run)["constraints"] == told(1)


def test_long_readers_do_not_fail_it(shop: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constraints, "PATIENCE", 1.0)
    monkeypatch.setattr(constraints, "_ASKED", 1)
    shop.increment()
    shop.target.execute(f"ALTER TABLE orders DROP FOREIGN KEY `{shop.constraints('orders')[0].name}`")
    with closing(shop.target.connect()) as reader, reader.cursor() as cursor:
        cursor.execute("SELECT * FROM orders")
        cursor.fetchall()
        assert shop.increment() == told(0, "a lock for too long")
    assert shop.increment() == told(1)


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
    assert stats == told(0, "1 row of orders refers to nothing (customer_id = 4)")
    assert shop.declared() == {}
    assert (90,) in ids(shop.target, "orders")
    assert (4,) not in ids(shop.target, "customers")
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
    assert shop.increment() == told(1)
    assert shop.declared() == ORDERS
    for table in ("customers", "orders"):
        assert ids(shop.target, table) == ids(shop.source, table)
    shop.holds()


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

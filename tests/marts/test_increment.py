"""Incremental marts, on every target: exact after any change, whatever dies in between."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from framework.databases.base import Session, Target
from framework.marts import capture, increment
from framework.spec.marts import Mart
from tests.marts.conftest import Warehouse

MONTHLY = """
SELECT DATE_FORMAT(o.created_at, '%Y-%m-01') AS month, c.country, COUNT(*) AS orders, SUM(o.amount) AS revenue
FROM orders AS o LEFT JOIN customers c ON c.id = o.customer_id
GROUP BY month, c.country
-- by month
"""
MONTHS = 4


@pytest.fixture
def monthly(warehouse: Warehouse) -> Warehouse:
    """The warehouse with a mart by month, built: three months and orders without any."""
    warehouse.mart("monthly", query=MONTHLY, materialize={"incremental": {"partition": "month"}}, indexes=[["orders"]])
    assert warehouse.build("monthly").rows_written == MONTHS
    assert warehouse.is_exact("monthly")
    return warehouse


def touched(warehouse: Warehouse) -> set[str]:
    return {row[0] for row in warehouse.rows("SELECT DISTINCT part FROM _vitrina_touched")}


def test_nothing_touched_nothing_written(monthly: Warehouse) -> None:
    stats = monthly.build("monthly")
    assert (stats.rows_written, stats.rows_deleted) == (0, 0)
    assert monthly.is_exact("monthly")


def test_late_change_to_an_old_month_arrives_and_only_there(monthly: Warehouse) -> None:
    monthly.execute("UPDATE monthly SET revenue = -1 WHERE month = '2025-03-01'")
    monthly.merge("orders", [(1, 1, "11.00", "2025-01-05 10:00:00"), (6, 1, "1.00", "2025-01-07 10:00:00")])
    assert touched(monthly) == {"=2025-01-01"}
    stats = monthly.build("monthly")
    assert (stats.rows_written, stats.rows_deleted) == (1, 0)
    assert touched(monthly) == set()
    # What nobody touched was not computed: the value written by hand is still there.
    assert monthly.rows("SELECT month, revenue FROM monthly WHERE revenue < 0") != []
    monthly.execute("UPDATE monthly SET revenue = 40 WHERE month = '2025-03-01'")
    assert monthly.is_exact("monthly")
    assert monthly.leftovers() == []


def test_moved_row_changes_both_partitions(monthly: Warehouse) -> None:
    monthly.merge("orders", [(2, 1, "20.00", "2025-06-20 10:00:00")])
    assert touched(monthly) == {"=2025-01-01", "=2025-06-01"}
    monthly.build("monthly")
    assert monthly.is_exact("monthly")


def test_partition_without_rows_vanishes(monthly: Warehouse) -> None:
    monthly.merge("orders", gone=[3, 5])
    stats = monthly.build("monthly")
    assert (stats.rows_written, stats.rows_deleted) == (0, 2)
    assert monthly.is_exact("monthly")
    assert len(monthly.rows("SELECT * FROM monthly")) == MONTHS - 2


def test_null_is_a_partition(monthly: Warehouse) -> None:
    monthly.merge("orders", [(6, 2, "6.00", None), (4, 3, "40.00", None)])
    assert touched(monthly) == {"", "=2025-03-01"}
    monthly.build("monthly")
    assert monthly.is_exact("monthly")


def test_joined_table_touches_the_partitions_of_its_rows(monthly: Warehouse) -> None:
    monthly.merge("customers", [(1, "NO")])
    assert touched(monthly) == {"=2025-01-01"}
    monthly.build("monthly")
    assert monthly.is_exact("monthly")
    monthly.merge("customers", gone=[2])
    assert touched(monthly) == {"=2025-02-01"}
    monthly.build("monthly")
    assert monthly.is_exact("monthly")


def test_refilled_table_means_a_new_mart(monthly: Warehouse) -> None:
    monthly.refill("orders", "second", [(1, 1, "1.00", "2025-09-01 00:00:00")])
    assert monthly.build("monthly").rows_written == 1
    assert monthly.is_exact("monthly")
    assert monthly.build("monthly").rows_written == 0


def test_force_builds_anew(monthly: Warehouse) -> None:
    monthly.merge("orders", gone=[1])
    monthly.execute("DELETE FROM monthly")
    assert monthly.build("monthly", force=True).rows_written == MONTHS
    assert monthly.is_exact("monthly")
    assert touched(monthly) == set()


def test_another_query_builds_anew(monthly: Warehouse) -> None:
    monthly.mart(
        "monthly",
        query="SELECT YEAR(created_at) AS month, COUNT(*) AS orders FROM orders GROUP BY 1",
        materialize={"incremental": {"partition": "month"}},
    )
    assert monthly.build("monthly").rows_written == 2
    assert monthly.is_exact("monthly")


def test_changes_while_the_mart_was_out_of_the_spec_are_not_lost(monthly: Warehouse) -> None:
    mart = monthly.marts.pop("monthly")
    monthly.merge("orders", [(1, 1, "99.00", "2025-01-05 10:00:00")])
    monthly.marts["monthly"] = mart
    monthly.merge("orders", [(3, 2, "31.00", "2025-02-03 10:00:00")])
    assert monthly.build("monthly").rows_written == MONTHS
    assert monthly.is_exact("monthly")


def test_changes_while_the_mart_was_another_are_not_lost(monthly: Warehouse) -> None:
    mart = monthly.marts["monthly"]
    yearly = "SELECT YEAR(o.created_at) AS year, COUNT(*) AS n FROM orders o GROUP BY 1"
    monthly.mart("monthly", query=yearly, materialize={"incremental": {"partition": "year"}})
    monthly.merge("orders", [(1, 1, "99.00", "2025-01-05 10:00:00")])
    monthly.marts["monthly"] = mart
    monthly.build("monthly")
    assert monthly.is_exact("monthly")


def test_checks_see_the_mart_to_come(monthly: Warehouse) -> None:
    mart = monthly.marts["monthly"].model_dump(mode="json", by_alias=True, exclude_unset=True)
    # Exact only for old rows and new rows together: neither alone has five months.
    checks = [
        {"rows": {"min": 5, "max": 5}},
        {"unique": ["month", "country"]},
        {"empty": "SELECT 1 FROM monthly WHERE orders > 9"},
    ]
    monthly.marts["monthly"] = Mart.model_validate({**mart, "checks": checks})
    monthly.merge("orders", [(6, 2, "1.00", "2025-08-01 00:00:00")])
    assert monthly.build("monthly").checks == 3
    assert monthly.is_exact("monthly")


@pytest.mark.parametrize(
    "expression",
    [
        "o.id",
        "o.amount",
        "o.amount / 3",
        "o.amount * 1.5e0",
        "o.created_at",
        "DATE(o.created_at)",
        "YEAR(o.created_at)",
        "DATE_SUB(DATE(o.created_at), INTERVAL WEEKDAY(o.created_at) DAY)",
        "CONCAT('a|', o.customer_id)",
        "o.amount > 20",
        "IFNULL(o.customer_id, 0)",
        "REPEAT(CAST(o.id AS CHAR), 300)",
        "CASE WHEN o.id > 2 THEN '' ELSE 'it''s 100%s' END",
    ],
)
def test_any_value_may_be_the_partition(warehouse: Warehouse, expression: str) -> None:
    query = f"SELECT {expression} AS p, COUNT(*) AS n, MAX(o.id) AS last FROM orders o GROUP BY 1"
    warehouse.mart("by_value", query=query, materialize={"incremental": {"partition": "p"}})
    warehouse.build("by_value")
    assert warehouse.is_exact("by_value")
    warehouse.merge("orders", [(6, 1, "33.33", "2025-01-05 10:00:00.123456"), (7, 2, "30.00", None)], gone=[3])
    assert warehouse.build("by_value").rows_written < len(warehouse.rows(query)) + 1
    assert warehouse.is_exact("by_value")
    assert touched(warehouse) == set()


def test_row_level_mart_over_three_tables(warehouse: Warehouse) -> None:
    warehouse.mart(
        "pairs",
        query="""
        SELECT o.id, DATE(o.created_at) AS day, c.country, other.id AS other
        FROM orders o JOIN customers c ON c.id = o.customer_id AND c.id < 100
        LEFT JOIN orders other ON other.customer_id = c.id AND other.id <> o.id
        WHERE o.amount > 1
        """,
        materialize={"incremental": {"partition": "day"}},
    )
    warehouse.build("pairs")
    changes: list[tuple[str, list[Any], list[int]]] = [
        ("orders", [(6, 1, "5.00", "2025-07-01 00:00:00")], []),
        ("customers", [(1, "US"), (2, "KZ")], [3]),
        ("orders", [(2, 2, "0.50", "2025-01-20 10:00:00")], [4]),
        ("orders", [(4, 3, "40.00", "2025-03-03 10:00:00")], []),
        ("customers", [(3, "NO")], []),
    ]
    for table, rows, gone in changes:
        warehouse.merge(table, rows, gone)
        warehouse.build("pairs")
        assert warehouse.is_exact("pairs")
    assert len(warehouse.rows("SELECT * FROM pairs WHERE id = 4 AND country = 'NO'")) == 1


class Killed(BaseException):
    """The process died."""


class Mortal:
    """A target whose sessions die at the ``life``-th thing they are asked to do, and do nothing from then on."""

    def __init__(self, target: Target, life: int) -> None:
        self._target = target
        self._left = life

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)

    @contextmanager
    def session(self) -> Iterator[Session]:
        with self._target.session() as session:
            yield MortalSession(session, self)

    def live(self) -> None:
        self._left -= 1
        if self._left <= 0:
            raise Killed


class MortalSession:
    def __init__(self, session: Session, mortal: Mortal) -> None:
        self._session = session
        self._mortal = mortal

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._session, name)

        def called(*arguments: Any, **named: Any) -> Any:
            self._mortal.live()
            return method(*arguments, **named)

        return called

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._session.transaction():
            yield
            self._mortal.live()


@pytest.mark.parametrize("full", [False, True])
def test_dies_anywhere_and_is_exact_when_run_again(monthly: Warehouse, full: bool) -> None:
    for life in itertools.count(1):
        month = life % 12 + 1
        monthly.merge("customers", [(1, f"C{life}")])
        monthly.merge("orders", [(2, 1, f"{life}.00", f"2026-{month:02}-01 00:00:00")], gone=[4] if life % 2 else [])
        try:
            monthly.build("monthly", target=Mortal(monthly.target, life), force=full)
        except Killed:
            monthly.build("monthly")
        else:
            break
        finally:
            assert monthly.is_exact("monthly")
            assert touched(monthly) == set()
            assert monthly.leftovers() == []
        monthly.merge("orders", [(4, 3, "40.00", "2025-03-03 10:00:00")])
    assert life > 20


def test_a_build_waits_for_merges_under_way(monthly: Warehouse) -> None:
    """What a merge touches is not taken off the list before the merge is visible."""
    if monthly.target.capabilities.single_writer:
        pytest.skip("one writer at a time")
    dialect = monthly.target.dialect
    captures = marts_watching(monthly)
    with monthly.target.session() as merging, monthly.target.session() as building:
        building.execute("SET SESSION innodb_lock_wait_timeout = 1")
        changed = "_vitrina_changed"
        merging.execute(f"CREATE TABLE {changed} AS SELECT 1 AS id")
        with merging.transaction():
            captures.record(merging, dialect, "customers", changed, ("id",))
            with pytest.raises(Exception, match="lock"), building.transaction():
                capture.opened(building, dialect, "monthly", "own", ["customers", "orders"])
        with building.transaction():
            assert set(capture.opened(building, dialect, "monthly", "own", ["orders"])) == {"orders"}
        building.drop_tables(changed)


def marts_watching(warehouse: Warehouse) -> capture.Captures:
    captures = capture.watch(warehouse.target, warehouse.marts, "run")
    assert captures is not None
    return captures


def test_merges_at_once_of_tables_joined_in_a_chain(any_target: Target) -> None:
    """Two merges that do not see each other add rows that meet in a result: its partition is noted all the same."""
    if any_target.capabilities.single_writer:
        pytest.skip("one writer at a time")
    warehouse = Warehouse(any_target)
    query = """
    SELECT o.id, DATE(o.created_at) AS day, c.country, home.id AS home
    FROM orders o JOIN customers c ON c.id = o.customer_id JOIN homes home ON home.country = c.country
    """
    warehouse.mart("at_home", query=query, materialize={"incremental": {"partition": "day"}})
    warehouse.execute("CREATE TABLE homes (id BIGINT PRIMARY KEY, country VARCHAR(20))")
    warehouse.merge("orders", [(1, 7, "1.00", "2025-01-01 00:00:00")])
    warehouse.build("at_home")
    captures, dialect = marts_watching(warehouse), any_target.dialect
    warehouse.execute("CREATE TABLE _vitrina_c AS SELECT 7 AS id")
    warehouse.execute("CREATE TABLE _vitrina_h AS SELECT 9 AS id")
    with any_target.session() as one, any_target.session() as other, one.transaction(), other.transaction():
        one.execute("INSERT INTO customers VALUES (7, 'RU')")
        other.execute("INSERT INTO homes VALUES (9, 'RU')")
        captures.record(one, dialect, "customers", "_vitrina_c", ("id",))
        captures.record(other, dialect, "homes", "_vitrina_h", ("id",))
    assert touched(warehouse) == {"=2025-01-01"}
    warehouse.build("at_home")
    assert warehouse.is_exact("at_home")
    assert len(warehouse.rows("SELECT * FROM at_home")) == 1


def test_where_most_partitions_are_touched_all_are_built_anew(
    monthly: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(increment, "WORTH_COUNTING", 2)
    monthly.execute("UPDATE monthly SET revenue = -1 WHERE month = '2025-03-01'")
    monthly.merge("orders", [(1, 1, "11.00", "2025-01-05 10:00:00"), (6, 1, "1.00", "2025-06-07 10:00:00")])
    assert monthly.build("monthly").rows_written == MONTHS + 1
    # The value written by hand is gone: every partition was computed.
    assert monthly.is_exact("monthly")
    assert touched(monthly) == set()
    assert monthly.leftovers() == []

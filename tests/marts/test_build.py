"""Marts as tables and views, on every target."""

from __future__ import annotations

import pytest

from framework.errors import CheckFailed, ForeignTable, StatementFailed
from tests.marts.conftest import Warehouse

REVENUE = """
SELECT c.country, DATE_FORMAT(o.created_at, '%Y-%m-01') AS month, COUNT(*) AS orders, SUM(o.amount) AS revenue
FROM orders o JOIN customers c ON c.id = o.customer_id
GROUP BY 1, 2; -- the end
"""


@pytest.mark.parametrize("kind", ["table", "view"])
def test_holds_what_its_query_returns(warehouse: Warehouse, kind: str) -> None:
    warehouse.mart("revenue", query=REVENUE, materialize=kind, checks=[{"rows": {"min": 1}}, {"not_null": ["month"]}])
    stats = warehouse.build("revenue")
    assert warehouse.is_exact("revenue")
    assert stats.checks == 2
    assert stats.rows_written == (3 if kind == "table" else 0)
    warehouse.merge("orders", [(6, 2, "1.00", "2025-04-01 00:00:00")])
    warehouse.build("revenue")
    assert warehouse.is_exact("revenue")
    assert len(warehouse.rows("SELECT * FROM revenue")) == 4
    assert warehouse.leftovers() == []


def test_changes_its_kind(warehouse: Warehouse) -> None:
    for kind in ("table", "view", "view", "table", "table", "view"):
        warehouse.mart("revenue", query=REVENUE, materialize=kind)
        warehouse.build("revenue")
        with warehouse.target.session() as session:
            assert session.relation("revenue") == kind
        assert warehouse.is_exact("revenue")


@pytest.mark.parametrize("kind", ["table", "view", {"incremental": {"partition": "day"}}])
def test_failed_check_leaves_the_mart_before(warehouse: Warehouse, kind: object) -> None:
    query = "SELECT DATE(o.created_at) AS day, COUNT(*) AS orders FROM orders o GROUP BY 1"
    warehouse.mart("daily", query=query, materialize=kind, checks=[{"between": {"orders": {"max": 1}}}])
    warehouse.build("daily")
    before = warehouse.rows("SELECT * FROM daily")
    warehouse.merge("orders", [(6, 1, "1.00", "2025-01-05 23:00:00"), (7, 1, "1.00", "2025-05-05 23:00:00")])
    with pytest.raises(CheckFailed) as failed:
        warehouse.build("daily")
    assert failed.value.failures == ("between orders: 1 row not at most 1, first: (day=2025-01-05, orders=2)",)
    if kind != "view":
        assert warehouse.rows("SELECT * FROM daily") == before
    assert warehouse.leftovers() == []
    warehouse.merge("orders", gone=[6])
    warehouse.build("daily")
    assert warehouse.is_exact("daily")


def test_failed_check_of_a_first_build_leaves_nothing(warehouse: Warehouse) -> None:
    for kind in ("table", "view"):
        warehouse.mart("revenue", query=REVENUE, materialize=kind, checks=[{"rows": {"max": 1}}])
        with pytest.raises(CheckFailed, match="rows: there are 3, not at most 1"):
            warehouse.build("revenue")
        with warehouse.target.session() as session:
            assert session.relation("revenue") is None


def test_warnings_do_not_stop_it(warehouse: Warehouse) -> None:
    checks = [{"accepted": {"country": ["RU"]}, "severity": "warn"}, {"rows": {"min": 1}}]
    warehouse.mart("revenue", query=REVENUE, checks=checks)
    stats = warehouse.build("revenue")
    assert stats.checks == 1
    (warning,) = stats.warnings
    assert warning.startswith("accepted country: 1 row with none of [RU], first: (country='KZ', month='2025-02-01'")
    assert warehouse.is_exact("revenue")


def test_a_check_reads_what_was_built(warehouse: Warehouse) -> None:
    empty = "SELECT revenue.country FROM revenue WHERE country = 'RU' AND month LIKE '2025%'"
    warehouse.mart("revenue", query=REVENUE, checks=[{"empty": empty}])
    with pytest.raises(CheckFailed, match=r"returns rows: \('RU'\)"):
        warehouse.build("revenue")


@pytest.mark.parametrize("kind", ["table", "view", {"incremental": {"partition": "country"}}])
@pytest.mark.parametrize("foreign", ["CREATE TABLE strange (x INT)", "CREATE VIEW strange AS SELECT 1 AS x"])
def test_leaves_what_is_not_ours_alone(warehouse: Warehouse, kind: object, foreign: str) -> None:
    warehouse.execute(foreign)
    before = warehouse.rows("SELECT * FROM strange")
    warehouse.mart("strange", query="SELECT c.country, COUNT(*) AS n FROM customers c GROUP BY 1", materialize=kind)
    with pytest.raises(ForeignTable, match="'strange'"):
        warehouse.build("strange")
    with warehouse.target.session() as session:
        assert session.columns("strange") == ("x",)
    assert warehouse.rows("SELECT * FROM strange") == before


def test_does_not_take_a_replicated_table_for_its_own(warehouse: Warehouse) -> None:
    warehouse.mart("orders", query="SELECT 1 AS x")
    with pytest.raises(ForeignTable):
        warehouse.build("orders")


@pytest.mark.parametrize("kind", ["table", "view"])
def test_refused_query_leaves_the_mart_before(warehouse: Warehouse, kind: str) -> None:
    warehouse.mart("revenue", query=REVENUE, materialize=kind)
    warehouse.build("revenue")
    warehouse.mart("revenue", query="SELECT no_such_column FROM orders", materialize=kind)
    with pytest.raises(StatementFailed, match="no_such_column"):
        warehouse.build("revenue")
    assert len(warehouse.rows("SELECT * FROM revenue")) == 3
    assert warehouse.leftovers() == []


def test_marts_read_marts_and_names_may_be_long(warehouse: Warehouse) -> None:
    name = "m" * 64
    warehouse.mart(name, query=REVENUE, indexes=[["month"]])
    warehouse.mart("total", query=f"SELECT SUM(revenue) AS revenue FROM {name}", materialize="view")
    for _ in range(2):
        warehouse.build(name)
        warehouse.build("total")
        assert warehouse.is_exact("total")
    assert warehouse.leftovers() == []

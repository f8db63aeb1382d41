"""The main job as its user runs it: specs/shop.yaml through the command, on real servers, compared row by row.

The comparison shares no code with the engine: it reads both databases with their drivers and applies the mapping that
the spec declares by hand.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import timezone
from typing import Any

import pytest

from tests.command import Command
from tests.services.databases import SourceDatabase, TargetDatabase

KEY = b"a test key"


@pytest.fixture
def vitrina(source: SourceDatabase, target: TargetDatabase) -> Command:
    return Command(SHOP_POSTGRES=source.url, SHOP_MYSQL=target.url, VITRINA_MASK_KEY=KEY.decode())


def _plain(value: Any) -> Any:
    """What MySQL's driver returns for a value of PostgreSQL's."""
    if isinstance(value, bool):
        return int(value)
    if hasattr(value, "tzinfo") and value.tzinfo is not None:
        return value.astimezone(timezone.utc).replace(tzinfo=None)
    return value


def _read_source(source: SourceDatabase, query: str) -> list[tuple[Any, ...]]:
    return sorted(tuple(_plain(value) for value in row) for row in source.rows(query))


def _masked(email: str) -> str:
    return hmac.new(KEY, email.encode(), hashlib.sha256).hexdigest()


def assert_copies_are_exact(source: SourceDatabase, target: TargetDatabase) -> None:
    customers = sorted(
        (row[0], _masked(row[1]), *row[2:])
        for row in _read_source(
            source, "SELECT id, email, full_name, country, birth_date, created_at, updated_at FROM customers"
        )
    )
    assert customers == sorted(
        target.rows(
            "SELECT id, email, name, country, birth_date, created_at, updated_at FROM customers "
            "WHERE _deleted_at IS NULL"
        )
    )
    pairs = {
        "SELECT id, sku, title, category, price, tags::text, updated_at FROM products": "SELECT * FROM products",
        "SELECT id, customer_id, status, channel, note, created_at, updated_at FROM orders WHERE status <> 'new'": (
            "SELECT id, customer_id, status, channel, note, created_at, updated_at FROM fact_orders"
        ),
        "SELECT *, (amount * 100)::bigint FROM order_items": "SELECT * FROM fact_order_items",
        "SELECT id::text, order_id, method, amount, paid, updated_at FROM payments": "SELECT * FROM payments",
    }
    for of_source, of_target in pairs.items():
        expected = _read_source(source, of_source)
        found = sorted(target.rows(of_target), key=lambda row: row[0])
        assert len(expected) > 100
        assert sorted(found, key=lambda row: row[0]) == sorted(expected, key=lambda row: row[0]), of_target


def assert_marts_are_exact(target: TargetDatabase) -> None:
    """Each mart equals its query as it would answer now."""
    daily = target.rows(
        "SELECT DATE(created_at), COUNT(*), COUNT(DISTINCT customer_id) FROM fact_orders GROUP BY DATE(created_at) "
        "ORDER BY 1"
    )
    assert len(daily) > 100
    assert daily == target.rows("SELECT day, orders, customers FROM daily_orders ORDER BY day")
    revenue = target.rows(
        "SELECT c.country, DATE_FORMAT(o.created_at, '%Y-%m-01') AS month, COUNT(DISTINCT o.customer_id), "
        "SUM(i.amount) "
        "FROM fact_orders o JOIN customers c ON c.id = o.customer_id JOIN fact_order_items i ON i.order_id = o.id "
        "WHERE o.status <> 'cancelled' GROUP BY c.country, month ORDER BY 1, 2"
    )
    assert revenue == target.rows("SELECT country, month, buyers, revenue FROM revenue_by_month ORDER BY 1, 2")
    assert len(target.rows("SELECT * FROM best_categories")) == 5


def test_the_main_job(source: SourceDatabase, target: TargetDatabase, vitrina: Command) -> None:
    first = vitrina("run", "specs/shop.yaml")
    assert "revenue_by_month" in first.stdout
    assert source.rows("SELECT count(*) FROM customers") == [(5000,)]
    assert_copies_are_exact(source, target)
    assert_marts_are_exact(target)
    watermarks = dict(target.rows("SELECT table_name, watermark FROM _vitrina_state"))

    vitrina("run", "specs/shop.yaml", "--tick", "3")
    assert_copies_are_exact(source, target)
    assert_marts_are_exact(target)
    assert target.rows("SELECT COUNT(*) FROM customers WHERE _deleted_at IS NOT NULL") != [(0,)]
    advanced = dict(target.rows("SELECT table_name, watermark FROM _vitrina_state"))
    assert all(advanced[table] > watermarks[table] for table in watermarks)

    vitrina("run", "specs/shop.yaml")
    written = target.rows(
        "SELECT SUM(s.rows_written), SUM(s.rows_deleted) FROM _vitrina_steps s "
        "JOIN _vitrina_runs r ON r.run_id = s.run_id "
        "WHERE s.kind = 'replicate' AND r.started_at = (SELECT MAX(started_at) FROM _vitrina_runs)"
    )
    assert written == [(0, 0)]
    assert_copies_are_exact(source, target)

    billing = vitrina("run", "specs/billing.yaml")
    assert "payments_by_method" in billing.stdout
    assert "generate" not in billing.stdout
    paid = _read_source(source, "SELECT id::text, order_id, method, amount, updated_at FROM payments WHERE paid")
    assert paid == sorted(target.rows("SELECT * FROM billing_payments"))

    status = vitrina("status", "specs/shop.yaml")
    assert "succeeded" in status.stdout
    assert "fresh" in status.stdout
    shown = vitrina("show", "specs/shop.yaml", "revenue_by_month", "--limit", "3")
    assert "buyers" in shown.stdout


def test_a_plan_reads_only(source: SourceDatabase, target: TargetDatabase, vitrina: Command) -> None:
    plan = vitrina("plan", "specs/shop.yaml")
    assert "fill customers" in plan.stdout
    assert source.rows("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]
    assert target.rows("SHOW TABLES") == []

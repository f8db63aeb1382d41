"""The main job on the embedded default, as `make demo` runs it: nothing but Python, compared row by row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import psycopg2

from framework.databases.embedded import open_postgres
from tests.command import Command

PAIRS = {
    "SELECT id, sku, title, category, price, tags::text, updated_at AT TIME ZONE 'UTC' FROM products": "products",
    "SELECT id, customer_id, status, channel, note, created_at AT TIME ZONE 'UTC', updated_at AT TIME ZONE 'UTC' "
    "FROM orders WHERE status <> 'new'": "fact_orders",
    "SELECT id, order_id, product_id, quantity, price, amount, updated_at AT TIME ZONE 'UTC', (amount * 100)::bigint "
    "FROM order_items": "fact_order_items",
    "SELECT id::text, order_id, method, amount, paid, updated_at AT TIME ZONE 'UTC' FROM payments": "payments",
}


def rows_of_source(home: Path) -> dict[str, list[tuple[Any, ...]]]:
    with open_postgres("shop_postgres", home) as url:
        connection = psycopg2.connect(url.replace("+psycopg2", ""))
        try:
            with connection.cursor() as cursor:
                found = {}
                for query, table in PAIRS.items():
                    cursor.execute(query)
                    found[table] = sorted(cursor.fetchall(), key=lambda row: row[0])
                return found
        finally:
            connection.close()


def rows_of_copy(home: Path) -> dict[str, list[tuple[Any, ...]]]:
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as database:
        return {
            table: sorted(
                (
                    (str(row[0]), *row[1:]) if table == "payments" else row
                    for row in database.sql(f"FROM {table}").fetchall()
                ),
                key=lambda row: row[0],
            )
            for table in PAIRS.values()
        }


def test_the_main_job_on_the_embedded_default(tmp_path: Path) -> None:
    home = tmp_path / "home"
    vitrina = Command(VITRINA_HOME=str(home))
    for name in ("SHOP_POSTGRES", "SHOP_MYSQL", "VITRINA_CONN_SHOP_POSTGRES", "VITRINA_CONN_SHOP_MYSQL"):
        vitrina.environ.pop(name, None)
    vitrina("run", "specs/shop.yaml")
    assert rows_of_copy(home) == rows_of_source(home)
    vitrina("run", "specs/shop.yaml", "--tick", "2")
    source = rows_of_source(home)
    assert all(len(rows) > 250 for rows in source.values())
    assert rows_of_copy(home) == source
    vitrina("run", "specs/billing.yaml")
    assert "card" in vitrina("show", "specs/billing.yaml", "payments_by_method").stdout
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as database:
        again = database.sql("SELECT CAST(created_at AS DATE) AS day, COUNT(*) FROM fact_orders GROUP BY 1 ORDER BY 1")
        assert database.sql("SELECT day, orders FROM daily_orders ORDER BY 1").fetchall() == again.fetchall()

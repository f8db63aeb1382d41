"""The two tables that are filled: customers, and five orders for each; keys, a unique e-mail and a foreign key."""

from __future__ import annotations

from typing import Any

from framework.spec.entities import GenerateTask

TABLES = ("customers", "orders")
ORDERS_PER_CUSTOMER = 5

_KEY = {"type": "bigint", "primary_key": True, "fake": "sequence"}
_MOMENT = {"type": "timestamptz"}


def task(orders: int, changes: dict[str, Any] | None = None) -> GenerateTask:
    """The entities with so many orders; ``changes`` are those of a tick, by table."""
    customers: dict[str, Any] = {
        "rows": orders // ORDERS_PER_CUSTOMER,
        "columns": {
            "id": _KEY,
            "email": {"type": "varchar(120)", "unique": True, "fake": "email"},
            "full_name": {"type": "varchar(120)", "fake": "name"},
            "phone": {"type": "varchar(40)", "nulls": "10%", "fake": "phone_number"},
            "country": {"type": "char(2)", "fake": {"choice": {"RU": 60, "KZ": 25, "NO": 15}}},
            "created_at": {**_MOMENT, "fake": {"datetime": {"from": "-2y", "to": "now"}}},
            "updated_at": {**_MOMENT, "fake": {"after": {"column": "created_at", "within": "90d"}}},
        },
    }
    placed: dict[str, Any] = {
        "rows": {"per": "customer_id", "mean": ORDERS_PER_CUSTOMER, "skew": 1.2},
        "columns": {
            "id": _KEY,
            "customer_id": {"type": "bigint", "references": {"table": "customers", "column": "id"}},
            "status": {"type": "varchar(16)", "fake": {"choice": {"new": 10, "paid": 70, "shipped": 15, "lost": 5}}},
            "amount": {"type": "numeric(12,2)", "fake": {"lognormal": {"mean": 3.2, "sigma": 0.8, "max": 5000}}},
            "note": {"type": "text", "nulls": "80%", "fake": "sentence"},
            "is_paid": {"type": "boolean", "fake": {"choice": {"true": 9, "false": 1}}},
            "created_at": {**_MOMENT, "fake": {"after": {"column": "customers.created_at", "within": "700d"}}},
            "updated_at": {**_MOMENT, "fake": {"after": {"column": "created_at", "within": "30d"}}},
        },
    }
    entities = {"customers": customers, "orders": placed}
    for name, change in (changes or {}).items():
        entities[name]["changes"] = change
    return GenerateTask.model_validate(
        {"pipeline": "bench", "seed": 1, "now": "2026-01-01T00:00:00Z", "locale": "en_US", "entities": entities}
    )

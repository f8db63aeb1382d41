"""Specs that ask for foreign keys, and what the target has of them."""

from __future__ import annotations

import itertools
from typing import Any

from framework import runner
from framework.databases.base import Constraint
from framework.databases.mysql.target import MySQLTarget
from framework.databases.postgres.source import PostgresSource
from framework.events import Event, Notice, Stats
from framework.explain import explain
from framework.plan import Kind, compile_plan
from framework.replicate import references
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

ORDERS = {"orders.customer_id": "customers.id"}


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


def told(checks: int, *warning: str) -> Any:
    """Statistics with so many foreign keys, and one warning that has all these parts."""
    return Told(checks, warning)


class Told:
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


def ids(database: SourceDatabase | TargetDatabase, table: str) -> list[tuple[Any, ...]]:
    return database.rows(f"SELECT id FROM {table} ORDER BY id")

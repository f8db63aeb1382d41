"""A small warehouse on every target: two replicated tables, changed the way replication changes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from framework.databases.base import Row, Target
from framework.databases.duckdb import DuckDBTarget
from framework.databases.mysql.target import MySQLTarget
from framework.events import Reporter, Stats
from framework.marts import graph
from framework.marts.build import build
from framework.marts.capture import watch
from framework.spec.marts import Mart, MartTask
from framework.tables import Column, Table
from framework.types import LogicalType, parse_type
from tests.services.pool import Pool


def type_(name: str) -> LogicalType:
    found = parse_type(name)
    assert found is not None
    return found


CUSTOMERS = Table(
    "customers",
    (Column("id", type_("bigint"), nullable=False), Column("country", type_("varchar(20)"))),
    primary_key=("id",),
)
ORDERS = Table(
    "orders",
    (
        Column("id", type_("bigint"), nullable=False),
        Column("customer_id", type_("bigint")),
        Column("amount", type_("numeric(12,2)")),
        Column("created_at", type_("timestamptz")),
    ),
    primary_key=("id",),
)
TABLES = {table.name: table for table in (CUSTOMERS, ORDERS)}


class Warehouse:
    """Marts by name, and tables that are changed by merges which the marts are told of."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.marts: dict[str, Mart] = {}
        with target.session() as session:
            for table in TABLES.values():
                session.create_table(table, marker="vitrina:first")

    def refill(self, table: str, generation: str, rows: Sequence[Row]) -> None:
        """A full load: a fresh table takes the place of the old one."""
        fresh = replace(TABLES[table], name="_vitrina_shadow")
        with self.target.session() as session:
            session.create_table(fresh, marker=f"vitrina:{generation}")
            self._insert(session, fresh.name, rows)
            session.swap(fresh.name, table)

    def merge(self, table: str, rows: Sequence[Row] = (), gone: Sequence[int] = ()) -> None:
        """An increment: rows that are new or changed, and keys that are gone."""
        with ExitStack() as stack:
            captures = watch(self.target, self.marts, "run")
            session = stack.enter_context(self.target.session())
            changed = replace(TABLES[table], name="_vitrina_changed", columns=TABLES[table].columns[:1])
            session.drop_tables(changed.name)
            session.create_table(changed)
            stack.callback(session.drop_tables, changed.name)
            quote = self.target.dialect.quote
            with session.transaction():
                self._insert(session, changed.name, [(key,) for key in {*(row[0] for row in rows), *gone}])
                if captures is not None:
                    captures.record(session, self.target.dialect, table, changed.name, ("id",))
                session.execute(f"DELETE FROM {quote(table)} WHERE id IN (SELECT id FROM {quote(changed.name)})")
                self._insert(session, table, rows)
                if captures is not None:
                    captures.record(session, self.target.dialect, table, changed.name, ("id",))

    def mart(self, name: str, **said: Any) -> None:
        """Declare a mart as a spec does."""
        self.marts[name] = Mart.model_validate(said)

    def build(self, name: str, *, target: Target | None = None, force: bool = False) -> Stats:
        mart = self.marts[name]
        task = MartTask(name=name, mart=mart, reads=graph.reads(mart.query))
        return build(target or self.target, task, Reporter(f"mart:{name}"), force=force)

    def rows(self, query: str) -> list[Row]:
        with self.target.session() as session:
            return sorted(session.query(self.target.dialect.translate(query)), key=repr)

    def is_exact(self, name: str) -> bool:
        """Whether the mart holds what its query returns now, and nothing is left to do or lying around."""
        return self.rows(f"SELECT * FROM {name}") == self.rows(self.marts[name].query)

    def execute(self, sql: str) -> None:
        with self.target.session() as session:
            session.execute(sql)

    def leftovers(self) -> list[str]:
        """Tables beside those that are kept on purpose."""
        kept = {"_vitrina_meta", "_vitrina_touched", "_vitrina_chains", "_vitrina_views"}
        with self.target.session() as session:
            return [name for name in session.tables("_vitrina_") if name not in kept]

    @staticmethod
    def _insert(session: Any, table: str, rows: Sequence[Row]) -> None:
        for row in rows:
            session.execute(f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(row))})", row)


@pytest.fixture(params=["mysql", "mariadb", "duckdb"])
def any_target(lent: Pool, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Target]:
    with ExitStack() as stack:
        target: Target
        if request.param == "duckdb":
            target = DuckDBTarget("warehouse", tmp_path / "warehouse.duckdb")
        else:
            database = stack.enter_context(lent.target(request.getfixturevalue(f"{request.param}_server")))
            target = MySQLTarget("warehouse", database.url)
        stack.callback(target.close)
        yield target


@pytest.fixture
def warehouse(any_target: Target) -> Warehouse:
    """Three customers, five orders in three months."""
    made = Warehouse(any_target)
    made.merge("customers", [(1, "RU"), (2, "KZ"), (3, None)])
    made.merge(
        "orders",
        [
            (1, 1, "10.00", "2025-01-05 10:00:00"),
            (2, 1, "20.00", "2025-01-20 10:00:00"),
            (3, 2, "30.00", "2025-02-03 10:00:00"),
            (4, 3, "40.00", "2025-03-03 10:00:00"),
            (5, None, "50.00", None),
        ],
    )
    return made

"""One table on its way from a fresh PostgreSQL database to a fresh MySQL or MariaDB database."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from framework.databases.base import Target
from framework.databases.duckdb import DuckDBTarget
from framework.databases.mysql.target import MySQLTarget
from framework.databases.postgres.source import PostgresSource
from framework.events import Event, Notice, Reporter, Stats
from framework.replicate.engine import replicate
from framework.replicate.options import Options
from framework.spec.replication import ReplicateTask
from tests.replicate.anywhere import DEFAULTS as DEFAULTS
from tests.replicate.anywhere import PEOPLE, Anywhere
from tests.replicate.keys import SHOP, Keys
from tests.services.databases import SourceDatabase, TargetDatabase
from tests.services.pool import Pool


class Copying:
    """Replicates with settings of one's choice and shows what came of it."""

    def __init__(self, source: SourceDatabase, target: TargetDatabase) -> None:
        self.source = source
        self.target = target
        self.postgres = PostgresSource("shop_postgres", source.url)
        self.mysql = MySQLTarget("shop_mysql", target.url)
        self.notices: list[str] = []
        self._runs = itertools.count(1)

    def __call__(self, options: dict[str, Any] | None = None, **settings: Any) -> Stats:
        task = ReplicateTask.model_validate({**DEFAULTS, **settings})
        reporter = Reporter(f"replicate:{task.table}", self._hear)
        run_options = Options(**{"run_id": f"run-{next(self._runs)}", **(options or {})})
        return replicate(self.postgres, self.mysql, task, run_options, reporter)

    def rows(self, columns: str = "*", table: str = "copy") -> list[tuple[Any, ...]]:
        return self.target.rows(f"SELECT {columns} FROM `{table}` ORDER BY 1")

    def leftovers(self) -> list[str]:
        kept = {"_vitrina_leases", "_vitrina_meta", "_vitrina_parts", "_vitrina_rejects", "_vitrina_state"}
        return [row[0] for row in self.target.rows("SHOW TABLES LIKE '\\_vitrina%'") if row[0] not in kept]

    def _hear(self, event: Event) -> None:
        if isinstance(event, Notice):
            self.notices.append(event.message)


@pytest.fixture
def copying(source: SourceDatabase, target: TargetDatabase) -> Iterator[Copying]:
    made = Copying(source, target)
    yield made
    made.postgres.close()
    made.mysql.close()


@pytest.fixture
def people(copying: Copying) -> Copying:
    """A source table of five rows with a key, a unique e-mail and a cursor."""
    for statement in PEOPLE:
        copying.source.execute(statement)
    return copying


@pytest.fixture(params=["mysql", "mariadb", "duckdb"])
def anywhere(lent: Pool, request: pytest.FixtureRequest, source: SourceDatabase, tmp_path: Path) -> Iterator[Anywhere]:
    """The five rows of `people`, to be copied to MySQL, MariaDB and DuckDB."""
    with ExitStack() as stack:
        target: Target
        if request.param == "duckdb":
            target = DuckDBTarget("warehouse", tmp_path / "warehouse.duckdb")
        else:
            database = stack.enter_context(lent.target(request.getfixturevalue(f"{request.param}_server")))
            target = MySQLTarget("warehouse", database.url)
        stack.callback(target.close)
        made = Anywhere(source, target)
        stack.callback(made.postgres.close)
        for statement in PEOPLE:
            source.execute(statement)
        yield made


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

"""One table on its way from a fresh PostgreSQL database to a fresh MySQL or MariaDB database."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from framework.databases.mysql.target import MySQLTarget
from framework.databases.postgres.source import PostgresSource
from framework.events import Event, Notice, Reporter, Stats
from framework.replicate.engine import replicate
from framework.replicate.options import Options
from framework.spec.models import ReplicateTask
from tests.services.databases import SourceDatabase, TargetDatabase

DEFAULTS: dict[str, Any] = {
    "table": "copy",
    "source_table": "t",
    "source_schema": "public",
    "mode": "incremental",
    "cursor": "updated_at",
    "lookback": "1s",
    "deletes": {"policy": "remove", "fuse": "100%"},
}


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
        kept = {"_vitrina_leases", "_vitrina_parts", "_vitrina_state"}
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
    copying.source.execute(
        "CREATE TABLE t (id bigint PRIMARY KEY, email varchar(60) UNIQUE, name text, "
        "active boolean NOT NULL DEFAULT true, updated_at timestamptz NOT NULL DEFAULT now())"
    )
    copying.source.execute(
        "INSERT INTO t (id, email, name) SELECT i, 'p' || i || '@example.com', 'person ' || i "
        "FROM generate_series(1, 5) AS i"
    )
    return copying

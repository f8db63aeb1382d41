"""One table on its way from a fresh PostgreSQL database to whatever target."""

from __future__ import annotations

import itertools
from typing import Any

from framework.databases.base import Row, Target
from framework.databases.postgres.source import PostgresSource
from framework.events import Event, Notice, Reporter, Stats
from framework.replicate.engine import replicate
from framework.replicate.options import Options
from framework.spec.replication import ReplicateTask
from tests.services.databases import SourceDatabase

DEFAULTS: dict[str, Any] = {
    "table": "copy",
    "source_table": "t",
    "source_schema": "public",
    "mode": "incremental",
    "cursor": "updated_at",
    "lookback": "1s",
    "deletes": {"policy": "remove", "fuse": "100%"},
}

PEOPLE = (
    """CREATE TABLE t (id bigint PRIMARY KEY, email varchar(60) UNIQUE, name text,
    active boolean NOT NULL DEFAULT true, updated_at timestamptz NOT NULL DEFAULT now())""",
    """INSERT INTO t (id, email, name)
    SELECT i, 'p' || i || '@example.com', 'person ' || i FROM generate_series(1, 5) AS i""",
)


class Anywhere:
    """Replicates with settings of one's choice and shows what came of it; SQL for the target quotes with backticks."""

    def __init__(self, source: SourceDatabase, target: Target) -> None:
        self.source = source
        self.target = target
        self.postgres = PostgresSource("shop_postgres", source.url)
        self.notices: list[str] = []
        self.settings: dict[str, Any] = dict(DEFAULTS)
        self._runs = itertools.count(1)

    def __call__(self, options: dict[str, Any] | None = None, **settings: Any) -> Stats:
        self.notices.clear()
        task = ReplicateTask.model_validate({**self.settings, **settings})
        reporter = Reporter(f"replicate:{task.table}", self._hear)
        run_options = Options(**{"run_id": f"run-{next(self._runs)}", **(options or {})})
        return replicate(self.postgres, self.target, task, run_options, reporter)

    def rows(self, columns: str = "*", table: str = "copy") -> list[Row]:
        """Sorted by the first column."""
        return self.query(f"SELECT {columns} FROM `{table}` ORDER BY 1")

    def query(self, sql: str, *parameters: object) -> list[Row]:
        with self.target.session() as session:
            return session.query(self._quoted(sql), parameters)

    def execute(self, *statements: str) -> None:
        with self.target.session() as session:
            for statement in statements:
                session.execute(self._quoted(statement))

    def columns(self, table: str = "copy") -> tuple[str, ...]:
        with self.target.session() as session:
            return session.columns(table)

    def leftovers(self) -> list[str]:
        """Tables of ours that no run needs any more."""
        kept = {"_vitrina_leases", "_vitrina_meta", "_vitrina_parts", "_vitrina_rejects", "_vitrina_state"}
        with self.target.session() as session:
            return [name for name in session.tables("_vitrina_") if name not in kept]

    def _quoted(self, sql: str) -> str:
        return sql.replace("`", self.target.dialect.quote("")[0])

    def _hear(self, event: Event) -> None:
        if isinstance(event, Notice):
            self.notices.append(event.message)

"""A pipeline of one table, by way of two bad networks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from framework import runner
from framework.databases.mysql.target import MySQLTarget
from framework.databases.postgres.source import PostgresSource
from framework.events import Event, Notice, Stats
from framework.plan import Plan, compile_plan
from framework.spec.models import Spec
from tests.faults.proxy import Proxy
from tests.services.databases import SourceDatabase, TargetDatabase

ROWS = 20_000
TIMEOUT = 2
"""Seconds without a word from a server until a statement fails."""

SPEC: dict[str, Any] = {
    "version": 1,
    "pipeline": "faults",
    "source": "faults_postgres",
    "target": "faults_mysql",
    "replicate": {"t": {"mode": "incremental", "cursor": "updated_at", "lookback": "1s"}},
    "retries": {"attempts": 3, "delay": "200ms", "longest": "1s"},
}


@dataclass
class Faulty:
    """Runs the pipeline and shows what came of it."""

    source: SourceDatabase
    target: TargetDatabase
    networks: dict[str, Proxy]
    postgres: PostgresSource
    mysql: MySQLTarget
    notices: list[str] = field(default_factory=list)
    seconds: float = 0.0
    also: Callable[[Event], None] | None = None

    def __call__(self, retries: int = 3, prepare: Callable[[Plan], Plan] = lambda plan: plan, **options: Any) -> Stats:
        spec = Spec.model_validate({**SPEC, "retries": {**SPEC["retries"], "attempts": retries}})
        run = runner.Run(self.postgres, self.mysql, runner.new_run_id(), "run", emit=self._hear, **options)
        begun = time.monotonic()
        try:
            return runner.execute(prepare(compile_plan(spec)), run)["replicate:t"]
        finally:
            self.seconds = time.monotonic() - begun

    def assert_exact(self) -> None:
        query = "SELECT id, body, {} FROM t ORDER BY id"
        copied = self.target.rows(query.format("updated_at"))
        assert copied == self.source.rows(query.format("updated_at AT TIME ZONE 'UTC'"))
        assert [name for (name,) in self.target.rows("SHOW TABLES LIKE '\\_vitrina\\_s%t'")] == []

    def change(self) -> None:
        """A change of many rows, so that the increment is a stream, too."""
        self.source.execute("UPDATE t SET body = reverse(body) || 'x', updated_at = now() WHERE id % 2 = 0")
        self.source.execute("DELETE FROM t WHERE id % 100 = 1")

    def _hear(self, event: Event) -> None:
        if isinstance(event, Notice):
            self.notices.append(event.message)
        if self.also is not None:
            self.also(event)


def slowly(plan: Plan) -> Plan:
    """The plan, with rows that take their time, so that something can happen meanwhile."""
    step = plan.step("replicate:t")
    sleep = f"CASE WHEN id % {ROWS // 20} = 0 THEN length(pg_sleep(0.1)::text) END"
    task = {**step.arguments["task"], "columns": {"late": {"sql": sleep, "type": "int"}}}
    return replace(plan, steps=(replace(step, arguments={**step.arguments, "task": task}),))


@pytest.fixture
def faulty(source: SourceDatabase, target: TargetDatabase) -> Iterator[Faulty]:
    source.execute("CREATE TABLE t (id int PRIMARY KEY, body text, updated_at timestamptz NOT NULL DEFAULT now())")
    source.execute("INSERT INTO t (id, body) SELECT i, repeat(md5(i::text), 4) FROM generate_series(1, %s) AS i", ROWS)
    with ExitStack() as stack:
        networks = {"source": Proxy(source.url), "target": Proxy(target.url)}
        for proxy in networks.values():
            stack.callback(proxy.close)
        options = {"connect_timeout": 2, "read_timeout": TIMEOUT}
        postgres = PostgresSource("faults_postgres", networks["source"].url(**options))
        stack.callback(postgres.close)
        mysql = MySQLTarget("faults_mysql", networks["target"].url(**options, write_timeout=TIMEOUT))
        stack.callback(mysql.close)
        yield Faulty(source, target, networks, postgres, mysql)

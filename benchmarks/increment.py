"""Increments of the facts, against the full load of them in the same run: what they cost is set by what changed."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks import facts
from benchmarks.result import Result
from benchmarks.rounds import closing
from benchmarks.scenario import Scenario, Size
from benchmarks.vitrina import TASK
from framework.databases.mysql.target import MySQLTarget
from framework.databases.postgres.source import PostgresSource
from framework.events import Reporter, Stats
from framework.replicate.engine import replicate
from framework.replicate.options import Options
from tests.services import Server
from tests.services.databases import SourceDatabase, TargetDatabase

INCREMENTAL = TASK.model_copy(update={"mode": "incremental", "cursor": "updated_at", "lookback": "1ms"})

_UPDATE = "UPDATE facts SET amount = amount + 1, updated_at = clock_timestamp() WHERE"

# What is scattered changes each page of the table, what is newest those of a small part.
STEPS = {
    "nothing": "SELECT 1",
    "0.1 % updated, scattered": f"{_UPDATE} mod(id, 1000) = 7",
    "1 % updated, the newest": f"{_UPDATE} id > {{rows}} * 0.99",
    "1 % updated, scattered": f"{_UPDATE} mod(id, 100) = 7",
    "10 % updated, scattered": f"{_UPDATE} mod(id, 10) = 7",
    "1 % inserted": "INSERT INTO facts SELECT id + {rows}, customer_id, status, amount, note, is_paid, created_at, "
    "clock_timestamp() FROM facts WHERE id <= {rows} / 100",
    "10 rows deleted": "DELETE FROM facts WHERE mod(id, {rows} / 10) = 5",
    "1 % deleted, the oldest": "DELETE FROM facts WHERE id <= {rows} / 100",
    "1 % deleted, scattered": "DELETE FROM facts WHERE mod(id, 100) = 8",
}

REQUIRED = {"1 % updated, the newest": 20.0, "1 % updated, scattered": 20.0}
"""How many times as fast as the load, at `REQUIRED_ROWS`."""

REQUIRED_ROWS = 10_000_000


def run(source_server: Server, target_server: Server, rows: int, rounds: int) -> Iterator[Result]:
    """Each step in each round, one after the other, without a vacuum between; the copy must be the source's."""
    took: dict[str, list[float]] = {step: [] for step in STEPS}
    loads: list[float] = []
    for _ in range(rounds):
        with closing(SourceDatabase(source_server)) as source, closing(TargetDatabase(target_server)) as target:
            facts.create(source, rows)
            source.execute("CREATE INDEX ON facts (updated_at)")
            loads.append(_replicate(source, target)[0])
            for step, change in STEPS.items():
                changed = source.execute(change.format(rows=rows)) if step != "nothing" else 0
                seconds, stats = _replicate(source, target)
                took[step].append(seconds)
                if stats.rows_written + stats.rows_deleted != changed:
                    raise RuntimeError(f"{step}: {changed} rows changed, and {stats} arrived")
            _require_equal(source, target)
    for step, figures in took.items():
        required = REQUIRED.get(step) if rows == REQUIRED_ROWS else None
        what = f"{rows:,} rows, {step}"
        yield Result(what, tuple(figures), against="their load", theirs=tuple(loads), at_least=required)


def _replicate(source: SourceDatabase, target: TargetDatabase) -> tuple[float, Stats]:
    postgres, mysql = PostgresSource("source", source.url), MySQLTarget("target", target.url)
    begun = time.perf_counter()
    try:
        stats = replicate(postgres, mysql, INCREMENTAL, Options(run_id="bench"), Reporter(facts.TABLE))
        return time.perf_counter() - begun, stats
    finally:
        postgres.close()
        mysql.close()


def _require_equal(source: SourceDatabase, target: TargetDatabase) -> None:
    query = "SELECT COUNT(*), SUM(id), SUM(amount), SUM(id * amount) FROM facts"
    ours, theirs = target.rows(query), source.rows(query)
    if ours != theirs:
        raise RuntimeError(f"source and copy differ: {theirs}, {ours}")


SCENARIO = Scenario(run, full=(Size(5_000_000), Size(REQUIRED_ROWS)), quick=Size(3_000))

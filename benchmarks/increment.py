"""Increments of the facts, against loading them: nothing, changes, and deletes, which are found by comparing keys."""

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

TIMES, REQUIRED, LARGE = 20, "1 % updated", 10_000_000
"""How much quicker than the load which increment of how many rows has to be."""

UPDATE = "UPDATE facts SET amount = amount + 1, updated_at = clock_timestamp() WHERE mod(id, {}) = 7"
DELETE = "DELETE FROM facts WHERE mod(id, {}) = 8"


def run(source_server: Server, target_server: Server, rows: int, rounds: int) -> Iterator[Result]:
    """A load in each round, and behind it one increment after the other, scattered over the whole table."""
    steps = {
        "nothing changed": "",
        "0.1 % updated": UPDATE.format(1000),
        "1 % updated": UPDATE.format(100),
        "10 % updated": UPDATE.format(10),
        "10 rows deleted": DELETE.format(rows // 10),
        "1 % deleted": DELETE.format(100),
    }
    loads: list[float] = []
    took: dict[str, list[float]] = {step: [] for step in steps}
    for _ in range(rounds):
        with closing(SourceDatabase(source_server)) as source, closing(TargetDatabase(target_server)) as target:
            facts.create(source, rows)
            source.execute("CREATE INDEX ON facts (updated_at)")
            loads.append(_replicate(source, target)[0])
            for step, change in steps.items():
                changed = source.execute(change) if change else 0
                seconds, stats = _replicate(source, target)
                if stats.rows_written + stats.rows_deleted != changed:
                    raise RuntimeError(f"{step}: {changed:,} rows of the source, but {stats}")
                took[step].append(seconds)
    for step, increments in took.items():
        least = TIMES if step == REQUIRED and rows >= LARGE else None
        what, against = f"{rows:,} rows, {step}", "their load"
        yield Result(what, tuple(increments), against=against, theirs=tuple(loads), at_least=least)


def _replicate(source: SourceDatabase, target: TargetDatabase) -> tuple[float, Stats]:
    postgres, mysql = PostgresSource("source", source.url), MySQLTarget("target", target.url)
    begun = time.perf_counter()
    try:
        stats = replicate(postgres, mysql, INCREMENTAL, Options(run_id="bench"), Reporter(facts.TABLE))
        return time.perf_counter() - begun, stats
    finally:
        postgres.close()
        mysql.close()


SCENARIO = Scenario(run, full=(Size(5_000_000), Size(LARGE)), quick=Size(3_000))

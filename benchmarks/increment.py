"""Increments of the facts, against loading them: nothing, changes, and deletes, which are found by comparing keys."""

from __future__ import annotations

import time
from statistics import median

from benchmarks import facts
from benchmarks.load import closing
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

STEPS = {
    "nothing": "SELECT 1",
    "1% updated": "UPDATE facts SET amount = amount + 1, updated_at = clock_timestamp() WHERE mod(id, 100) = 7",
    "10 deleted": "DELETE FROM facts WHERE mod(id, {rows} / 10) = 5",
    "1% deleted": "DELETE FROM facts WHERE mod(id, 100) = 8",
}


def run(source_server: Server, target_server: Server, rows: int, rounds: int) -> None:
    """Measures and prints."""
    ratios: dict[str, list[float]] = {step: [] for step in STEPS}
    for number in range(1, rounds + 1):
        with closing(SourceDatabase(source_server)) as source, closing(TargetDatabase(target_server)) as target:
            facts.create(source, rows)
            source.execute("CREATE INDEX ON facts (updated_at)")
            load, _ = _replicate(source, target)
            print(f"round {number}: load {load:.2f} s")
            for step, change in STEPS.items():
                source.execute(change.format(rows=rows))
                seconds, stats = _replicate(source, target)
                ratios[step].append(load / seconds)
                print(f"  {step:12} {seconds:6.2f} s, {stats.rows_written:,} written, {stats.rows_deleted:,} deleted")
    told = ", ".join(f"{step} {median(found):.1f}" for step, found in ratios.items())
    print(f"load / increment, median of {rounds}: {told}")


def _replicate(source: SourceDatabase, target: TargetDatabase) -> tuple[float, Stats]:
    postgres, mysql = PostgresSource("source", source.url), MySQLTarget("target", target.url)
    begun = time.perf_counter()
    try:
        stats = replicate(postgres, mysql, INCREMENTAL, Options(run_id="bench"), Reporter(facts.TABLE))
        return time.perf_counter() - begun, stats
    finally:
        postgres.close()
        mysql.close()


SCENARIO = Scenario(run, full=(Size(5_000_000, 1), Size(10_000_000, 1)), quick=Size(3_000))

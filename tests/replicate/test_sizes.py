"""The largest tables are begun first."""

from __future__ import annotations

from framework import runner
from framework.databases.mysql.target import MySQLTarget
from framework.databases.postgres.source import PostgresSource
from framework.events import Event, StepStarted
from framework.plan import compile_plan
from framework.replicate.sizes import bytes_of
from framework.spec.models import Spec
from tests.services.databases import SourceDatabase, TargetDatabase

SPEC = {
    "version": 1,
    "pipeline": "sizes",
    "source": "s",
    "target": "t",
    "replicate": {"small": {}, "parted": {"from": "parts"}, "large": {}, "empty": {}},
}


def test_the_largest_tables_are_begun_first(source: SourceDatabase, target: TargetDatabase) -> None:
    for name, rows in (("empty", 0), ("small", 10), ("large", 20_000)):
        source.execute(f"CREATE TABLE {name} (id int PRIMARY KEY, note text)")
        source.execute(f"INSERT INTO {name} SELECT i, 'note' FROM generate_series(1, {rows}) AS i")
    source.execute("CREATE TABLE parts (id int PRIMARY KEY, note text) PARTITION BY RANGE (id)")
    source.execute("CREATE TABLE part_1 PARTITION OF parts FOR VALUES FROM (0) TO (1000)")
    source.execute("CREATE TABLE part_2 PARTITION OF parts FOR VALUES FROM (1000) TO (5001)")
    source.execute("INSERT INTO parts SELECT i, 'note' FROM generate_series(1, 5000) AS i")
    spec = Spec.model_validate(SPEC)
    started: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, StepStarted):
            started.append(event.step)

    reading, written = PostgresSource("s", source.url), MySQLTarget("t", target.url)
    try:
        sizes = bytes_of(reading, [spec.replicate_task(table) for table in spec.replicate])
        assert sizes["large"] > sizes["parted"] > sizes["small"] > sizes["empty"]
        runner.execute(compile_plan(spec), runner.Run(reading, written, "r", "run", listen), workers=1)
    finally:
        reading.close()
        written.close()
    assert started == ["replicate:large", "replicate:parted", "replicate:small", "replicate:empty"]

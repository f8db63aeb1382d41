"""Many small tables: what a table costs whatever it holds, against a script that sends the same DDL and rows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from benchmarks import facts, script
from benchmarks.child import measured
from benchmarks.result import Result
from benchmarks.rounds import alternately, closing
from benchmarks.scenario import Scenario, Size
from framework import runner
from framework.databases.mysql.target import MySQLTarget
from framework.databases.postgres.source import PostgresSource
from framework.plan import compile_plan
from framework.validation.validate import load_sound
from tests.services import Server
from tests.services.databases import SourceDatabase, TargetDatabase

ROWS = 1_000
THREADS = (2, 4)
AT_LEAST = 0.7
"""Of the script's speed."""

CONTENT = """
SELECT COUNT(*), SUM(CRC32(CONCAT_WS('|', id, customer_id, status, amount, is_paid, created_at, updated_at,
                                     IFNULL(CONCAT(LENGTH(note), ':', note), 'null')))) FROM {table}
"""


def run(source_server: Server, target_server: Server, amount: int, rounds: int) -> Iterator[Result]:
    """So many tables; each way fills a database that has none of them."""
    tables = [f"facts_{number}" for number in range(amount)]
    with closing(SourceDatabase(source_server)) as source, tempfile.TemporaryDirectory() as folder:
        create(source, tables)
        path = Path(folder) / "small.yaml"
        path.write_text(spec(tables))
        _require_equal(source, target_server, path, tables)
        ways = {
            "command": partial(_command, source, target_server, path),
            "engine": partial(_engine, source, target_server, path),
            **{f"{threads} threads": partial(_script, source, target_server, tables, threads) for threads in THREADS},
        }
        took = alternately(ways, rounds)
    best = tuple(map(min, *(took[f"{threads} threads"] for threads in THREADS)))
    what = f"{len(tables)} tables of {ROWS:,} rows"
    note = "with the start of Python"
    yield Result(f"{what}, `vitrina run`", took["command"], against="a script", theirs=best, note=note)
    yield Result(f"{what}, the engine", took["engine"], against="a script", theirs=best, at_least=AT_LEAST)


def create(source: SourceDatabase, tables: Sequence[str]) -> None:
    """Makes the tables: the facts' columns, and a key."""
    source.execute(facts.CREATE)
    source.execute(facts.FILL, ROWS)
    source.execute(f"ALTER TABLE {facts.TABLE} ADD PRIMARY KEY (id)")
    for table in tables:
        source.execute(f"CREATE TABLE {table} (LIKE {facts.TABLE} INCLUDING ALL)")
        source.execute(f"INSERT INTO {table} SELECT * FROM {facts.TABLE}")
    source.execute("VACUUM ANALYZE")


def spec(tables: Sequence[str], settings: str = "mode: full") -> str:
    """A spec that replicates the tables."""
    lines = ["version: 1\npipeline: bench\nsource: bench_source\ntarget: bench_target"]
    lines.append(f"defaults: {{replicate: {{{settings}}}}}\nreplicate:")
    return "\n".join([*lines, *(f"  {table}: {{indexes: [[customer_id]]}}" for table in tables)]) + "\n"


def command(source_url: str, target_url: str, path: Path) -> float:
    """The seconds of `vitrina run`, as a user starts it. Raises CalledProcessError if it failed."""
    urls = {"VITRINA_CONN_BENCH_SOURCE": source_url, "VITRINA_CONN_BENCH_TARGET": target_url}
    begun = time.perf_counter()
    order = [sys.executable, "-m", "framework", "run", str(path)]
    subprocess.run(order, env={**os.environ, **urls}, capture_output=True, check=True)
    return time.perf_counter() - begun


def engine(source_url: str, target_url: str, path: str) -> int:
    """Walks the spec's plan as the command does, without its start, its history and its progress; how many rows."""
    source, target = PostgresSource("bench_source", source_url), MySQLTarget("bench_target", target_url)
    run = runner.Run(source=source, target=target, run_id=runner.new_run_id(), command="run")
    try:
        done = runner.execute(compile_plan(load_sound(Path(path), connections_elsewhere=True)), run)
    finally:
        source.close()
        target.close()
    return sum(stats.rows_written for stats in done.values())


def _command(source: SourceDatabase, server: Server, path: Path) -> float:
    with closing(TargetDatabase(server)) as target:
        return command(source.url, target.url, path)


def _engine(source: SourceDatabase, server: Server, path: Path) -> float:
    with closing(TargetDatabase(server)) as target:
        return measured(engine, source_url=source.url, target_url=target.url, path=str(path)).seconds


def _script(source: SourceDatabase, server: Server, tables: Sequence[str], threads: int) -> float:
    with closing(TargetDatabase(server)) as target:
        arguments = {"source_url": source.url, "target_url": target.url, "tables": list(tables), "threads": threads}
        return measured(script.copy, **arguments).seconds


def _require_equal(source: SourceDatabase, server: Server, path: Path, tables: Sequence[str]) -> None:
    """Both ways once, uncounted: a script that does something else would prove nothing."""
    with closing(TargetDatabase(server)) as ours, closing(TargetDatabase(server)) as theirs:
        command(source.url, ours.url, path)
        script.copy(source.url, theirs.url, tables, threads=2)
        for table in tables:
            found = [(_definition(copy, table), copy.rows(CONTENT.format(table=table))) for copy in (ours, theirs)]
            if found[0] != found[1]:
                raise RuntimeError(f"the copies of {table} differ: {found}")


def _definition(copy: TargetDatabase, table: str) -> str:
    """Without what only one of them says: the comment, which is ours, and the index's name."""
    text = str(copy.rows(f"SHOW CREATE TABLE {table}")[0][1])
    return re.sub(r" COMMENT='.*'$|(?<=KEY )`\w+`(?= \()", "", text)


SCENARIO = Scenario(run, full=(Size(200, 3),), quick=Size(20), unit="tables")

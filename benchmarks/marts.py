"""Aggregates over the facts by `vitrina mart`, against the same tables written by hand in the mysql client."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks import facts, raw
from benchmarks.result import Result
from benchmarks.rounds import alternately, closing
from benchmarks.scenario import Scenario, Size
from tests.services import Server
from tests.services.databases import SourceDatabase, TargetDatabase

QUERIES = {
    "by_status": "SELECT status, is_paid, COUNT(*) AS n, SUM(amount) AS amount FROM facts GROUP BY status, is_paid",
    "by_day": "SELECT DATE(created_at) AS day, COUNT(*) AS n, SUM(amount) AS amount FROM facts GROUP BY 1",
    "by_customer": "SELECT customer_id, COUNT(*) AS n, SUM(amount) AS amount FROM facts GROUP BY customer_id",
}
INDEXES = {"by_status": "status", "by_day": "day", "by_customer": "customer_id"}


def run(source_server: Server, target_server: Server, rows: int, rounds: int) -> Iterator[Result]:
    """All marts anew in each round; both ways replace tables that are there, and must make the same rows."""
    with (
        closing(SourceDatabase(source_server)) as source,
        closing(TargetDatabase(target_server)) as target,
        tempfile.TemporaryDirectory() as folder,
    ):
        facts.create(source, rows)
        path = Path(folder) / "marts.yaml"
        path.write_text(_spec())
        urls = {"VITRINA_CONN_BENCH_SOURCE": source.url, "VITRINA_CONN_BENCH_TARGET": target.url}
        ours = partial(_vitrina, path, urls, "mart")
        _vitrina(path, urls, "replicate")
        ours()  # not counted, as the first by hand: both fill caches, and leave tables to be replaced
        _by_hand(target)
        _require_equal(target)
        took = alternately({"ours": ours, "hand": partial(_by_hand, target)}, rounds)
        what = f"{len(QUERIES)} marts of {rows:,} rows"
        note = "ours with the start of Python"
        yield Result(what, took["ours"], against="mysql, by hand", theirs=took["hand"], note=note)


def _spec() -> str:
    lines = ["version: 1\npipeline: bench\nsource: bench_source\ntarget: bench_target"]
    lines.append("replicate:\n  facts: {mode: full}\nmarts:")
    for name, query in QUERIES.items():
        lines.append(f"  {name}:\n    query: {query}\n    indexes: [[{INDEXES[name]}]]")
    return "\n".join(lines) + "\n"


def _vitrina(spec: Path, urls: dict[str, str], command: str) -> float:
    begun = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "framework", command, str(spec)],
        env={**os.environ, **urls},
        capture_output=True,
        check=True,
    )
    return time.perf_counter() - begun


def _by_hand(target: TargetDatabase) -> float:
    command, environ = raw.mysql_client(target)
    script = "".join(
        f"DROP TABLE IF EXISTS new_{name}, old_{name}; CREATE TABLE new_{name} AS {query};"
        f"ALTER TABLE new_{name} ADD INDEX ({INDEXES[name]}); CREATE TABLE IF NOT EXISTS hand_{name} LIKE new_{name};"
        f"RENAME TABLE hand_{name} TO old_{name}, new_{name} TO hand_{name}; DROP TABLE old_{name};\n"
        for name, query in QUERIES.items()
    )
    begun = time.perf_counter()
    subprocess.run(command, env=environ, input=script, text=True, check=True)
    return time.perf_counter() - begun


def _require_equal(target: TargetDatabase) -> None:
    for name in QUERIES:
        sums = [target.rows(f"SELECT COUNT(*), SUM(n), SUM(amount) FROM {table}") for table in (name, f"hand_{name}")]
        if sums[0] != sums[1]:
            raise RuntimeError(f"the marts {name} differ: {sums}")


SCENARIO = Scenario(run, full=(Size(1_000_000, 3),), quick=Size(5_000))

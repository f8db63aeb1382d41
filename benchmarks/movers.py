"""How others move the facts: dlt and sling, from the environment of `make bench-peers`, with the start of each."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from sqlalchemy.engine import make_url

from benchmarks import facts
from benchmarks.result import Result
from benchmarks.rounds import alternately, closing
from benchmarks.scenario import Scenario, Size
from benchmarks.vitrina import replicate
from tests.services import Server
from tests.services.databases import SourceDatabase, TargetDatabase

PEERS = Path(os.environ.get("VITRINA_BENCH_PEERS", ".venv/peers"))
MINIMAL_RATIO = 10

Command = Callable[[SourceDatabase, TargetDatabase, str], list[str]]


def run(source_server: Server, target_server: Server, rows: int, rounds: int) -> Iterator[Result]:
    """Each peer that is installed, side by side with ours; rows are counted, types are not compared."""
    with closing(SourceDatabase(source_server)) as source:
        facts.create(source, rows)
        for name, command in (("dlt", _dlt), ("sling", _sling)):
            if not (PEERS / "bin" / name).exists():
                print(f"{name}: left out, `make bench-peers` installs it")
                continue
            ways = {
                "ours": partial(_ours, source, target_server),
                name: partial(_theirs, source, target_server, rows, command),
            }
            took = alternately(ways, rounds)
            yield Result(
                f"load of {rows:,} facts", took["ours"], against=name, theirs=took[name], at_least=MINIMAL_RATIO
            )


def _ours(source: SourceDatabase, server: Server) -> float:
    with closing(TargetDatabase(server)) as target:
        return replicate(source.url, target.url).seconds


def _theirs(source: SourceDatabase, server: Server, rows: int, command: Command) -> float:
    with closing(TargetDatabase(server)) as target, tempfile.TemporaryDirectory() as folder:
        environ = {
            **os.environ,
            "HOME": folder,
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "SLING_DISABLE_TELEMETRY": "true",
            "SLING_THREADS": str(os.cpu_count()),
            "BENCH_SOURCE": _plain(source.url) + "?sslmode=disable",
            "BENCH_TARGET": _plain(target.url),
        }
        begun = time.perf_counter()
        subprocess.run(command(source, target, folder), env=environ, capture_output=True, check=True)
        seconds = time.perf_counter() - begun
        if (found := target.rows("SELECT COUNT(*) FROM facts")[0][0]) != rows:
            raise RuntimeError(f"{found} of {rows} rows have arrived")
        return seconds


def _dlt(source: SourceDatabase, target: TargetDatabase, folder: str) -> list[str]:
    job = str(Path(__file__).with_name("dlt_job.py"))
    return [str(PEERS / "bin" / "python"), job, source.url, target.url, folder]


def _sling(_: SourceDatabase, target: TargetDatabase, __: str) -> list[str]:
    options = ["--src-conn", "BENCH_SOURCE", "--src-stream", "public.facts", "--tgt-conn", "BENCH_TARGET"]
    options += ["--tgt-object", f"{target.name}.facts", "--mode", "full-refresh", "--primary-key", "id"]
    return [str(PEERS / "bin" / "sling"), "run", *options, "--tgt-options", "{use_bulk: true}"]


def _plain(url: str) -> str:
    parsed = make_url(url)
    return parsed.set(drivername=parsed.get_backend_name()).render_as_string(hide_password=False)


SCENARIO = Scenario(run, full=(Size(1_000_000, 3),), quick=Size(5_000), foreign=True)

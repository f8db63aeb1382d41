"""What is waited for however little there is to do: help, a spec that is checked, a run that finds nothing new."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from benchmarks import small
from benchmarks.parse import spec
from benchmarks.result import Result
from benchmarks.rounds import alternately, closing
from benchmarks.scenario import Scenario, Size
from tests.services import Server
from tests.services.databases import SourceDatabase, TargetDatabase

TABLES = 10
MOST_SECONDS = {"--help": 0.3, "validate one spec": 0.7, f"an empty increment of {TABLES} tables": 2.0}


def run(source_server: Server, target_server: Server, rows: int, rounds: int) -> Iterator[Result]:  # noqa: ARG001
    """Seconds and CPU seconds of each, with the start of Python; the number of rows does not matter."""
    with (
        closing(SourceDatabase(source_server)) as source,
        closing(TargetDatabase(target_server)) as target,
        tempfile.TemporaryDirectory() as folder,
    ):
        tables = [f"facts_{number}" for number in range(TABLES)]
        small.create(source, tables)
        copied, checked = Path(folder) / "empty.yaml", Path(folder) / "checked.yaml"
        copied.write_text(small.spec(tables, "mode: incremental, cursor: updated_at"))
        checked.write_text(spec("checked"))
        small.command(source.url, target.url, copied)
        urls = {"VITRINA_CONN_BENCH_SOURCE": source.url, "VITRINA_CONN_BENCH_TARGET": target.url}
        orders = (["--help"], ["validate", str(checked)], ["run", str(copied)])
        ways = {what: partial(_seconds, order, urls) for what, order in zip(MOST_SECONDS, orders, strict=True)}
        for way in ways.values():
            way()  # writes what Python keeps of modules it has compiled
        took = alternately(ways, rounds)
    for what, most in MOST_SECONDS.items():
        yield Result(what, tuple(wall for wall, _ in took[what]), at_most=most)
        yield Result(f"{what}, CPU", tuple(cpu for _, cpu in took[what]))


def _seconds(order: Sequence[str], urls: Mapping[str, str]) -> tuple[float, float]:
    """Of the command and all it starts: until its end, and of the CPU. Raises CalledProcessError if it failed."""
    before, begun = _spent(), time.perf_counter()
    command = [sys.executable, "-m", "framework", *order]
    subprocess.run(command, env={**os.environ, **urls}, capture_output=True, check=True)
    return time.perf_counter() - begun, _spent() - before


def _spent() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


SCENARIO = Scenario(run, full=(Size(TABLES, 15),), quick=Size(TABLES), unit="tables")  # quick to do, and noisy

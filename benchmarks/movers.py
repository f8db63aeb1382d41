"""How others move the facts: dlt and sling with their best settings, from the environment of `make bench-peers`.

Of each only the work counts: ours and dlt's without the start of Python, sling's as a whole, since it starts at once.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy.engine import make_url

from benchmarks import facts, foreign
from benchmarks.load import CONTENT
from benchmarks.result import Result
from benchmarks.rounds import alternately, closing
from benchmarks.scenario import Scenario, Size
from benchmarks.vitrina import replicate
from tests.services import Server
from tests.services.databases import SourceDatabase, TargetDatabase

AT_LEAST = 10
"""Times as fast."""


@dataclass(frozen=True)
class Mover:
    """Another way to move the table.

    Attributes:
        package: tells whether it is installed, and its version.
        command: what is run, given the source, the target and an empty folder.
        is_paid: the copy's boolean as 0 or 1; for the rest, its rows are compared with ours as they are.
        tells: whether it prints the seconds of its work at last.
    """

    name: str
    package: str
    command: Callable[[SourceDatabase, TargetDatabase, str], list[str]]
    is_paid: str = "is_paid"
    tells: bool = False


def run(source_server: Server, target_server: Server, rows: int, rounds: int) -> Iterator[Result]:
    """Each that is installed, side by side with ours; the copies must hold the same rows, types are not compared."""
    with closing(SourceDatabase(source_server)) as source:
        facts.create(source, rows)
        content = _content(source, target_server)
        for mover in MOVERS:
            version = foreign.version(mover.package)
            if version is None:
                print(f"{mover.name}: left out, `make bench-peers` installs it")
                continue
            ways = {
                "ours": partial(_ours, source, target_server),
                "theirs": partial(_theirs, source, target_server, mover, content),
            }
            took = alternately(ways, rounds)
            yield Result(
                f"load of {rows:,} facts",
                took["ours"],
                against=f"{mover.name} {version}",
                theirs=took["theirs"],
                at_least=AT_LEAST,
            )


def _content(source: SourceDatabase, server: Server) -> tuple[object, ...]:
    with closing(TargetDatabase(server)) as target:
        replicate(source.url, target.url)
        return target.rows(CONTENT)[0]


def _ours(source: SourceDatabase, server: Server) -> float:
    with closing(TargetDatabase(server)) as target:
        return replicate(source.url, target.url).seconds


def _theirs(source: SourceDatabase, server: Server, mover: Mover, content: tuple[object, ...]) -> float:
    with closing(TargetDatabase(server)) as target, tempfile.TemporaryDirectory() as folder:
        environ = {
            **os.environ,
            "HOME": folder,
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "SLING_DISABLE_TELEMETRY": "true",
            "SLING_THREADS": str(os.cpu_count()),
            "SLING_DIRECT_INSERT": "true",
            "BENCH_SOURCE": _plain(source.url) + "?sslmode=disable",
            "BENCH_TARGET": _plain(target.url),
        }
        begun = time.perf_counter()
        command = mover.command(source, target, folder)
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
        seconds = float(done.stdout.split()[-1]) if mover.tells else time.perf_counter() - begun
        if (found := target.rows(CONTENT.replace("is_paid", mover.is_paid))[0]) != content:
            raise RuntimeError(f"{mover.name} made other rows: (rows, checksum) {found} instead of {content}")
        return seconds


def _dlt(source: SourceDatabase, target: TargetDatabase, folder: str) -> list[str]:
    job = str(Path(__file__).with_name("dlt_job.py"))
    return [foreign.program("python"), job, source.url, target.url, folder]


def _sling(_: SourceDatabase, target: TargetDatabase, __: str) -> list[str]:
    # Its other way, LOAD DATA (`allow_bulk_import`), drops the first row of a table, notices that, and gives up.
    (binary,) = foreign.ROOT.glob("lib/python3*/site-packages/sling_*/bin/sling-*")
    options = ["--src-conn", "BENCH_SOURCE", "--src-stream", "public.facts", "--tgt-conn", "BENCH_TARGET"]
    options += ["--tgt-object", f"{target.name}.facts", "--mode", "full-refresh", "--primary-key", "id"]
    return [str(binary), "run", *options, "--tgt-options", "{use_bulk: true}"]


def _plain(url: str) -> str:
    parsed = make_url(url)
    return parsed.set(drivername=parsed.get_backend_name()).render_as_string(hide_password=False)


MOVERS = (
    Mover("dlt", "dlt", _dlt, tells=True),
    Mover("sling", "sling-linux-amd64", _sling, is_paid="(is_paid = 'true')"),
)
SCENARIO = Scenario(run, full=(Size(1_000_000, 3),), quick=Size(5_000), foreign=True)

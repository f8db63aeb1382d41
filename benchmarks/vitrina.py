"""One full load by Vitrina, in a process of its own so that its memory can be told from the benchmark's.

Started by `start`, as `python -m benchmarks.vitrina` with the two URLs and the settings as JSON on stdin.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass

from benchmarks.child import peak_memory
from benchmarks.facts import TABLE
from framework.databases.mysql.target import MySQLTarget
from framework.databases.postgres.source import PostgresSource
from framework.events import Reporter
from framework.replicate.engine import replicate as run
from framework.replicate.options import Options
from framework.spec.replication import Deletes, ReplicateTask

TASK = ReplicateTask(
    table=TABLE, source_table=TABLE, source_schema="public", mode="full", lookback="10s", deletes=Deletes()
)


@dataclass(frozen=True)
class Measured:
    """What one load took. `seconds` is the engine's work, without the start of Python; `peak_memory` is in bytes."""

    rows: int
    seconds: float
    peak_memory: int


def replicate(source_url: str, target_url: str, **settings: object) -> Measured:
    """Loads the table into a database that has none yet. Raises CalledProcessError if that failed."""
    return finished(start(source_url, target_url, **settings))


def start(source_url: str, target_url: str, **settings: object) -> subprocess.Popen[str]:
    """Begins to load; ``settings`` are of the table."""
    child = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.vitrina"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdin is not None
    child.stdin.write(json.dumps([source_url, target_url, settings]))
    child.stdin.close()
    child.stdin = None
    return child


def finished(child: subprocess.Popen[str]) -> Measured:
    """What a load has measured. Raises CalledProcessError if it failed."""
    said, _ = child.communicate()
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, child.args)
    return Measured(**json.loads(said))


def _main() -> None:
    source_url, target_url, settings = json.load(sys.stdin)
    source, target = PostgresSource("source", source_url), MySQLTarget("target", target_url)
    task = TASK.model_copy(update=settings)
    begun = time.perf_counter()
    stats = run(source, target, task, Options(run_id="bench"), Reporter(TABLE))
    seconds = time.perf_counter() - begun
    source.close()
    target.close()
    print(json.dumps(asdict(Measured(stats.rows_written, seconds, peak_memory()))))


if __name__ == "__main__":
    _main()

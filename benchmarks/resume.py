"""The run after a full load that was killed at three quarters, against a load from the start."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks import facts
from benchmarks.load import CONTENT, require_content
from benchmarks.result import Result
from benchmarks.rounds import closing
from benchmarks.scenario import Scenario, Size
from benchmarks.vitrina import replicate, start
from tests.services import Server
from tests.services.databases import SourceDatabase, TargetDatabase

PARTS, KILLED_AFTER = 8, 6
ATTEMPTS = 20
"""A short load may be done before it can be killed."""
NOTED = "SELECT COUNT(*) FROM _vitrina_parts WHERE part LIKE 'load %'"

CHANGES = {
    "source at rest": "SELECT 1",
    "1 % changed": "UPDATE facts SET note = concat(note, '!') WHERE id % 100 = 0",
}


def run(source_server: Server, target_server: Server, rows: int, rounds: int) -> Iterator[Result]:
    """With the source at rest meanwhile, and with a source that has changed; both ways must end with the same rows."""
    with closing(SourceDatabase(source_server)) as source:
        facts.create(source, rows)
        for what, change in CHANGES.items():
            pairs = [_pair(source, target_server, rows, change) for _ in range(rounds)]
            ours, theirs = zip(*pairs, strict=True)
            note = f"killed after {KILLED_AFTER} of {PARTS} parts"
            yield Result(f"the rest of a load, {what}", ours, against="a load anew", theirs=theirs, note=note)


def _pair(source: SourceDatabase, server: Server, rows: int, change: str) -> tuple[float, float]:
    chunk_rows = -(-rows // PARTS)
    with _killed(source, server, chunk_rows) as target:
        source.execute(change)
        rest = replicate(source.url, target.url, chunk_rows=chunk_rows)
        content = target.rows(CONTENT)[0]
    with closing(TargetDatabase(server)) as target:
        anew = replicate(source.url, target.url, chunk_rows=chunk_rows)
        require_content(target, content)
    return rest.seconds, anew.seconds


@contextmanager
def _killed(source: SourceDatabase, server: Server, chunk_rows: int) -> Iterator[TargetDatabase]:
    """A target whose load was killed after some parts. Raises RuntimeError if each load was done too soon."""
    for _ in range(ATTEMPTS):
        with closing(TargetDatabase(server)) as target:
            if _kill(source, target, chunk_rows):
                target.execute("UPDATE _vitrina_leases SET expires_at = '2001-01-01'")
                yield target
                return
    raise RuntimeError("each load was done before it could be killed")


def _kill(source: SourceDatabase, target: TargetDatabase, chunk_rows: int) -> bool:
    child = start(source.url, target.url, chunk_rows=chunk_rows)
    while child.poll() is None:
        if target.rows("SHOW TABLES LIKE '\\_vitrina\\_parts'") and target.rows(NOTED)[0][0] >= KILLED_AFTER:
            child.kill()
            break
        time.sleep(0.005)
    child.communicate()
    if child.returncode not in (0, -signal.SIGKILL):
        raise RuntimeError(f"the load failed before it could be killed: exit code {child.returncode}")
    return bool(target.rows("SHOW TABLES LIKE '%facts%'")) and not target.rows("SHOW TABLES LIKE 'facts'")


SCENARIO = Scenario(run, full=(Size(1_000_000, 2),), quick=Size(50_000))

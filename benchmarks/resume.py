"""A full load that is killed at three quarters, and the run that goes on with it, against a load without any harm."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from benchmarks import facts
from benchmarks.load import CONTENT, closing, require_content
from benchmarks.vitrina import replicate, start
from tests.services import Server
from tests.services.databases import SourceDatabase, TargetDatabase

PARTS, KILLED_AFTER = 8, 6
NOTED = "SELECT COUNT(*) FROM _vitrina_parts WHERE part LIKE 'load %'"

WAYS = {
    "the source at rest": "SELECT 1",
    "1 % of the rows changed": "UPDATE facts SET note = concat(note, '!') WHERE id % 100 = 0",
}


def run(source_server: Server, target_server: Server, rows: int, rounds: int) -> None:
    """Measures and prints."""
    ratios: dict[str, list[float]] = {way: [] for way in WAYS}
    chunk_rows = -(-rows // PARTS)
    with closing(SourceDatabase(source_server)) as source:
        facts.create(source, rows)
        for number in range(1, rounds + 1):
            print(f"round {number}")
            for way, change in WAYS.items():
                with _killed(source, target_server, chunk_rows) as (target, kept):
                    source.execute(change)
                    resumed = replicate(source.url, target.url, chunk_rows=chunk_rows)
                    content = target.rows(CONTENT)[0]
                with closing(TargetDatabase(target_server)) as target:
                    fresh = replicate(source.url, target.url, chunk_rows=chunk_rows)
                    require_content(target, content)
                ratios[way].append(resumed.seconds / fresh.seconds)
                told = f"{kept} of {PARTS} parts were there, {resumed.rows:,} rows written"
                print(f"  {way:<24} resumed {resumed.seconds:.2f} s, anew {fresh.seconds:.2f} s; {told}")
    for way, found in ratios.items():
        print(f"{way}: {median(found):.2f} of a new load, median of {rounds}")


@contextmanager
def _killed(source: SourceDatabase, server: Server, chunk_rows: int) -> Iterator[tuple[TargetDatabase, int]]:
    """A target whose load was killed, and how many parts it had noted."""
    with closing(TargetDatabase(server)) as target:
        child = start(source.url, target.url, chunk_rows=chunk_rows)
        while not target.rows("SHOW TABLES LIKE '\\_vitrina\\_parts'") or target.rows(NOTED)[0][0] < KILLED_AFTER:
            if child.poll() is not None:
                raise RuntimeError("the load was done before it could be killed")
            time.sleep(0.01)
        child.kill()
        child.communicate()
        target.execute("UPDATE _vitrina_leases SET expires_at = '2001-01-01'")
        yield target, target.rows(NOTED)[0][0]

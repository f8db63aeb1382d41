"""A full load that is killed at three quarters, and the run that goes on with it, against a load without any harm."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from statistics import median

from benchmarks import facts
from benchmarks.load import CONTENT, closing, require_content
from benchmarks.vitrina import Measured, replicate, start
from tests.services import Server
from tests.services.databases import SourceDatabase, TargetDatabase

PARTS, KILLED_AFTER = 8, 6
CURSOR = {"mode": "incremental", "cursor": "updated_at"}
NOTED = "SELECT COUNT(*) FROM _vitrina_parts WHERE part LIKE 'load %'"

WAYS: Mapping[str, Mapping[str, object]] = {"caught up by its cursor": CURSOR, "compared": {}}


def run(source_server: Server, target_server: Server, rows: int, rounds: int) -> None:
    """Measures and prints."""
    ratios: dict[str, list[float]] = {way: [] for way in WAYS}
    with closing(SourceDatabase(source_server)) as source:
        facts.create(source, rows)
        chunk_rows = -(-rows // PARTS)
        for number in range(1, rounds + 1):
            with closing(TargetDatabase(target_server)) as target:
                fresh = replicate(source.url, target.url, chunk_rows=chunk_rows)
                content = target.rows(CONTENT)[0]
            print(f"round {number}\n  fresh                    {fresh.seconds:6.2f} s")
            for way, settings in WAYS.items():
                with _killed(source, target_server, {"chunk_rows": chunk_rows, **settings}) as (target, kept):
                    resumed = replicate(source.url, target.url, chunk_rows=chunk_rows, **settings)
                    require_content(target, content)
                ratios[way].append(resumed.seconds / fresh.seconds)
                _print(way, resumed, kept)
    for way, found in ratios.items():
        print(f"{way}: {median(found):.2f} of a fresh load, median of {rounds}")


@contextmanager
def _killed(
    source: SourceDatabase, server: Server, settings: Mapping[str, object]
) -> Iterator[tuple[TargetDatabase, int]]:
    """A target whose load was killed, and how many parts it had noted."""
    with closing(TargetDatabase(server)) as target:
        child = start(source.url, target.url, **settings)
        while not target.rows("SHOW TABLES LIKE '\\_vitrina\\_parts'") or target.rows(NOTED)[0][0] < KILLED_AFTER:
            if child.poll() is not None:
                raise RuntimeError("the load was done before it could be killed")
            time.sleep(0.01)
        child.kill()
        child.communicate()
        target.execute("UPDATE _vitrina_leases SET expires_at = '2001-01-01'")
        yield target, target.rows(NOTED)[0][0]


def _print(way: str, resumed: Measured, kept: int) -> None:
    print(f"  {way:<24} {resumed.seconds:6.2f} s, {kept} of {PARTS} parts kept, {resumed.rows:,} rows written")

"""Loading the facts and verifying them, against the raw pipe; copies that are equal, and with one row that differs."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import facts, raw
from benchmarks.result import Result
from benchmarks.rounds import closing
from benchmarks.scenario import Scenario, Size
from benchmarks.vitrina import TASK, replicate
from framework.databases.mysql.target import MySQLTarget
from framework.databases.postgres.source import PostgresSource
from framework.events import Reporter
from framework.verify.table import verify
from framework.verify.verdict import Kind, Verdict
from tests.services import Server
from tests.services.databases import SourceDatabase, TargetDatabase

STREAMS = 2
"""The quickest raw pipe on two cores."""
AT_LEAST = 0.6
"""Of the raw pipe's speed, by a load and its verification."""
TIMES = 2
"""As fast as the load."""
MOST_FETCHED = 1
"""Per cent of the rows, where one row differs."""


def run(source_server: Server, target_server: Server, rows: int, rounds: int) -> Iterator[Result]:
    """Verifies each round's load twice: as it is, and with one row changed."""
    rounds_of: list[tuple[float, float, float, float]] = []
    with closing(SourceDatabase(source_server)) as source:
        facts.create(source, rows)
        for _ in range(rounds):
            with closing(TargetDatabase(target_server)) as target:
                loaded = replicate(source.url, target.url)
                equal = _verify(source, target)
                definition = str(target.rows(f"SHOW CREATE TABLE {facts.TABLE}")[0][1])
                target.execute(f"UPDATE {facts.TABLE} SET note = 'x' WHERE id = {rows // 3}")
                different = _verify(source, target)
            if not equal.is_equal or different.counts != {Kind.DIFFERENT: 1}:
                raise RuntimeError(f"verification is wrong: {equal}, {different}")
            with closing(TargetDatabase(target_server)) as target:
                target.execute(definition)
                piped = raw.load(source, target, rows, STREAMS)
            rounds_of.append((loaded.seconds, equal.seconds, piped, 100 * different.fetched / rows))
    load, verification, pipe, fetched = zip(*rounds_of, strict=True)
    both = tuple(map(sum, zip(load, verification, strict=True)))
    against = f"raw pipe, {STREAMS} streams"
    yield Result(f"load and verify {rows:,} rows", both, against=against, theirs=pipe, at_least=AT_LEAST)
    yield Result("its verification", verification, against="its load", theirs=load, at_least=TIMES)
    yield Result("rows fetched for one difference", fetched, "%", at_most=MOST_FETCHED)


def _verify(source: SourceDatabase, target: TargetDatabase) -> Verdict:
    postgres, mysql = PostgresSource("source", source.url), MySQLTarget("target", target.url)
    try:
        return verify(postgres, mysql, TASK, Reporter(facts.TABLE))
    finally:
        postgres.close()
        mysql.close()


SCENARIO = Scenario(run, full=(Size(1_000_000, 3),), quick=Size(5_000))

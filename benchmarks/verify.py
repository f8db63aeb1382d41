"""Verifying the facts, against loading them: equal copies, and copies with one row that differs."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import facts
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

AT_LEAST = 2.0
"""Times as fast as the load."""

MOST_FETCHED = 1.0
"""Percent of the rows that are fetched for one difference."""


def run(source_server: Server, target_server: Server, rows: int, rounds: int) -> Iterator[Result]:
    """Each round loads, verifies, changes one row of the copy, and verifies again."""
    loads, equals, differents, shares = [], [], [], []
    with closing(SourceDatabase(source_server)) as source:
        facts.create(source, rows)
        for _ in range(rounds):
            with closing(TargetDatabase(target_server)) as target:
                loads.append(replicate(source.url, target.url).seconds)
                equal = _verify(source, target)
                target.execute(f"UPDATE {facts.TABLE} SET note = 'x' WHERE id = {rows // 3}")
                different = _verify(source, target)
            if not equal.is_equal or different.counts != {Kind.DIFFERENT: 1}:
                raise RuntimeError(f"verification is wrong: {equal}, {different}")
            equals.append(equal.seconds)
            differents.append(different.seconds)
            shares.append(100 * different.fetched / rows)
    load, against = tuple(loads), "the full load"
    yield Result(f"{rows:,} equal rows", tuple(equals), against=against, theirs=load, at_least=AT_LEAST)
    yield Result(f"{rows:,} rows, one differs", tuple(differents), against=against, theirs=load)
    yield Result("rows fetched for one that differs", tuple(shares), unit="%", at_most=MOST_FETCHED)


def _verify(source: SourceDatabase, target: TargetDatabase) -> Verdict:
    postgres, mysql = PostgresSource("source", source.url), MySQLTarget("target", target.url)
    try:
        return verify(postgres, mysql, TASK, Reporter(facts.TABLE))
    finally:
        postgres.close()
        mysql.close()


SCENARIO = Scenario(run, full=(Size(1_000_000, 3),), quick=Size(5_000))

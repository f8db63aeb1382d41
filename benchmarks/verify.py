"""Verifying the facts, against loading them: equal copies, and copies with one row that differs."""

from __future__ import annotations

from statistics import median

from benchmarks import facts
from benchmarks.load import closing
from benchmarks.scenario import Scenario, Size
from benchmarks.vitrina import TASK, replicate
from framework.databases.mysql.target import MySQLTarget
from framework.databases.postgres.source import PostgresSource
from framework.events import Reporter
from framework.verify.table import verify
from framework.verify.verdict import Kind, Verdict
from tests.services import Server
from tests.services.databases import SourceDatabase, TargetDatabase

MAXIMAL_RATIO = 0.5
MAXIMAL_FETCHED = 0.01


def run(source_server: Server, target_server: Server, rows: int, rounds: int) -> None:
    """Measures and prints."""
    ratios, shares = [], []
    with closing(SourceDatabase(source_server)) as source:
        facts.create(source, rows)
        for number in range(1, rounds + 1):
            with closing(TargetDatabase(target_server)) as target:
                loaded = replicate(source.url, target.url)
                equal = _verify(source, target)
                target.execute(f"UPDATE {facts.TABLE} SET note = 'x' WHERE id = {rows // 3}")
                different = _verify(source, target)
            if not equal.is_equal or different.counts != {Kind.DIFFERENT: 1}:
                raise RuntimeError(f"verification is wrong: {equal}, {different}")
            ratios.append(equal.seconds / loaded.seconds)
            shares.append(different.fetched / rows)
            print(
                f"round {number}: load {loaded.seconds:.2f} s, verify {equal.seconds:.2f} s, "
                f"with one difference {different.seconds:.2f} s and {different.fetched:,} rows fetched"
            )
    ratio, share = median(ratios), max(shares)
    print(f"verify / load, median of {rounds}: {ratio:.2f}; rows fetched for one difference: {share:.2%}")
    if rows >= 1_000_000:
        held = ratio <= MAXIMAL_RATIO and share < MAXIMAL_FETCHED
        bounds = f"at most {MAXIMAL_RATIO} of the load, under {MAXIMAL_FETCHED:.0%} of the rows"
        print(f"required: {bounds}: {'holds' if held else 'DOES NOT HOLD'}")


def _verify(source: SourceDatabase, target: TargetDatabase) -> Verdict:
    postgres, mysql = PostgresSource("source", source.url), MySQLTarget("target", target.url)
    try:
        return verify(postgres, mysql, TASK, Reporter(facts.TABLE))
    finally:
        postgres.close()
        mysql.close()


SCENARIO = Scenario(run, full=(Size(1_000_000, 3),), quick=Size(5_000))

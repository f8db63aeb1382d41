"""A full load of the facts, against the raw pipe with one, two and four streams; and against a load of a tenth."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from benchmarks import facts, raw
from benchmarks.piped import OURS, Content, Piped, against_the_best, require
from benchmarks.result import Result
from benchmarks.rounds import alternately, closing
from benchmarks.scenario import Scenario, Size
from benchmarks.vitrina import Measured, replicate
from tests.services import Server
from tests.services.databases import SourceDatabase, TargetDatabase

MOST_MEMORY = 200
"""MB."""
MOST_GROWTH = 1.15
"""How much dearer a row may be than in a load of a tenth."""
LARGE = 10_000_000
"""Rows from which that is required: below, what a load costs whatever it moves tells, too."""

# Every value of every row, each preceded by its length so that neighbours cannot trade characters.
CONTENT = f"""
SELECT COUNT(*), SUM(CRC32(CONCAT_WS('|', id, customer_id, status, amount, is_paid, created_at, updated_at,
                                     IFNULL(CONCAT(LENGTH(note), ':', note), 'null'))))
FROM {facts.TABLE}
"""


def run(source_server: Server, target_server: Server, rows: int, rounds: int) -> Iterator[Result]:
    """Every way into a database of its own, which must hold the same rows in the end."""
    with closing(SourceDatabase(source_server)) as source, closing(SourceDatabase(source_server)) as tenth:
        facts.create(source, rows)
        facts.create(tenth, rows // 10)
        piped = Piped(source, target_server, facts.TABLE, raw.SELECT, CONTENT)
        ways = piped.ways() | {"tenth": partial(_load, tenth, target_server)}
        took = alternately(ways, rounds)
    what = f"load of {rows:,} rows"
    yield against_the_best(what, took)
    ours, theirs = (tuple(each.rows / each.seconds for each in took[way]) for way in (OURS, "tenth"))
    least = 1 / MOST_GROWTH if rows >= LARGE else None
    yield Result(f"{what}, each", ours, "rows/s", against=f"{rows // 10:,} rows", theirs=theirs, at_least=least)
    memory = tuple(each.peak_memory / 10**6 for each in took[OURS])
    yield Result(f"{what}, peak memory", memory, "MB", at_most=MOST_MEMORY)


def require_content(target: TargetDatabase, content: Content) -> None:
    """Of the facts; see `require`."""
    require(target, CONTENT, content)


def _load(source: SourceDatabase, server: Server) -> Measured:
    with closing(TargetDatabase(server)) as target:
        return replicate(source.url, target.url)


SCENARIO = Scenario(run, full=(Size(1_000_000, 3), Size(LARGE, 1)), quick=Size(10_000))

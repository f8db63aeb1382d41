"""A full load of the facts, against the raw pipe with one, two and four streams; and against a load of a tenth."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from statistics import median

from benchmarks import facts, raw
from benchmarks.result import Result
from benchmarks.rounds import alternately, closing
from benchmarks.scenario import Scenario, Size
from benchmarks.vitrina import Measured, replicate
from tests.services import Server
from tests.services.databases import SourceDatabase, TargetDatabase

AT_LEAST = 0.95
"""Of the raw pipe's speed."""
MOST_MEMORY = 200
"""MB."""
MOST_GROWTH = 1.15
"""How much dearer a row may be than in a load of a tenth."""
LARGE = 10_000_000
"""Rows from which that is required: below, what a load costs whatever it moves tells, too."""
STREAMS = (1, 2, 4)

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
        definition, content = _warm_up(source, target_server)
        piped = partial(_pipe, source, target_server, definition, content)
        pipes = {f"{streams} stream{'s' * (streams > 1)}": partial(piped, streams) for streams in STREAMS}
        ways = {
            **pipes,
            "ours": partial(_load, source, target_server, content),
            "tenth": partial(_load, tenth, target_server),
        }
        took = alternately(ways, rounds)
    seconds = {way: tuple(each.seconds for each in found) for way, found in took.items()}
    best = min(pipes, key=lambda way: median(seconds[way]))
    what = f"load of {rows:,} rows"
    note = ", ".join(f"{way} {median(seconds[way]):.3g} s" for way in pipes)
    against = f"raw pipe, {best}"
    yield Result(what, seconds["ours"], against=against, theirs=seconds[best], at_least=AT_LEAST, note=note)
    ours, theirs = (tuple(each.rows / each.seconds for each in took[way]) for way in ("ours", "tenth"))
    least = 1 / MOST_GROWTH if rows >= LARGE else None
    yield Result(f"{what}, each", ours, "rows/s", against=f"{rows // 10:,} rows", theirs=theirs, at_least=least)
    memory = tuple(each.peak_memory / 10**6 for each in took["ours"])
    yield Result(f"{what}, peak memory", memory, "MB", at_most=MOST_MEMORY)


def require_content(target: TargetDatabase, content: tuple[object, ...]) -> None:
    """A fast load of something else would prove nothing."""
    if (found := target.rows(CONTENT)[0]) != content:
        raise RuntimeError(f"the copies differ: (rows, checksum) {found} instead of {content}")


def _warm_up(source: SourceDatabase, server: Server) -> tuple[str, tuple[object, ...]]:
    """One uncounted load: it fills the caches, and gives the table and the content that the raw pipe has to match."""
    with closing(TargetDatabase(server)) as target:
        replicate(source.url, target.url)
        return str(target.rows(f"SHOW CREATE TABLE {facts.TABLE}")[0][1]), target.rows(CONTENT)[0]


def _load(source: SourceDatabase, server: Server, content: tuple[object, ...] | None = None) -> Measured:
    with closing(TargetDatabase(server)) as target:
        took = replicate(source.url, target.url)
        if content is not None:
            require_content(target, content)
        return took


def _pipe(
    source: SourceDatabase, server: Server, definition: str, content: tuple[object, ...], streams: int
) -> Measured:
    with closing(TargetDatabase(server)) as target:
        target.execute(definition)
        rows = int(str(content[0]))
        seconds = raw.load(source, target, rows, streams)
        require_content(target, content)
        return Measured(rows, seconds, peak_memory=0)


SCENARIO = Scenario(run, full=(Size(1_000_000, 3), Size(LARGE, 1)), quick=Size(10_000))

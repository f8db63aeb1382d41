"""Filling two tables, against prepared rows by binary COPY to the same end, and against other generators."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks import peers, prepared, shop
from benchmarks.child import Measured, measured
from benchmarks.load import closing
from benchmarks.scenario import Scenario, Size
from framework.databases.postgres.source import PostgresSource
from framework.events import Reporter
from framework.generate import drawn
from framework.generate.filling import fill
from tests.services import Server
from tests.services.databases import SourceDatabase

MINIMAL_RATIO = 0.9
MAXIMAL_MEMORY = 200 * 10**6
TIMES = {"faker": 30, "mimesis": 8, "snowfakery": 150}
"""How much faster than each peer a row has to be."""
PEER_ORDERS = {"faker": 20_000, "mimesis": 50_000, "snowfakery": 2_000}

# Keys and indexes by their definitions, and every row by a checksum that does not depend on their order.
END = """
SELECT 'constraint', conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid IN ('customers'::regclass, 'orders'::regclass)
UNION ALL SELECT 'index', tablename, indexdef FROM pg_indexes WHERE tablename IN ('customers', 'orders')
UNION ALL SELECT 'rows', 'customers', count(*) || ' ' || sum(hashtextextended(t::text, 0)) FROM customers AS t
UNION ALL SELECT 'rows', 'orders', count(*) || ' ' || sum(hashtextextended(t::text, 0)) FROM orders AS t
ORDER BY 1, 2, 3
"""


@dataclass
class Results:
    """What every round took."""

    ours: list[Measured] = field(default_factory=list)
    limit: list[Measured] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """The speed of ours as a part of the limit's: the median of the rounds' ratios."""
        return median(limit.seconds / ours.seconds for ours, limit in zip(self.ours, self.limit, strict=True))

    @property
    def peak_memory(self) -> int:
        return max(measured.peak_memory for measured in self.ours)


def run_ours(url: str, orders: int, lock: str | None = None) -> int:
    """One fill by Vitrina; with a lock file, as committed specs have one, nothing is drawn from Faker."""
    source = PostgresSource("source", url, may_generate=True)
    pools = drawn.Pools.of(Path(lock) if lock else None)
    stats = fill(source, shop.task(orders), Reporter("generate"), pools=pools)
    if lock and not pools.locked:
        drawn.write(Path(lock), pools)
    source.close()
    return stats.rows_written


def run(server: Server, orders: int, rounds: int) -> None:
    """Measures and prints."""
    results = Results()
    with tempfile.TemporaryDirectory() as folder:
        with closing(SourceDatabase(server)) as database:  # not counted: it fills caches, and makes what is prepared
            unlocked = measured(run_ours, url=database.url, orders=orders, lock=f"{folder}/pools.json")
            prepared.prepare(database.url, Path(folder))
            end = database.rows(END)
        print(f"Faker's values drawn, then kept in a lock file: {unlocked.cpu:.2f} s of Python")
        for number in range(rounds):
            _round(results, server, orders, folder, end, reverse=number % 2 == 1)
            _print_round(number + 1, results)
    _print_summary(results, orders)


def _round(results: Results, server: Server, orders: int, folder: str, end: object, *, reverse: bool) -> None:
    """Both ways, each into a database of its own; every other round backwards, so that none always goes first."""
    ours = (results.ours, partial(measured, run_ours, lock=f"{folder}/pools.json"))
    limit = (results.limit, partial(measured, prepared.load, folder=folder))
    for kept, way in (limit, ours) if reverse else (ours, limit):
        with closing(SourceDatabase(server)) as database:
            kept.append(way(url=database.url, orders=orders))
            if database.rows(END) != end:
                raise RuntimeError("the tables differ: a fast fill of something else would prove nothing")


def _print_round(number: int, results: Results) -> None:
    print(f"round {number}")
    for way, took in (("prepared COPY", results.limit[-1]), ("vitrina", results.ours[-1])):
        rate, cpu = took.rows / took.seconds, f"{took.cpu:.2f} s of Python"
        print(f"  {way:<20} {took.seconds:6.2f} s  {rate:>9,.0f} rows/s  {cpu}")


def _print_summary(results: Results, orders: int) -> None:
    print(f"prepared COPY / vitrina, median of {len(results.ours)}: {results.ratio:.2f} of its speed")
    print(f"peak memory            {results.peak_memory / 10**6:6.0f} MB")
    if orders < 1_000_000:
        return  # in a short fill the fixed costs of a run count, which the requirement does not mean
    held = results.ratio >= MINIMAL_RATIO and results.peak_memory < MAXIMAL_MEMORY
    bounds = f"at least {MINIMAL_RATIO} of a prepared COPY, under {MAXIMAL_MEMORY // 10**6} MB"
    print(f"required: {bounds}: {'holds' if held else 'DOES NOT HOLD'}")


def run_peers(server: Server, orders: int, rounds: int) -> None:
    """Measures a row of each peer that is installed against a row of ours, in the same rounds."""
    for name, work in peers.available().items():
        if work is None:
            print(f"{name}: left out, it is not installed")
            continue
        ratios = []
        for _ in range(rounds):
            theirs = _once(server, work, min(PEER_ORDERS[name], orders))
            ours = _once(server, run_ours, orders)
            ratios.append((ours.rows / ours.seconds) / (theirs.rows / theirs.seconds))
        print(
            f"{name:<12} {theirs.rows / theirs.seconds:>9,.0f} rows/s ({theirs.rows:,} rows); "
            f"vitrina is {median(ratios):.0f} times as fast (required: {TIMES[name]})"
        )


def _once(server: Server, work: object, orders: int) -> Measured:
    assert callable(work)
    with closing(SourceDatabase(server)) as database:
        return measured(work, url=database.url, orders=orders)


def _measure(source: Server, _: Server, orders: int, rounds: int) -> None:
    run(source, orders, rounds)


def _measure_peers(source: Server, _: Server, orders: int, rounds: int) -> None:
    run_peers(source, orders, rounds)


SCENARIO = Scenario(_measure, full=(Size(1_000_000, 3), Size(10_000_000, 1)), quick=Size(5_000), unit="orders")
GENERATORS = Scenario(_measure_peers, full=(Size(1_000_000, 3),), quick=Size(2_000), unit="orders")

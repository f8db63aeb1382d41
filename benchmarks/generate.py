"""Filling two tables, against prepared rows by binary COPY to the same end, and against other generators."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks import peers, prepared, shop
from benchmarks.child import Measured, measured
from benchmarks.result import Result
from benchmarks.rounds import alternately, closing
from benchmarks.scenario import Scenario, Size
from framework.databases.postgres.source import PostgresSource
from framework.events import Reporter
from framework.generate.filling import fill
from framework.generate.rules import drawn
from tests.services import Server
from tests.services.databases import SourceDatabase

AT_LEAST = 0.9
"""Of the speed of prepared rows."""
MOST_MEMORY = 200
"""MB."""
TIMES = {"faker": 30, "mimesis": 8, "snowfakery": 150}
"""How much faster than each peer a row has to be."""
PEER_ORDERS = {"faker": 20_000, "mimesis": 100_000, "snowfakery": 2_000}

# Keys and indexes by their definitions, and every row by a checksum that does not depend on their order.
END = """
SELECT 'constraint', conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid IN ('customers'::regclass, 'orders'::regclass)
UNION ALL SELECT 'index', tablename, indexdef FROM pg_indexes WHERE tablename IN ('customers', 'orders')
UNION ALL SELECT 'rows', 'customers', count(*) || ' ' || sum(hashtextextended(t::text, 0)) FROM customers AS t
UNION ALL SELECT 'rows', 'orders', count(*) || ' ' || sum(hashtextextended(t::text, 0)) FROM orders AS t
ORDER BY 1, 2, 3
"""


def run_ours(url: str, orders: int, lock: str | None = None) -> int:
    """One fill by Vitrina; with a lock file, as committed specs have one, nothing is drawn from Faker."""
    source = PostgresSource("source", url, may_generate=True)
    pools = drawn.Pools.of(Path(lock) if lock else None)
    stats = fill(source, shop.task(orders), Reporter("generate"), pools=pools)
    if lock and not pools.locked:
        drawn.write(Path(lock), pools)
    source.close()
    return stats.rows_written


def run(server: Server, _: Server, orders: int, rounds: int) -> Iterator[Result]:
    """Each way into a database of its own; both must end with the same rows, keys and indexes."""
    with tempfile.TemporaryDirectory() as folder:
        with closing(SourceDatabase(server)) as database:  # not counted: it fills caches, and makes what is prepared
            unlocked = measured(run_ours, url=database.url, orders=orders, lock=f"{folder}/pools.json")
            prepared.prepare(database.url, Path(folder))
            end = database.rows(END)
        ways = {
            "ours": partial(_filled, server, end, run_ours, orders=orders, lock=f"{folder}/pools.json"),
            "limit": partial(_filled, server, end, prepared.load, orders=orders, folder=folder),
        }
        took = alternately(ways, rounds)
    ours, limit = (tuple(each.seconds for each in took[way]) for way in ways)
    what = f"{orders:,} orders, their customers"
    yield Result(what, ours, against="prepared binary COPY", theirs=limit, at_least=AT_LEAST)
    yield Result(f"{what}: CPU of Python", tuple(each.cpu for each in took["ours"]))
    memory = tuple(each.peak_memory / 10**6 for each in took["ours"])
    yield Result(f"{what}: peak memory", memory, "MB", at_most=MOST_MEMORY)
    yield Result("Faker's values drawn once, CPU", (unlocked.cpu,), note="before a lock file keeps them")


def _filled(server: Server, end: object, work: Callable[..., int], **arguments: object) -> Measured:
    with closing(SourceDatabase(server)) as database:
        took = measured(work, url=database.url, **arguments)
        if database.rows(END) != end:
            raise RuntimeError("the tables differ: a fast fill of something else would prove nothing")
        return took


def run_peers(server: Server, _: Server, orders: int, rounds: int) -> Iterator[Result]:
    """A row of ours, with a lock file, against a row of each peer; they fill fewer rows, since they take long."""
    with tempfile.TemporaryDirectory() as folder:
        ours = partial(_rate, server, run_ours, orders, lock=f"{folder}/pools.json")
        ours()  # not counted: it draws Faker's values, and keeps them
        for name, work in peers.WORK.items():
            version = peers.version(name)
            if version is None:
                print(f"{name}: left out, `make bench-peers` installs it")
                continue
            theirs = partial(_rate, server, work, min(PEER_ORDERS[name], orders))
            took = alternately({"ours": ours, "theirs": theirs}, rounds)
            yield Result(
                "rows generated",
                took["ours"],
                "rows/s",
                against=f"{name} {version}",
                theirs=took["theirs"],
                at_least=TIMES[name],
                note="ours with a lock file",
            )


def _rate(server: Server, work: Callable[..., int], orders: int, **arguments: str) -> float:
    with closing(SourceDatabase(server)) as database:
        took = measured(work, url=database.url, orders=orders, **arguments)
        return took.rows / took.seconds


SCENARIO = Scenario(run, full=(Size(1_000_000, 3), Size(10_000_000, 1)), quick=Size(5_000), unit="orders")
GENERATORS = Scenario(run_peers, full=(Size(1_000_000, 3),), quick=Size(2_000), unit="orders")

"""Ticks on a large table with keys in place, against the same changes by the shortest statements, side by side."""

from __future__ import annotations

import io
import random
import time
from collections.abc import Callable, Iterator
from functools import partial

from benchmarks import shop
from benchmarks.result import Result
from benchmarks.rounds import alternately, closing
from benchmarks.scenario import Scenario, Size
from framework.databases.postgres.source import PostgresSession, PostgresSource
from framework.events import Reporter
from framework.generate import marker
from framework.generate.filling import fill
from framework.generate.rules.drawn import Pools
from framework.generate.ticks.changes import Ticks
from tests.services import Server
from tests.services.databases import SourceDatabase

INSERTED, UPDATED, DELETED = 1_000, 1_000, 250
CHANGES = {
    "orders": {
        "touch": "updated_at",
        "insert": INSERTED,
        "update": {"rows": UPDATED, "redraw": ["amount"]},
        "delete": {"rows": DELETED},
    }
}
ELSEWHERE = 10**12
"""The limit's own rows have keys from here: ticks insert below."""

UPDATE = """
UPDATE orders AS t SET amount = fresh.amount, updated_at = now()
FROM unnest(%s::bigint[], %s::numeric[]) AS fresh(id, amount) WHERE t.id = fresh.id
"""


def run(server: Server, _: Server, orders: int, rounds: int) -> Iterator[Result]:
    """Both change the same table, each its own rows."""
    with closing(SourceDatabase(server)) as database:
        source, reporter = PostgresSource("source", database.url, may_generate=True), Reporter("tick")
        task, pools = shop.task(orders, CHANGES), Pools()
        fill(source, task, reporter, pools=pools)
        with source.session() as session, source.session() as other, marker.exclusive(session, reporter):
            ways: dict[str, Callable[[], float]] = {
                "ours": partial(_tick, Ticks(session, task, reporter, pools)),
                "limit": _Limit(other, orders),
            }
            took = alternately(ways, rounds + 1)
        source.close()
    ours, limit = (took[way][1:] for way in ways)  # the first fills caches
    changes = INSERTED + UPDATED + DELETED
    yield Result(f"a tick of {changes:,} changes", ours, against="shortest statements", theirs=limit)


def _tick(ticks: Ticks) -> float:
    begun = time.perf_counter()
    done = ticks.perform()
    seconds = time.perf_counter() - begun
    if (done.rows_written, done.rows_deleted) != (INSERTED + UPDATED, DELETED):
        raise RuntimeError(f"a tick changed {done.rows_written} and {done.rows_deleted} rows")
    return seconds


class _Limit:
    def __init__(self, session: PostgresSession, orders: int) -> None:
        self._session, self._orders = session, orders
        self._chance = random.Random(1)
        self._next = ELSEWHERE

    def __call__(self) -> float:
        first, self._next = self._next, self._next + INSERTED
        lines = "".join(self._line(key) for key in range(first, self._next)).encode()
        updated = self._chance.sample(range(1, self._orders + 1), UPDATED)
        amounts = [str(self._chance.randrange(100, 99_999) / 100) for _ in updated]
        deleted = self._chance.sample(range(1, self._orders + 1), DELETED)
        begun = time.perf_counter()
        with self._session.transaction():
            self._session.execute("DELETE FROM orders WHERE id = ANY (%s)", (deleted,))
            self._session.execute(UPDATE, (updated, amounts))
            self._session.copy_in("COPY orders FROM STDIN", io.BytesIO(lines))
        return time.perf_counter() - begun

    def _line(self, key: int) -> str:
        customer = self._chance.randrange(1, self._orders // shop.ORDERS_PER_CUSTOMER + 1)
        return f"{key}\t{customer}\tpaid\t12.50\t\\N\tt\t2025-06-01 12:00:00+00\t2025-06-02 12:00:00+00\n"


SCENARIO = Scenario(run, full=(Size(1_000_000, 21),), quick=Size(10_000, 2), unit="orders")

"""Ticks on a large table with keys in place, against the same changes by the shortest statements, side by side."""

from __future__ import annotations

import io
import random
import time
from statistics import median

from benchmarks import shop
from benchmarks.load import closing
from benchmarks.scenario import Scenario, Size
from framework.databases.postgres.source import PostgresSession, PostgresSource
from framework.events import Reporter
from framework.generate import marker
from framework.generate.changes import Ticks
from framework.generate.drawn import Pools
from framework.generate.filling import fill
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


def run(server: Server, orders: int, rounds: int) -> None:
    """Measures and prints."""
    with closing(SourceDatabase(server)) as database:
        source, reporter = PostgresSource("source", database.url, may_generate=True), Reporter("tick")
        task, pools = shop.task(orders, CHANGES), Pools()
        fill(source, task, reporter, pools=pools)
        with source.session() as session, source.session() as other, marker.exclusive(session, reporter):
            ticks = Ticks(session, task, reporter, pools)
            ours, limit = _Ours(ticks), _Limit(other, orders)
            ratios = [_pair(ours, limit, number) for number in range(rounds + 1)][1:]  # the first fills caches
        source.close()
    changes = INSERTED + UPDATED + DELETED
    for name, seconds in (("shortest statements", limit.seconds[1:]), ("vitrina", ours.seconds[1:])):
        print(f"  {name:<20} {median(seconds) * 1000:6.0f} ms a tick  {changes / median(seconds):>9,.0f} changes/s")
    print(f"ticks of {changes:,} changes, median of {rounds}: {median(ratios):.2f} of the limit's speed")


class _Ours:
    def __init__(self, ticks: Ticks) -> None:
        self._ticks = ticks
        self.seconds: list[float] = []

    def __call__(self, _: int) -> None:
        began = time.perf_counter()
        done = self._ticks.perform()
        self.seconds.append(time.perf_counter() - began)
        if (done.rows_written, done.rows_deleted) != (INSERTED + UPDATED, DELETED):
            raise RuntimeError(f"a tick changed {done.rows_written} and {done.rows_deleted} rows")


class _Limit:
    def __init__(self, session: PostgresSession, orders: int) -> None:
        self._session, self._orders = session, orders
        self._chance = random.Random(1)
        self.seconds: list[float] = []

    def __call__(self, number: int) -> None:
        first = ELSEWHERE + number * INSERTED
        lines = "".join(self._line(key) for key in range(first, first + INSERTED)).encode()
        updated = self._chance.sample(range(1, self._orders + 1), UPDATED)
        amounts = [str(self._chance.randrange(100, 99_999) / 100) for _ in updated]
        deleted = self._chance.sample(range(1, self._orders + 1), DELETED)
        began = time.perf_counter()
        with self._session.transaction():
            self._session.execute("DELETE FROM orders WHERE id = ANY (%s)", (deleted,))
            self._session.execute(UPDATE, (updated, amounts))
            self._session.copy_in("COPY orders FROM STDIN", io.BytesIO(lines))
        self.seconds.append(time.perf_counter() - began)

    def _line(self, key: int) -> str:
        customer = self._chance.randrange(1, self._orders // shop.ORDERS_PER_CUSTOMER + 1)
        return f"{key}\t{customer}\tpaid\t12.50\t\\N\tt\t2025-06-01 12:00:00+00\t2025-06-02 12:00:00+00\n"


def _pair(ours: _Ours, limit: _Limit, number: int) -> float:
    for way in (ours, limit) if number % 2 else (limit, ours):
        way(number)
    return limit.seconds[-1] / ours.seconds[-1]


def _measure(source: Server, _: Server, orders: int, rounds: int) -> None:
    run(source, orders, rounds)


SCENARIO = Scenario(_measure, full=(Size(1_000_000, 21),), quick=Size(10_000, 2), unit="orders")

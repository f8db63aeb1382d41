"""Many writers with transactions of random lengths, and a copy that follows; a plain loop beside it loses rows."""

from __future__ import annotations

import random
import threading
import time
from contextlib import closing
from typing import Any

import pytest

from framework.databases.mysql.target import MySQLTarget
from tests.replicate.anywhere import Anywhere
from tests.services.databases import SourceDatabase, TargetDatabase

WRITERS = 8
TRANSACTIONS = 3000
LONGEST = 2
"""Seconds that a transaction may stay open. Most are short: half of them end within a millisecond."""


class Naive:
    """What is written again and again: read what is newer than the newest that was read, and keep the latest by key."""

    def __init__(self, source: SourceDatabase) -> None:
        self.rows: dict[int, tuple[Any, ...]] = {}
        self._source = source
        self._last: Any = None

    def poll(self) -> None:
        newer = self._source.rows(
            "SELECT id, value, updated_at FROM t WHERE %s::timestamptz IS NULL OR updated_at > %s",
            self._last,
            self._last,
        )
        for row in newer:
            self.rows[row[0]] = row
        self._last = max((row[2] for row in newer), default=self._last)


class Busy:
    """Writers, whose rows have the clock of the transaction's start, however late it commits."""

    def __init__(self, source: SourceDatabase) -> None:
        self.committed = 0
        self._source = source
        self._lock = threading.Lock()

    def write(self, number: int) -> None:
        chance, key = random.Random(number), number * 1_000_000
        with closing(self._source.connect()) as connection:
            while self.committed < TRANSACTIONS:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT 1")  # its clock is set
                    time.sleep(chance.random() ** 40 * LONGEST)
                    for _ in range(chance.choice([1, 1, 2, 5])):
                        key += 1
                        old = number * 1_000_000 + chance.randrange(1, key - number * 1_000_000 + 1)
                        cursor.execute("INSERT INTO t (id, value) VALUES (%s, %s)", (key, chance.random()))
                        cursor.execute(
                            "UPDATE t SET value = %s, updated_at = now() WHERE id = %s", (chance.random(), old)
                        )
                        if chance.random() < 0.1:
                            cursor.execute("DELETE FROM t WHERE id = %s", (old,))
                if chance.random() < 0.05:
                    connection.rollback()
                    continue
                connection.commit()
                with self._lock:
                    self.committed += 1

    def start(self) -> list[threading.Thread]:
        threads = [threading.Thread(target=self.write, args=(number,)) for number in range(1, WRITERS + 1)]
        for thread in threads:
            thread.start()
        return threads


@pytest.mark.slow
def test_nothing_is_lost_that_a_plain_loop_loses(source: SourceDatabase, mysql_target: TargetDatabase) -> None:
    source.execute(
        "CREATE TABLE t (id bigint PRIMARY KEY, value float8 NOT NULL, updated_at timestamptz NOT NULL DEFAULT now())"
    )
    source.execute("CREATE INDEX ON t (updated_at)")
    copy, naive, busy = Anywhere(source, MySQLTarget("shop_mysql", mysql_target.url)), Naive(source), Busy(source)
    # A lookback so short that only the horizon can save what commits late; deletes are seen to at the end.
    following: dict[str, Any] = {"lookback": "1ms", "deletes": {"policy": "keep"}}
    threads = busy.start()
    polls = 0
    while any(thread.is_alive() for thread in threads):
        copy(**following)
        naive.poll()
        polls += 1
        time.sleep(0.02)
    for thread in threads:
        thread.join()
    copy(**following)
    naive.poll()
    wanted = {row[0]: row for row in source.rows("SELECT id, value, updated_at AT TIME ZONE 'UTC' FROM t")}
    got = {row[0]: row for row in mysql_target.rows("SELECT id, value, updated_at FROM copy")}
    lost = {key for key, row in wanted.items() if got.get(key) != row}
    assert lost == set(), f"{len(lost)} of {len(wanted)} rows after {busy.committed} transactions and {polls} polls"
    # Each row's key is there once, and the deletes come with the reconciliation.
    assert mysql_target.rows("SELECT COUNT(*) - COUNT(DISTINCT id) FROM copy") == [(0,)]
    copy(**{**following, "deletes": {"policy": "remove", "fuse": "100%"}})
    assert {row[0] for row in mysql_target.rows("SELECT id FROM copy")} == wanted.keys()

    plain = {row[0]: row for row in source.rows("SELECT id, value, updated_at FROM t")}
    lost_by_naive = {key for key, row in plain.items() if naive.rows.get(key) != row}
    print(f"{busy.committed} transactions, {polls} polls, {len(wanted)} rows; the plain loop lost {len(lost_by_naive)}")
    assert len(lost_by_naive) > 10, "the plain loop was lucky: the test shows nothing"
    copy.postgres.close()
    copy.target.close()

"""Verification while the source is written to and the copy is replicated: it never accuses a copy that is right."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from framework.verify import table
from framework.verify.since import Since, since
from framework.verify.verdict import Verdict
from tests.services.databases import SourceDatabase
from tests.verify.conftest import Verifying

SECONDS = 4.0
WRITERS = 2

TABLE = (
    "CREATE TABLE t (id bigint PRIMARY KEY, v text, updated_at timestamptz NOT NULL DEFAULT now())",
    "CREATE INDEX ON t (updated_at)",
    "INSERT INTO t (id, v) SELECT i, 'v' || i FROM generate_series(1, 5000) AS i",
)


def write(source: SourceDatabase, seed: int, stop: threading.Event) -> None:
    """Transactions of some statements each, with savepoints, some rolled back, some slow."""
    chance = random.Random(seed)
    connection = source.connect()
    with connection.cursor() as cursor:
        while not stop.is_set():
            for number in range(chance.randint(1, 4)):
                cursor.execute(f"SAVEPOINT s{number}")
                low = chance.randrange(6000)
                cursor.execute("SELECT setseed(%s)", (chance.random(),))
                cursor.execute(
                    chance.choice(
                        (
                            "UPDATE t SET v = v || '!', updated_at = now() WHERE id BETWEEN %s AND %s",
                            "DELETE FROM t WHERE id BETWEEN %s AND %s",
                            """INSERT INTO t (id, v) SELECT i, 'new' FROM generate_series(%s, %s) AS i
                            ON CONFLICT (id) DO UPDATE SET v = t.v || '+', updated_at = now()""",
                        )
                    ),
                    (low * 3 + seed, low * 3 + seed + chance.randrange(10)),
                )
                if chance.random() < 0.2:
                    cursor.execute(f"ROLLBACK TO SAVEPOINT s{number}")
            time.sleep(chance.random() * 0.05)
            connection.rollback() if chance.random() < 0.1 else connection.commit()
    connection.close()


@contextmanager
def busy(verifying: Verifying) -> Iterator[None]:
    """Writers at work, and the copy replicated again and again."""
    stop = threading.Event()
    failures: list[BaseException] = []

    def guarded(work: object, *arguments: object) -> None:
        try:
            work(*arguments)  # type: ignore[operator]
        except BaseException as error:  # noqa: BLE001 - raised again in the test
            failures.append(error)

    def replicate() -> None:
        while not stop.is_set():
            verifying.replicate()

    threads = [threading.Thread(target=guarded, args=(write, verifying.source, n, stop)) for n in range(WRITERS)]
    threads.append(threading.Thread(target=guarded, args=(replicate,)))
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures, failures


@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_nothing_is_taken_for_a_difference(verifying: Verifying, mode: str) -> None:
    settings = {"cursor": "updated_at", "mode": mode} if mode == "incremental" else {}
    verifying.make(*TABLE, **settings)
    verdicts: list[Verdict] = []
    with busy(verifying):
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            verdicts.append(verifying())
    assert [verdict for verdict in verdicts if not verdict.is_equal] == []
    assert any(verdict.changed for verdict in verdicts)
    verifying.replicate()
    verdict = verifying()
    assert (verdict.is_equal, verdict.changed) == (True, 0)
    verifying.copy.execute(
        "UPDATE `copy` SET v = 'broken' WHERE id = (SELECT * FROM (SELECT MIN(id) FROM `copy`) AS o)"
    )
    assert verifying().differing == 1


@pytest.mark.parametrize("times", [1, 100])
def test_a_copy_that_becomes_younger_than_the_snapshot(
    verifying: Verifying, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    verifying.make(*TABLE)
    writes = iter(range(times))

    def overtaken(*arguments: Any) -> Since:
        """Between the source's snapshot and the look at the copy, a change is made and copied."""
        known = since(*arguments)
        if next(writes, None) is not None:
            verifying.source.execute("UPDATE t SET v = v || '!' WHERE id <= 3")
            verifying.source.execute("INSERT INTO t (id, v) SELECT max(id) + 1, 'new' FROM t")
            verifying.replicate()
        return known

    monkeypatch.setattr(table, "since", overtaken)
    verdict = verifying()
    assert verdict.is_equal
    assert verdict.differences == ()
    assert bool(verdict.undecided) == (times > 1)

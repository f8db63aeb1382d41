"""Runs with an embedded target, killed at moments that are spread over the time they take."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.reliability import child
from tests.reliability.kills import GOLDEN
from tests.reliability.world import SECONDS, Writers
from tests.services.databases import SourceDatabase

SPEC = """
version: 1
pipeline: mortal
source: mortal_source
target: mortal_target
defaults:
  replicate: {mode: incremental, cursor: updated_at, lookback: 1s, deletes: {policy: remove, fuse: 100%}}
replicate:
  orders: {on_error: {policy: quarantine, limit: 50%}}
  items: {chunk_rows: 500}
marts:
  by_day:
    materialize: {incremental: {partition: day}}
    query: SELECT o.day AS day, COUNT(*) AS orders FROM orders o GROUP BY o.day
"""
SOURCE = (
    """CREATE TABLE accounts (id bigint PRIMARY KEY, email text, name text,
    updated_at timestamptz NOT NULL DEFAULT now())""",
    """CREATE TABLE orders (id bigint PRIMARY KEY, account_id bigint, amount numeric(12,2), day date,
    updated_at timestamptz NOT NULL DEFAULT now())""",
    """CREATE TABLE items (order_id bigint, number integer, kind text, note text,
    updated_at timestamptz DEFAULT now(), PRIMARY KEY (order_id, number))""",
    "CREATE TABLE events (id bigint PRIMARY KEY, body text)",
    "INSERT INTO accounts SELECT i, 'a' || i FROM generate_series(1, 1500) AS i",
    "INSERT INTO orders SELECT i, i, i * 0.01, date '2026-01-01' + i % 20 FROM generate_series(1, 2000) AS i",
    "INSERT INTO items SELECT i / 3, i % 3, 'part', 'line ' || i FROM generate_series(1, 2000) AS i",
)
ROWS = ("SELECT id, amount, day FROM orders WHERE amount <> 'NaN'", "SELECT order_id, number, kind, note FROM items")
COMPARED = (
    *((query, query.removesuffix(" WHERE amount <> 'NaN'")) for query in ROWS),
    ("SELECT day, COUNT(*) FROM orders WHERE amount <> 'NaN' GROUP BY day", "SELECT day, orders FROM by_day"),
)
"""What the source says, and what the copy must say."""

KILLS = 6


@pytest.mark.slow
def test_the_next_run_makes_it_good(source: SourceDatabase, tmp_path: Path) -> None:
    for statement in SOURCE:
        source.execute(statement)
    (tmp_path / "spec.yaml").write_text(SPEC)
    (tmp_path / "connections.yaml").write_text(
        "environments:\n  default:\n"
        '    mortal_source: {url: "${MORTAL_SOURCE}"}\n'
        f'    mortal_target: {{url: "duckdb:///{tmp_path}/copy.duckdb"}}\n'
    )

    def start(*arguments: str) -> Any:
        return child.start(("run", "spec.yaml", *arguments), {"MORTAL_SOURCE": source.url}, tmp_path)

    lasted, died = _until_done(start(), tmp_path), 0
    for number in range(KILLS):
        with Writers(source, longest=0.1).writing():
            process = start(*(["--full-refresh"] if number % 2 else []))
            process.join((number * GOLDEN % 1) * lasted)
            process.kill()
            process.join()
        died += process.exitcode == -signal.SIGKILL
        lasted = _until_done(start(), tmp_path)
        _assert_equal(source, tmp_path)
    assert died > 1


def _until_done(process: Any, directory: Path) -> float:
    begun = time.monotonic()
    process.join(SECONDS)
    assert process.exitcode == 0, (directory / "log").read_text()[-3000:]
    return time.monotonic() - begun


def _assert_equal(source: SourceDatabase, directory: Path) -> None:
    with duckdb.connect(str(directory / "copy.duckdb"), read_only=True) as copy:
        for query, same in COMPARED:
            assert sorted(copy.execute(same).fetchall(), key=str) == sorted(source.rows(query), key=str), query
        left = [name for (name,) in copy.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
    assert [name for name in left if any(part in name for part in ("shadow", "staging", "keys", "build"))] == []

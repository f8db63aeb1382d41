"""A source that others write to, a target that is copied to, and whether the two are equal.

What is equal is decided without the engine: both databases are read by their drivers, marts are computed in Python.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timezone
from decimal import Decimal
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import psycopg2

from tests.reliability import child
from tests.reliability.states import State
from tests.services.databases import SourceDatabase, TargetDatabase

SECONDS = 120
"""No run takes longer."""

SPEC = """
version: 1
pipeline: mortal
source: mortal_source
target: mortal_target
seed: 7
now: 2026-01-01T00:00:00Z
retries: {attempts: 3, delay: 200ms}
defaults:
  replicate:
    {mode: incremental, cursor: updated_at, lookback: 1s, deletes: {policy: remove, fuse: 100%}, chunk_rows: 1000}
entities:
  visits:
    rows: 300
    columns:
      id: {type: bigint, primary_key: true, fake: sequence}
      place: {type: varchar(20), fake: {choice: [garden, house, gate]}}
      updated_at: {type: timestamptz, fake: {datetime: {from: -1y, to: now}}}
    changes: {touch: updated_at, insert: 10, update: {rows: 5%, redraw: [place]}}
replicate:
  visits:
  accounts: {unique: [[email]]}
  orders:
    foreign_keys: true
    on_error: {policy: quarantine, limit: 100%}
    indexes: [[day]]
    checks:
      - relationship: {account_id: {table: accounts, column: id}}
        severity: warn
  items: {where: kind <> 'hidden', deletes: {policy: mark, fuse: 100%}}
  events: {mode: full}
marts:
  by_day:
    materialize: {incremental: {partition: day}}
    query: SELECT o.day AS day, COUNT(*) AS orders, SUM(o.amount) AS amount FROM orders o GROUP BY o.day
  by_kind:
    query: SELECT l.kind AS kind, COUNT(*) AS found FROM items l WHERE l._deleted_at IS NULL GROUP BY l.kind
  busiest:
    materialize: view
    query: SELECT b.day AS day, b.orders AS orders FROM by_day b WHERE b.orders > 100
"""

TABLES = (
    """CREATE TABLE accounts (id bigint PRIMARY KEY, email varchar(60) UNIQUE, name text,
    updated_at timestamptz NOT NULL DEFAULT now())""",
    """CREATE TABLE orders (id bigint PRIMARY KEY, account_id bigint REFERENCES accounts ON DELETE CASCADE,
    amount numeric(12,2) NOT NULL, day date NOT NULL, updated_at timestamptz NOT NULL DEFAULT now())""",
    """CREATE TABLE items (order_id bigint, number integer, kind varchar(20) NOT NULL, note text,
    updated_at timestamptz DEFAULT now(), PRIMARY KEY (order_id, number))""",
    "CREATE TABLE events (id bigint PRIMARY KEY, body text, happened_at timestamptz NOT NULL DEFAULT now())",
    "INSERT INTO accounts SELECT i, 'a' || i || '@example.com', 'account ' || i FROM generate_series(1, 2500) AS i",
    """INSERT INTO orders SELECT i, 1 + i % 2500, i * 0.01, date '2026-01-01' + i % 20
    FROM generate_series(1, 3000) AS i""",
    """INSERT INTO items SELECT i / 3, i % 3, (ARRAY['hidden', 'gift', 'part'])[1 + i % 3], 'line ' || i
    FROM generate_series(1, 1500) AS i""",
    "INSERT INTO events (id, body) SELECT i, 'event ' || i FROM generate_series(1, 1200) AS i",
    *(f"CREATE INDEX ON {table} (updated_at)" for table in ("accounts", "orders", "items")),
    "ANALYZE",
)

KEYS = {"accounts": "id", "orders": "id", "items": "order_id, number", "events": "id", "visits": "id"}
FILTERS = {"items": "kind <> 'hidden'", "orders": "amount <> 'NaN'"}
MARKED = ("items",)
REJECTED = "amount = 'NaN'"
"""Orders that no target takes."""


class World:
    """The two databases of one test, and commands that run on them and may die."""

    def __init__(self, source: SourceDatabase, target: TargetDatabase, directory: Path) -> None:
        self.source, self.target, self.directory = source, target, directory
        self._next = 1_000_000
        self._altered = 0
        directory.joinpath("spec.yaml").write_text(SPEC)
        directory.joinpath("connections.yaml").write_text(
            "environments:\n  default:\n"
            '    mortal_source: {url: "${MORTAL_SOURCE}", generate: allow}\n'
            '    mortal_target: {url: "${MORTAL_TARGET}"}\n'
        )
        for statement in TABLES:
            source.execute(statement)

    def start(self, *arguments: str, state: State | None = None, noted: Path | None = None) -> BaseProcess:
        """A command that has begun."""
        environment = {"MORTAL_SOURCE": self.source.url, "MORTAL_TARGET": self.target.url}
        return child.start(arguments, environment, self.directory, state, noted)

    def run(self, *arguments: str) -> None:
        """A command that must succeed."""
        process = self.start(*(arguments or ("run", "spec.yaml")))
        process.join(SECONDS)
        assert process.exitcode == 0, f"exit {process.exitcode}\n{self.log()}"

    def log(self) -> str:
        """What the last commands said."""
        return (self.directory / "log").read_text()[-5000:]

    def expire_leases(self) -> None:
        """As if the time had passed after which a run that died is given up; its sessions are gone first.

        MySQL does not notice a dead client while it makes a table for it.
        """
        deadline = time.monotonic() + 20
        writing = "SELECT id FROM information_schema.processlist WHERE user = %s AND id <> connection_id()"
        while (self.sessions() or self.target.rows(writing, self.target.user)) and time.monotonic() < deadline:
            time.sleep(0.02)
        if self.target.rows("SHOW TABLES LIKE '\\_vitrina\\_leases'"):
            self.target.execute("UPDATE _vitrina_leases SET expires_at = '2001-01-01'")

    def forget_connections(self) -> None:
        """The servers have ended all sessions."""
        self.source.forget_connection()
        self.target.forget_connection()

    def sessions(self) -> list[int]:
        """The source's sessions of runs."""
        found = self.source.rows(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND application_name <> 'writer' AND backend_type = 'client backend'"
        )
        return [int(pid) for (pid,) in found]

    def unfill(self) -> None:
        """A source that was never filled."""
        self.source.execute("DROP TABLE IF EXISTS visits, _vitrina_fills")

    def damage(self) -> None:
        """Rows of the copy that are altered, lost, and too many, as no run would leave them."""
        for statement in (
            "UPDATE orders SET amount = amount + 1 WHERE id % 89 = 0",
            "DELETE FROM accounts WHERE id % 97 = 0 AND id NOT IN (SELECT account_id FROM orders WHERE account_id > 0)",
            "INSERT INTO items (order_id, number, kind) SELECT LEAST(MIN(order_id), 0) - 1, 1, 'gift' FROM items",
        ):
            self.target.execute(statement)

    def forget(self) -> None:
        """An empty target, and a source that was never filled."""
        tables = self.target.rows(
            "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = database()"
        )
        self.target.execute("SET foreign_key_checks = 0")
        for name, kind in tables:
            self.target.execute(f"DROP {'VIEW' if kind == 'VIEW' else 'TABLE'} `{name}`")
        self.target.execute("SET foreign_key_checks = 1")
        self.unfill()

    def drop(self, table: str) -> None:
        """A table that is to be filled as if it never had been."""
        self.target.execute("SET foreign_key_checks = 0")
        self.target.execute(f"DROP TABLE {table}")
        self.target.execute("SET foreign_key_checks = 1")

    def change(self) -> None:
        """New, changed and gone rows in each table; rows that leave a filter and come; partitions that change."""
        new = self._next = self._next + 10
        gone = self.source.rows("SELECT min(id) FROM accounts WHERE id > 0")[0][0]
        for statement in (
            f"INSERT INTO accounts (id, email) VALUES ({new}, 'n{new}@example.com')",
            f"INSERT INTO orders (id, account_id, amount, day) VALUES ({new}, {new}, 1.5, '2026-02-0{1 + new % 9}')",
            f"INSERT INTO orders (id, account_id, amount, day) VALUES ({new + 1}, NULL, 2.5, '2026-03-01')",
            (
                "UPDATE orders SET amount = amount + 1, day = '2026-01-07', updated_at = now() "
                "WHERE id IN (SELECT id FROM orders ORDER BY random() LIMIT 5)"
            ),
            (
                "UPDATE orders SET amount = CASE amount WHEN 'NaN' THEN 3.5 ELSE 'NaN' END, updated_at = now() "
                "WHERE id IN (SELECT id FROM orders ORDER BY amount DESC, random() LIMIT 5)"
            ),
            "UPDATE orders SET amount = 'NaN', updated_at = now() WHERE id IN (SELECT max(id) FROM orders)",
            (
                "UPDATE accounts SET name = name || '!', updated_at = now() "
                "WHERE id IN (SELECT id FROM accounts ORDER BY random() LIMIT 5)"
            ),
            f"DELETE FROM accounts WHERE id = {gone}",
            f"INSERT INTO items VALUES ({new}, 1, 'gift', 'new'), ({new}, 2, 'hidden', 'new')",
            (
                "UPDATE items SET kind = CASE kind WHEN 'hidden' THEN 'part' ELSE 'hidden' END, updated_at = now() "
                "WHERE ctid IN (SELECT ctid FROM items ORDER BY random() LIMIT 5)"
            ),
            "DELETE FROM items WHERE ctid IN (SELECT ctid FROM items ORDER BY random() LIMIT 3)",
            f"INSERT INTO events (id, body) VALUES ({new}, NULL)",
            "DELETE FROM events WHERE id = (SELECT min(id) FROM events)",
        ):
            self.source.execute(statement)

    def alter(self) -> None:
        """A new column of the accounts, with values."""
        self._altered += 1
        self.source.execute(f"ALTER TABLE accounts ADD COLUMN more{self._altered} text DEFAULT 'filled'")
        self.source.execute(f"UPDATE accounts SET more{self._altered} = 'x' WHERE id % 7 = 0")

    # --- whether the two are equal

    def assert_equal(self) -> None:
        """Every row is there once, as it is in the source; marts are what their tables give; nothing lies around."""
        for table in KEYS:
            columns = [row[0] for row in self.source.rows(_COLUMNS, table)]
            listed, filter_ = ", ".join(columns), FILTERS.get(table)
            wanted = self.source.rows(f"SELECT {listed} FROM {table} {f'WHERE {filter_}' if filter_ else ''}")
            live = "WHERE _deleted_at IS NULL" if table in MARKED else ""
            got = self.target.rows(f"SELECT {listed} FROM {table} {live}")
            lost, foreign = _differences(wanted, got)
            assert not lost, f"{table}: not in the copy as they are in the source: {lost}\n{self.log()}"
            assert not foreign, f"{table}: in the copy, and not in the source: {foreign}\n{self.log()}"
        self._assert_rejects()
        self._assert_marts()
        self._assert_ticks()
        assert self.leftovers() == [], f"{self.leftovers()}\n{self.log()}"
        assert self.target.rows(_HIDDEN) == [], self.log()

    def leftovers(self) -> list[str]:
        """Tables of ours that no run needs any more."""
        kept = {
            "leases",
            "meta",
            "parts",
            "rejects",
            "state",
            "runs",
            "steps",
            "touched",
            "chains",
            "views",
            "verdicts",
        }
        found = [str(row[0]) for row in self.target.rows("SHOW TABLES LIKE '\\_vitrina%'")]
        return [name for name in found if name.removeprefix("_vitrina_") not in kept]

    def _assert_rejects(self) -> None:
        """The copy's own entries are those of the rows that cannot go."""
        tables = (
            "SELECT table_comment FROM information_schema.tables WHERE table_schema = database() AND table_name = %s"
        )
        comment = self.target.rows(tables, "orders")[0][0]
        found = self.target.rows("SELECT generation, row_key FROM _vitrina_rejects WHERE table_name = 'orders'")
        got = [json.loads(key)["id"] for generation, key in found if f"vitrina:{generation} " in comment]
        wanted = self.source.rows(f"SELECT id FROM orders WHERE {REJECTED}")
        assert sorted(got) == sorted(key for (key,) in wanted), self.log()

    def _assert_marts(self) -> None:
        days: defaultdict[Any, list[Decimal]] = defaultdict(list)
        for day, amount in self.source.rows(f"SELECT day, amount FROM orders WHERE NOT {REJECTED}"):
            days[day].append(amount)
        by_day = [(day, len(amounts), sum(amounts)) for day, amounts in days.items()]
        kinds = Counter(kind for (kind,) in self.source.rows("SELECT kind FROM items WHERE kind <> 'hidden'"))
        for mart, wanted in (
            ("by_day", by_day),
            ("by_kind", list(kinds.items())),
            ("busiest", [(day, count) for day, count, _ in by_day if count > 100]),
        ):
            differences = _differences(wanted, self.target.rows(f"SELECT * FROM {mart}"))
            assert differences == ([], []), f"{mart}: {differences}\n{self.log()}"
        assert self.target.rows("SELECT * FROM _vitrina_touched") == []

    def _assert_ticks(self) -> None:
        """A tick is there or it is not: the mark says how many, and the rows agree."""
        ticks, following, state = self.source.rows("SELECT ticks, next_row, state FROM _vitrina_fills")[0]
        assert state == "complete"
        assert following == 300 + 10 * ticks
        assert self.source.rows("SELECT count(*) FROM visits") == [(following,)]


_COLUMNS = """SELECT column_name FROM information_schema.columns
WHERE table_schema = 'public' AND table_name = %s ORDER BY ordinal_position"""
_HIDDEN = """SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = database() AND extra LIKE '%INVISIBLE%'"""


def _differences(wanted: list[Any], got: list[Any]) -> tuple[list[Any], list[Any]]:
    """Rows that are missing, and rows that are too many: some of each, doubled ones counted."""
    one, other = Counter(map(_plain, wanted)), Counter(map(_plain, got))
    return list((one - other).items())[:3], list((other - one).items())[:3]


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(
        value.astimezone(timezone.utc).replace(tzinfo=None) if getattr(value, "tzinfo", None) is not None else value
        for value in row
    )


# --- writers

_SOME = "(SELECT {key} FROM {table} OFFSET floor(random() * 1000) LIMIT {count})"


def _statements(chance: random.Random, key: int) -> list[str]:
    """What one transaction may do."""
    amount = chance.randrange(1, 100_000) / 100
    day = f"date '2026-01-01' + {chance.randrange(20)}"
    clock = chance.choice(["now()", "clock_timestamp()"])
    return [
        f"INSERT INTO accounts (id, email) VALUES ({key}, 'w{key}@example.com')",
        (
            f"INSERT INTO orders (id, account_id, amount, day, updated_at) SELECT {key}, id, {amount}, {day}, {clock} "
            f"FROM accounts OFFSET {chance.randrange(500)} LIMIT 1"
        ),
        f"UPDATE orders SET amount = {amount}, day = {day}, updated_at = {clock} WHERE id IN "
        + _SOME.format(key="id", table="orders", count=3),
        f"UPDATE orders SET amount = 'NaN', updated_at = {clock} WHERE id IN "
        + _SOME.format(key="id", table="orders", count=1),
        f"UPDATE accounts SET name = 'w{key}', updated_at = {clock} WHERE id IN "
        + _SOME.format(key="id", table="accounts", count=2),
        f"INSERT INTO items VALUES ({key}, 0, 'gift', NULL)",
        f"UPDATE items SET kind = 'hidden', updated_at = {clock} WHERE ctid IN "
        + _SOME.format(key="ctid", table="items", count=1),
        f"UPDATE items SET kind = 'part', note = 'w{key}', updated_at = {clock} WHERE ctid IN "
        + _SOME.format(key="ctid", table="items", count=2),
        "DELETE FROM items WHERE ctid IN " + _SOME.format(key="ctid", table="items", count=1),
        "DELETE FROM orders WHERE id IN " + _SOME.format(key="id", table="orders", count=1),
        "DELETE FROM accounts WHERE id IN " + _SOME.format(key="id", table="accounts", count=1),
        f"INSERT INTO events (id, body) VALUES ({key}, 'w')",
    ]


class Writers:
    """Threads that write to a source, in transactions of random lengths, until they are told to stop."""

    _numbers = iter(range(2_000_000, 10**12))

    def __init__(self, source: SourceDatabase, count: int = 2, longest: float = 0.3) -> None:
        self.committed = 0
        self._source, self._longest = source, longest
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=self._write, args=(number,)) for number in range(count)]

    @contextmanager
    def writing(self) -> Iterator[Writers]:
        """They write as long as the context lasts; then all has been committed or rolled back."""
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join()

    def _write(self, seed: int) -> None:
        chance = random.Random(seed)
        connection = None
        while not self._stop.is_set():
            # Deadlocks among writers, and servers that are killed under them, are part of it.
            with suppress(psycopg2.Error):
                if connection is None or connection.closed:
                    connection = self._source.connect()
                    with connection.cursor() as cursor:
                        cursor.execute("SET application_name = 'writer'")
                    connection.commit()
                try:
                    self._transaction(connection, chance)
                except BaseException:
                    if not connection.closed:
                        connection.rollback()
                    raise
        if connection is not None:
            connection.close()

    def _transaction(self, connection: Any, chance: random.Random) -> None:
        with connection.cursor() as cursor:
            for _ in range(chance.choice([1, 1, 2, 3])):
                with self._lock:
                    key = next(self._numbers)
                cursor.execute(chance.choice(_statements(chance, key)))
                self._stop.wait(chance.random() ** 4 * self._longest)
        if chance.random() < 0.1:
            connection.rollback()
        else:
            connection.commit()
            self.committed += 1

"""Runs that die while a copy follows its source, those who read meanwhile, and a long life of both."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, ClassVar

import pytest

from framework.databases.duckdb import DuckDBTarget
from framework.errors import StatementFailed
from framework.replicate import evolve, incremental, state
from tests.replicate.anywhere import Anywhere
from tests.replicate.following import is_exact, plain

# Runs that die, and runs that are taken over


@contextmanager
def breaking(patch: pytest.MonkeyPatch, module: Any, name: str) -> Iterator[None]:
    """The process dies when it calls a function."""

    def die(*_: object, **__: object) -> None:
        raise StatementFailed("target", "the process died")

    with patch.context() as broken:
        broken.setattr(module, name, die)
        yield


def alter_everything(copy: Anywhere) -> None:
    copy.source.execute(
        "ALTER TABLE t ADD note text, ADD n integer NOT NULL DEFAULT 7, ALTER email TYPE varchar(90), DROP active"
    )
    copy.source.execute("ALTER TABLE t RENAME COLUMN name TO full_name")
    copy.source.execute("UPDATE t SET note = 'x' WHERE id = 1")


@pytest.mark.parametrize("when", ["before the merge", "before what is new is shown"])
def test_a_run_that_dies_is_continued_by_the_next(
    anywhere: Anywhere, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    anywhere.settings["schema_change"] = {"rename": "apply"}
    anywhere()
    alter_everything(anywhere)
    where = (incremental, "merge") if when == "before the merge" else (evolve, "reveal")
    with breaking(monkeypatch, *where), pytest.raises(StatementFailed):
        anywhere()
    if when == "before the merge":
        # Meanwhile the source goes on.
        anywhere.source.execute("ALTER TABLE t ALTER n TYPE bigint, ADD late text DEFAULT 'l'")
        anywhere.source.execute("UPDATE t SET n = 5000000000, updated_at = now() WHERE id = 2")
    else:
        anywhere.source.execute("ALTER TABLE t ADD late text DEFAULT 'l'")
    anywhere()
    assert is_exact(anywhere, "id, email, full_name, note, n, late")
    assert sorted(anywhere.query("SELECT * FROM `copy` WHERE id = 1")[0], key=str)  # nothing is hidden
    assert len(anywhere.query("SELECT * FROM `copy`")[0]) == 8
    assert anywhere().rows_written == 0


def test_who_reads_meanwhile_sees_no_error_and_no_half_state(anywhere: Anywhere) -> None:
    anywhere.source.execute(
        "INSERT INTO t (id, email, name) SELECT i, 'q' || i || '@example.com', 'n' FROM generate_series(10, 2000) AS i"
    )
    anywhere()
    stop = threading.Event()
    seen: set[tuple[int, int, int]] = set()

    def read() -> None:
        with anywhere.target.session() as session:
            while not stop.is_set():
                found = session.query(anywhere._quoted("SELECT * FROM `copy`"))
                seen.add((len(found), min(map(len, found)), sum(row[-1] == "new" for row in found)))

    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(read)
        try:
            anywhere.source.execute("ALTER TABLE t ALTER email TYPE text, ADD fresh text NOT NULL DEFAULT 'new'")
            anywhere()
        finally:
            stop.set()
        reader.result()
    assert is_exact(anywhere, "id, email, fresh")
    whole = {(1996, 5, 0), (1996, 6, 1996)}
    assert seen <= (whole | {(1996, 6, 0)} if isinstance(anywhere.target, DuckDBTarget) else whole)


# A long life


class Living:
    """A source that changes its columns and rows at random, and a copy that follows and may die at any time."""

    TYPES: ClassVar[dict[str, tuple[str, ...]]] = {
        "smallint": ("7", "-32768"),
        "integer": ("7", "2147483647"),
        "bigint": ("7", "-9223372036854775808"),
        "numeric(12,2)": ("7.50", "-1234567890.25"),
        "varchar(10)": ("'seven'", "''"),
        "text": ("'seven'", "repeat('x', 70000)"),
        "date": ("'2026-01-01'", "'1999-12-31'"),
        "boolean": ("true", "false"),
    }
    WIDER: ClassVar[dict[str, str]] = {
        "smallint": "integer",
        "integer": "bigint",
        "bigint": "numeric(30,2)",
        "varchar(10)": "varchar(4000)",
        "numeric(12,2)": "numeric(14,4)",
    }
    OTHER: ClassVar[dict[str, str]] = {"smallint": "text", "date": "timestamp", "boolean": "text", "text": "char(3)"}

    def __init__(self, copy: Anywhere, chance: random.Random) -> None:
        self.copy, self.chance = copy, chance
        self.columns: dict[str, str] = {}
        self._names = (f"c{number}" for number in itertools.count())

    def step(self) -> None:
        doing = [self.add, self.add, self.rows, self.rows]
        if self.columns:
            doing += [self.drop, self.rename, self.retype, self.retype, self.again, self.nullable]
        self.chance.choice(doing)()

    def alter(self, how: str) -> None:
        self.copy.source.execute(f"ALTER TABLE t {how}")

    def add(self) -> None:
        name, type_ = next(self._names), self.chance.choice(sorted(self.TYPES))
        default = f" DEFAULT {self.TYPES[type_][0]}" if self.chance.random() < 0.5 else ""
        not_null = " NOT NULL" if default and self.chance.random() < 0.5 else ""
        self.alter(f"ADD {name} {type_}{default}{not_null}")
        self.columns[name] = type_

    def drop(self) -> None:
        name = self.chance.choice(sorted(self.columns))
        self.alter(f"DROP {name}")
        del self.columns[name]

    def rename(self) -> None:
        name, new = self.chance.choice(sorted(self.columns)), next(self._names)
        self.alter(f"RENAME {name} TO {new}")
        self.columns[new] = self.columns.pop(name)

    def retype(self) -> None:
        name = self.chance.choice(sorted(self.columns))
        to = self.chance.choice([self.WIDER, self.WIDER, self.OTHER])
        if (type_ := to.get(self.columns[name])) is not None:
            self.alter(f"ALTER {name} DROP DEFAULT, ALTER {name} DROP NOT NULL")
            self.alter(f"ALTER {name} TYPE {type_} USING {name}::{type_}")
            self.columns[name] = type_

    def again(self) -> None:
        name = self.chance.choice(sorted(self.columns))
        type_ = self.chance.choice(sorted(self.TYPES))
        self.alter(f"DROP {name}")
        self.alter(f"ADD {name} {type_} DEFAULT {self.TYPES[type_][1]}")
        self.columns[name] = type_

    def nullable(self) -> None:
        self.alter(f"ALTER {self.chance.choice(sorted(self.columns))} DROP NOT NULL")

    def rows(self) -> None:
        key = self.chance.randrange(1, 12)
        self.copy.source.execute(f"DELETE FROM t WHERE id = {self.chance.randrange(1, 12)}")
        self.copy.source.execute(f"INSERT INTO t (id) VALUES ({key}) ON CONFLICT DO NOTHING")
        known = [name for name, type_ in self.columns.items() if type_ in self.TYPES]
        for name in known[:2]:
            value = self.chance.choice(self.TYPES[self.columns[name]])
            self.copy.source.execute(f"UPDATE t SET {name} = {value}, updated_at = now() WHERE id = {key}")

    def is_exact(self) -> bool:
        names = ["id", "name", *self.columns]
        wanted = self.copy.source.rows(f"SELECT {', '.join(names)} FROM t ORDER BY id")
        got = self.copy.rows(", ".join(f"`{name}`" for name in names))
        return [tuple(map(plain, row)) for row in got] == [tuple(map(plain, row)) for row in wanted]


@pytest.mark.parametrize("drop", ["keep", "apply"])
@pytest.mark.parametrize("seed", range(2))
def test_a_copy_follows_through_a_long_life(
    anywhere: Anywhere, monkeypatch: pytest.MonkeyPatch, seed: int, drop: str
) -> None:
    chance = random.Random(f"{seed} {drop}")
    anywhere.settings["schema_change"] = {"rename": "apply", "drop": drop, "narrow": "refill"}
    living = Living(anywhere, chance)
    anywhere()
    for _ in range(15):
        for _ in range(chance.randrange(1, 4)):
            living.step()
        if chance.random() < 0.3:
            module, name = chance.choice([(incremental, "merge"), (evolve, "reveal"), (state, "write")])
            with breaking(monkeypatch, module, name), suppress(StatementFailed):
                anywhere()
        anywhere()
        assert living.is_exact()
    shown = anywhere.query("SELECT * FROM `copy`")
    assert {len(row) for row in shown} == {len(anywhere.columns())}
    if drop == "apply":
        assert set(anywhere.columns()) == {"id", "email", "name", "active", "updated_at", *living.columns}
    anywhere({"full_refresh": True})
    assert living.is_exact()

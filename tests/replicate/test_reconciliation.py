"""Keys that are gone or come back are met, however few keys are looked at."""

from __future__ import annotations

import random
from typing import Any
from uuid import UUID

import pytest

from framework.compare import members
from framework.compare.side import Side, Sum
from framework.databases.base import Row
from framework.errors import DeleteFuseBlown, KeyNotUnique, LoadRefused
from framework.replicate import census, reconciliation, staging
from framework.replicate.census import Census
from framework.replicate.reconciliation import Reconciled
from tests.replicate.anywhere import Anywhere
from tests.replicate.conftest import Copying

MYSQL = pytest.mark.parametrize("target", ["mysql"], indirect=True)
"""What does not depend on the target."""

OLD, NEW = "2001-01-01", "clock_timestamp()"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables of some rows are cut as tables of millions are."""
    monkeypatch.setattr(reconciliation, "FEW", 2)
    monkeypatch.setattr(reconciliation, "PLACES", 2)
    monkeypatch.setattr(census, "PARTS", 8)
    monkeypatch.setattr(census, "MOST", 12)
    monkeypatch.setattr(members, "AT_ONCE", 100)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Reconciled]:
    """What each run has found."""
    found: list[Reconciled] = []
    perform = reconciliation._Reconciliation.perform

    def noting(self: Any, before: Census | None) -> Reconciled:
        found.append(perform(self, before))
        return found[-1]

    monkeypatch.setattr(reconciliation._Reconciliation, "perform", noting)
    return found


# --- any changes ------------------------------------------------------------------------------------------------------

KEYS = {
    "bigint": ("id bigint PRIMARY KEY", lambda i: f"{(i - 20) * 0x123456789ABCD}"),
    "smallint": ("id smallint PRIMARY KEY", lambda i: str(i - 3)),
    "gaps": ("id int PRIMARY KEY", lambda i: str(i * 7 - 100)),
    "lowest": ("id bigint PRIMARY KEY", lambda i: str(i - 2**63)),
    "highest": ("id bigint PRIMARY KEY", lambda i: str(2**63 - 1 - i)),
    "uuid": ("id uuid PRIMARY KEY", lambda i: f"md5('{i}')::uuid"),
    "uuid v7": ("id uuid PRIMARY KEY", lambda i: f"'{UUID(int=(0x0199_0000_0000 + i) << 80 | i)}'::uuid"),
    "text": ("id text PRIMARY KEY", lambda i: f"'{'aAáb '[i % 5]}{i}'"),
    "two": ("id int, n text, PRIMARY KEY (id, n)", lambda i: f"{i // 4}, 'n{i % 4}'"),
    "crowded": ("id int, n int, PRIMARY KEY (id, n)", lambda i: f"{i % 2}, {i}"),
    "uuid and more": (
        "id uuid, n date, PRIMARY KEY (id, n)",
        lambda i: f"md5('{i // 3}')::uuid, '2026-01-0{1 + i % 3}'",
    ),
    "numeric": ("id numeric(9,2) PRIMARY KEY", lambda i: f"{i}.5"),
}


class Moving:
    """A table whose rows come, go and change in every way that a cursor or the comparison of keys has to meet."""

    def __init__(self, copy: Anywhere, kind: str, seed: int) -> None:
        self.copy, self.chance = copy, random.Random(f"{kind} {seed}")
        self.columns, self.value = KEYS[kind]
        self.names = "id, n" if " n " in self.columns else "id"
        copy.source.execute("DROP TABLE IF EXISTS t")
        copy.source.execute(
            f"CREATE TABLE t ({self.columns}, v int NOT NULL, shown boolean NOT NULL DEFAULT true, "
            "updated_at timestamptz NOT NULL)"
        )
        self.there: set[int] = set()
        for number in range(40):
            self.come(number, OLD)

    def come(self, number: int, cursor: str) -> None:
        moment = cursor if cursor == NEW else f"'{cursor}'"
        shown = self.chance.random() < 0.8
        self.copy.source.execute(f"INSERT INTO t VALUES ({self.value(number)}, {number}, {shown}, {moment})")
        self.there.add(number)

    def key(self, number: int) -> str:
        return f"({self.names}) = ({self.value(number)})"

    def step(self) -> None:
        chance, source = self.chance, self.copy.source
        absent = [number for number in range(60) if number not in self.there]
        for _ in range(chance.choice([0, 1, 1, 3, 12])):
            number = chance.choice(sorted(self.there)) if self.there else None
            what = chance.choice(["come", "come", "return", "go", "go", "rename", "touch", "filter", "replace"])
            if what in ("come", "return") and absent:
                self.come(absent.pop(chance.randrange(len(absent))), NEW if what == "come" else OLD)
            elif number is None:
                continue
            elif what == "go":
                source.execute(f"DELETE FROM t WHERE {self.key(number)}")
                self.there.remove(number)
            elif what == "rename" and absent:
                other = absent.pop(chance.randrange(len(absent)))
                moment = chance.choice(["updated_at", NEW])
                source.execute(
                    f"UPDATE t SET ({self.names}) = ROW({self.value(other)}), v = {other}, updated_at = {moment} "
                    f"WHERE {self.key(number)}"
                )
                self.there = (self.there - {number}) | {other}
            elif what == "touch":
                source.execute(f"UPDATE t SET shown = NOT shown, updated_at = {NEW} WHERE {self.key(number)}")
            elif what == "filter":
                source.execute(f"UPDATE t SET shown = NOT shown WHERE {self.key(number)}")
            elif what == "replace":
                source.execute(f"DELETE FROM t WHERE {self.key(number)}")
                self.there.remove(number)
                self.come(number, OLD)

    def wanted(self) -> list[tuple[Any, ...]]:
        return self.copy.source.rows("SELECT v FROM t WHERE shown ORDER BY 1")


@pytest.mark.parametrize(
    ("anywhere", "kind"),
    [
        *(("mysql", kind) for kind in KEYS),
        ("mariadb", "uuid v7"),
        ("mariadb", "gaps"),
        ("duckdb", "smallint"),
        ("duckdb", "uuid"),
        ("duckdb", "two"),
        ("duckdb", "text"),
    ],
    indirect=["anywhere"],
)
@pytest.mark.usefixtures("small")
def test_whatever_happens_to_keys_is_met(anywhere: Anywhere, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    moving = Moving(anywhere, kind, 1)
    chance = moving.chance
    policy = chance.choice(["remove", "mark"])
    anywhere.settings.update(where="shown", deletes={"policy": policy, "fuse": "100%"})
    ever: set[tuple[Any, ...]] = set()
    for _ in range(8):
        monkeypatch.setattr(reconciliation, "KNOWN", chance.choice([0, 1, 20_000]))
        monkeypatch.setattr(reconciliation, "FEW", chance.choice([0, 2, 5_000]))
        monkeypatch.setattr(staging, "MANY", chance.choice([0, 200_000]))
        monkeypatch.setattr(members, "SPARSE", chance.choice([0, 20, 20]))
        monkeypatch.setattr(reconciliation, "TRUSTED", chance.choice([-1, 86_400, 86_400, 86_400]))
        stats = anywhere()
        wanted = moving.wanted()
        gone = ever - set(wanted)
        live = " WHERE `_deleted_at` IS NULL" if policy == "mark" else ""
        assert anywhere.query(f"SELECT v FROM `copy`{live} ORDER BY 1") == wanted, stats
        ever |= set(wanted)
        if policy == "mark":
            assert set(anywhere.query("SELECT v FROM `copy` WHERE `_deleted_at` IS NOT NULL")) == gone
        moving.step()


@pytest.mark.usefixtures("small")
def test_equal_keys_are_told_by_their_sums(
    anywhere: Anywhere, seen: list[Reconciled], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciliation, "TRUSTED", -1)
    for kind in KEYS:
        anywhere.settings["table"] = kind
        Moving(anywhere, kind, 2)
        anywhere()
        seen.clear()
        anywhere()
        assert [(found.keys, found.live, found.staged, found.looked) for found in seen] == [(40, 40, 0, True)], kind


# --- what it costs ----------------------------------------------------------------------------------------------------


def filled(copying: Copying, rows: int, key: str = "i", type_: str = "bigint") -> None:
    copying.source.execute(f"CREATE TABLE t (id {type_} PRIMARY KEY, v int, updated_at timestamptz NOT NULL)")
    copying.source.execute(f"INSERT INTO t SELECT {key}, i, '{OLD}' FROM generate_series(1, {rows}) AS i")


@MYSQL
@pytest.mark.parametrize(("type_", "key"), [("bigint", "i"), ("uuid", "md5(i::text)::uuid")])
def test_little_is_looked_at_for_a_few_deletes(
    copying: Copying, seen: list[Reconciled], type_: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciliation, "FEW", 20)
    monkeypatch.setattr(reconciliation, "COUNTED", 0)
    filled(copying, 20_000, key, type_)
    copying()
    assert seen == []
    told: list[int] = []
    fetch = Side._fetch

    def noting(side: Side, query: str) -> list[Row]:
        told.append(len(rows := fetch(side, query)))
        return rows

    monkeypatch.setattr(Side, "_fetch", noting)
    copying.source.execute(f"UPDATE t SET v = -v, updated_at = {NEW} WHERE v % 50 = 1")
    copying.source.execute(f"INSERT INTO t SELECT {key}, i, {NEW} FROM generate_series(20001, 20500) AS i")
    assert copying().rows_written == 900
    assert (seen[-1].staged, seen[-1].looked, told) == (0, False, [])
    copying.source.execute("DELETE FROM t WHERE v IN (7, 3300, 12345, 20100)")
    copying.source.execute(f"INSERT INTO t SELECT {key}, i, '{OLD}' FROM generate_series(30000, 30002) AS i")
    stats = copying()
    assert (stats.rows_deleted, stats.rows_written) == (4, 3)
    assert 0 < seen[-1].staged + sum(told) < 500
    assert (seen[-1].looked, seen[-1].live) == (False, 20_500)
    assert copying().rows_written == 0
    assert copying.rows("COUNT(*)") == [(20_499,)]


@MYSQL
def test_keys_that_begin_alike_are_cut_by_all_of_them(
    copying: Copying, seen: list[Reconciled], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciliation, "FEW", 20)
    copying.source.execute(
        "CREATE TABLE t (tenant int, id int, updated_at timestamptz NOT NULL, PRIMARY KEY (tenant, id))"
    )
    copying.source.execute(f"INSERT INTO t SELECT i % 3 * 1000000, i, '{OLD}' FROM generate_series(1, 9000) AS i")
    copying()
    copying.source.execute("DELETE FROM t WHERE id IN (1, 10, 4444)")
    assert copying().rows_deleted == 3
    assert 0 < seen[-1].staged < 400


@MYSQL
def test_an_empty_source_blows_the_fuse_and_moves_nothing(copying: Copying, seen: list[Reconciled]) -> None:
    filled(copying, 12_000)
    guarded = {"policy": "mark", "fuse": "20%"}
    copying(deletes=guarded)
    copying.source.execute("DELETE FROM t WHERE v <= 2000")
    assert copying(deletes=guarded).rows_deleted == 2000
    copying.source.execute("DELETE FROM t")
    with pytest.raises(DeleteFuseBlown, match="10000 of the 10000 rows"):
        copying(deletes=guarded)
    assert seen[-1].staged == 0
    assert copying.target.rows("SELECT COUNT(*) FROM copy WHERE _deleted_at IS NULL") == [(10_000,)]
    assert copying(deletes={"policy": "mark", "fuse": "100%"}).rows_deleted == 10_000


@MYSQL
def test_half_of_the_keys_exchanged(copying: Copying, seen: list[Reconciled]) -> None:
    filled(copying, 12_000)
    copying()
    copying.source.execute("UPDATE t SET id = id + 1000000 WHERE v % 2 = 0")
    stats = copying()
    assert (stats.rows_deleted, stats.rows_written) == (6_000, 6_000)
    assert copying.rows("COUNT(*)") == [(12_000,)]
    assert seen[-1].fetched == 6_000


# --- what the census does not know ------------------------------------------------------------------------------------


def test_a_copy_that_somebody_changed_is_looked_at_again(
    copying: Copying, seen: list[Reconciled], monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(copying, 5)
    copying()
    copying.target.execute("DELETE FROM copy WHERE id = 2")
    assert copying().rows_written == 1
    assert seen[-1].looked
    copying.target.execute("UPDATE copy SET id = 7 WHERE id = 2")
    copying()
    assert not seen[-1].looked
    monkeypatch.setattr(reconciliation, "TRUSTED", -1)
    stats = copying()
    assert (stats.rows_deleted, stats.rows_written, seen[-1].looked) == (1, 1, True)
    assert copying.rows("id") == [(1,), (2,), (3,), (4,), (5,)]


@MYSQL
def test_a_state_of_before_the_census(people: Copying, seen: list[Reconciled]) -> None:
    people()
    people.target.execute("UPDATE _vitrina_state SET census = NULL")
    people.source.execute("DELETE FROM t WHERE id = 1")
    assert people().rows_deleted == 1
    assert seen[-1].looked
    people()
    assert not seen[-1].looked


@MYSQL
def test_deletes_that_were_kept_for_a_while(people: Copying, seen: list[Reconciled]) -> None:
    people()
    people.source.execute("DELETE FROM t WHERE id = 1")
    assert people(deletes={"policy": "keep"}).rows_deleted == 0
    people.source.execute("DELETE FROM t WHERE id = 2")
    assert people().rows_deleted == 2
    assert seen[-1].looked


def test_keys_that_are_not_unique_any_more_or_null_are_refused(copying: Copying) -> None:
    copying.source.execute("CREATE TABLE t (id bigint, v int, updated_at timestamptz NOT NULL)")
    copying.source.execute(f"INSERT INTO t SELECT i, i, '{OLD}' FROM generate_series(1, 5) AS i")
    copying(key=["id"])
    copying.source.execute(f"INSERT INTO t VALUES (3, 30, '{OLD}')")
    for _ in range(2):
        with pytest.raises(KeyNotUnique):
            copying(key=["id"])
    copying.source.execute("DELETE FROM t WHERE v = 30")
    copying.source.execute(f"INSERT INTO t VALUES (NULL, 30, '{OLD}')")
    for _ in range(2):
        with pytest.raises(LoadRefused):
            copying(key=["id"])
    assert copying.rows("id, v") == [(i, i) for i in range(1, 6)]


@MYSQL
@pytest.mark.parametrize("kind", ["view", "inherited", "partitioned", "masked", "clamped"])
def test_sources_and_keys_of_other_kinds(copying: Copying, kind: str) -> None:
    settings: dict[str, Any] = {"options": {"mask_key": b"m"}}
    make = "CREATE TABLE t (id int PRIMARY KEY, v int, updated_at timestamptz NOT NULL DEFAULT now())"
    into = "t"
    if kind == "view":
        copying.source.execute(make.replace("TABLE t", "TABLE b"))
        copying.source.execute("CREATE VIEW t AS SELECT * FROM b")
        settings["key"], into = ["id"], "b"
    elif kind == "partitioned":
        copying.source.execute(make + " PARTITION BY HASH (id)")
        for part in range(2):
            copying.source.execute(f"CREATE TABLE t{part} PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER {part})")
    elif kind == "inherited":
        copying.source.execute(make)
        copying.source.execute("CREATE TABLE child () INHERITS (t)")
        copying.source.execute("INSERT INTO child VALUES (1, 1)")
        settings["children"] = False
    elif kind == "masked":
        copying.source.execute(make.replace("id int", "id text"))
        settings["columns"] = {"id": {"from": "id", "mask": "hmac"}}
    else:
        copying.source.execute(make.replace("id int", "id numeric"))
        settings["columns"] = {"id": {"from": "id", "out_of_range": "clamp"}}
    copying.source.execute(f"INSERT INTO {into} SELECT i, i FROM generate_series(1, 20) AS i")
    copying(**settings)
    copying.source.execute(f"DELETE FROM {into} WHERE v IN (3, 4)")
    copying.source.execute(f"INSERT INTO {into} VALUES (40, 40, '{OLD}'), (41, 41, {NEW})")
    stats = copying(**settings)
    assert (stats.rows_deleted, stats.rows_written) == (2, 2)
    assert copying.rows("v", "copy") == [(i,) for i in (1, 2, *range(5, 21), 40, 41)]
    assert copying(**settings).rows_written == 0


@MYSQL
def test_a_key_that_is_renamed_while_others_go(copying: Copying) -> None:
    filled(copying, 30)
    allowing = {"schema_change": {"rename": "apply"}}
    copying(**allowing)
    copying.source.execute("ALTER TABLE t RENAME id TO number")
    copying.source.execute("DELETE FROM t WHERE v = 3")
    copying.source.execute(f"INSERT INTO t VALUES (100, 100, '{OLD}')")
    assert copying(**allowing).rows_deleted == 1
    assert copying.rows("number") == [(i,) for i in range(1, 31) if i != 3] + [(100,)]


# --- the census itself ------------------------------------------------------------------------------------------------


def counted(shift: int = 0, **parts: tuple[int, int]) -> Census:
    return Census("keys", shift, 0.0, {int(number[1:]): Sum(*part) for number, part in parts.items()})


def test_a_census_is_added_to_and_made_coarser() -> None:
    before = counted(p1=(2, 10), p2=(1, 5))
    after = before.plus({2: Sum(1, 7), 9: Sum(1, 1)})
    assert after == counted(p1=(2, 10), p2=(2, 12), p9=(1, 1))
    assert after.plus({2: Sum(2, 12)}, -1) == counted(p1=(2, 10), p9=(1, 1))
    assert before.unlike(after) == {2: (Sum(1, 5), Sum(2, 12)), 9: (Sum(), Sum(1, 1))}
    negative = Census("keys", 0, 0.0, {-1: Sum(1, 3), -3: Sum(1, 1), 1: Sum(1, 2)})
    assert negative.coarser(2).parts == {-1: Sum(2, 4), 0: Sum(1, 2)}
    assert (negative.coarser(2).stretch(-1).low, negative.coarser(2).stretch(-1).high) == (-4, -1)
    assert Census.from_text(after.as_text()) == after

"""How much is read to find a difference, wherever the keys are."""

from __future__ import annotations

import random

import pytest

from framework.compare.slots import WHOLE, Grid, Stretch, joined, sample, segments
from framework.databases.mysql.canonical import MySQLCanonical
from framework.verify import judge
from framework.verify.verdict import Kind
from tests.verify.conftest import Verifying, only

MOST = (1 << 63) - 1
LEAST = -(1 << 63)


def fill(verifying: Verifying, type_: str, expression: str, rows: int) -> None:
    """A table of so many rows; the key is an expression of their number ``i``. No statistics yet."""
    verifying.make(
        f"CREATE TABLE t (id {type_} PRIMARY KEY, v bigint)",
        f"INSERT INTO t SELECT {expression}, i FROM generate_series(1, {rows}::bigint) AS i",
    )


@pytest.mark.parametrize("anywhere", ["mysql"], indirect=True)
def test_one_difference_in_many_rows_costs_less_than_a_hundredth_of_them(verifying: Verifying) -> None:
    fill(verifying, "bigint", "i", 300_000)
    assert verifying().fetched < 1_500
    verifying.copy.execute("UPDATE `copy` SET v = 0 WHERE v = 123456")
    verdict = verifying()
    only(verdict, Kind.DIFFERENT)
    assert verdict.rows == 300_000
    assert verdict.fetched < 3_000
    assert verifying.told
    assert verifying.told[-1].done <= 300_000


@pytest.mark.parametrize("anywhere", ["mysql"], indirect=True)
def test_keys_that_are_no_integers_are_cut_by_their_digest(verifying: Verifying) -> None:
    fill(verifying, "uuid", "md5(i::text)::uuid", 20_000)
    verifying.copy.execute("UPDATE `copy` SET v = 0 WHERE v = 12345")
    verdict = verifying()
    only(verdict, Kind.DIFFERENT)
    assert verdict.fetched < 1_000


@pytest.mark.parametrize("anywhere", ["mysql", "duckdb"], indirect=True)
def test_crowded_keys(verifying: Verifying) -> None:
    """Almost all keys are in one of the parts, again and again."""
    fill(verifying, "bigint", f"CASE i WHEN 1 THEN {LEAST} WHEN 2 THEN {MOST} ELSE 5000000 + i END", 20_000)
    assert verifying().is_equal
    verifying.copy.execute("UPDATE `copy` SET v = 0 WHERE v IN (1, 2, 7777)")
    verdict = verifying()
    only(verdict, Kind.DIFFERENT, 3)
    assert verdict.fetched < 6_000


@pytest.mark.parametrize(
    ("type_", "low", "high"), [("smallint", -32768, 32767), ("integer", -(1 << 31), (1 << 31) - 1)]
)
def test_the_limits_of_smaller_integers(verifying: Verifying, type_: str, low: int, high: int) -> None:
    fill(verifying, type_, f"CASE i WHEN 1 THEN {low} WHEN 2 THEN {high} ELSE i END", 100)
    assert verifying().is_equal
    verifying.copy.execute("UPDATE `copy` SET v = 0 WHERE v <= 2")
    only(verifying(), Kind.DIFFERENT, 2)


@pytest.mark.parametrize("anywhere", ["mysql"], indirect=True)
def test_where_nearly_everything_differs_nobody_counts_on(
    verifying: Verifying, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge, "MOST", 50)
    fill(verifying, "bigint", "i", 5_000)
    verifying.copy.execute("UPDATE `copy` SET v = 0")
    verdict = verifying()
    assert not verdict.complete
    assert verdict.differing >= 50
    assert len(verdict.differences) == 10


@pytest.mark.parametrize("type_", ["bigint", "text"])
@pytest.mark.parametrize("anywhere", ["mysql"], indirect=True)
def test_a_sample(verifying: Verifying, type_: str) -> None:
    fill(verifying, type_, "i", 10_000)
    verdict = verifying(0.1)
    assert verdict.is_equal
    assert 700 < verdict.rows < 1300
    assert verdict.rows == verdict.copied
    verifying.copy.execute("UPDATE `copy` SET v = 0")
    assert verifying(0.01).differing > 50


@pytest.mark.parametrize("anywhere", ["mysql", "mariadb"], indirect=True)
def test_rows_whose_texts_are_as_long_as_can_be(verifying: Verifying) -> None:
    """Their texts, joined, fit into what the servers may send: else all would be read again."""
    columns = [f"c{number}" for number in range(20)]
    verifying.make(
        f"CREATE TABLE t (id bigint PRIMARY KEY, {', '.join(f'{name} text' for name in columns)})",
        f"INSERT INTO t SELECT i, {', '.join(['repeat(chr(65 + i % 26), 1024)'] * 20)} FROM generate_series(1, 1500) i",
    )
    assert verifying().fetched < 20
    verifying.copy.execute("UPDATE `copy` SET c7 = REPLACE(c7, 'A', 'a') WHERE id = 26")
    only(verifying(), Kind.DIFFERENT)


@pytest.mark.parametrize("anywhere", ["mysql"], indirect=True)
def test_rows_that_come_in_another_order_are_equal_nevertheless(
    verifying: Verifying, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(verifying, "bigint", "i", 5_000)
    backwards = "GROUP_CONCAT({} ORDER BY r DESC SEPARATOR '')"
    monkeypatch.setattr(MySQLCanonical, "joined", lambda self, text: backwards.format(text))
    assert verifying().is_equal
    verifying.copy.execute("UPDATE `copy` SET v = 0 WHERE v = 77")
    only(verifying(), Kind.DIFFERENT)


@pytest.mark.parametrize("anywhere", ["mysql"], indirect=True)
def test_a_key_without_an_index_is_cut_by_its_digest(verifying: Verifying) -> None:
    verifying.make(
        "CREATE TABLE t (id bigint NOT NULL, v bigint)",
        "INSERT INTO t SELECT i, i FROM generate_series(1, 5000) AS i",
        key=["id"],
    )
    verifying.copy.execute("UPDATE `copy` SET v = 0 WHERE v = 77")
    verdict = verifying()
    only(verdict, Kind.DIFFERENT)
    assert verdict.slots[0] > 5000


def test_stretches() -> None:
    for low, high, parts in ((0, 9, 3), (-5, 5, 20), (LEAST, MOST, 7), (3, 3, 1), (0, 1, 1)):
        grid = Stretch(low, high).cut(parts)
        cut = grid.parts()
        assert len(cut) <= parts
        assert list(joined(cut)) == [Stretch(low, high)]
        assert all(part.width == grid.width for part in cut[:-1])
    assert list(joined([Stretch(5, 6), Stretch(0, 1), Stretch(2, 4), Stretch(9, 9)])) == [Stretch(0, 6), Stretch(9, 9)]
    assert all(each.width < 1 << 63 for each in segments(Stretch(LEAST, MOST), 10, indexed=True))
    assert segments(WHOLE, 10**9, indexed=False) == (WHOLE,)


def test_samples_are_spread_and_within() -> None:
    random.seed(1)
    for fraction in (0.001, 0.1, 1.0):
        chosen = sample(Stretch(-1000, 999_000), fraction, indexed=True)
        assert len(chosen) == 10
        assert all(-1000 <= each.low <= each.high <= 999_000 for each in chosen)
        assert sum(each.width for each in chosen) == pytest.approx(1_000_001 * fraction, rel=0.02)
    assert sample(Stretch(0, 2), 0.01, indexed=True) == (Stretch(0, 0), Stretch(1, 1), Stretch(2, 2))
    assert Grid(Stretch(0, 9), 4).part(2) == Stretch(8, 9)

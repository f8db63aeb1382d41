"""The numbers that rules draw have the distributions they are named for: tests of Kolmogorov and Pearson."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

from framework import units
from framework.generate.columns.scalars import microseconds
from framework.generate.columns.values import Vector
from framework.generate.rules.batch import Drawn, Recomputed
from framework.generate.rules.dataset import compile_table
from framework.generate.rules.relations import Relation
from tests.generate.conftest import NOW, one_table

ROWS = 100_000
NORMAL = NormalDist()


def drawn(type_: str, fake: dict[str, Any]) -> Vector:
    """The values of a column, without a database."""
    rules = compile_table(one_table(ROWS, v={"type": type_, "fake": fake}), "t", ROWS, _now())
    return Drawn(rules, np.arange(ROWS), Recomputed({"t": rules}, _nobody())).column("v")


def _nobody() -> Any:
    return None


def _now() -> int:
    return microseconds(units.parse_datetime(NOW))


@pytest.mark.parametrize(
    ("fake", "distribution"),
    [
        ({"normal": {"mean": 10, "sigma": 3}}, lambda x: NORMAL.cdf((x - 10) / 3)),
        ({"lognormal": {"mean": 2, "sigma": 0.7}}, lambda x: NORMAL.cdf((math.log(x) - 2) / 0.7)),
    ],
)
def test_continuous_numbers(fake: dict[str, Any], distribution: Callable[[float], float]) -> None:
    values = np.sort(drawn("double precision", fake).array)
    expected = np.array([distribution(float(value)) for value in values])
    steps = np.arange(ROWS + 1) / ROWS
    distance = max(np.abs(expected - steps[1:]).max(), np.abs(expected - steps[:-1]).max())
    assert distance < 1.95 / math.sqrt(ROWS)  # Kolmogorov's bound of one in a thousand


@pytest.mark.parametrize(
    ("type_", "fake", "weights"),
    [
        ("int", {"integer": {"min": 0, "max": 99}}, [1.0] * 100),
        ("int", {"choice": {"0": 1, "1": 2, "2": 5, "3": 0.1}}, [1, 2, 5, 0.1]),
        ("int", {"zipf": {"max": 51, "exponent": 1.3}}, [0.0] + [rank**-1.3 for rank in range(1, 52)]),
    ],
)
def test_counted_numbers(type_: str, fake: dict[str, Any], weights: list[float]) -> None:
    found = np.bincount(drawn(type_, fake).array, minlength=len(weights))
    assert _is_like(found, np.array(weights))


def test_days_are_as_likely_as_each_other() -> None:
    days = drawn("date", {"date": {"from": "2024-01-01", "to": "2024-12-31"}}).array
    assert _is_like(np.bincount(days - days.min()), np.ones(366))


def test_rows_that_no_parent_is_preferred_for_are_spread_evenly() -> None:
    rules = compile_table(one_table(ROWS, v={"type": "int", "fake": "sequence"}), "t", ROWS, _now())
    relation = Relation("v", "p", "id", skew=0.0, per=False, unique=False, own=False)
    assert _is_like(np.bincount(relation.places(rules.scopes["v"], 200)(np.arange(ROWS))), np.ones(200))


def test_neighbours_know_nothing_of_each_other() -> None:
    values = drawn("double precision", {"normal": {"mean": 0, "sigma": 1}}).array
    for lag in (1, 2, 7, 256):
        assert abs(np.corrcoef(values[lag:], values[:-lag])[0, 1]) < 4 / math.sqrt(ROWS)


def _is_like(found: np.ndarray[Any, Any], weights: np.ndarray[Any, Any]) -> bool:
    """Pearson's test, at one in a thousand (Wilson and Hilferty's form of its bound)."""
    possible = weights > 0
    assert not found[~possible].any()
    expected = weights[possible] / weights.sum() * found.sum()
    freedom = len(expected) - 1
    bound = freedom * (1 - 2 / (9 * freedom) + 3.09 * math.sqrt(2 / (9 * freedom))) ** 3
    return bool((((found[possible] - expected) ** 2) / expected).sum() < bound)

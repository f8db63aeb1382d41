"""Bad networks between the engine and both servers: a run ends in bounded time, and what comes of it is exact."""

from __future__ import annotations

import pytest

from framework.errors import StatementFailed, StepsFailed
from tests.faults.conftest import ROWS, TIMEOUT, Faulty
from tests.faults.proxy import Fault, Kind, Way

SIDES = {"source": Way.DOWN, "target": Way.UP}
"""Which way the rows go there."""

MIDDLE = 1_000_000
"""Bytes: in the middle of the rows, and beyond all that connections without rows ever see."""


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("side", SIDES)
def test_a_stream_that_breaks_is_tried_again(faulty: Faulty, side: str, kind: Kind) -> None:
    network = faulty.networks[side]
    network.fault = Fault(kind, SIDES[side], MIDDLE)
    assert faulty().rows_written == ROWS
    assert network.befallen == 1
    assert any("tried again" in notice for notice in faulty.notices)
    assert faulty.seconds < 30
    faulty.assert_exact()


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("side", SIDES)
def test_an_increment_that_breaks_leaves_the_copy_whole(faulty: Faulty, side: str, kind: Kind) -> None:
    faulty()
    before = faulty.target.rows("SELECT * FROM t ORDER BY id")
    faulty.change()
    network = faulty.networks[side]
    network.fault = Fault(kind, SIDES[side], MIDDLE)
    with pytest.raises(StepsFailed) as failed:
        faulty(retries=0)
    error = failed.value.errors["replicate:t"]
    assert isinstance(error, StatementFailed)
    assert error.transient
    assert faulty.seconds < TIMEOUT + 20
    assert faulty.target.rows("SELECT * FROM t ORDER BY id") == before
    faulty()
    faulty.assert_exact()


@pytest.mark.parametrize("side", SIDES)
def test_a_network_that_comes_and_goes(faulty: Faulty, side: str) -> None:
    network = faulty.networks[side]
    faulty()
    for number, kind in enumerate(Kind):
        for after in (0, 2_000):
            faulty.change()
            network.fault = Fault(kind, Way.UP if number % 2 else Way.DOWN, after)
            faulty()
            faulty.assert_exact()


def test_a_slow_network_is_no_fault(faulty: Faulty) -> None:
    for network in faulty.networks.values():
        network.delay = 0.01
    assert faulty().rows_written == ROWS
    assert faulty.notices == []
    faulty.assert_exact()

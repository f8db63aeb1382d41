"""Bad networks between the engine and both servers: a run ends in bounded time, and what comes of it is exact."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from framework import runner
from framework.databases.mysql.target import MySQLTarget
from framework.databases.postgres.source import PostgresSource
from framework.errors import StatementFailed, StepsFailed
from framework.plan import compile_plan
from framework.spec.models import Spec
from tests.faults.conftest import ROWS, SPEC, TIMEOUT, Faulty
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


@pytest.mark.parametrize("side", SIDES)
def test_a_run_in_a_silent_network_can_be_cancelled(faulty: Faulty, side: str) -> None:
    """Long before the patience with the server ends."""
    patient = {"connect_timeout": 2, "read_timeout": 600}
    postgres = PostgresSource("faults_postgres", faulty.networks["source"].url(**patient))
    mysql = MySQLTarget("faults_mysql", faulty.networks["target"].url(**patient, write_timeout=600))
    network = faulty.networks[side]
    network.fault = Fault(Kind.SILENCE, SIDES[side], MIDDLE)
    plan = compile_plan(Spec.model_validate(SPEC))
    with closing(postgres), closing(mysql), ThreadPoolExecutor(1) as pool:
        run = runner.Run(postgres, mysql, runner.new_run_id(), "run")
        running = pool.submit(runner.execute, plan, run)
        while not network.befallen:
            time.sleep(0.05)
        begun = time.monotonic()
        run.cancel()
        with pytest.raises(StepsFailed):
            running.result(60)
        assert time.monotonic() - begun < 25
    faulty()
    faulty.assert_exact()

"""The history of runs, as a runner that tries steps again writes it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from framework.databases.mysql.target import MySQLTarget
from framework.events import RunFinished, RunStarted, Stats, StepFailed, StepFinished, StepStarted
from framework.history import Recorder, last_runs, steps_of
from tests.services.databases import TargetDatabase


@pytest.fixture
def mysql(target: TargetDatabase) -> Iterator[MySQLTarget]:
    opened = MySQLTarget("shop_mysql", target.url)
    Recorder(opened)(RunStarted("run", "shop", "airflow", ("mart:m",)))
    yield opened
    opened.close()


def statuses(mysql: MySQLTarget) -> list[tuple[str, str | None]]:
    with mysql.session() as session:
        return [(step.status, step.message) for step in steps_of(session, mysql, "run")]


def test_a_step_that_is_tried_again_ends_as_its_last_attempt(mysql: MySQLTarget) -> None:
    for event in (StepFailed("mart:m", "mart", "no", 1.0), StepFailed("mart:m", "mart", "still no", 1.0)):
        Recorder(mysql, "run")(event)
    assert statuses(mysql) == [("failed", "still no")]
    Recorder(mysql, "run")(StepFinished("mart:m", "mart", Stats(rows_written=1)))
    assert statuses(mysql) == [("succeeded", None)]


def test_an_attempt_that_was_given_up_does_not_undo_a_success(mysql: MySQLTarget) -> None:
    record = Recorder(mysql, "run")
    record(StepFinished("mart:m", "mart", Stats()))
    record(StepFailed("mart:m", "mart", "late", 9.0))
    assert statuses(mysql) == [("succeeded", None)]
    # Done again, because somebody asked for it.
    record(StepStarted("mart:m", "mart"))
    record(StepFailed("mart:m", "mart", "no", 1.0))
    assert statuses(mysql) == [("failed", "no")]


def test_a_run_that_is_begun_again_is_one_run(mysql: MySQLTarget) -> None:
    Recorder(mysql, "run")(RunFinished("run", "failed", 1.0))
    Recorder(mysql)(RunStarted("run", "shop", "airflow", ("mart:m",)))
    Recorder(mysql, "run")(RunFinished("run", "succeeded", 2.0))
    with mysql.session() as session:
        assert [(run.run_id, run.status) for run in last_runs(session, mysql, "shop")] == [("run", "succeeded")]

"""Ticks at a steady rate: paced by changes, ended behind a tick, the same ticks as those that are counted."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from framework.errors import RuleImpossible
from framework.events import Reporter, StepProgress
from framework.generate.filling import fill
from framework.generate.ticks.changes import tick
from framework.generate.ticks.live import Live, live
from tests.command import ROOT
from tests.generate.conftest import dump, one_table, task

REPORTER = Reporter("tick")
KEY = {"type": "bigint", "primary_key": True, "fake": "sequence"}


def shop() -> Any:
    customers = {
        "rows": 300,
        "columns": {"id": KEY, "name": {"type": "text", "fake": {"pattern": "??-##"}}},
        "changes": {"insert": 5, "update": {"rows": 5, "redraw": ["name"]}, "delete": {"rows": 3}},
    }
    orders = {
        "rows": 600,
        "columns": {
            "id": {"type": "uuid", "primary_key": True, "fake": "uuid"},
            "customer_id": {"type": "bigint", "references": {"table": "customers", "column": "id"}},
            "state": {"type": "text", "fake": {"choice": ["new", "paid"]}},
        },
        "changes": {"insert": 7, "update": {"rows": "2%", "redraw": ["state"]}, "delete": {"rows": 6}},
    }
    return task({"customers": customers, "orders": orders})


def test_live_ticks_are_those_that_are_counted(source, postgres, new_source, open_source):
    other = new_source()
    for database in (postgres, open_source(other)):
        fill(database, shop(), REPORTER)
    live(postgres, shop(), Live(1000, 0.3), REPORTER)
    ((ticks,),) = source.rows("SELECT max(ticks) FROM _vitrina_fills")
    assert ticks > 1
    live(postgres, shop(), Live(1000, 0.1), REPORTER)  # they go on
    ((after,),) = source.rows("SELECT max(ticks) FROM _vitrina_fills")
    assert after > ticks
    tick(open_source(other), shop(), after, REPORTER)
    for table in ("customers", "orders"):
        assert dump(source, table) == dump(other, table)


def test_the_pace_is_that_of_the_changes(source, postgres):
    events: list[Any] = []
    fill(postgres, shop(), REPORTER)
    began = time.monotonic()
    stats = live(postgres, shop(), Live(100, 1.5), Reporter("tick", events.append))
    assert 1.4 < time.monotonic() - began < 10
    # One tick of 38 changes is due at once, the next one when those are paid for.
    assert stats.rows_written + stats.rows_deleted <= 150 + 2 * 40
    assert "changes/s over" in events[-2].message
    assert "ticks 1 to" in events[-1].message
    assert any(isinstance(event, StepProgress) and "/s" in event.standing for event in events)


def test_it_ends_when_it_is_told_to(source, postgres):
    fill(postgres, shop(), REPORTER)
    how = Live(1)
    threading.Timer(0.5, how.stop.set).start()
    began = time.monotonic()
    live(postgres, shop(), how, REPORTER)
    assert time.monotonic() - began < 30


def test_an_unsteady_pace_is_told(source, postgres):
    told: list[Any] = []
    fill(postgres, shop(), REPORTER)
    live(postgres, shop(), Live(0.5, 0.1), Reporter("tick", told.append))
    assert "smaller `changes` make the pace steadier" in told[0].message


def test_ticks_that_change_nothing_are_refused(source, postgres):
    fill(postgres, one_table(), REPORTER)
    with pytest.raises(RuleImpossible, match="would change nothing"):
        live(postgres, one_table(), Live(10), REPORTER)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command_cleanly(source, tmp_path, number):
    (tmp_path / "live.yaml").write_text(
        "version: 1\npipeline: live\nsource: a\ntarget: b\nentities:\n  t:\n    rows: 100\n    columns:\n"
        "      id: {type: bigint, primary_key: true, fake: sequence}\n    changes: {insert: 10}\n"
    )
    (tmp_path / "connections.yaml").write_text(
        f"environments: {{default: {{a: {{url: '{source.url}', generate: allow}}, b: {{url: 'embedded:duckdb'}}}}}}\n"
    )
    command = [sys.executable, "-m", "framework", "generate", str(tmp_path / "live.yaml")]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    child = subprocess.Popen([*command, "--live", "--rate", "200/s"], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 60
        while source.rows("SELECT max(ticks) FROM _vitrina_fills") == [(0,)]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        child.send_signal(number)
        _, said = child.communicate(timeout=60)
    finally:
        child.kill()
        child.wait()
    assert child.returncode == 0, said
    assert "ticks 1 to" in said
    assert source.rows("SELECT count(*) - 100 - 10 * (SELECT ticks FROM _vitrina_fills) FROM t") == [(0,)]

"""Ctrl-C and SIGTERM in the middle of a load: it ends soon, undoes its work, and the next run is exact."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.command import ROOT, Command
from tests.services.databases import SourceDatabase, TargetDatabase

SPEC = """
version: 1
pipeline: slow
source: slow_postgres
target: slow_mysql
replicate:
  slow:
    columns: {late: {sql: "id + length(pg_sleep(0.01)::text)", type: bigint}}
"""


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_cancelling(source: SourceDatabase, target: TargetDatabase, tmp_path: Path, signum: signal.Signals) -> None:
    source.execute("CREATE TABLE slow (id int PRIMARY KEY)")
    source.execute("INSERT INTO slow SELECT generate_series(1, 6000)")
    (tmp_path / "slow.yaml").write_text(SPEC)
    environ = {"VITRINA_CONN_SLOW_POSTGRES": source.url, "VITRINA_CONN_SLOW_MYSQL": target.url}
    command = Command(cwd=tmp_path, **environ)
    running = subprocess.Popen(
        [sys.executable, "-m", "framework", "run", "slow.yaml"],
        cwd=tmp_path,
        env={**command.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    while not target.rows("SHOW TABLES LIKE '\\_vitrina\\_shadow%'"):
        assert running.poll() is None
        time.sleep(0.1)
    time.sleep(0.5)
    begun = time.monotonic()
    running.send_signal(signum)
    _, said = running.communicate(timeout=30)
    assert time.monotonic() - begun < 10
    assert running.returncode == 130
    assert "Traceback" not in said
    assert "cancelled" in said
    assert target.rows("SHOW TABLES LIKE 'slow'") == []
    assert target.rows("SHOW TABLES LIKE '\\_vitrina\\_shadow%'") == []
    assert target.rows("SELECT status FROM _vitrina_runs") == [("cancelled",)]
    source.execute("DELETE FROM slow WHERE id > 10")
    command("run", "slow.yaml")
    assert target.rows("SELECT COUNT(*) FROM slow") == [(10,)]

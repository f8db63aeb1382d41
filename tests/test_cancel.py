"""Ctrl-C, SIGTERM and a closed terminal, in the middle of a load or an increment: it ends soon, undoes its work, gives
its lease back, and the next run is exact.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.command import ROOT, Command
from tests.services import Server
from tests.services.databases import SourceDatabase, TargetDatabase

SPEC = """
version: 1
pipeline: slow
source: slow_postgres
target: slow_mysql
replicate:
  slow:
    mode: incremental
    cursor: updated_at
    deletes: {policy: remove, fuse: 100%}
    columns:
      late: {sql: "id + length(pg_sleep(CASE WHEN updated_at > '2021-01-01' THEN 0.01 END)::text)", type: bigint}
"""


@dataclass
class Slow:
    """A command that takes its time."""

    command: Command
    target: TargetDatabase

    def cancelled(self, signum: signal.Signals, once_there_is: str) -> None:
        """Run it, and cancel it once it has made a table."""
        running = subprocess.Popen(
            [sys.executable, "-m", "framework", "run", "slow.yaml"],
            cwd=self.command.cwd,
            env={**self.command.environ, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            text=True,
            # Who runs the tests by `nohup` has them ignore it, and so all that they begin.
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
        )
        while not self.target.rows(f"SHOW TABLES LIKE '\\_vitrina\\_{once_there_is}%'"):
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
        for left in ("shadow", "stage", "changed", "keys"):
            assert self.target.rows(f"SHOW TABLES LIKE '\\_vitrina\\_{left}%'") == []
        assert self.target.rows("SELECT name FROM _vitrina_leases WHERE expires_at > UTC_TIMESTAMP(6)") == []
        assert self.target.rows("SELECT status FROM _vitrina_runs ORDER BY started_at")[-1] == ("cancelled",)


def test_cancelling(source: SourceDatabase, mysql: TargetDatabase, tmp_path: Path) -> None:
    source.execute("CREATE TABLE slow (id int PRIMARY KEY, updated_at timestamptz NOT NULL DEFAULT now())")
    source.execute("INSERT INTO slow SELECT generate_series(1, 3000)")
    (tmp_path / "slow.yaml").write_text(SPEC)
    environ = {"VITRINA_CONN_SLOW_POSTGRES": source.url, "VITRINA_CONN_SLOW_MYSQL": mysql.url}
    slow = Slow(Command(cwd=tmp_path, **environ), mysql)
    slow.cancelled(signal.SIGINT, "shadow")
    slow.cancelled(signal.SIGHUP, "shadow")
    assert mysql.rows("SHOW TABLES LIKE 'slow'") == []
    source.execute("UPDATE slow SET updated_at = '2020-01-01'")
    slow.command("run", "slow.yaml")
    assert mysql.rows("SELECT COUNT(*) FROM slow") == [(3000,)]
    source.execute("UPDATE slow SET updated_at = now()")
    before = mysql.rows("SELECT * FROM slow ORDER BY id")
    slow.cancelled(signal.SIGTERM, "stage")
    assert mysql.rows("SELECT * FROM slow ORDER BY id") == before
    source.execute("DELETE FROM slow WHERE id > 10")
    slow.command("run", "slow.yaml")
    assert mysql.rows("SELECT COUNT(*) FROM slow") == [(10,)]


@pytest.fixture
def mysql(mysql_server: Server) -> Iterator[TargetDatabase]:
    database = TargetDatabase(mysql_server)
    yield database
    database.drop()

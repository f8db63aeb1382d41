"""`vitrina verify` as its user meets it."""

from __future__ import annotations

import json
import os
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
pipeline: people
source: people_postgres
target: people_mysql
defaults:
  replicate: {mode: incremental, cursor: changed_at}
replicate:
  people:
    columns:
      email: {from: email, mask: hmac}
  notes: {mode: full}
marts:
  by_name:
    query: SELECT name, COUNT(*) AS people FROM people GROUP BY name
    materialize: {incremental: {partition: name}}
"""
TABLES = (
    "CREATE TABLE people (id int PRIMARY KEY, name text, email text, changed_at timestamptz NOT NULL DEFAULT now())",
    "INSERT INTO people SELECT i, 'p' || i, 'p' || i || '@example.com' FROM generate_series(1, 50) AS i",
    "CREATE TABLE notes (note text)",
    "INSERT INTO notes VALUES ('a'), ('b')",
)


@pytest.fixture
def vitrina(source: SourceDatabase, target: TargetDatabase, tmp_path: Path) -> Command:
    """A spec of two tables, which have been copied."""
    for statement in TABLES:
        source.execute(statement)
    (tmp_path / "people.yaml").write_text(SPEC)
    environ = {
        "VITRINA_CONN_PEOPLE_POSTGRES": source.url,
        "VITRINA_CONN_PEOPLE_MYSQL": target.url,
        "VITRINA_MASK_KEY": "secret",
    }
    command = Command(cwd=tmp_path, **environ)
    command("run", "people.yaml")
    return command


def test_equal_copies(vitrina: Command) -> None:
    done = vitrina("verify", "people.yaml")
    assert [line.split(" (")[0] for line in done.stdout.splitlines()] == ["people: equal", "notes: equal"]
    assert "verify:people: done" in done.stderr
    assert "notes" not in vitrina("verify", "people.yaml", "--table", "people", "--sample", "50%").stdout


def test_differences_are_told_and_masked_values_are_not(vitrina: Command, target: TargetDatabase) -> None:
    target.execute("UPDATE people SET name = 'P7', email = 'p7@example.com' WHERE id = 7")
    target.execute("DELETE FROM people WHERE id = 8")
    done = vitrina("verify", "people.yaml", code=1)
    assert "people: 2 rows differ: 1 different, 1 missing from the copy" in done.stdout
    assert "name   source 'p7', copy 'P7'" in done.stdout
    assert "differs (masked)" in done.stdout
    assert "example.com" not in done.stdout + done.stderr
    told = json.loads(vitrina("verify", "people.yaml", "--format", "json", code=1).stdout)
    assert (told["pipeline"], told["equal"], told["errors"]) == ("people", False, {})
    assert [table["equal"] for table in told["tables"]] == [False, True]
    assert told["tables"][0]["differences"][0]["key"] == {"id": "7"}


def test_repairs_copy_the_rows_again_and_marts_hear_of_it(vitrina: Command, target: TargetDatabase) -> None:
    target.execute("UPDATE people SET name = 'P7' WHERE id = 7")
    target.execute("DELETE FROM people WHERE id = 8")
    target.execute("INSERT INTO people VALUES (99, 'x', repeat('0', 64), '2024-01-01')")
    done = vitrina("verify", "people.yaml", "--repair")
    assert "people: equal" in done.stdout
    assert "3 rows repaired" in done.stdout
    assert target.rows("SELECT id, name FROM people WHERE id IN (7, 8, 99) ORDER BY id") == [(7, "p7"), (8, "p8")]
    assert vitrina("verify", "people.yaml").stdout.count("equal") == 2
    vitrina("mart", "people.yaml")
    assert target.rows("SELECT SUM(people) FROM by_name") == [(50,)]
    assert target.rows("SELECT COUNT(*) FROM by_name WHERE name IN ('P7', 'x')") == [(0,)]


def test_rows_that_nothing_identifies_are_not_repaired(vitrina: Command, target: TargetDatabase) -> None:
    target.execute("UPDATE notes SET note = 'B' WHERE note = 'b'")
    done = vitrina("verify", "people.yaml", "--repair", code=1)
    assert "people: equal" in done.stdout
    assert "'notes' cannot be repaired by rows: nothing identifies them" in done.stderr
    assert "--full-refresh --table notes" in done.stderr


def test_what_makes_no_sense_is_told(vitrina: Command, target: TargetDatabase) -> None:
    assert "no percentage" in vitrina("verify", "people.yaml", "--sample", "0%", code=2).stderr
    assert "no percentage" in vitrina("verify", "people.yaml", "--sample", "five", code=2).stderr
    assert "does not replicate" in vitrina("verify", "people.yaml", "--table", "by_name", code=2).stderr
    target.execute("DROP TABLE people")
    done = vitrina("verify", "people.yaml", code=1)
    assert "'people' has not been filled yet" in done.stderr
    assert "notes: equal" in done.stdout


def test_an_interrupt_ends_the_servers_work(vitrina: Command, source: SourceDatabase, tmp_path: Path) -> None:
    waiting = source.connect()
    with waiting.cursor() as cursor:
        cursor.execute("LOCK TABLE people IN ACCESS EXCLUSIVE MODE")
    arguments = [sys.executable, "-m", "framework", "verify", "people.yaml"]
    environ = {**os.environ, **vitrina.environ, "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(arguments, cwd=tmp_path, env=environ, stderr=subprocess.PIPE, text=True)
    waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    while source.rows(waits) == [(0,)]:
        time.sleep(0.1)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=20)
    assert child.returncode == 130
    assert "Traceback" not in err
    waiting.close()

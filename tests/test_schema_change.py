"""Schema changes and resync as the user of the command meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.command import Command
from tests.services.databases import SourceDatabase, TargetDatabase

SPEC = """
version: 1
pipeline: people
source: people_postgres
target: people_mysql
defaults:
  replicate: {schema_change: {rename: apply}}
replicate:
  people:
    mode: incremental
    cursor: changed_at
    schema_change: {drop: apply}
"""


@pytest.fixture
def vitrina(source: SourceDatabase, target: TargetDatabase, tmp_path: Path) -> Command:
    """A spec of one table, which has been copied."""
    source.execute(
        "CREATE TABLE people (id int PRIMARY KEY, name text, age int, changed_at timestamptz NOT NULL DEFAULT now())"
    )
    source.execute("CREATE INDEX ON people (changed_at)")
    source.execute("INSERT INTO people VALUES (1, 'a', 1), (2, 'b', 2)")
    (tmp_path / "people.yaml").write_text(SPEC)
    environ = {"VITRINA_CONN_PEOPLE_POSTGRES": source.url, "VITRINA_CONN_PEOPLE_MYSQL": target.url}
    command = Command(cwd=tmp_path, **environ)
    command("run", "people.yaml")
    return command


def test_plan_shows_what_replicate_does(vitrina: Command, source: SourceDatabase, target: TargetDatabase) -> None:
    assert "  - " not in vitrina("plan", "people.yaml").stdout
    source.execute("ALTER TABLE people ADD note text NOT NULL DEFAULT 'n', DROP age")
    source.execute("ALTER TABLE people RENAME name TO full_name")
    said = vitrina("plan", "people.yaml").stdout
    assert "  - column note (text) is new in the source: it is added, with its values in all rows" in said
    assert "  - column age is gone from the source: it is dropped" in said
    assert "  - column name is called full_name in the source: it is renamed" in said
    assert '("note") IS NOT NULL' in said
    steps = json.loads(vitrina("plan", "people.yaml", "--format", "json").stdout)["steps"]
    assert len(steps[0]["changes"]) == 3
    assert target.rows("SELECT name FROM people ORDER BY id") == [("a",), ("b",)]
    done = vitrina("replicate", "people.yaml")
    assert "column note (text) is new in the source" in done.stdout + done.stderr
    assert target.rows("SELECT id, full_name, note FROM people ORDER BY id") == [(1, "a", "n"), (2, "b", "n")]
    assert "  - " not in vitrina("plan", "people.yaml").stdout


def test_plan_shows_what_replicate_refuses(vitrina: Command, source: SourceDatabase) -> None:
    source.execute("ALTER TABLE people ALTER name TYPE varchar(30)")
    said = vitrina("plan", "people.yaml").stdout
    assert "nothing: a change is refused" in said
    assert "  - column name is character varying(30) (was text): refused; allow it with `narrow: refill`" in said
    refused = vitrina("replicate", "people.yaml", code=1)
    assert "column name is character varying(30) (was text)" in refused.stdout + refused.stderr
    assert "--full-refresh --table people" in refused.stdout + refused.stderr
    vitrina("replicate", "people.yaml", "--full-refresh", "--table", "people")
    assert "  - " not in vitrina("plan", "people.yaml").stdout


def test_plan_reads_bookkeeping_of_an_older_vitrina(vitrina: Command, target: TargetDatabase) -> None:
    target.execute("DROP TABLE _vitrina_meta")
    target.execute("ALTER TABLE _vitrina_state DROP COLUMN mapping")
    assert "incremental, from" in vitrina("plan", "people.yaml").stdout
    assert "mapping" not in {row[0] for row in target.rows("SHOW COLUMNS FROM _vitrina_state")}
    vitrina("status", "people.yaml")
    vitrina("run", "people.yaml")


def test_what_a_newer_vitrina_wrote_is_refused(vitrina: Command, target: TargetDatabase) -> None:
    target.execute("UPDATE _vitrina_meta SET version = 99")
    for command in ("run", "plan", "status", "replicate"):
        assert "written by a newer Vitrina" in vitrina(command, "people.yaml", code=1).stderr


def test_resync(vitrina: Command, target: TargetDatabase) -> None:
    target.execute("UPDATE people SET name = 'wrong'")
    vitrina("resync", "people.yaml", "--table", "people", "--where", "id = 1")
    assert target.rows("SELECT name FROM people ORDER BY id") == [("a",), ("wrong",)]
    vitrina("resync", "people.yaml", "--table", "people")
    assert target.rows("SELECT name FROM people ORDER BY id") == [("a",), ("b",)]
    assert target.rows("SELECT command FROM _vitrina_runs ORDER BY started_at DESC LIMIT 1") == [("resync",)]
    refused = vitrina("resync", "people.yaml", "--table", "people", "--where", "nonsense > 1", code=1)
    assert 'column "nonsense" does not exist' in refused.stdout + refused.stderr
    assert "use one of: people" in vitrina("resync", "people.yaml", "--table", "persons", code=2).stderr
    assert "--table" in vitrina("resync", "people.yaml", code=2).stderr


def test_the_policies_of_defaults_and_of_the_table_go_together(vitrina: Command) -> None:
    path = vitrina.cwd / "people.yaml"
    path.write_text(SPEC.replace("drop: apply", "drop: never"))
    assert "schema_change" in vitrina("validate", "people.yaml", code=1).stdout


def test_a_plan_tells_of_all_steps_though_one_would_fail(vitrina: Command, source: SourceDatabase) -> None:
    source.execute("CREATE TABLE others (id int PRIMARY KEY)")
    (vitrina.cwd / "people.yaml").write_text(SPEC + "  others: {mode: full}\n")
    source.execute("ALTER TABLE people RENAME COLUMN changed_at TO touched_at")
    said = vitrina("plan", "people.yaml", code=1).stdout
    assert "replicate:people: it would fail: 'cursor' of 'people' names 'changed_at'" in said
    assert "replicate:others: fill" in said

"""A cursor without an index: what `plan` and `doctor` say, and that the statement they give mends it."""

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
replicate:
  people: {mode: incremental, cursor: changed_at, key: [id]}
"""
COLUMNS = "(id int NOT NULL, changed_at timestamptz NOT NULL, UNIQUE (id, changed_at))"
RELATIONS = {
    "a table": [f"CREATE TABLE people {COLUMNS}"],
    "a partitioned table": [
        f"CREATE TABLE people {COLUMNS} PARTITION BY RANGE (id)",
        "CREATE TABLE people_1 PARTITION OF people DEFAULT",
    ],
    "a materialized view": ["CREATE MATERIALIZED VIEW people AS SELECT 1 AS id, now() AS changed_at"],
    "a view": ["CREATE VIEW people AS SELECT 1 AS id, now() AS changed_at"],
}


@pytest.fixture
def vitrina(source: SourceDatabase, target: TargetDatabase, tmp_path: Path) -> Command:
    (tmp_path / "people.yaml").write_text(SPEC)
    return Command(tmp_path, VITRINA_CONN_PEOPLE_POSTGRES=source.url, VITRINA_CONN_PEOPLE_MYSQL=target.url)


@pytest.mark.parametrize("relation", RELATIONS)
def test_the_statement_given_is_the_one_that_mends_it(vitrina: Command, source: SourceDatabase, relation: str) -> None:
    for statement in RELATIONS[relation]:
        source.execute(statement)
    given = _given(vitrina)
    if relation == "a view":
        assert given == []
        return
    assert len(given) == 1
    assert given[0] in vitrina("doctor", "people.yaml", code=None).stdout
    source.execute(given[0])
    assert _given(vitrina) == []
    assert "cursor-not-indexed" not in vitrina("doctor", "people.yaml", code=None).stdout


def _given(vitrina: Command) -> list[str]:
    """The statements of a plan's advice, which people are shown too."""
    said = vitrina("plan", "people.yaml").stdout
    (step, *_) = json.loads(vitrina("plan", "people.yaml", "--format", "json").stdout)["steps"]
    assert all(f"  - {sentence}" in said for sentence in step["advice"])
    return [sentence.rpartition("; fix: ")[2] for sentence in step["advice"]]

"""`verify:` in a spec: loads are followed by a comparison, and marts are not built on copies that differ."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from framework.commands import pipeline as commands
from framework.commands.pipeline import Parallel
from framework.commands.verify import verify
from framework.errors import CopyDiffers, CopyNotVerified, StepsFailed
from tests.services.databases import SourceDatabase, TargetDatabase

SPEC = """
version: 1
pipeline: people
source: people_postgres
target: people_mysql
defaults:
  replicate: {mode: incremental, cursor: changed_at, verify: POLICY}
retries: {attempts: 0}
replicate:
  people: {}
  notes: {mode: full, verify: never}
marts:
  by_name:
    query: SELECT name, COUNT(*) AS people FROM people GROUP BY name
    materialize: table
  by_note:
    query: SELECT note, COUNT(*) AS notes FROM notes GROUP BY note
    materialize: table
"""
TABLES = (
    "CREATE TABLE people (id int PRIMARY KEY, name text, changed_at timestamptz NOT NULL DEFAULT now())",
    "INSERT INTO people SELECT i, 'p' || i, '2024-01-01' FROM generate_series(1, 50) AS i",
    "CREATE TABLE notes (note text)",
    "INSERT INTO notes VALUES ('a'), ('b')",
)
SPOIL = "UPDATE people SET name = 'spoilt' WHERE id = 7"


class Pipeline:
    """A pipeline whose copy can be spoilt, and its commands."""

    def __init__(self, target: TargetDatabase, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.target = target
        self.path = folder / "people.yaml"
        self._capsys = capsys

    def spec(self, policy: str) -> None:
        self.path.write_text(SPEC.replace("POLICY", policy))

    def run(self) -> None:
        commands.run(self.path, "default", Parallel(), 0, full_refresh=False)

    def fails(self) -> CopyDiffers:
        """Run, which finds that the copy of people differs; the error."""
        with pytest.raises(StepsFailed) as caught:
            self.run()
        found = caught.value.errors["verify:people"]
        assert isinstance(found, CopyDiffers)
        return found

    def replicate(self, *tables: str, full_refresh: bool = False) -> None:
        commands.replicate(self.path, "default", Parallel(), tables, full_refresh=full_refresh)

    def mart(self) -> None:
        commands.mart(self.path, "default", 1, full_refresh=False)

    def verify(self, fraction: float | None = None, *, repair: bool = False) -> bool:
        return verify(self.path, "default", (), fraction, repair=repair, form="text")

    def status(self) -> tuple[bool, str]:
        """Whether all is well, and what is said of the table."""
        self._capsys.readouterr()
        healthy = commands.status(self.path, "default")
        return healthy, next(
            line for line in self._capsys.readouterr().out.splitlines() if re.search("[^:]people ", line)
        )

    def said(self) -> str:
        """What was printed since one asked last."""
        out, err = self._capsys.readouterr()
        return out + err

    def verdicts(self) -> list[tuple[object, ...]]:
        return self.target.rows("SELECT table_name, compared, differing FROM _vitrina_verdicts ORDER BY table_name")


@pytest.fixture
def pipeline(
    source: SourceDatabase,
    target: TargetDatabase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Pipeline:
    for statement in TABLES:
        source.execute(statement)
    monkeypatch.setenv("VITRINA_CONN_PEOPLE_POSTGRES", source.url)
    monkeypatch.setenv("VITRINA_CONN_PEOPLE_MYSQL", target.url)
    return Pipeline(target, tmp_path, capsys)


def test_every_load_is_verified_where_the_spec_says_always(pipeline: Pipeline) -> None:
    pipeline.spec("always")
    pipeline.run()
    said = pipeline.said()
    assert "verify:people" in said
    assert "verify:notes" not in said
    assert pipeline.verdicts() == [("people", 50, 0)]


def test_marts_are_not_built_on_a_copy_that_differs(pipeline: Pipeline) -> None:
    pipeline.spec("always")
    pipeline.run()
    pipeline.target.execute("DROP TABLE by_name, by_note")
    pipeline.target.execute(SPOIL)
    error = pipeline.fails()
    assert (error.table, error.differing) == ("people", 1)
    assert error.fact.startswith("people: 1 row differs: 1 different (50 rows compared")
    assert "--repair" in error.fix
    assert "id = 7: different" in pipeline.said()
    built = {name for (name,) in pipeline.target.rows("SHOW TABLES") if not str(name).startswith("_vitrina")}
    assert built == {"people", "notes", "by_note"}

    # By hand neither, until it is repaired.
    with pytest.raises(StepsFailed) as caught:
        pipeline.mart()
    assert isinstance(caught.value.errors["mart:by_name"], CopyNotVerified)
    healthy, line = pipeline.status()
    assert not healthy
    assert "1 differ, " in line

    assert pipeline.verify(repair=True)
    pipeline.mart()
    assert pipeline.target.rows("SELECT SUM(people) FROM by_name") == [(50,)]
    healthy, line = pipeline.status()
    assert healthy
    assert "equal, " in line


def test_a_copy_that_is_filled_anew_is_another_one(pipeline: Pipeline) -> None:
    pipeline.spec("always")
    pipeline.run()
    pipeline.target.execute(SPOIL)
    pipeline.fails()
    pipeline.spec("never")
    pipeline.replicate(full_refresh=True)
    pipeline.spec("always")
    pipeline.mart()
    assert "differ" not in pipeline.status()[1]


def test_daily_means_once_a_day_until_it_is_equal(pipeline: Pipeline) -> None:
    pipeline.spec("daily")
    pipeline.run()
    pipeline.target.execute(SPOIL)
    # The day's verdict has been given.
    pipeline.run()
    pipeline.target.execute("UPDATE _vitrina_verdicts SET verified_at = verified_at - INTERVAL 1 DAY")
    pipeline.fails()
    # That was a verdict of this day, too, but not the good one.
    pipeline.fails()
    assert pipeline.verify(repair=True)
    pipeline.run()
    assert pipeline.verdicts() == [("notes", 2, 0), ("people", 50, 0)]


def test_only_the_tables_that_were_asked_for_are_verified(pipeline: Pipeline) -> None:
    pipeline.spec("always")
    pipeline.run()
    pipeline.target.execute(SPOIL)
    pipeline.replicate("notes")
    with pytest.raises(StepsFailed):
        pipeline.replicate("people")


def test_a_sample_is_no_verdict(pipeline: Pipeline) -> None:
    pipeline.spec("always")
    pipeline.run()
    pipeline.target.execute(SPOIL)
    pipeline.verify(0.5)
    assert pipeline.verdicts() == [("people", 50, 0)]

"""A copy is one pipeline's: another one is refused, until it takes the copy over."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from framework.databases.duckdb import DuckDBTarget
from framework.errors import OwnedElsewhere
from tests.command import Command
from tests.replicate.anywhere import PEOPLE, Anywhere
from tests.services import Server
from tests.services.databases import SourceDatabase, TargetDatabase

SHOP, BILLING = {"pipeline": "shop"}, {"pipeline": "billing"}


@pytest.fixture
def people(source: SourceDatabase, tmp_path: Path) -> Iterator[Anywhere]:
    for statement in PEOPLE:
        source.execute(statement)
    with closing(DuckDBTarget("warehouse", tmp_path / "warehouse.duckdb")) as target:
        made = Anywhere(source, target)
        with closing(made.postgres):
            yield made


def owner(people: Anywhere) -> str:
    return str(people.query("SELECT pipeline FROM _vitrina_state")[0][0])


@pytest.mark.parametrize("options", [{}, {"full_refresh": True}, {"resync": "true"}])
def test_another_pipeline_is_refused_and_may_take_over(people: Anywhere, options: dict[str, Any]) -> None:
    people(SHOP)
    people.source.execute("UPDATE t SET name = 'changed', updated_at = now()")
    before = people.rows()
    with pytest.raises(OwnedElsewhere, match="'copy' is a copy that pipeline 'shop' makes") as refused:
        people({**BILLING, **options})
    assert "--table copy --take-over" in refused.value.fix
    assert (people.rows(), owner(people), people.leftovers()) == (before, "shop", [])
    assert people({**BILLING, **options, "take_over": True}).rows_written == 5
    assert owner(people) == "billing"
    with pytest.raises(OwnedElsewhere):
        people(SHOP)
    assert people(BILLING).rows_written == 0


def test_copies_that_are_made_anew_each_time_are_owned_too(people: Anywhere) -> None:
    settings = {"mode": "full"}
    people(SHOP, **settings)
    with pytest.raises(OwnedElsewhere):
        people(BILLING, **settings)
    people({**BILLING, "take_over": True}, **settings)
    assert owner(people) == "billing"


def test_a_copy_of_nobody_is_adopted(people: Anywhere) -> None:
    """An older Vitrina has not said whose it is; who does not say who he is changes nothing."""
    people()
    assert people.query("SELECT pipeline FROM _vitrina_state") == [(None,)]
    people(SHOP)
    assert owner(people) == "shop"
    people()
    assert owner(people) == "shop"


def test_a_target_that_is_restored_from_a_backup_goes_on_from_there(
    people: Anywhere, tmp_path: Path, source: SourceDatabase
) -> None:
    """What it holds and how far that is are in one backup."""
    people(SHOP)
    people.target.close()
    file = tmp_path / "warehouse.duckdb"
    backup = shutil.copy(file, tmp_path / "backup")
    for number, name in enumerate(("first", "second")):
        source.execute("UPDATE t SET name = %s, updated_at = now() WHERE id < 3", name)
        source.execute("DELETE FROM t WHERE id = %s", 5 - number)
        assert people(SHOP, lookback="1ms").rows_written == 2
    people.target.close()
    shutil.copy(backup, file)
    stats = people(SHOP, lookback="1ms")
    assert (stats.rows_written, stats.rows_deleted) == (2, 2)
    assert people.rows("id, name") == source.rows("SELECT id, name FROM t ORDER BY id")
    assert people(SHOP, lookback="1ms").rows_read == 0


@pytest.fixture
def command(source: SourceDatabase, mysql_server: Server, tmp_path: Path) -> Iterator[Command]:
    target = TargetDatabase(mysql_server)
    source.execute("CREATE TABLE t (id int PRIMARY KEY)")
    for pipeline in ("shop", "billing"):
        spec = f"version: 1\npipeline: {pipeline}\nsource: a_source\ntarget: a_target\nreplicate: {{t: }}\n"
        (tmp_path / f"{pipeline}.yaml").write_text(spec)
    yield Command(cwd=tmp_path, VITRINA_CONN_A_SOURCE=source.url, VITRINA_CONN_A_TARGET=target.url)
    target.drop()


def test_the_command_says_whose_it_is(command: Command) -> None:
    command("replicate", "shop.yaml")
    planned = command("plan", "billing.yaml", code=1).stdout
    assert "it would fail: table 't' is a copy that pipeline 'shop' makes, and this is pipeline 'billing'" in planned
    command("replicate", "billing.yaml", "--table", "t", "--take-over")

"""Values of Faker: one list for each provider, kept in a lock file, announced where drawing takes long."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from framework.errors import UsageError
from framework.events import Reporter
from framework.generate.filling import fill
from framework.generate.rules import drawn
from framework.generate.rules.dataset import compile_table, reference_order, row_count
from framework.generate.rules.expected import distinct_values
from framework.plan import Kind, compile_plan
from framework.spec.entities import GenerateTask
from framework.workspace import open_workspace
from tests.command import Command
from tests.generate.conftest import dump, one_table

REPORTER = Reporter("generate")
SHOP = Path(__file__).parents[2] / "specs" / "shop.yaml"
NAMES: Any = {
    "name": {"type": "text", "fake": "name"},
    "other": {"type": "varchar(12)", "fake": "name"},
    "email": {"type": "text", "unique": True, "fake": "email"},
    "mass": {"type": "int", "fake": {"faker": {"provider": "random_int", "arguments": {"max": 500}}}},
}


def test_a_lock_file_gives_what_was_drawn_whatever_faker_says(source, postgres, new_source, open_source, tmp_path):
    pools, path, other = drawn.Pools(), tmp_path / "shop.pools.json", new_source()
    fill(postgres, one_table(**NAMES), REPORTER, pools=pools)
    assert drawn.write(path, pools) == (3, ())
    locked = drawn.Pools.of(path)
    locked._draws = None  # type: ignore[assignment]  # whoever draws would fail
    fill(open_source(other), one_table(**NAMES), REPORTER, pools=locked)
    assert dump(source, "t") == dump(other, "t")


def test_a_lock_file_gives_the_words_that_names_become_too(tmp_path, monkeypatch):
    spec = one_table(v={"type": "text", "unique": True, "fake": {"persona": "email"}}, locale="ru_RU")
    pools, path = drawn.Pools(), tmp_path / "shop.pools.json"
    compile_table(spec, "t", 10, 0, pools)
    drawn.write(path, pools)
    monkeypatch.setattr("faker.decode.unidecode", None)  # whoever asks would fail
    compile_table(spec, "t", 10, 0, drawn.Pools.of(path))


def test_a_longer_list_begins_like_a_shorter_one(source, postgres):
    pools = drawn.Pools()
    for rows in (2000, 5000):
        fill(postgres, one_table(rows, **NAMES), REPORTER, recreate=True, pools=pools)
    alone = drawn.Pools()
    fill(postgres, one_table(2000, **NAMES), REPORTER, recreate=True, pools=alone)
    for key, values in alone.used.items():
        assert pools.used[key][: len(values)] == values


def test_values_that_json_cannot_keep_are_left_out(source, postgres, tmp_path):
    pools = drawn.Pools()
    fill(postgres, one_table(v={"type": "text", "fake": "latlng"}), REPORTER, pools=pools)
    assert drawn.write(tmp_path / "x.pools.json", pools) == (0, ("latlng",))


@pytest.mark.parametrize("text", ["", "[]", '{"version": 1}', '{"version": 9, "pools": []}'])
def test_a_broken_lock_file_is_named(tmp_path, text):
    path = tmp_path / "shop.pools.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"shop\.pools\.json"):
        drawn.Pools.of(path)


def test_slow_providers_are_announced(source, postgres, monkeypatch):
    monkeypatch.setattr(drawn, "SLOW", 0.0)
    monkeypatch.setattr(drawn, "TRIAL", 0.0)
    told: list[str] = []
    fill(postgres, one_table(1, v=NAMES["name"]), REPORTER, pools=drawn.Pools(announce=told.append))
    assert len(told) == 1
    assert "1,023 values of name are drawn in about" in told[0]


def test_the_command_writes_the_file_and_the_plan_counts_with_it(tmp_path: Path) -> None:
    spec = tmp_path / "one.yaml"
    spec.write_text(
        "version: 1\npipeline: one\nsource: a\ntarget: b\nentities:\n  t:\n    rows: 100000\n    columns:\n"
        "      id: {type: bigint, primary_key: true, fake: sequence}\n      v: {type: text, fake: first_name}\n"
    )
    connections = "environments: {default: {a: {url: 'embedded:postgres'}, b: {url: 'embedded:duckdb'}}}\n"
    (tmp_path / "connections.yaml").write_text(connections)
    vitrina = Command()
    vitrina("lock", str(spec))
    lock = json.loads((tmp_path / "one.pools.json").read_text())
    assert [(pool["provider"], len(pool["values"])) for pool in lock["pools"]] == [("first_name", 16_384)]
    (names,) = {len(set(pool["values"])) for pool in lock["pools"]}
    planned = vitrina("plan", str(spec), "--offline")
    assert f"t.v: about {names} different values in 100,000 rows" in planned.stdout


def test_without_a_lock_file_the_plan_says_at_most():
    spec = one_table(100_000, **NAMES)
    assert next(distinct_values(spec, None)) == (
        "t.name: at most 16,384 different values in 100,000 rows, drawn from 16,384 of Faker's name"
    )
    cities = one_table(100_000, v={"type": "text", "fake": {"persona": "city"}})
    assert list(distinct_values(cities, None)) == [
        "t.v: at most 1,024 different values in 100,000 rows, drawn from 1,024 of Faker's city"
    ]


def test_the_lock_file_of_the_shop_has_all_that_its_spec_draws():
    workspace = open_workspace(SHOP, "default")
    pools = drawn.Pools.of(workspace.pools)
    pools._draws = None  # type: ignore[assignment]
    plan = compile_plan(workspace.spec).only({Kind.GENERATE})
    spec, counts = GenerateTask.model_validate(plan.steps[0].arguments["task"]), dict[str, int]()
    for name in reference_order(spec.entities):
        counts[name] = row_count(spec.entities[name], counts)
        compile_table(spec, name, counts[name], 0, pools)

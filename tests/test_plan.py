from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from framework.errors import UsageError
from framework.plan import Kind, Plan, compile_plan
from framework.spec.entities import GenerateTask
from framework.spec.load import load_spec
from framework.spec.marts import MartTask
from framework.spec.models import Spec
from framework.spec.replication import ConstraintsTask, ReplicateTask
from framework.spec.shapes import Model

SPECS = Path(__file__).parent.parent / "specs"


@pytest.fixture(scope="module")
def shop() -> Spec:
    loaded = load_spec(SPECS / "shop.yaml")
    assert loaded.spec is not None
    return loaded.spec


def test_every_step_stands_behind_those_it_needs(shop: Spec) -> None:
    seen: set[str] = set()
    for step in compile_plan(shop, ticks=2).steps:
        assert seen.issuperset(step.needs)
        seen.add(step.name)
    assert {"generate", "tick", "replicate:fact_orders", "mart:best_categories"} <= seen


def test_the_sql_decides_what_a_mart_needs(shop: Spec) -> None:
    steps = {step.name: step for step in compile_plan(shop).steps}
    assert set(steps["mart:revenue_by_month"].needs) == {
        "verify:fact_orders",
        "verify:customers",
        "verify:fact_order_items",
    }
    assert steps["mart:revenue_by_month"].arguments["verified"] == ["fact_orders", "customers", "fact_order_items"]
    assert steps["verify:customers"].needs == ("replicate:customers",)
    assert steps["mart:best_categories"].needs == ("mart:product_sales",)


def test_arguments_survive_json_and_are_all_an_engine_needs(shop: Spec) -> None:
    models: dict[Kind, type[Model]] = {
        Kind.GENERATE: GenerateTask,
        Kind.TICK: GenerateTask,
        Kind.REPLICATE: ReplicateTask,
        Kind.VERIFY: ReplicateTask,
        Kind.CONSTRAINTS: ConstraintsTask,
        Kind.MART: MartTask,
    }
    for step in compile_plan(_with_foreign_keys(shop), ticks=1).steps:
        there_and_back = json.loads(json.dumps(dict(step.arguments)))
        assert there_and_back == step.arguments
        models[step.kind].model_validate(there_and_back["task"])


def test_without_ticks_there_is_no_tick(shop: Spec) -> None:
    assert all(step.kind is not Kind.TICK for step in compile_plan(shop).steps)


def test_a_part_of_a_plan_needs_nothing_outside_it(shop: Spec) -> None:
    part: Plan = compile_plan(shop).only({Kind.MART})
    names = {step.name for step in part.steps}
    assert names == {"mart:revenue_by_month", "mart:daily_orders", "mart:product_sales", "mart:best_categories"}
    assert all(names.issuperset(step.needs) for step in part.steps)


def test_a_table_that_is_not_replicated_is_named(shop: Spec) -> None:
    assert [step.name for step in compile_plan(shop).for_tables(["payments"]).steps] == [
        "replicate:payments",
        "verify:payments",
    ]
    with pytest.raises(UsageError, match="nonsense") as error:
        compile_plan(shop).for_tables(["nonsense"])
    assert "fact_orders" in error.value.fix


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("framework.plan", "sqlalchemy psycopg2 pymysql duckdb numpy faker airflow pandas"),
        ("framework.commands.pipeline", "duckdb numpy faker airflow pandas"),
    ],
)
def test_what_is_imported_in_vain(module: str, heavy: str) -> None:
    code = f"import sys, {module}; print([name for name in '{heavy}'.split() if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def _with_checks(shop: Spec, **checks: list[Any]) -> Spec:
    replicate = {
        name: {**settings.model_dump(mode="json", exclude_unset=True), "checks": checks.get(name, [])}
        for name, settings in shop.replicate.items()
    }
    return Spec.model_validate({**shop.model_dump(mode="json", exclude_unset=True), "replicate": replicate})


def test_a_table_whose_checks_look_at_another_waits_for_it(shop: Spec) -> None:
    to_customers = {"relationship": {"customer_id": {"table": "customers", "column": "id"}}}
    to_orders = {"empty": "SELECT 1 FROM payments p LEFT JOIN fact_orders o ON o.id = p.order_id WHERE o.id IS NULL"}
    steps = compile_plan(_with_checks(shop, fact_orders=[to_customers], payments=[to_orders])).steps
    needs = {step.name: step.needs for step in steps}
    assert "replicate:customers" in needs["replicate:fact_orders"]
    assert "replicate:fact_orders" in needs["replicate:payments"]
    names = [step.name for step in steps]
    assert names.index("replicate:customers") < names.index("replicate:fact_orders") < names.index("replicate:payments")


def test_tables_whose_checks_look_at_each_other_are_refused(shop: Spec) -> None:
    first = {"relationship": {"id": {"table": "payments", "column": "order_id"}}}
    second = {"relationship": {"order_id": {"table": "fact_orders", "column": "id"}}}
    with pytest.raises(UsageError, match="fact_orders, payments"):
        compile_plan(_with_checks(shop, fact_orders=[first], payments=[second]))


def test_a_seed_replaces_the_specs() -> None:
    spec = load_spec(Path(__file__).parents[1] / "specs" / "shop.yaml", {}).spec
    assert spec is not None
    of_spec, other = (compile_plan(spec, ticks=1, seed=seed) for seed in (None, 7))
    assert [step.arguments["task"]["seed"] for step in of_spec.steps[:2]] == [42, 42]
    assert [step.arguments["task"]["seed"] for step in other.steps[:2]] == [7, 7]


def _with_foreign_keys(shop: Spec, *tables: str) -> Spec:
    """The shop with foreign keys of some tables, or of all."""
    dumped = shop.model_dump(mode="json", exclude_unset=True, by_alias=True)
    for name in tables:
        dumped["replicate"][name]["foreign_keys"] = True
    if not tables:
        dumped["defaults"]["replicate"]["foreign_keys"] = True
    return Spec.model_validate(dumped)


def test_foreign_keys_are_a_step_after_all_copies_and_before_nothing(shop: Spec) -> None:
    assert not compile_plan(shop).has(Kind.CONSTRAINTS)
    for spec in (_with_foreign_keys(shop), _with_foreign_keys(shop, "fact_orders")):
        plan = compile_plan(spec)
        step = plan.step("constraints")
        assert set(step.needs) == {f"replicate:{table}" for table in shop.replicate}
        assert all("constraints" not in other.needs for other in plan.steps)
    tables = ConstraintsTask.model_validate(step.arguments["task"]).tables
    assert [table.table for table in tables if table.foreign_keys] == ["fact_orders"]


def test_foreign_keys_are_looked_after_when_only_some_tables_are_copied(shop: Spec) -> None:
    plan = compile_plan(_with_foreign_keys(shop)).for_tables(["payments"])
    assert [(step.name, step.needs) for step in plan.steps] == [
        ("replicate:payments", ()),
        ("verify:payments", ("replicate:payments",)),
        ("constraints", ("replicate:payments",)),
    ]

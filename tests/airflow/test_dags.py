"""Specs as DAGs: what they look like, and what parsing them costs and touches."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG, CronDataIntervalTimetable, DeltaDataIntervalTimetable
from airflow.serialization.serialized_objects import DagSerialization

from framework.airflow import assets
from framework.airflow.factory import build, task_name
from framework.airflow.loader import BrokenSpecs, dag_of, load_dags, require_sound
from framework.spec.connections import Connections
from framework.spec.load import parse_spec
from tests.command import ROOT

HEAD = "version: 1\npipeline: p\nsource: pg\ntarget: my\n"


def dag_from(text: str, connections: dict[str, Any] | None = None) -> DAG:
    loaded = parse_spec(HEAD + text, Path("p.yaml"), {})
    assert loaded.spec is not None, loaded.problems
    known = Connections.model_validate(connections) if connections else None
    dag = build(loaded.spec, Path("p.yaml"), HEAD + text, known)
    dag.validate()
    DagSerialization.to_dict(dag)
    return dag


@pytest.fixture(scope="module")
def shop() -> DAG:
    return dag_of(ROOT / "specs" / "shop.yaml")


def before(dag: DAG, task: str) -> set[str]:
    return set(dag.get_task(task).upstream_task_ids)


# --- the graph -------------------------------------------------------------------------------------------------------


def test_each_table_is_a_group_of_four(shop: DAG) -> None:
    group = "replicate.fact_orders"
    assert before(shop, f"{group}.plan") == {"tick"}
    assert before(shop, f"{group}.load") == {f"{group}.plan"}
    assert before(shop, f"{group}.merge") == {f"{group}.plan", f"{group}.load"}
    assert before(shop, f"{group}.verify") == {f"{group}.plan", f"{group}.merge"}
    assert shop.get_task(f"{group}.load").is_mapped


def test_the_order_is_the_plans(shop: DAG) -> None:
    assert before(shop, "generate") == {"begin"}
    assert before(shop, "tick") == {"generate"}
    assert before(shop, "marts.product_sales") == {
        "replicate.products.compare",
        "replicate.fact_order_items.compare",
    }
    assert before(shop, "marts.best_categories") == {"marts.product_sales"}
    assert before(shop, "end") == {"succeed", "begin"}
    assert shop.get_task("begin").is_setup
    assert shop.get_task("end").is_teardown


def test_marts_wait_for_the_comparison() -> None:
    dag = dag_from(
        "replicate:\n  a: {verify: daily}\n  b:\n"
        "marts: {m: {query: SELECT COUNT(*) AS n FROM a JOIN b}, k: {query: SELECT COUNT(*) AS n FROM b}}\n"
    )
    assert before(dag, "replicate.a.compare") == {"replicate.a.verify"}
    assert before(dag, "marts.m") == {"replicate.a.compare", "replicate.b.verify"}
    assert before(dag, "marts.k") == {"replicate.b.verify"}
    assert dag.get_task("replicate.a.compare").trigger_rule == "none_failed"
    assert "compares all rows with the source's, once a day" in (dag.doc_md or "")
    assert "replicate.b.compare" not in dag.task_ids


def test_foreign_keys_are_a_task_behind_all_tables() -> None:
    connections = {"environments": {"default": {"my": {"url": "mysql://x/y", "parallelism": 2}}}}
    dag = dag_from(
        "replicate:\n  a: {foreign_keys: true}\n  b:\nmarts: {m: {query: SELECT COUNT(*) AS n FROM a}}\n", connections
    )
    assert before(dag, "constraints") == {"replicate.a.verify", "replicate.b.verify"}
    assert before(dag, "marts.m") == {"replicate.a.verify"}
    assert before(dag, "succeed") == {"constraints", "marts.m"}
    task = dag.get_task("constraints")
    assert (task.trigger_rule, task.pool) == ("none_failed", "vitrina_my")
    assert "| `constraints` | declares the source's foreign keys in the copy" in (dag.doc_md or "")
    assert "constraints" not in dag_from("replicate: {a: }\n").task_ids


def test_tasks_grow_with_tables_and_not_with_parts() -> None:
    small = dag_from("replicate:\n  a: {chunk_rows: 1}\n")
    large = dag_from("replicate:\n  a: {chunk_rows: 1}\n  b: {chunk_rows: 1000000}\n")
    assert len(large.tasks) - len(small.tasks) == 4


def test_a_spec_without_steps_is_a_dag() -> None:
    assert {task.task_id for task in dag_from("").tasks} == {"begin", "succeed", "end"}


@pytest.mark.parametrize("name", ["plain", "with space", "имя", "a.b", "a`b", "x" * 63])
def test_tables_of_any_name_become_tasks(name: str) -> None:
    dag = dag_from(f'replicate:\n  "{name}": {{}}\n  other: {{}}\n')
    assert f"replicate.{task_name(name)}.plan" in dag.task_ids


def test_names_that_differ_stay_apart() -> None:
    assert len({task_name(name) for name in ("a b", "a_b", "a.b", "a-b")}) == 4


# --- from the spec to the DAG ----------------------------------------------------------------------------------------


def test_what_the_spec_says_of_runs() -> None:
    dag = dag_from(
        "description: about\nowner: me\ntags: [x]\nschedule: '@daily'\ntimezone: Europe/Moscow\nstart: 2026-03-01\n"
        "catchup: true\ntimeout: 2h\nparallelism: 3\nretries: {attempts: 5, delay: 10s, longest: 1h}\n"
        "replicate: {a: }\n"
    )
    assert isinstance(dag.timetable, CronDataIntervalTimetable)
    assert dag.start_date == datetime(2026, 2, 28, 21, tzinfo=timezone.utc)
    assert dag.catchup
    assert dag.max_active_runs == 1
    assert dag.max_active_tasks == 3
    assert dag.tags == {"vitrina", "x"}
    task = dag.get_task("replicate.a.merge")
    assert (task.owner, task.retries) == ("me", 5)
    assert (task.retry_delay, task.max_retry_delay) == (timedelta(seconds=10), timedelta(hours=1))
    assert task.retry_exponential_backoff
    assert task.execution_timeout == timedelta(hours=2)


def test_schedules() -> None:
    assert isinstance(dag_from("schedule: 15min\n").timetable, DeltaDataIntervalTimetable)
    assert dag_from("schedule: '@continuous'\n").timetable.__class__.__name__ == "ContinuousTimetable"
    assert dag_from("").schedule is None
    waiting = dag_from("after: [shop, billing]\n")
    assert waiting.schedule == [assets.pipeline("shop"), assets.pipeline("billing")]


def test_ticks_are_not_tried_again(shop: DAG) -> None:
    assert shop.get_task("tick").retries == 0
    assert shop.get_task("generate").retries == 3


def test_the_trigger_form_checks_what_is_asked_for(shop: DAG) -> None:
    assert set(shop.params) == {"full_refresh", "tables", "tick", "seed"}
    shop.params.validate()
    tables = shop.params.get_param("tables")
    assert tables.resolve(["products"]) == ["products"]
    for wrong in (["nothing"], "products"):
        with pytest.raises(Exception, match=r"not one of|not of type"):
            tables.resolve(wrong)
    with pytest.raises(Exception, match="minimum"):
        shop.params.get_param("tick").resolve(-1)
    assert "tick" not in dag_from("replicate: {a: }\n").params


def test_pools_are_those_of_the_connections() -> None:
    connections = {"environments": {"default": {"my": {"url": "mysql://x/y", "parallelism": 2}}}}
    dag = dag_from("replicate: {a: }\nmarts: {m: {query: SELECT 1 AS one}}\n", connections)
    pools = {task.task_id: task.pool for task in dag.tasks}
    assert pools["replicate.a.load"] == pools["marts.m"] == "vitrina_my"
    assert pools["begin"] == "default_pool"


def test_freshness_is_a_deadline() -> None:
    alerts = dag_from("schedule: 15min\nfreshness: {warn: 1h, fail: 6h}\n").deadline
    assert isinstance(alerts, list)
    (alert,) = alerts
    assert alert.interval == timedelta(hours=6)
    assert alert.callback.path == "framework.airflow.notify.Late"
    assert not dag_from("schedule: 15min\n").deadline
    assert not dag_from("freshness: {fail: 6h}\n").deadline


def test_assets_are_the_lineage(shop: DAG) -> None:
    (source,) = shop.get_task("replicate.fact_orders.plan").inlets
    (copy,) = shop.get_task("replicate.fact_orders.verify").outlets
    assert source.uri == "postgres://shop_postgres:5432/default/public/orders"
    assert copy.uri == "mysql://shop_mysql:3306/default/fact_orders"
    mart = shop.get_task("marts.product_sales")
    assert {asset.name for asset in mart.inlets} == {"shop_mysql.products", "shop_mysql.fact_order_items"}
    assert [asset.name for asset in mart.outlets] == ["shop_mysql.product_sales"]
    assert shop.get_task("succeed").outlets == [assets.pipeline("shop")]


def test_the_page_of_a_dag_tells_plan_lineage_and_spec(shop: DAG) -> None:
    assert shop.doc_md is not None
    assert "| `replicate:fact_orders` | incremental copy by `updated_at`, deletes: remove | tick |" in shop.doc_md
    assert "| `product_sales` | `products`, `fact_order_items` |" in shop.doc_md
    assert "pipeline: shop\n" in shop.doc_md


def test_the_page_of_a_dag_shows_no_password() -> None:
    doc = dag_from("x-note: postgresql://me:hunter2@host/db\n").doc_md
    assert doc is not None
    assert "postgresql://me:***@host/db" in doc
    assert "hunter2" not in doc


# --- many specs ------------------------------------------------------------------------------------------------------


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    for name in ("one", "two", "three"):
        (tmp_path / f"{name}.yaml").write_text(HEAD.replace("pipeline: p", f"pipeline: {name}") + "replicate: {a: }\n")
    return tmp_path


def test_a_broken_spec_disturbs_no_other(specs: Path) -> None:
    (specs / "broken.yaml").write_text(
        HEAD.replace("pipeline: p", "pipeline: broken") + "replicate: {a: {mod: full}}\n"
    )
    (specs / "torn.yaml").write_text("version: [1\n")
    (specs / "again.yaml").write_text(HEAD.replace("pipeline: p", "pipeline: one"))
    assert set(load_dags(specs)) == {"one", "two", "three"}
    with pytest.raises(BrokenSpecs) as told:
        require_sound(specs)
    text = str(told.value)
    assert f"{specs}/broken.yaml:5:17: error: the key 'mod' is not known here [unknown-key]" in text
    assert f"{specs}/torn.yaml:" in text
    assert "the pipeline 'one' is in" in text
    with pytest.raises(BrokenSpecs, match="unknown-key"):
        dag_of(specs / "broken.yaml")


def test_sound_specs_are_not_reported(specs: Path) -> None:
    require_sound(specs)


def test_a_task_builds_only_its_own_dag(specs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "two")
    assert set(load_dags(specs)) == {"two"}
    (specs / "broken.yaml").write_text("version: [1\n")
    require_sound(specs)


PARSING = """
import socket, sys, time
from pathlib import Path

def refuse(*_, **__):
    raise AssertionError("parsing must talk to nobody")

socket.socket.connect = refuse
import airflow.sdk
from airflow.sdk import Connection, Variable
Connection.get = Variable.get = refuse
from framework.airflow import load_dags, require_sound
load_dags(Path(sys.argv[1]))
began = time.process_time()
dags = load_dags(Path(sys.argv[1]))
require_sound(Path(sys.argv[1]))
print(len(dags), round((time.process_time() - began) / len(dags), 4))
heavy = ("faker", "numpy", "pandas", "polars", "pyarrow", "duckdb", "framework.runner")
print([name for name in heavy if name in sys.modules])
"""


def test_parsing_touches_and_imports_nothing_heavy(tmp_path: Path) -> None:
    text = (ROOT / "specs" / "shop.yaml").read_text()
    for number in range(5):
        (tmp_path / f"s{number}.yaml").write_text(text.replace("pipeline: shop", f"pipeline: s{number}"))
    (tmp_path / "connections.yaml").write_text((ROOT / "specs" / "connections.yaml").read_text())
    done = subprocess.run(
        [sys.executable, "-c", PARSING, str(tmp_path)], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    counted, heavy = done.stdout.splitlines()[-2:]
    assert counted.startswith("5 ")
    assert heavy == "[]"


def test_connections_may_be_known_to_airflow_alone(specs: Path) -> None:
    (specs / "connections.yaml").write_text("environments: {default: {other: {url: mysql://x/y}}}\n")
    assert set(load_dags(specs)) == {"one", "two", "three"}


def test_a_broken_connections_file_is_reported_and_stops_no_dag(specs: Path) -> None:
    (specs / "connections.yaml").write_text("environments: {default: {pg: {ulr: postgresql://x/y}}}\n")
    assert set(load_dags(specs)) == {"one", "two", "three"}
    with pytest.raises(BrokenSpecs, match=r"connections.yaml:1:31: error: the key 'ulr'"):
        require_sound(specs)


def test_a_pipeline_is_found_however_its_name_is_written(specs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (specs / "two.yaml").write_text(HEAD.replace("pipeline: p", r'pipeline: "tw\x6f"'))
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "two")
    assert set(load_dags(specs)) == {"two"}


def test_a_file_that_cannot_be_read_disturbs_no_other(specs: Path) -> None:
    (specs / "gone.yaml").symlink_to(specs / "nowhere.yaml")
    (specs / "latin.yaml").write_bytes(b"pipeline: \xe9\n")
    assert set(load_dags(specs)) == {"one", "two", "three"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_only_one_of_the_two_files_has_dags(specs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A DAG that two files have would change hands with every parse, and its tasks would not be found."""
    from airflow.dag_processing.dagbag import DagBag

    monkeypatch.setenv("VITRINA_SPECS", str(specs))
    found = {}
    for name in ("vitrina_specs", "vitrina_broken_specs"):
        bag = DagBag(str(ROOT / "dags" / f"{name}.py"))
        assert bag.import_errors == {}
        found[name] = set(bag.dags)
    assert found == {"vitrina_specs": {"one", "two", "three"}, "vitrina_broken_specs": set()}

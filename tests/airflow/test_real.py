"""A real Airflow, with all its parts, runs specs on real servers. Each test is a day in its life: a start is dear."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from framework import lease
from framework.airflow.standalone import USER, Settings, running
from framework.databases.mysql.target import MySQLTarget
from tests.airflow.rest import Rest, wait
from tests.command import ROOT, Command
from tests.services import Server
from tests.services.databases import SourceDatabase, TargetDatabase
from tests.services.process import free_port
from tests.test_shop import KEY, assert_copies_are_exact, assert_marts_are_exact

pytestmark = pytest.mark.slow

RETRIES = "retries: {attempts: 3, delay: 1s, longest: 2s}\n"

LITTLE = """version: 1
pipeline: {name}
source: shop_postgres
target: shop_mysql
replicate:
  {name}_products: {{from: products, only: [id, sku]}}
"""

HEAVY = f"""version: 1
pipeline: heavy
source: shop_postgres
target: shop_mysql
{RETRIES}
replicate:
  heavy: {{mode: incremental, cursor: updated_at, chunk_rows: 300000}}
"""


LATE = """version: 1
pipeline: late
source: shop_postgres
target: shop_mysql
schedule: 20s
retries: {attempts: 0}
freshness: {fail: 1s}
on_failure: {notify: ops}
replicate:
  late: {from: not_there}
"""


class Factory:
    """An Airflow with the specs of a directory, and databases of its own."""

    def __init__(self, directory: Path, source: SourceDatabase, target: TargetDatabase, **environ: str) -> None:
        self.source, self.target = source, target
        self.specs = directory / "specs"
        self.specs.mkdir()
        (self.specs / "connections.yaml").write_text((ROOT / "specs" / "connections.yaml").read_text())
        self.connections = {
            "SHOP_POSTGRES": source.url,
            "SHOP_MYSQL": target.url,
            "VITRINA_MASK_KEY": KEY.decode(),
        }
        self.environ = {
            "AIRFLOW_HOME": str(directory / "airflow"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{directory}/airflow/airflow.db",
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": f"{directory}/bundles",
            # Every parse is a process: at two seconds they take a third of a core. `_an_edit_shows` waits for two.
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "5",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "2",
            "AIRFLOW__SCHEDULER__DAG_DIR_LIST_INTERVAL": "2",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            **self.connections,
            **environ,
        }
        self.settings = Settings(directory / "airflow", self.specs, ROOT / "dags", free_port(), self.environ)
        self.command = Command(ROOT, **self.connections)

    def write(self, name: str, text: str) -> Path:
        path = self.specs / f"{name}.yaml"
        path.write_text(text)
        return path


@pytest.fixture
def factory(tmp_path: Path, source: SourceDatabase, mysql_server: Server) -> Iterator[Callable[..., Factory]]:
    with ExitStack() as stack:

        def make(**environ: str) -> Factory:
            target = TargetDatabase(mysql_server)
            stack.callback(target.drop)
            return Factory(tmp_path, source, target, **environ)

        yield make


@contextmanager
def airflow(made: Factory) -> Iterator[Rest]:
    with running(made.settings) as settings:
        yield Rest(settings.url, USER, settings.password)


def shop_spec() -> str:
    """The shop of specs/, that runs when it is told, and tries again soon."""
    text = (ROOT / "specs" / "shop.yaml").read_text()
    return text.replace('schedule: "*/15 * * * *"\n', RETRIES)


def test_the_shop_lives_in_airflow(factory: Callable[..., Factory]) -> None:
    made = factory()
    made.write("shop", shop_spec())
    made.write("billing", (ROOT / "specs" / "billing.yaml").read_text().replace("tags: [demo]", "after: [shop]"))
    made.write("first", LITTLE.format(name="first"))
    made.write("second", LITTLE.format(name="second"))
    broken = made.write("broken", LITTLE.format(name="broken").replace("only:", "onyl:"))
    with airflow(made) as rest:
        _a_broken_spec_among_five(rest, broken)
        _the_first_run(rest, made)
        _a_tick(rest, made)
        _a_broken_source(rest, made)
        _two_runs_of_a_table(rest, made)
        _an_edit_shows(rest, made)
    assert_nothing_is_left(made)


def _a_broken_spec_among_five(rest: Rest, broken: Path) -> None:
    (error,) = wait(rest.import_errors)
    assert f"{broken}:6:37: error: the key 'onyl' is not known here" in error["stack_trace"]
    dags = wait(lambda: len(found := rest.dags()) == 4 and found)
    assert set(dags) == {"shop", "billing", "first", "second"}
    assert not any(dag["is_stale"] for dag in dags.values())
    details = rest("GET", "/dags/shop/details")
    assert details["params"]["tables"]["schema"]["items"]["enum"][0] == "customers"


def _the_first_run(rest: Rest, made: Factory) -> None:
    run = rest.run("shop")
    assert rest.import_errors(), "the broken spec is still there"
    assert_copies_are_exact(made.source, made.target)
    assert_marts_are_exact(made.target)
    states = rest.states("shop", run)
    assert states.pop("tick") == "skipped"
    assert set(states.values()) == {"success"}
    log = rest.log("shop", run, "replicate.customers.load", part=0)
    assert "part 0: 5,000 rows in" in log
    log = rest.log("shop", run, "replicate.customers.plan")
    assert "horizon 20" in log
    log = rest.log("shop", run, "end")
    assert "mart:revenue_by_month" in log
    recorded = made.target.rows("SELECT run_id, command, status FROM _vitrina_runs WHERE pipeline = 'shop'")
    assert recorded == [(f"shop/{run}", "airflow", "succeeded")]
    held = "SELECT name FROM _vitrina_leases WHERE owner = %s AND expires_at > UTC_TIMESTAMP(6)"
    assert made.target.rows(held, f"shop/{run}") == []
    _assets_tell(rest, run)
    # `after: [shop]` has been waiting for it.
    (billing,) = wait(lambda: rest("GET", "/dags/billing/dagRuns")["dag_runs"])
    assert billing["run_type"] == "asset_triggered"
    rest.wait_for_run("billing", billing["dag_run_id"], seconds=120)
    assert made.target.rows("SELECT COUNT(*) FROM payments_by_method") == [(3,)]
    assert "healthy" not in made.command("status", str(made.specs / "shop.yaml")).stdout


def _assets_tell(rest: Rest, run: str) -> None:
    events = rest("GET", "/assets/events?limit=100")["asset_events"]
    by_asset = {event["uri"]: event for event in events if event["source_run_id"] == run}
    orders = by_asset["mysql://shop_mysql:3306/default/fact_orders"]["extra"]
    assert orders["rows"] > 10_000
    assert orders["watermark"].startswith("2025-12-31")
    assert orders["seconds"] > 0
    assert by_asset["mysql://shop_mysql:3306/default/revenue_by_month"]["extra"]["rows"] == 72
    assert by_asset["mysql://shop_mysql:3306/default/best_categories"]["extra"]["rows"] is None
    assert by_asset["x-vitrina://pipeline/shop"]["extra"]["rows"] > 90_000


def _a_tick(rest: Rest, made: Factory) -> None:
    watermarks = dict(made.target.rows("SELECT table_name, watermark FROM _vitrina_state"))
    run = rest.run("shop", tick=2)
    assert rest.states("shop", run)["tick"] == "success"
    assert_copies_are_exact(made.source, made.target)
    assert_marts_are_exact(made.target)
    advanced = dict(made.target.rows("SELECT table_name, watermark FROM _vitrina_state"))
    shop = ("customers", "products", "fact_orders", "fact_order_items", "payments")
    assert all(advanced[table] > watermarks[table] for table in shop)


def _a_broken_source(rest: Rest, made: Factory) -> None:
    """A value that MySQL has no room for: its table fails at once, in the engine's words, and the others go on."""
    (born,) = made.source.rows("SELECT birth_date FROM customers WHERE id = 7")[0]
    birth = "UPDATE customers SET birth_date = %s, updated_at = clock_timestamp() WHERE id = 7"
    made.source.execute(birth, "infinity")
    run = rest.run("shop", expect="failed")
    states = rest.states("shop", run)
    assert states["replicate.customers.load"] == "failed"
    assert states["replicate.customers.merge"] == "upstream_failed"
    assert states["replicate.fact_orders.verify"] == "success"
    assert states["marts.daily_orders"] == "success"
    assert states["marts.revenue_by_month"] == states["succeed"] == "upstream_failed"
    (load,) = [task for task in rest.tasks("shop", run) if task["task_id"] == "replicate.customers.load"]
    assert load["try_number"] == 1, "what will not pass is not tried again"
    log = rest.log("shop", run, "replicate.customers.load", part=0)
    assert "loading 'customers' was refused, because values would change" in log
    report = rest.log("shop", run, "end")
    assert "replicate:customers FAILED" in report
    ended = "SELECT status FROM _vitrina_runs WHERE run_id = %s"
    assert made.target.rows(ended, f"shop/{run}") == [("failed",)]
    # Repaired, and only what failed is done again.
    made.source.execute(birth, born)
    rest(
        "POST",
        "/dags/shop/clearTaskInstances",
        {"dry_run": False, "dag_run_id": run, "only_failed": True, "reset_dag_runs": True},
    )
    wait(lambda: rest.state("shop", run) in ("running", "queued"), 30)
    rest.wait_for_run("shop", run)
    assert_copies_are_exact(made.source, made.target)
    assert made.target.rows(ended, f"shop/{run}") == [("succeeded",)]


def _two_runs_of_a_table(rest: Rest, made: Factory) -> None:
    """A table that a command is writing is waited for."""
    target = MySQLTarget("shop_mysql", made.target.url)
    with lease.held(target, "products", "a command"):
        run = rest.trigger("shop", tables=["products"])
        again = wait(
            lambda: [
                task for task in rest.tasks("shop", run) if task["state"] == "up_for_retry" or task["try_number"] > 1
            ],
            120,
        )
        assert [task["task_id"] for task in again] == ["replicate.products.plan"]
    target.close()
    rest.wait_for_run("shop", run)
    assert "'products' is being written by run a command" in rest.log("shop", run, "replicate.products.plan")
    states = rest.states("shop", run)
    assert states["replicate.customers.plan"] == states["marts.daily_orders"] == "skipped"
    assert states["marts.product_sales"] == "success"


def _an_edit_shows(rest: Rest, made: Factory) -> None:
    made.write("first", LITTLE.format(name="first") + "description: edited\n")
    wait(lambda: rest.dags()["first"]["description"] == "edited", 60)
    (made.specs / "broken.yaml").unlink()
    wait(lambda: not rest.import_errors(), 60)
    # Without a broken spec, too, each DAG belongs to one file, and no parse makes a new version of it.
    before = _versions(rest)
    time.sleep(12)
    assert _versions(rest) == before
    rest.run("second")


def _versions(rest: Rest) -> dict[str, tuple[str, int]]:
    """The file and the number of versions of each DAG."""
    return {
        name: (dag["relative_fileloc"], rest("GET", f"/dags/{name}/dagVersions")["total_entries"])
        for name, dag in rest.dags().items()
    }


def assert_nothing_is_left(made: Factory) -> None:
    tables = [row[0] for row in made.target.rows("SHOW TABLES LIKE '\\_vitrina%'")]
    beside = ("shadow", "stage", "keys", "changed", "old", "build", "draft")
    assert [name for name in tables if name.startswith(tuple(f"_vitrina_{purpose}_" for purpose in beside))] == []


def test_a_bundle_of_specs_a_killed_worker_and_news(factory: Callable[..., Factory], hook: Any) -> None:
    here = f"http://127.0.0.1:{hook.server_port}"
    openlineage = json.dumps({"type": "http", "url": here, "endpoint": "lineage"})
    made = factory(OPS=f"{here}/ops", AIRFLOW__OPENLINEAGE__TRANSPORT=openlineage)
    bundle = {"specs": str(made.specs), "refresh_interval": 2}
    bundles = [{"name": "specs", "classpath": "framework.airflow.bundle.SpecBundle", "kwargs": bundle}]
    made.environ["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"] = json.dumps(bundles)
    made.source.execute(
        "CREATE TABLE heavy (id bigint PRIMARY KEY, body text NOT NULL, updated_at timestamptz NOT NULL DEFAULT now())"
    )
    made.source.execute(
        "INSERT INTO heavy SELECT i, repeat(md5(i::text), 12), now() FROM generate_series(1, 900000) AS i"
    )
    made.source.execute("CREATE TABLE products (id int PRIMARY KEY, sku text)")
    made.source.execute("ANALYZE heavy")
    connections = (made.specs / "connections.yaml").read_text().replace("generate: allow", "parallelism: 2", 1)
    made.write("connections", connections + 'notify: {ops: {webhook: "${OPS}"}}\n')
    made.write("heavy", HEAVY)
    made.write("late", LATE)
    broken = made.write("broken", LITTLE.format(name="broken").replace("only:", "onyl:"))
    with airflow(made) as rest:
        (error,) = wait(rest.import_errors)
        assert error["filename"] == "broken.py"
        assert "/broken.yaml:6:37: error: the key 'onyl' is not known here" in error["stack_trace"]
        wait(lambda: {"heavy", "late"} <= rest.dags().keys())
        pools = {pool["name"]: pool["slots"] for pool in rest("GET", "/pools")["pools"]}
        assert pools["vitrina_shop_postgres"] == 2
        _a_killed_worker(rest, made)
        broken.write_text(LITTLE.format(name="broken"))
        wait(lambda: "broken" in rest.dags() and not rest.import_errors(), 60, every=0.1)
        rest.run("broken")
        _news_arrive(hook)
        _lineage_arrives(hook, made)
    assert_nothing_is_left(made)


def _news_arrive(hook: Any) -> None:
    """Of runs that fail, and of runs that miss their deadline."""

    def told() -> list[dict[str, Any]]:
        return [news for path, news in hook.got if path == "/ops"]

    wait(lambda: {"failed", "late"} <= {news["status"] for news in told()}, 120)
    assert {news["pipeline"] for news in told()} == {"late"}
    assert any(news["text"].startswith("late: run scheduled__") for news in told())


def _lineage_arrives(hook: Any, made: Factory) -> None:
    """OpenLineage's provider is installed: it hears of tables by the names that other tools give them."""

    def found() -> list[dict[str, Any]]:
        events = [event for path, event in hook.got if path == "/lineage"]
        of_task = [event for event in events if event["job"]["name"] == "heavy.replicate.heavy.verify"]
        return [event for event in of_task if event["eventType"] == "COMPLETE"]

    event = wait(found)[0]
    source, target = make_url(made.source.url), make_url(made.target.url)
    (read,), (written,) = event["inputs"], event["outputs"]
    assert read["namespace"] == f"postgres://127.0.0.1:{source.port}"
    assert read["name"] == f"{source.database}.public.heavy"
    assert (written["namespace"], written["name"]) == (
        f"mysql://127.0.0.1:{target.port}",
        f"{target.database}.heavy",
    )
    assert written["outputFacets"]["outputStatistics"]["rowCount"] >= 899_000


def _a_killed_worker(rest: Rest, made: Factory) -> None:
    """SIGKILL in the middle of a load; a writer changes the source all the while."""
    run = rest.trigger("heavy")
    victim: dict[str, Any] = wait(lambda: _loading(rest, run) or False, 120, every=0.05)
    os.kill(victim["pid"], signal.SIGKILL)
    made.source.execute("UPDATE heavy SET body = 'changed', updated_at = clock_timestamp() WHERE id % 1000 = 0")
    made.source.execute("DELETE FROM heavy WHERE id % 1000 = 1")
    made.source.execute("INSERT INTO heavy (id, body) SELECT i, 'new' FROM generate_series(900001, 900500) AS i")
    rest.wait_for_run("heavy", run)
    loads = [task for task in rest.tasks("heavy", run) if task["task_id"] == "replicate.heavy.load"]
    assert len(loads) == 3
    assert max(task["try_number"] for task in loads) > 1, "nobody was killed"
    rest.run("heavy")
    expected = [(i, body) for i, body in made.source.rows("SELECT id, body FROM heavy ORDER BY id")]
    assert made.target.rows("SELECT id, body FROM heavy ORDER BY id") == expected


def _loading(rest: Rest, run: str) -> dict[str, Any] | None:
    running = [
        task
        for task in rest.tasks("heavy", run)
        if task["task_id"] == "replicate.heavy.load" and task["state"] == "running" and task["pid"]
    ]
    return running[0] if running else None

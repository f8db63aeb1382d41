"""The plan of a spec as a DAG. Only translated: what is done, and in which order, the plan says.

begin -> generate -> tick -> replicate.<table>: plan -> load (one for each part) -> merge -> verify -> compare
      -> constraints, marts.<mart> -> succeed          end: a teardown, whatever happened
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Asset, Param, TaskGroup, XComArg
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from framework import units
from framework.airflow import assets, operators
from framework.airflow.docs import doc_md
from framework.airflow.notify import Late, Notify
from framework.airflow.pools import pool_of
from framework.airflow.schedule import schedule_of, start_of
from framework.airflow.work import PLANNED
from framework.plan import Kind, Plan, Step, compile_plan
from framework.spec.connections import Connections
from framework.spec.models import Spec

PARALLELISM = 16
"""Tasks of one DAG at once, where the spec does not say."""


def build(spec: Spec, path: Path, text: str, connections: Connections | None = None) -> DAG:
    """The DAG of a checked spec.

    Args:
        spec: the spec.
        path: its file, which tasks read again.
        text: what stands in it.
        connections: the connections file beside it, for pools and for who is told of failures.
    """
    plan = compile_plan(spec, ticks=1)
    with DAG(
        dag_id=spec.pipeline,
        description=spec.description or None,
        doc_md=doc_md(spec, plan, text),
        schedule=schedule_of(spec),
        start_date=start_of(spec),
        catchup=spec.catchup,
        tags=["vitrina", *spec.tags],
        max_active_runs=1,
        max_active_tasks=spec.parallelism or PARALLELISM,
        params=_params(spec, plan),
        default_args=_defaults(spec),
        on_failure_callback=Notify(spec.on_failure.notify, str(path)) if spec.on_failure else None,
        deadline=_deadline(spec, path),
        # Else a file that builds it only to see whether it can be built would have it, too.
        auto_register=False,
    ) as dag:
        _Tasks(spec, plan, path, connections).make()
    return dag


def task_name(name: str) -> str:
    """A name that Airflow accepts; different names stay different."""
    safe = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    return safe if safe == name else f"{safe[:200]}_{hashlib.sha256(name.encode()).hexdigest()[:6]}"


def _defaults(spec: Spec) -> dict[str, Any]:
    retries = spec.retries
    return {
        "owner": spec.owner or "vitrina",
        "retries": retries.attempts,
        "retry_delay": units.duration(retries.delay),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": units.duration(retries.longest),
        "execution_timeout": units.duration(spec.timeout) if spec.timeout else None,
    }


def _rule(step: Step) -> str:
    """What a step must wait for; what was not asked for is skipped, and keeps nothing else from its work.

    Airflow demands that a setup, here ``begin``, be followed by ``all_success``.
    """
    if not step.needs:
        return "all_success"
    return "none_failed_min_one_success" if step.kind is Kind.MART else "none_failed"


def _deadline(spec: Spec, path: Path) -> DeadlineAlert | None:
    """A scheduled run that is not done so long after the beginning of its interval leaves a copy that is too old.

    Runs by hand or after another pipeline have no interval. (A deadline that counts from the queueing of a run would
    have them, but Airflow 3.3.2 cannot clear tasks of such a run: its API answers 500.)
    """
    limit = spec.freshness and (spec.freshness.fail or spec.freshness.warn)
    if not limit or spec.schedule is None:
        return None
    told = spec.on_failure.notify if spec.on_failure else None
    kwargs = {"pipeline": spec.pipeline, "limit": limit, "notify": told, "spec": str(path)}
    callback = AsyncCallback(Late, kwargs=kwargs)
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_LOGICAL_DATE, interval=units.duration(limit), callback=callback
    )


def _params(spec: Spec, plan: Plan) -> dict[str, Param]:
    tables = list(spec.replicate)
    params = {
        "full_refresh": Param(
            False, type="boolean", title="Full refresh", description="Fill the copies anew, build the marts anew."
        )
    }
    if tables:
        params["tables"] = Param(
            None,
            type=["null", "array"],
            items={"type": "string", "enum": tables},
            examples=tables,
            title="Tables",
            description="Copy only these tables; by default all.",
        )
    if plan.has(Kind.GENERATE):
        params["tick"] = Param(
            0,
            type="integer",
            minimum=0,
            maximum=1000,
            title="Ticks",
            description="Changes of the source to make first.",
        )
        params["seed"] = Param(
            None, type=["null", "integer"], title="Seed", description="Of the fake data; by default the spec's."
        )
    return params


class _Tasks:
    """The tasks of one DAG, made in the plan's order."""

    def __init__(self, spec: Spec, plan: Plan, path: Path, connections: Connections | None) -> None:
        self._spec = spec
        self._plan = plan
        self._path = str(path)
        self._pool = {name: pool_of(name, connections) for name in (spec.source, spec.target)}
        self._first: dict[str, Any] = {}
        self._last: dict[str, Any] = {}
        self._tables: dict[str, TaskGroup] = {}

    def make(self) -> None:
        """Make all tasks, and what binds them."""
        begin = operators.Begin(task_id="begin", spec=self._path)
        succeed = operators.Succeed(
            task_id="succeed",
            spec=self._path,
            trigger_rule="none_failed" if self._plan.steps else "all_success",
            outlets=[assets.pipeline(self._spec.pipeline)],
        )
        end = operators.End(task_id="end", spec=self._path)
        groups = {Kind.REPLICATE: TaskGroup("replicate"), Kind.MART: TaskGroup("marts")}
        for step in self._plan.steps:
            self._make(step, groups)
        for step in self._plan.steps:
            for need in step.needs:
                self._last[need] >> self._first[step.name]
            if not step.needs:
                begin >> self._first[step.name]
        needed = {need for step in self._plan.steps for need in step.needs}
        for name in self._last.keys() - needed:
            self._last[name] >> succeed
        if not self._plan.steps:
            begin >> succeed
        succeed >> end.as_teardown(setups=begin)

    def _make(self, step: Step, groups: Mapping[Kind, TaskGroup]) -> None:
        if step.kind is Kind.REPLICATE:
            with groups[step.kind], TaskGroup(task_name(step.subject), tooltip=step.subject) as group:
                self._first[step.name], self._last[step.name] = self._table(step)
            self._tables[step.subject] = group
            return
        if step.kind is Kind.VERIFY:
            with groups[Kind.REPLICATE], self._tables[step.subject]:
                made = self._whole("compare", step, self._spec.target)
        elif step.kind is Kind.MART:
            with groups[step.kind]:
                made = self._mart(step)
        elif step.kind is Kind.CONSTRAINTS:
            made = self._whole(step.name, step, self._spec.target)
        else:
            made = self._fill(step)
        self._first[step.name] = self._last[step.name] = made

    def _whole(self, task_id: str, step: Step, connection: str, **more: Any) -> operators.RunStep:
        """A step as one task, which takes a slot of the connection's pool."""
        return operators.RunStep(
            task_id=task_id,
            spec=self._path,
            step=step.name,
            trigger_rule=_rule(step),
            **self._pool[connection],
            **more,
        )

    def _fill(self, step: Step) -> operators.RunStep:
        """Ticks are not tried again: those that were performed would be performed twice."""
        attempts = {"retries": 0} if step.kind is Kind.TICK else {}
        return self._whole(step.name, step, self._spec.source, **attempts)

    def _table(self, step: Step) -> tuple[operators.PlanTable, operators.VerifyTable]:
        task = self._spec.replicate_task(step.subject)
        # A task takes one pool's slot; the target is what gives way first.
        common = {
            "spec": self._path,
            "step": step.name,
            **(self._pool[self._spec.target] or self._pool[self._spec.source]),
        }
        origin = assets.source_table(self._spec.source, task.source_schema, task.source_table)
        plan = operators.PlanTable(task_id="plan", trigger_rule=_rule(step), inlets=[origin], **common)
        planned = XComArg(plan, key=PLANNED)
        load = operators.LoadTable.partial(task_id="load", planned=planned, **common).expand(number=plan.output)
        merge = operators.MergeTable(task_id="merge", planned=planned, **common)
        verify = operators.VerifyTable(
            task_id="verify",
            planned=planned,
            outlets=[assets.target_table(self._spec.target, step.subject)],
            **common,
        )
        plan >> load >> merge >> verify
        return plan, verify

    def _mart(self, step: Step) -> operators.RunStep:
        return self._whole(
            task_name(step.subject),
            step,
            self._spec.target,
            inlets=self._read(step),
            outlets=[assets.target_table(self._spec.target, step.subject)],
            doc_md=self._spec.marts[step.subject].description or None,
        )

    def _read(self, step: Step) -> list[Asset]:
        return [assets.target_table(self._spec.target, table) for table in step.arguments["task"]["reads"]]

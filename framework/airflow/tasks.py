"""What the tasks do: open the databases, call the engine, pass on what it says. Nothing is decided here."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from framework import history, lease, progress, replicate, report, runner
from framework.airflow import connections, lineage
from framework.airflow.operators import PLANNED
from framework.databases.base import Target
from framework.databases.postgres import PostgresSource
from framework.errors import GenerationForbidden, LeaseLost, VitrinaError
from framework.events import (
    Event,
    Reporter,
    RunFinished,
    RunStarted,
    Stats,
    StepFailed,
    StepFinished,
    StepSkipped,
    StepStarted,
)
from framework.plan import Kind, Plan, Step, compile_plan
from framework.spec.models import ReplicateTask
from framework.workspace import Workspace, open_workspace

if TYPE_CHECKING:
    from framework.airflow.operators import End, LoadTable, MergeTable, PlanTable, RunStep, VerifyTable, Work

Result = TypeVar("Result")

RUN_ID_LENGTH = 128
"""Characters of a run's name in the history and in leases."""


@dataclass(frozen=True)
class Task:
    """One task at work."""

    workspace: Workspace
    plan: Plan
    run: runner.Run

    @property
    def target(self) -> Target:
        return self.run.written

    @property
    def source(self) -> PostgresSource:
        return self.run.read


def begin(work: Work, context: Context) -> None:
    """Connect to both databases, and write the beginning of the run into the history."""
    with _at_work(work, context, source=True) as task:

        def connect() -> None:
            work.log.info("source: %s, %s", task.source.url, task.source.version())
            work.log.info("target: %s, %s", task.target.url, task.target.version())
            steps = tuple(step.name for step in task.plan.steps)
            task.run.emit(RunStarted(task.run.run_id, task.plan.pipeline, "airflow", steps))

        _cancellable(work, task, connect)


def run_step(work: RunStep, context: Context) -> dict[str, Any]:
    """Do a whole step. Raises AirflowSkipException where there is nothing to be done."""
    with _at_work(work, context, source=_step_kind(work) is not Kind.MART) as task:
        step = task.plan.step(work.step) if _has(task.plan, work.step) else None
        if step is None:
            raise _skipped(task, work.step, _step_kind(work), "no ticks were asked for")
        if step.kind in (Kind.GENERATE, Kind.TICK) and not task.source.may_generate:
            if step.kind is Kind.TICK or context["params"].get("tick"):
                raise GenerationForbidden(task.source.name, task.workspace.environment)
            raise _skipped(task, step.name, step.kind, f"{task.source.name!r} does not allow generated data")
        stats = _cancellable(work, task, lambda: runner.run_step(task.run, step))
        if step.kind is Kind.MART:
            read = tuple(lineage.target_dataset(task.target, table) for table in step.arguments["task"]["reads"])
            written = lineage.target_dataset(task.target, step.subject)
            lineage.tell(lineage.Moved(read, written, stats.rows_written))
            _tell_assets(context, work, stats)
        return _counts(stats)


def plan_table(work: PlanTable, context: Context) -> list[int]:
    """Plan one table; the numbers of its parts. Raises AirflowSkipException if it was not asked for."""
    with _at_work(work, context, source=True) as task:
        step = task.plan.step(work.step)
        chosen = context["params"].get("tables")
        if chosen and step.subject not in chosen:
            raise _skipped(task, step.name, step.kind, "it is not among the tables that were asked for")
        task.run.emit(StepStarted(step.name, step.kind.value))
        outline = _phase(work, task, step, None, replicate.plan)
        parts = len(outline.ranges)
        work.log.info("%s, %d part%s", "full" if outline.full else "incremental", parts, "s" if parts > 1 else "")
        work.log.info("horizon %s, reads from %s", outline.horizon.moment, outline.bound or "the beginning")
        context["ti"].xcom_push(key=PLANNED, value={"outline": outline.as_json(), "began": time.time()})
        return list(range(parts))


def load_table(work: LoadTable, context: Context) -> dict[str, Any]:
    """Load one part."""
    with _at_work(work, context, source=True) as task:
        outline = replicate.Outline.from_json(work.planned["outline"])
        step, number = task.plan.step(work.step), int(work.number)
        began = time.monotonic()
        rows = _phase(work, task, step, outline, lambda job: replicate.load(job, outline, number))
        seconds = time.monotonic() - began
        rate = rows / seconds if seconds else 0
        work.log.info("part %d: %s rows in %.1f s, %s rows/s", number, f"{rows:,}", seconds, f"{rate:,.0f}")
        return {"rows": rows}


def merge_table(work: MergeTable, context: Context) -> dict[str, Any]:
    """Make what was loaded visible."""
    with _at_work(work, context, source=True) as task:
        outline = replicate.Outline.from_json(work.planned["outline"])
        stats = _phase(work, task, task.plan.step(work.step), outline, lambda job: replicate.merge(job, outline))
        work.log.info(
            "%s; watermark %s; the next run reads from %s", progress.summary(stats), stats.watermark, stats.bound
        )
        return _counts(stats)


def verify_table(work: VerifyTable, context: Context) -> None:
    """Verify the copy, and end the step."""
    with _at_work(work, context, source=True) as task:
        outline = replicate.Outline.from_json(work.planned["outline"])
        step = task.plan.step(work.step)
        merged = _phase(work, task, step, outline, replicate.verify, last=True)
        stats = replace(merged, seconds=time.time() - work.planned["began"])
        task.run.emit(StepFinished(step.name, step.kind.value, stats))
        settings = task.workspace.spec.replicate_task(step.subject)
        read = lineage.source_dataset(task.source, settings.source_schema, settings.source_table)
        written = lineage.target_dataset(task.target, step.subject)
        lineage.tell(lineage.Moved((read,), written, stats.rows_written))
        _tell_assets(context, work, stats)


def succeed(work: Work, context: Context) -> None:
    """Tell that all went well, and how many rows the whole run wrote."""
    with _at_work(work, context) as task:
        with task.target.session() as session:
            ended = history.steps_of(session, task.target, task.run.run_id)
        # Where only what failed was done again, ``end`` is not.
        task.run.emit(RunFinished(task.run.run_id, "succeeded", _seconds(context)))
    rows = sum(step.rows_written for step in ended)
    for asset in work.outlets:
        context["outlet_events"][asset].extra = {"rows": rows, "run_id": task.run.run_id}


def end(work: End, context: Context) -> None:
    """Report the run, write its end into the history, and give back its leases."""
    with _at_work(work, context) as task:
        with task.target.session() as session:
            ended = {step.step: step for step in history.steps_of(session, task.target, task.run.run_id)}
        missed = [step for step in task.plan.steps if step.name not in ended]
        for step in missed:
            task.run.emit(StepSkipped(step.name, step.kind.value, "what it needs did not succeed"))
        failed = [name for name, step in ended.items() if step.status == "failed"]
        for line in report.history_lines(tuple(ended.values()), missed):
            work.log.info("%s", line)
        for name in failed:
            work.log.error("%s FAILED: %s", name, ended[name].message)
        status = "failed" if failed or missed else "succeeded"
        task.run.emit(RunFinished(task.run.run_id, status, _seconds(context)))
        lease.release_all(task.target, task.run.run_id)


def _seconds(context: Context) -> float:
    """Since the run's start."""
    began = context["dag_run"].start_date
    return time.time() - began.timestamp() if began else 0.0


@contextmanager
def _at_work(work: Work, context: Context, *, source: bool = False) -> Iterator[Task]:
    """The databases, open, with the spec and its plan. Errors that will not pass are not tried again."""
    try:
        with ExitStack() as stack:
            environment = os.environ.get("VITRINA_ENV", "default")
            workspace = open_workspace(Path(work.spec), environment, connections.find)
            target = stack.enter_context(workspace.target())
            run_id = run_name(workspace.spec.pipeline, str(context["run_id"]))
            params = context["params"]
            run = runner.Run(
                source=stack.enter_context(workspace.source()) if source else None,
                target=target,
                run_id=run_id,
                command="airflow",
                emit=_listener(work, history.Recorder(target, run_id)),
                full_refresh=bool(params.get("full_refresh")),
                mask_key=workspace.mask_key(),
            )
            plan = compile_plan(workspace.spec, int(params.get("tick") or 0), params.get("seed"))
            work.cancel = run.cancel
            yield Task(workspace, plan, run)
    except VitrinaError as error:
        # Whoever was told to end (a worker that shuts down) may be tried again.
        kind = AirflowException if error.transient or work.killed else AirflowFailException
        raise kind(str(error)) from None


def run_name(pipeline: str, airflow_run_id: str) -> str:
    """The name of a run in the target: two pipelines may have runs of one name in Airflow."""
    name = f"{pipeline}/{airflow_run_id}"
    if len(name) <= RUN_ID_LENGTH:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:12]
    return f"{name[: RUN_ID_LENGTH - 13]}-{digest}"


def _phase(
    work: Work,
    task: Task,
    step: Step,
    outline: replicate.Outline | None,
    phase: Callable[[replicate.Job], Result],
    *,
    last: bool = False,
) -> Result:
    """One phase of a table's replication; its failure is the step's."""
    began = time.monotonic()

    def perform() -> Result:
        settings = ReplicateTask.model_validate(step.arguments["task"])
        options = runner.replicate_options(task.run, step, spread=True)
        reporter = Reporter(step.name, task.run.emit)
        with replicate.opened(task.source, task.target, settings, options, reporter, outline, last=last) as job:
            return phase(job)

    try:
        return _cancellable(work, task, perform)
    except LeaseLost:
        # The step is another's by now, and so is what the history says of it.
        raise
    except BaseException as error:
        task.run.emit(StepFailed(step.name, step.kind.value, str(error), time.monotonic() - began))
        raise


def _cancellable(work: Work, task: Task, perform: Callable[[], Result]) -> Result:
    """Work in a thread: a time-out or a signal interrupts the wait for it, never the talk with a server."""
    with ThreadPoolExecutor(1, thread_name_prefix="vitrina-task") as pool:
        future = pool.submit(perform)
        try:
            return future.result()
        except BaseException:
            if not future.done():
                work.log.warning("the task was told to end")
                task.run.cancel()
            raise


def _listener(work: Work, record: history.Recorder) -> Callable[[Event], None]:
    lines = progress.Lines(work.log.info)

    def listen(event: Event) -> None:
        lines(event)
        record(event)

    return listen


def _skipped(task: Task, step: str, kind: Kind, reason: str) -> AirflowSkipException:
    task.run.emit(StepSkipped(step, kind.value, reason))
    return AirflowSkipException(f"{step}: {reason}")


def _tell_assets(context: Context, work: Work, stats: Stats) -> None:
    for asset in work.outlets:
        context["outlet_events"][asset].extra = {
            "rows": stats.rows_written,
            "deleted": stats.rows_deleted,
            "watermark": stats.watermark,
            "seconds": round(stats.seconds, 3),
        }


def _counts(stats: Stats) -> dict[str, Any]:
    """What goes into XCom: counts and bounds. Warnings of checks show rows."""
    return {key: value for key, value in stats.as_json().items() if key != "warnings"}


def _has(plan: Plan, name: str) -> bool:
    return any(step.name == name for step in plan.steps)


def _step_kind(work: Work) -> Kind:
    return Kind(work.step.partition(":")[0])

"""What the tasks do: open the databases, call the engine, pass on what it says. Nothing is decided here."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException

from framework import history, lease, progress, report, runner
from framework.airflow import lineage
from framework.airflow.at_work import Task, at_work, cancellable, phase_of
from framework.airflow.work import PLANNED, Work
from framework.errors import GenerationForbidden
from framework.events import RunFinished, RunStarted, Stats, StepFinished, StepSkipped, StepStarted
from framework.plan import Kind, Step
from framework.replicate import phases
from framework.replicate.outline import Outline
from framework.spec.marts import MartTask

Planned = Mapping[str, Any]
"""What `plan_table` says to the tasks behind it: an outline as JSON, and when it began."""


def begin(work: Work, context: Context) -> None:
    """Connect to both databases, and write the beginning of the run into the history."""
    with at_work(work, context, source=True) as task:

        def connect() -> None:
            work.log.info("source: %s, %s", task.source.url, task.source.version())
            work.log.info("target: %s, %s", task.target.url, task.target.version())
            steps = tuple(step.name for step in task.plan.steps)
            task.run.emit(RunStarted(task.run.run_id, task.plan.pipeline, "airflow", steps))

        cancellable(work, task, connect)


def run_step(work: Work, context: Context) -> dict[str, Any]:
    """Do a whole step. Raises AirflowSkipException where there is nothing to be done."""
    kind = Kind(work.step.partition(":")[0])
    with at_work(work, context, source=kind is not Kind.MART) as task:
        if not task.plan.has(kind):
            raise _skipped(task, work.step, kind, "no ticks were asked for")
        step = task.plan.step(work.step)
        if step.kind is Kind.VERIFY:
            _require_chosen(task, step, context)
        if step.kind in (Kind.GENERATE, Kind.TICK) and not task.source.may_generate:
            if step.kind is Kind.TICK or context["params"].get("tick"):
                raise GenerationForbidden(task.source.name, task.workspace.environment)
            raise _skipped(task, step.name, step.kind, f"{task.source.name!r} does not allow generated data")
        stats = cancellable(work, task, lambda: runner.run_step(task.run, step))
        for warning in stats.warnings:
            work.log.warning("%s", warning)
        if step.kind is Kind.MART:
            read = tuple(lineage.target_dataset(task.target, table) for table in step.arguments["task"]["reads"])
            written = lineage.target_dataset(task.target, step.subject)
            lineage.tell(lineage.Moved(read, written, stats.rows_written))
            view = MartTask.model_validate(step.arguments["task"]).mart.materialize.view is not None
            _tell_assets(context, work, stats, rows=None if view else stats.rows_written)
        return _counts(stats)


def plan_table(work: Work, context: Context) -> list[int]:
    """Plan one table; the numbers of the parts to load. Raises AirflowSkipException if it was not asked for."""
    with at_work(work, context, source=True) as task:
        step = task.plan.step(work.step)
        _require_chosen(task, step, context)
        task.run.emit(StepStarted(step.name, step.kind.value))
        outline = phase_of(work, task, step, None, phases.plan)
        parts = len(outline.ranges)
        work.log.info("%s, %d part%s", "full" if outline.full else "incremental", parts, "s" if parts > 1 else "")
        work.log.info("horizon %s, reads from %s", outline.horizon.moment, outline.bound or "the beginning")
        context["ti"].xcom_push(key=PLANNED, value={"outline": outline.as_json(), "began": time.time()})
        # A merge waits for at least one part.
        return list(outline.unread) or [0]


def load_table(work: Work, context: Context, planned: Planned, number: int) -> dict[str, Any]:
    """Load one part."""
    with at_work(work, context, source=True) as task:
        outline = Outline.from_json(planned["outline"])
        step = task.plan.step(work.step)
        began = time.monotonic()
        rows = phase_of(work, task, step, outline, lambda job: phases.load(job, outline, number))
        seconds = time.monotonic() - began
        rate = rows / seconds if seconds else 0
        work.log.info("part %d: %s rows in %.1f s, %s rows/s", number, f"{rows:,}", seconds, f"{rate:,.0f}")
        return {"rows": rows}


def merge_table(work: Work, context: Context, planned: Planned) -> dict[str, Any]:
    """Make what was loaded visible."""
    with at_work(work, context, source=True) as task:
        outline = Outline.from_json(planned["outline"])
        step = task.plan.step(work.step)
        stats = phase_of(work, task, step, outline, lambda job: phases.merge(job, outline)).stats
        work.log.info(
            "%s; watermark %s; the next run reads from %s", progress.summary(stats), stats.watermark, stats.bound
        )
        return _counts(stats)


def verify_table(work: Work, context: Context, planned: Planned) -> None:
    """Verify the copy, and end the step."""
    with at_work(work, context, source=True) as task:
        outline = Outline.from_json(planned["outline"])
        step = task.plan.step(work.step)
        merged = phase_of(work, task, step, outline, phases.verify, last=True)
        stats = replace(merged, seconds=time.time() - planned["began"])
        task.run.emit(StepFinished(step.name, step.kind.value, stats))
        settings = task.workspace.spec.replicate_task(step.subject)
        read = lineage.source_dataset(task.source, settings.source_schema, settings.source_table)
        written = lineage.target_dataset(task.target, step.subject)
        lineage.tell(lineage.Moved((read,), written, stats.rows_written))
        _tell_assets(context, work, stats, rows=stats.rows_written)


def succeed(work: Work, context: Context) -> None:
    """Tell that all went well, and how many rows the whole run wrote."""
    with at_work(work, context) as task:
        with task.target.session() as session:
            ended = history.steps_of(session, task.target, task.run.run_id)
        # Where only what failed was done again, ``end`` is not.
        _end_run(task, "succeeded")
    rows = sum(step.rows_written for step in ended)
    for asset in work.outlets:
        context["outlet_events"][asset].extra = {"rows": rows, "run_id": task.run.run_id}


def end(work: Work, context: Context) -> None:
    """Report the run, write its end into the history, and give back its leases."""
    with at_work(work, context) as task:
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
        _end_run(task, status)
        lease.release_all(task.target, task.run.run_id)


def _end_run(task: Task, status: str) -> None:
    with task.target.session() as session:
        seconds = history.age_of(session, task.target, task.run.run_id)
    task.run.emit(RunFinished(task.run.run_id, status, seconds))


def _require_chosen(task: Task, step: Step, context: Context) -> None:
    chosen = context["params"].get("tables")
    if chosen and step.subject not in chosen:
        raise _skipped(task, step.name, step.kind, "it is not among the tables that were asked for")


def _skipped(task: Task, step: str, kind: Kind, reason: str) -> AirflowSkipException:
    task.run.emit(StepSkipped(step, kind.value, reason))
    return AirflowSkipException(f"{step}: {reason}")


def _tell_assets(context: Context, work: Work, stats: Stats, *, rows: int | None) -> None:
    """What the events of the task's assets carry; ``rows`` is None for views, which have none of their own."""
    for asset in work.outlets:
        context["outlet_events"][asset].extra = {
            "rows": rows,
            "deleted": stats.rows_deleted,
            "quarantined": stats.rows_rejected,
            "watermark": stats.watermark,
            "seconds": round(stats.seconds, 3),
        }


def _counts(stats: Stats) -> dict[str, Any]:
    """What goes into XCom: counts and bounds. Warnings of checks show rows."""
    return {key: value for key, value in stats.as_json().items() if key != "warnings"}

"""The surroundings of a task: the databases, open; the engine's events, in the log and the history; a way to cancel."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from framework import history, progress, runner
from framework.airflow import connections
from framework.airflow.work import Work
from framework.databases.base import Target
from framework.databases.postgres.source import PostgresSource
from framework.errors import LeaseLost, SpecInvalid, VitrinaError
from framework.events import Reporter, StepFailed, to_all
from framework.outputs.text import render_all
from framework.plan import Plan, Step, compile_plan
from framework.replicate.engine import opened
from framework.replicate.job import Job
from framework.replicate.outline import Outline
from framework.spec.replication import ReplicateTask
from framework.workspace import Workspace, open_workspace

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


@contextmanager
def at_work(work: Work, context: Context, *, source: bool = False) -> Iterator[Task]:
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
                emit=to_all(progress.Lines(work.log.info), history.Recorder(target, run_id)),
                full_refresh=bool(params.get("full_refresh")),
                mask_key=workspace.mask_key(),
                pools=workspace.pools,
            )
            plan = compile_plan(workspace.spec, int(params.get("tick") or 0), params.get("seed"))
            work.cancel = run.cancel
            yield Task(workspace, plan, run)
    except VitrinaError as error:
        # Whoever was told to end (a worker that shuts down) may be tried again.
        kind = AirflowException if error.transient or work.killed else AirflowFailException
        raise kind(sentence(error)) from None


def sentence(error: VitrinaError) -> str:
    """What an error says, with the problems it holds."""
    if isinstance(error, SpecInvalid):
        return "\n\n".join(render_all(error.problems))
    return str(error)


def run_name(pipeline: str, airflow_run_id: str) -> str:
    """The name of a run in the target: two pipelines may have runs of one name in Airflow."""
    name = f"{pipeline}/{airflow_run_id}"
    if len(name) <= RUN_ID_LENGTH:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:12]
    return f"{name[: RUN_ID_LENGTH - 13]}-{digest}"


def phase_of(
    work: Work,
    task: Task,
    step: Step,
    outline: Outline | None,
    phase: Callable[[Job], Result],
    *,
    last: bool = False,
) -> Result:
    """One phase of a table's replication; its failure is the step's."""
    began = time.monotonic()

    def perform() -> Result:
        settings = ReplicateTask.model_validate(step.arguments["task"])
        options = runner.replicate_options(task.run, step, spread=True)
        reporter = Reporter(step.name, task.run.emit)
        with opened(task.source, task.target, settings, options, reporter, outline, last=last) as job:
            return phase(job)

    try:
        return cancellable(work, task, perform)
    except LeaseLost:
        # The step is another's by now, and so is what the history says of it.
        raise
    except BaseException as error:
        task.run.emit(StepFailed(step.name, step.kind.value, str(error), time.monotonic() - began))
        raise


def cancellable(work: Work, task: Task, perform: Callable[[], Result]) -> Result:
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

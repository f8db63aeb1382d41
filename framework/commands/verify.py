"""`vitrina verify`: copies against their sources, and repairs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import click
from rich.console import Console

from framework import progress, runner
from framework.databases.base import Target
from framework.databases.postgres.source import PostgresSource
from framework.errors import StepsFailed, VitrinaError
from framework.events import (
    Event,
    Listener,
    Reporter,
    RunFinished,
    RunStarted,
    Stats,
    StepFailed,
    StepFinished,
    StepStarted,
    to_all,
)
from framework.history import Recorder
from framework.plan import Kind, Plan, Step, compile_plan
from framework.spec.replication import ReplicateTask
from framework.verify import record, text
from framework.verify import repair as repairs
from framework.verify.table import verify as verify_table
from framework.verify.table import verify_again
from framework.verify.verdict import Verdict
from framework.workspace import open_workspace

KIND = Kind.VERIFY.value

_err = Console(stderr=True, emoji=False)


def verify(
    path: Path, environment: str, tables: Iterable[str], fraction: float | None, *, repair: bool, form: str
) -> bool:
    """Compare copies with their sources and print what was found; whether all are equal.

    Raises:
        StepsFailed: some could not be compared, or not be repaired.
    """
    workspace = open_workspace(path, environment)
    plan = compile_plan(workspace.spec).only({Kind.REPLICATE})
    if chosen := tuple(tables):
        plan = plan.for_tables(chosen)
    mask_key = workspace.mask_key()
    with workspace.source() as source, workspace.target() as target:
        work = _Verification(plan, source, target, mask_key, fraction, repair, progress.listener(_err))
        work.all()
    _print(plan, work.verdicts, work.errors, form)
    if work.errors:
        raise StepsFailed(work.errors)
    return all(verdict.is_equal for verdict in work.verdicts)


@dataclass
class _Verification:
    """All tables of a plan, one after the other: each keeps both databases busy."""

    plan: Plan
    source: PostgresSource
    target: Target
    mask_key: bytes | None
    fraction: float | None
    repair: bool
    listener: Listener
    run_id: str = field(default_factory=runner.new_run_id)
    verdicts: list[Verdict] = field(default_factory=list)
    errors: dict[str, VitrinaError] = field(default_factory=dict)

    def all(self) -> None:
        """Verify; when the user interrupts, the databases are told to stop."""
        started = time.monotonic()
        names = tuple(f"{KIND}:{step.subject}" for step in self.plan.steps)
        self.listener(RunStarted(self.run_id, self.plan.pipeline, KIND, names))
        status = "failed"
        try:
            with ThreadPoolExecutor(1, thread_name_prefix="vitrina-verify") as pool:
                try:
                    pool.submit(self._each).result()
                except BaseException:
                    self.source.cancel()
                    self.target.cancel()
                    raise
            status = "failed" if self.errors else "succeeded"
        finally:
            self.listener(RunFinished(self.run_id, status, time.monotonic() - started))

    def _each(self) -> None:
        for step in self.plan.steps:
            name = f"{KIND}:{step.subject}"
            started = time.monotonic()
            self.listener(StepStarted(name, KIND))
            try:
                verdict = self._table(step, Reporter(name, self.listener))
            except VitrinaError as error:
                self.errors[name] = error
                self.listener(StepFailed(name, KIND, str(error), time.monotonic() - started))
            else:
                self.verdicts.append(verdict)
                self._remember(verdict)
                stats = Stats(rows_read=verdict.rows, rows_written=verdict.repaired, seconds=verdict.seconds)
                self.listener(StepFinished(name, KIND, stats))

    def _remember(self, verdict: Verdict) -> None:
        """For marts and `status`. Who may only read verifies all the same."""
        if verdict.sample is None:
            with suppress(VitrinaError):
                record.write(self.target, verdict, self.run_id)

    def _within(self, event: Event) -> None:
        """What happens in a run that is a part of this one."""
        if not isinstance(event, (RunStarted, RunFinished)):
            self.listener(event)

    def _table(self, step: Step, reporter: Reporter) -> Verdict:
        task = ReplicateTask.model_validate(step.arguments["task"])
        found = verify_table(self.source, self.target, task, reporter, self.mask_key, self.fraction)
        if found.is_equal or not self.repair:
            return found
        condition = repairs.condition(self.source, self.target, task, self.mask_key, found)
        run = runner.Run(
            source=self.source,
            target=self.target,
            run_id=runner.new_run_id(),
            command="verify",
            emit=to_all(Recorder(self.target), self._within),
            resync=condition,
            mask_key=self.mask_key,
        )
        runner.execute(self.plan.for_tables((step.subject,)), run, 1)
        again = verify_again(self.source, self.target, task, reporter, self.mask_key, found.slots)
        return repairs.repaired(found, again)


def _print(plan: Plan, verdicts: Sequence[Verdict], errors: dict[str, VitrinaError], form: str) -> None:
    if form == "json":
        told = {
            "pipeline": plan.pipeline,
            "equal": not errors and all(verdict.is_equal for verdict in verdicts),
            "tables": [verdict.as_json() for verdict in verdicts],
            "errors": {name.partition(":")[2]: str(error) for name, error in errors.items()},
        }
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    for verdict in verdicts:
        for line in text.lines(verdict):
            click.echo(line)

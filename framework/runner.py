"""The local runner: walks a plan with a few worker threads. It knows what each kind of step calls, and nothing else.

What makes fake data is imported by those steps: with numpy, that takes a tenth of the start of all other commands.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from framework import lease, units
from framework.databases.base import Target
from framework.databases.postgres.source import PostgresSource
from framework.errors import ConnectionFailed, StepsFailed, VitrinaError
from framework.events import (
    Listener,
    Notice,
    Reporter,
    RunFinished,
    RunStarted,
    Stats,
    StepFailed,
    StepFinished,
    StepSkipped,
    StepStarted,
    ignore,
)
from framework.marts.build import build
from framework.marts.capture import watch
from framework.plan import Kind, Plan, Step
from framework.replicate.constraints import look_after
from framework.replicate.engine import replicate
from framework.replicate.options import Options
from framework.replicate.sizes import bytes_of
from framework.spec.entities import GenerateTask
from framework.spec.marts import Mart, MartTask
from framework.spec.replication import ConstraintsTask, ReplicateTask
from framework.spec.scheduling import Retries
from framework.verify import record
from framework.verify.automatic import examine

if TYPE_CHECKING:
    from framework.generate.ticks.live import Live


@dataclass(frozen=True)
class Run:
    """What one run works with.

    Attributes:
        run_id: its name in the history, in leases and in staging tables.
        command: what the user asked for, for the history.
        full_refresh: fill replicated tables anew, rebuild marts.
        resync: the source's condition of the rows that are read again; None where replication goes its way.
        take_over: copies that another pipeline makes become this one's.
        recreate: drop and fill generated tables anew.
        mask_key: the key of masked columns.
        pools: the lock file of values drawn from Faker, which need not be there.
        live: ticks go on at a rate, not so many of them.
        streams: parts of one large table that are copied at once.
        cancelled: is set when the run is told to end.
    """

    source: PostgresSource | None
    target: Target | None
    run_id: str
    command: str
    emit: Listener = ignore
    full_refresh: bool = False
    resync: str | None = None
    take_over: bool = False
    recreate: bool = False
    mask_key: bytes | None = None
    pools: Path | None = None
    live: Live | None = None
    streams: int = 2
    cancelled: threading.Event = field(default_factory=threading.Event)

    def cancel(self) -> None:
        """End what the databases are doing for this run, so that its steps fail soon and undo their work."""
        self.cancelled.set()
        for database in (self.source, self.target):
            if database is not None:
                # A database that cannot be reached has nothing left to end.
                with suppress(VitrinaError):
                    database.cancel()

    @property
    def read(self) -> PostgresSource:
        """The source, in steps that have one."""
        assert self.source is not None
        return self.source

    @property
    def written(self) -> Target:
        """The target, in steps that have one."""
        assert self.target is not None
        return self.target


def new_run_id() -> str:
    """A name that sorts by time and is met once."""
    return f"{datetime.now(timezone.utc):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"


def _generate(run: Run, step: Step, reporter: Reporter) -> Stats:
    from framework.generate.filling import fill
    from framework.generate.rules.drawn import Pools

    task = GenerateTask.model_validate(step.arguments["task"])
    pools = Pools.of(run.pools, reporter.notice)
    return fill(run.read, task, reporter, recreate=run.recreate, pools=pools)


def _tick(run: Run, step: Step, reporter: Reporter) -> Stats:
    from framework.generate.rules.drawn import Pools
    from framework.generate.ticks.changes import tick
    from framework.generate.ticks.live import live

    task = GenerateTask.model_validate(step.arguments["task"])
    pools = Pools.of(run.pools, reporter.notice)
    if run.live is not None:
        return live(run.read, task, run.live, reporter, pools)
    return tick(run.read, task, int(step.arguments["ticks"]), reporter, pools)


def _replicate(run: Run, step: Step, reporter: Reporter) -> Stats:
    task = ReplicateTask.model_validate(step.arguments["task"])
    return replicate(run.read, run.written, task, replicate_options(run, step), reporter)


def replicate_options(run: Run, step: Step, *, spread: bool = False) -> Options:
    """What a run decides about the table of a step; ``spread``: for phases that are processes of their own."""
    dependants = {name: Mart.model_validate(mart) for name, mart in step.arguments["incremental_marts"].items()}
    return Options(
        run_id=run.run_id,
        pipeline=str(step.arguments.get("pipeline", "")),
        take_over=run.take_over,
        full_refresh=run.full_refresh,
        resync=run.resync,
        mask_key=run.mask_key,
        streams=run.streams,
        capture=watch(run.written, dependants, run.run_id),
        spread=spread,
    )


def _verify(run: Run, step: Step, reporter: Reporter) -> Stats:
    task = ReplicateTask.model_validate(step.arguments["task"])
    return examine(run.read, run.written, task, run.run_id, reporter, run.mask_key)


def _constraints(run: Run, step: Step, reporter: Reporter) -> Stats:
    task = ConstraintsTask.model_validate(step.arguments["task"])
    return look_after(run.read, run.written, task, run.run_id, reporter)


def _mart(run: Run, step: Step, reporter: Reporter) -> Stats:
    task = MartTask.model_validate(step.arguments["task"])
    record.require_equal(run.written, step.arguments["verified"])
    with lease.held(run.written, task.name, run.run_id) as held:
        return build(run.written, task, reporter, force=run.full_refresh, guard=held.guard)


HANDLERS: Mapping[Kind, Callable[[Run, Step, Reporter], Stats]] = {
    Kind.GENERATE: _generate,
    Kind.TICK: _tick,
    Kind.REPLICATE: _replicate,
    Kind.VERIFY: _verify,
    Kind.CONSTRAINTS: _constraints,
    Kind.MART: _mart,
}


def execute(plan: Plan, run: Run, workers: int = 4) -> dict[str, Stats]:
    """Walk the plan; the statistics of each step.

    A step that fails keeps those that need it from starting and lets all others go on.

    Raises:
        StepsFailed: at least one step failed; holds their errors.
    """
    started = time.monotonic()
    run.emit(RunStarted(run.run_id, plan.pipeline, run.command, tuple(step.name for step in plan.steps)))
    walk = _Walk(plan, run)
    status = "failed"
    try:
        with ThreadPoolExecutor(workers, thread_name_prefix="vitrina-step") as pool:
            try:
                walk.through(pool)
            except BaseException:
                run.cancel()
                raise
        status = "failed" if walk.errors else "succeeded"
    except KeyboardInterrupt:
        status = "cancelled"
        raise
    finally:
        run.emit(RunFinished(run.run_id, status, time.monotonic() - started))
    if walk.errors:
        raise StepsFailed(walk.errors)
    return walk.done


class _Walk:
    """Which steps are done, failed, running and waiting."""

    def __init__(self, plan: Plan, run: Run) -> None:
        self._run = run
        self._retries = plan.retries
        self._waiting = {step.name: step for step in plan.steps}
        self._running: dict[Future[Stats], Step] = {}
        self.done: dict[str, Stats] = {}
        self.errors: dict[str, VitrinaError] = {}
        self._stopped: set[str] = set()

    def through(self, pool: ThreadPoolExecutor) -> None:
        """Start what is ready, wait for what runs, until nothing is left."""
        while self._waiting or self._running:
            self._skip_the_hopeless()
            ready = [step for step in self._waiting.values() if all(need in self.done for need in step.needs)]
            for step in _largest_first(self._run, ready):
                del self._waiting[step.name]
                self._running[pool.submit(run_step, self._run, step, self._retries)] = step
            finished, _ = wait(self._running, return_when=FIRST_COMPLETED)
            for future in finished:
                self._close(self._running.pop(future), future)

    def _close(self, step: Step, future: Future[Stats]) -> None:
        error = future.exception()
        if error is None:
            self.done[step.name] = future.result()
            return
        if not isinstance(error, VitrinaError):
            raise error
        self.errors[step.name] = error
        self._stopped.add(step.name)

    def _skip_the_hopeless(self) -> None:
        for step in list(self._waiting.values()):
            failed = [need for need in step.needs if need in self._stopped]
            if failed:
                del self._waiting[step.name]
                self._stopped.add(step.name)
                self._run.emit(StepSkipped(step.name, step.kind.value, f"{failed[0]} did not succeed"))


def _largest_first(run: Run, ready: list[Step]) -> list[Step]:
    """Tables by their sizes, so that none that takes long is begun last; then all else, as it stands."""
    tables = [step for step in ready if step.kind is Kind.REPLICATE]
    if len(tables) < 2:
        return ready
    sizes: dict[str, int] = {}
    # The order does no harm; who cannot be reached is told of by the steps.
    with suppress(VitrinaError):
        sizes = bytes_of(run.read, [ReplicateTask.model_validate(step.arguments["task"]) for step in tables])
    rest = [step for step in ready if step.kind is not Kind.REPLICATE]
    return sorted(tables, key=lambda step: -sizes.get(step.subject, 0)) + rest


ONCE = Retries(attempts=0)


def run_step(run: Run, step: Step, retries: Retries = ONCE) -> Stats:
    """Do one step, and tell its beginning and its end. Any runner may call it, anywhere.

    Args:
        run: what the step works with.
        step: of a plan.
        retries: how it is tried again if what stopped it will pass; by default the caller sees to that.
    """
    run.emit(StepStarted(step.name, step.kind.value))
    started = time.monotonic()
    try:
        stats = _until_done(run, step, retries)
    except BaseException as error:
        run.emit(StepFailed(step.name, step.kind.value, str(error), time.monotonic() - started))
        raise
    stats = replace(stats, seconds=time.monotonic() - started)
    run.emit(StepFinished(step.name, step.kind.value, stats))
    return stats


def _until_done(run: Run, step: Step, retries: Retries) -> Stats:
    # A tick that was committed before its connection broke would be made twice.
    attempts = retries.attempts if step.kind is not Kind.TICK else 0
    tried = 0
    while True:
        try:
            return HANDLERS[step.kind](run, step, Reporter(step.name, run.emit))
        except VitrinaError as error:
            if tried == attempts or not _passes(error) or run.cancelled.is_set():
                raise
            tried += 1
            seconds = pause(retries, tried)
            run.emit(Notice(step.name, f"{error.fact}; tried again in {seconds:.0f} s ({tried} of {attempts})"))
            if run.cancelled.wait(seconds):
                raise


def _passes(error: VitrinaError) -> bool:
    """Whether the same may succeed later. Where nothing ever answered, the address is wrong, most likely."""
    return error.transient and not (isinstance(error, ConnectionFailed) and error.unknown)


def pause(retries: Retries, tried: int) -> float:
    """Seconds before the next try: twice those before, and not quite the same for all who failed together."""
    doubled: float = units.duration(retries.delay).total_seconds() * 2.0 ** (tried - 1)
    return min(doubled, units.duration(retries.longest).total_seconds()) * (0.8 + secrets.randbelow(401) / 1000)

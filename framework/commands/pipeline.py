"""What the commands do, once their arguments are known: open a workspace, run a plan, print what came of it."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from framework import progress, report, runner
from framework import status as statuses
from framework.databases.base import Target
from framework.databases.postgres.source import PostgresSource
from framework.errors import GenerationForbidden, UsageError
from framework.events import Listener, to_all
from framework.history import Recorder
from framework.plan import Kind, Plan, compile_plan
from framework.workspace import Workspace, open_workspace

if TYPE_CHECKING:
    from framework.generate.ticks.live import Live

_err = Console(stderr=True, emoji=False)


@dataclass(frozen=True)
class Parallel:
    """How much of a run is done at once: steps, and streams of one large table."""

    steps: int = 1
    streams: int = 2


def generate(path: Path, environment: str, ticks: int | None, *, recreate: bool, seed: int | None = None) -> None:
    """Fill the source, or perform ticks."""
    workspace = open_workspace(path, environment)
    kinds = {Kind.GENERATE} if ticks is None else {Kind.TICK}
    plan = compile_plan(workspace.spec, ticks or 0, seed).only(kinds)
    if not plan.steps:
        raise UsageError(f"pipeline {plan.pipeline!r} generates nothing", "give an entity `rows:`")
    with workspace.source() as source:
        _require_generation(workspace, source)
        _execute(plan, workspace, source, None, "generate", Parallel(), recreate=recreate)


def generate_live(path: Path, environment: str, rate: float, seconds: float | None, seed: int | None = None) -> None:
    """Perform ticks at a rate until the time is over or a signal comes, which ends them behind the tick at work."""
    from framework.generate.ticks.live import Live

    workspace = open_workspace(path, environment)
    plan = compile_plan(workspace.spec, 1, seed).only({Kind.TICK})
    if not plan.steps:
        raise UsageError(f"pipeline {plan.pipeline!r} generates nothing", "give an entity `rows:`")
    how = Live(rate, seconds)
    with workspace.source() as source, _ended_by_signals(how):
        _require_generation(workspace, source)
        _execute(plan, workspace, source, None, "generate", Parallel(), live=how)


@contextmanager
def _ended_by_signals(how: Live) -> Iterator[None]:
    """The first signal ends it; the second one does what it always does."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def end(_number: int, _frame: object) -> None:
        how.stop.set()
        restore()

    for number in before:
        signal.signal(number, end)
    try:
        yield
    finally:
        restore()


def replicate(
    path: Path,
    environment: str,
    at_once: Parallel,
    tables: Iterable[str],
    *,
    full_refresh: bool,
    take_over: bool = False,
) -> None:
    """Replicate all tables of a spec, or some."""
    workspace = open_workspace(path, environment)
    plan = compile_plan(workspace.spec).only({Kind.REPLICATE, Kind.VERIFY, Kind.CONSTRAINTS})
    if chosen := tuple(tables):
        plan = plan.for_tables(chosen)
    with workspace.source() as source, workspace.target() as target:
        _execute(plan, workspace, source, target, "replicate", at_once, full_refresh=full_refresh, take_over=take_over)


def resync(path: Path, environment: str, table: str, where: str | None) -> None:
    """Read rows of one table again; without ``where``, all of them."""
    workspace = open_workspace(path, environment)
    plan = compile_plan(workspace.spec).only({Kind.REPLICATE}).for_tables((table,))
    with workspace.source() as source, workspace.target() as target:
        _execute(plan, workspace, source, target, "resync", Parallel(), full_refresh=where is None, resync=where)


def mart(path: Path, environment: str, workers: int, *, full_refresh: bool) -> None:
    """Build all marts of a spec."""
    workspace = open_workspace(path, environment)
    plan = compile_plan(workspace.spec).only({Kind.MART})
    with workspace.target() as target:
        _execute(plan, workspace, None, target, "mart", Parallel(workers), full_refresh=full_refresh)


def run(
    path: Path, environment: str, at_once: Parallel, ticks: int, *, full_refresh: bool, seed: int | None = None
) -> None:
    """Generate, replicate and build marts."""
    workspace = open_workspace(path, environment)
    plan = compile_plan(workspace.spec, ticks, seed)
    with workspace.source() as source, workspace.target() as target:
        if ticks:
            _require_generation(workspace, source)
        elif plan.has(Kind.GENERATE) and not source.may_generate:
            plan = plan.only({Kind.REPLICATE, Kind.VERIFY, Kind.CONSTRAINTS, Kind.MART})
            _err.print(f"generate: left out, {source.name!r} does not allow generated data", highlight=False)
        _execute(plan, workspace, source, target, "run", at_once, full_refresh=full_refresh)


def status(path: Path, environment: str) -> bool:
    """Print how a pipeline is; whether it is healthy."""
    workspace = open_workspace(path, environment)
    with workspace.target() as target:
        found = statuses.of(workspace.spec, target)
    report.show_status(found)
    return found.healthy


def show(path: Path, environment: str, name: str, limit: int) -> None:
    """Print the first rows of a mart or a replicated table."""
    workspace = open_workspace(path, environment)
    known = (*workspace.spec.marts, *workspace.spec.replicate)
    if name not in known:
        raise UsageError(
            f"pipeline {workspace.spec.pipeline!r} has no table {name!r}", f"use one of: {', '.join(known)}"
        )
    with workspace.target() as target, target.session() as session:
        columns = session.columns(name)
        if not columns:
            raise UsageError(f"{name!r} has not been built yet", f"vitrina run {path}")
        order = ", ".join(str(place) for place in range(1, min(len(columns), 2) + 1))
        names = ", ".join(map(target.dialect.quote, columns))
        rows = session.query(f"SELECT {names} FROM {target.dialect.quote(name)} ORDER BY {order} LIMIT {int(limit)}")
    report.show_rows(name, columns, rows)


def _require_generation(workspace: Workspace, source: PostgresSource) -> None:
    if not source.may_generate:
        raise GenerationForbidden(workspace.spec.source, workspace.environment)


def _execute(
    plan: Plan,
    workspace: Workspace,
    source: PostgresSource | None,
    target: Target | None,
    command: str,
    at_once: Parallel,
    *,
    full_refresh: bool = False,
    resync: str | None = None,
    take_over: bool = False,
    recreate: bool = False,
    live: Live | None = None,
) -> None:
    mask_key = workspace.mask_key() if plan.has(Kind.REPLICATE) else None
    closing = report.Closing()
    listeners: list[Listener] = [closing, progress.listener(_err)]
    if target is not None:
        listeners.insert(0, Recorder(target))
    run = runner.Run(
        source=source,
        target=target,
        run_id=runner.new_run_id(),
        command=command,
        emit=to_all(*listeners),
        full_refresh=full_refresh,
        resync=resync,
        take_over=take_over,
        recreate=recreate,
        mask_key=mask_key,
        pools=workspace.pools,
        live=live,
        streams=at_once.streams,
    )
    try:
        runner.execute(plan, run, at_once.steps)
    finally:
        closing.show()

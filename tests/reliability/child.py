"""`vitrina` in a process of its own, which may die at a named state.

The engine has no switch for this: the child wraps one of its functions before it runs the command.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import wraps
from multiprocessing.process import BaseProcess
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from framework.cli import main
from framework.events import Reporter
from framework.replicate import phases
from framework.replicate.engine import opened
from framework.replicate.options import Options
from framework.runner import new_run_id
from framework.workspace import open_workspace
from tests.reliability.states import State

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.reliability.child", "framework.commands.pipeline", "framework.runner"])

APART = "apart"
"""In place of a command: the phases of one table by themselves, its parts read at different times."""


def start(
    arguments: tuple[str, ...],
    environment: Mapping[str, str],
    directory: Path,
    state: State | None = None,
    noted: Path | None = None,
) -> BaseProcess:
    """A command that has begun; what it says goes to the file `log` in its directory."""
    process = _PROCESSES.Process(target=_run, args=(arguments, dict(environment), directory, state, noted), daemon=True)
    process.start()
    return process


def _run(
    arguments: tuple[str, ...], environment: dict[str, str], directory: Path, state: State | None, noted: Path | None
) -> None:
    log = os.open(directory / "log", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.update(environment)
    os.chdir(directory)
    print("$", *arguments, f"# dies at {state.name}" if state else "", flush=True)
    if state is not None and noted is not None:
        _die_at(state, noted)
    if arguments[0] == APART:
        _apart(arguments[1], arguments[2], full_refresh=len(arguments) == 3)
        return
    sys.argv = ["vitrina", *arguments]
    main()


def _die_at(state: State, noted: Path) -> None:
    owner, _, name = state.where.rpartition(".")
    holder = resolve_name(owner)
    original: Callable[..., Any] = getattr(holder, name)
    hits, lock = [0], threading.Lock()

    def perhaps(arguments: tuple[Any, ...]) -> None:
        if state.of and not any(state.of in str(argument) for argument in arguments):
            return
        with lock:
            hits[0] += 1
            if hits[0] == state.occurrence:
                noted.write_text(state.name)
                os.kill(os.getpid(), signal.SIGKILL)
                time.sleep(60)

    @wraps(original)
    def wrapped(*arguments: Any, **settings: Any) -> Any:
        if state.before:
            perhaps(arguments)
        result = original(*arguments, **settings)
        if not state.before:
            perhaps(arguments)
        return result

    setattr(holder, name, wrapped)


def _apart(spec: str, table: str, *, full_refresh: bool) -> None:
    """Fill a table anew as Airflow does it, and change its source between the parts."""
    workspace, run_id = open_workspace(Path(spec), "default"), new_run_id()
    task = workspace.spec.replicate_task(table)
    options = Options(run_id, full_refresh=full_refresh, spread=True)
    with workspace.source() as source, workspace.target() as target:
        reporter = Reporter(f"replicate:{table}")
        with opened(source, target, task, options, reporter) as job:
            outline = phases.plan(job)
        for number in range(len(outline.ranges)):
            with opened(source, target, task, options, reporter, outline) as job:
                phases.load(job, outline, number)
            # Longer than one of the writers' transactions.
            time.sleep(0.1)
        with opened(source, target, task, options, reporter, outline) as job:
            phases.merge(job, outline)
        with opened(source, target, task, options, reporter, outline, last=True) as job:
            phases.verify(job)

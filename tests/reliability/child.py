"""`vitrina` in a process of its own, which may die at a named state.

The engine has no switch for this: the child wraps one of its functions before it runs the command.
"""

from __future__ import annotations

import mmap
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial, wraps
from multiprocessing.process import BaseProcess
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from framework.events import Reporter
from framework.replicate import phases
from framework.replicate.engine import opened
from framework.replicate.options import Options
from framework.runner import new_run_id
from framework.workspace import open_workspace
from tests import forked
from tests.reliability import states
from tests.reliability.states import State

APART = "apart"
"""In place of a command: the phases of one table by themselves, its parts read at different times."""


class Trace:
    """A place in a file where a child leaves which named state it came to last; it outlives the child."""

    BEGUN = "begun"
    _ROOM = 64

    def __init__(self, path: Path, *, anew: bool = False) -> None:
        self._lock = threading.Lock()
        if anew:
            path.write_bytes(bytes(self._ROOM))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), self._ROOM)

    def note(self, name: str) -> None:
        """The child has come to this state."""
        with self._lock:
            self._map[:] = name.encode().ljust(self._ROOM, b"\0")

    def last(self) -> str:
        """The state that was noted last; nothing before the command has begun."""
        return self._map[:].rstrip(b"\0").decode()


def start(
    arguments: tuple[str, ...],
    environment: Mapping[str, str],
    directory: Path,
    state: State | None = None,
    noted: Path | None = None,
) -> BaseProcess:
    """A command that has begun; what it says goes to the file `log` in its directory.

    Args:
        arguments: of `vitrina`.
        environment: variables that are set.
        directory: where it runs.
        state: it dies there.
        noted: the file that it makes then; without a state, the trace of those that it comes to.
    """
    return forked.start(_run, arguments, dict(environment), directory, state, noted)


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
        _at(state, partial(_die, state, noted))
    elif noted is not None:
        trace = Trace(noted)
        for each in states.ALL:
            _at(each, partial(trace.note, each.name), every=True)
        trace.note(Trace.BEGUN)
    if arguments[0] == APART:
        _apart(arguments[1], arguments[2], full_refresh=len(arguments) == 3)
        return
    sys.argv = ["vitrina", *arguments]
    from framework.cli import main

    main()


def _die(state: State, noted: Path) -> None:
    noted.write_text(state.name)
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def _at(state: State, act: Callable[[], None], *, every: bool = False) -> None:
    """Act when the process comes to a state; or each time, once it has come to it."""
    owner, _, name = state.where.rpartition(".")
    holder = resolve_name(owner)
    original: Callable[..., Any] = getattr(holder, name)
    hits, lock = [0], threading.Lock()

    def perhaps(arguments: tuple[Any, ...]) -> None:
        if state.of and not any(state.of in str(argument) for argument in arguments):
            return
        with lock:
            hits[0] += 1
            if hits[0] == state.occurrence or (every and hits[0] > state.occurrence):
                act()

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

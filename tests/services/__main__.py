"""`python -m tests.services run [KIND...] -- COMMAND...` and `python -m tests.services fetch [KIND...]`."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import FrameType

from tests.services import fetch, postgres
from tests.services.environment import exports, required
from tests.services.launch import Handle, launch
from tests.services.server import KINDS, Kind, Server, ServerUnavailable, attempt

START_FAILED = 2


def main(arguments: Sequence[str]) -> int:
    """Returns the command's exit code, or 2 if the servers could not be had."""
    parser = argparse.ArgumentParser(prog="python -m tests.services", description="Database servers for the tests.")
    actions = parser.add_subparsers(dest="action", required=True)
    help_kinds = f"which servers ({', '.join(KINDS)}); default: all"
    run_parser = actions.add_parser("run", help="run a command with servers around it: run [KIND...] -- COMMAND...")
    run_parser.add_argument("kinds", nargs="*", metavar="KIND", help=help_kinds)
    fetch_parser = actions.add_parser("fetch", help="download the servers that this machine does not have")
    fetch_parser.add_argument("kinds", nargs="*", metavar="KIND", help=help_kinds)
    own, command = _split(arguments)
    options = parser.parse_args(own)
    if unknown := [kind for kind in options.kinds if kind not in KINDS]:
        parser.error(f"unknown server {unknown[0]}; known are {', '.join(KINDS)}")
    kinds: list[Kind] = [kind for kind in KINDS if kind in options.kinds] or list(KINDS)
    if options.action == "fetch":
        return fetch_all(kinds)
    if not command:
        parser.error("run needs a command: run [KIND...] -- COMMAND...")
    return run(kinds, command)


def fetch_all(kinds: Sequence[Kind]) -> int:
    """Fills the cache. PostgreSQL comes with the development dependencies and is only looked for."""
    code = 0
    for kind in kinds:
        begun = time.monotonic()
        try:
            found = postgres.bundled() if kind == "postgres" else fetch.fetched(kind)
            _say(f"{kind}: {found.origin} ({time.monotonic() - begun:.1f} s)")
        except ServerUnavailable as error:
            _say(str(error))
            code = START_FAILED
    return code


def run(kinds: Sequence[Kind], command: list[str]) -> int:
    """Runs `command` with the servers in its environment, then stops them."""
    # From here on a request to end is an exception, so that the servers are stopped on the way out.
    _on_signal((signal.SIGTERM, signal.SIGHUP), lambda number, _frame: sys.exit(128 + number))
    with ExitStack() as stack:
        begun = time.monotonic()
        outcomes = _start(kinds, stack)
        environment = dict(os.environ)
        for kind, outcome in outcomes.items():
            _say(f"{kind} {outcome.version}, {outcome.origin}" if isinstance(outcome, Server) else str(outcome))
            environment.update(exports(kind, outcome))
        if required() and any(isinstance(outcome, ServerUnavailable) for outcome in outcomes.values()):
            return START_FAILED
        _say(f"ready in {time.monotonic() - begun:.1f} s")
        return _run_command(command, environment)


def _start(kinds: Sequence[Kind], stack: ExitStack) -> dict[Kind, Server | ServerUnavailable]:
    """Launches all servers before it waits for the first; `stack` stops them."""
    handles: dict[Kind, Handle] = {}
    outcomes: dict[Kind, Server | ServerUnavailable] = {}
    for kind in kinds:
        handle = attempt(partial(launch, kind))
        if isinstance(handle, ServerUnavailable):
            outcomes[kind] = handle
        else:
            handles[kind] = handle
            stack.callback(handle.stop)
    return outcomes | {kind: attempt(handle.wait) for kind, handle in handles.items()}


def _run_command(command: list[str], environment: dict[str, str]) -> int:
    """Runs the command, passing on the signals that it does not get itself; 128 + N if signal N ended it."""
    try:
        process = subprocess.Popen(command, env=environment)
    except OSError as error:
        _say(f"cannot run {command[0]}: {error.strerror}")
        return 127 if isinstance(error, FileNotFoundError) else 126

    def forward(number: int, _frame: FrameType | None) -> None:
        # Ctrl-C reaches every process of the terminal; a second copy would make pytest give up at once.
        if number != signal.SIGINT or not _in_foreground():
            process.send_signal(number)

    try:
        _on_signal((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), forward)
        code = process.wait()
    finally:
        # Only after a signal in the moment before they were passed on.
        if process.poll() is None:
            process.terminate()
            process.wait()
    return code if code >= 0 else 128 - code


def _on_signal(numbers: Sequence[signal.Signals], handler: Callable[[int, FrameType | None], None]) -> None:
    """Handles those signals that our parent does not want ignored, as nohup does."""
    for number in numbers:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handler)


def _in_foreground() -> bool:
    try:
        with Path("/dev/tty").open("rb", buffering=0) as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Our own arguments, and the command after `--`."""
    if "--" not in arguments:
        return list(arguments), []
    position = arguments.index("--")
    return list(arguments[:position]), list(arguments[position + 1 :])


def _say(text: str) -> None:
    print(f"services: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

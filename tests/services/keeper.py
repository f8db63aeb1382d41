"""Runs one server and outlives nobody.

Started as a script of its own, in its own session, between the tests and the server. Its standard input is a pipe
from the process that asked for the server. When that ends, because the server is no longer wanted or because the
process was killed, the server is stopped and its directory removed: one way to stop, which always works.

The only argument is a `Plan` of process.py as JSON. A server that stops by itself leaves the file `failed` in its
directory, and the directory stays until it is no longer wanted, so that the log can be read.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

GRACE_SECONDS = 15


def main() -> None:
    plan: dict[str, Any] = json.loads(sys.argv[1])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    try:
        keep(plan)
    finally:
        for command in plan["afterwards"]:
            subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.rmtree(plan["directory"], ignore_errors=True)


def keep(plan: dict[str, Any]) -> None:
    """Runs the commands one after the other, the last one being the server, as long as they are wanted."""
    *first, server = plan["commands"]
    for command in first:
        process = start(command, plan)
        if not ended(process, plan, 0.05):
            return
        if process.returncode:
            break
    else:
        while True:
            process = start(server, plan)
            Path(plan["directory"], "server").write_text(str(process.pid))
            if not ended(process, plan, 0.05 if plan["comes_back"] else 0.5):
                return
            # What is left of a PostgreSQL that was killed keeps the next one out for some moments.
            if not plan["comes_back"] or unwanted(0.1):
                break
    Path(plan["directory"], "failed").touch()
    unwanted(None)


def ended(process: subprocess.Popen[bytes], plan: dict[str, Any], seconds: float) -> bool:
    """Waits until the process ends by itself, and looks so often; false if it was stopped as nobody wants it."""
    try:
        while process.poll() is None:
            if unwanted(seconds):
                return False
    finally:
        stop(process, plan["stop_signal"])
    return True


def start(command: dict[str, Any], plan: dict[str, Any]) -> subprocess.Popen[bytes]:
    directory = Path(plan["directory"])
    with Path(command["stdin"]).open("rb") as stdin, (directory / "log").open("ab") as log:
        return subprocess.Popen(
            command["arguments"],
            stdin=stdin,
            stdout=log,
            stderr=log,
            cwd=directory,
            start_new_session=True,
            restore_signals=False,  # a file that cannot grow is an error, as on a disk that is full, and not a signal
            # PostgreSQL refuses to run as root.
            **({"user": plan["user"], "group": plan["group"], "extra_groups": []} if plan["user"] else {}),
        )


def unwanted(seconds: float | None) -> bool:
    """Waits that long, or for ever, for the end of the standard input; true if it came."""
    return bool(select.select([sys.stdin], [], [], seconds)[0])


def stop(process: subprocess.Popen[bytes], stop_signal: int) -> None:
    """Asks the process to stop, then ends its whole session."""
    if process.poll() is not None:
        return
    process.send_signal(stop_signal)
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


if __name__ == "__main__":
    main()

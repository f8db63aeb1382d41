"""`python -m tests.reliability [KILLS]` (`make torture-kills`): the long form of `test_kills`, on servers of its own.

So many runs are killed, a third as often the servers end a run's sessions, and a fifteenth as often PostgreSQL crashes
and recovers.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

from tests.reliability.kills import Kills
from tests.reliability.world import World
from tests.services import launch
from tests.services.databases import SourceDatabase, TargetDatabase
from tests.services.login import ConnectError, server_version

EACH = 50
"""Harms after which both databases begin anew, so that their tables do not grow for ever."""


def crash(source: SourceDatabase) -> None:
    """PostgreSQL ends all sessions and recovers when one of its processes is killed."""
    os.kill(source.rows("SELECT pg_backend_pid()")[0][0], signal.SIGKILL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        time.sleep(0.2)
        with suppress(ConnectError):
            server_version(source.url)
            break
    # The connection that was killed is opened again.
    source.forget_connection()


def rounds(kills: int) -> list[list[str]]:
    """What is done, in some rounds."""
    all_of_them = ["kill"] * kills + ["sessions"] * (kills // 3) + ["crash"] * (kills // 15)
    count = -(-len(all_of_them) // EACH)
    return [all_of_them[number::count] for number in range(count)]


def main() -> None:
    """Do it, and tell the figures."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    for name in ("POSTGRES", "MYSQL"):
        # A server of somebody else must not be crashed.
        os.environ.pop(f"VITRINA_TEST_{name}", None)
    begun, done = time.monotonic(), 0
    with ExitStack() as stack:
        handles = [launch("postgres"), launch("mysql")]
        for handle in handles:
            stack.callback(handle.stop)
        postgres, mysql = (handle.wait() for handle in handles)
        figures: dict[str, int] = {}
        for number, harms in enumerate(rounds(kills)):
            with ExitStack() as databases:
                source, target = SourceDatabase(postgres), TargetDatabase(mysql)
                databases.callback(source.drop)
                databases.callback(target.drop)
                directory = Path(databases.enter_context(tempfile.TemporaryDirectory()))
                harming = Kills(World(source, target, directory), seed=number)
                harming.begin()
                for harm in harms:
                    if harm == "crash":
                        harming.restart(partial(crash, source))
                    else:
                        harming.kill() if harm == "kill" else harming.end_sessions()
                    done += 1
                for what, count in harming.counts.items():
                    figures[what] = figures.get(what, 0) + count
            told = ", ".join(f"{what}: {count}" for what, count in sorted(figures.items()))
            print(f"{done} after {time.monotonic() - begun:.0f} s, all equal: {told}", flush=True)


if __name__ == "__main__":
    main()

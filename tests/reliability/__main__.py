"""`python -m tests.reliability [KILLS] [--target mariadb] [--seed N]` (`make torture-kills`): the long form of
`test_kills`, on servers of its own.

So many runs are killed, a third as often the servers end sessions of a run, and a fifteenth as often servers are killed
and come back.
"""

from __future__ import annotations

import argparse
import os
import signal
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

from tests.reliability import states
from tests.reliability.kills import Kills
from tests.reliability.world import World
from tests.services import Kind, Server, launch_mortal
from tests.services.databases import SourceDatabase, TargetDatabase
from tests.services.login import ConnectError, server_version

EACH = 30
"""Harms after which both databases begin anew, so that their tables do not grow for ever."""

NAMES = {
    "killed": "run killed (SIGKILL)",
    "sessions": "sessions ended by the servers",
    "crash": "PostgreSQL crashed (a backend killed)",
    "source": "PostgreSQL killed and restarted",
    "target": "the target's server killed and restarted",
    "both": "both servers killed and restarted",
}
RESTARTS = ("target", "source", "target", "both", "crash")


class Servers:
    """Two servers that may be killed."""

    def __init__(self, kind: Kind, stack: ExitStack) -> None:
        self._postgres, self._mysql = (
            launch_mortal("postgres"),
            launch_mortal("mariadb" if kind == "mariadb" else "mysql"),
        )
        for handle in (self._postgres, self._mysql):
            stack.callback(handle.stop)
        self.source, self.target = self._postgres.wait(), self._mysql.wait()

    def restart(self, what: str, source: SourceDatabase) -> None:
        """Servers die, and are there again."""
        if what == "crash":
            # It ends all sessions and recovers when one of its processes is killed.
            os.kill(source.rows("SELECT pg_backend_pid()")[0][0], signal.SIGKILL)
        if what in ("source", "both"):
            self._postgres.kill()
        if what in ("target", "both"):
            self._mysql.kill()
        # What was killed may answer for a moment still.
        time.sleep(0.2)
        for server in (self.source, self.target):
            _await(server)


def _await(server: Server) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(ConnectError):
            server_version(server.url)
            return
        time.sleep(0.05)
    raise AssertionError(f"{server.kind} did not come back")


def rounds(kills: int) -> list[list[str]]:
    """What is done, in some rounds."""
    restarts = [RESTARTS[number % len(RESTARTS)] for number in range(kills // 15)]
    all_of_them = ["killed"] * kills + ["sessions"] * (kills // 3) + restarts
    count = -(-len(all_of_them) // EACH)
    return [all_of_them[number::count] for number in range(count)]


class Figures:
    """What was done, and what became of it."""

    def __init__(self) -> None:
        self.begun, self.done = time.monotonic(), 0
        self.counts: Counter[tuple[str, str]] = Counter()
        self.states: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def add(self, kills: Kills, harms: list[str]) -> None:
        """One more round, in which all was equal."""
        self.done += len(harms)
        self.counts += kills.counts
        for what, hit in kills.states.items():
            self.states[what] += hit
        print(f"{self.done} after {time.monotonic() - self.begun:.0f} s, all equal", flush=True)

    def table(self) -> str:
        """As it can stand in docs/reliability.md."""
        lines = ["| harm | times | died or failed | went on by itself | in states | rows lost, doubled or altered |"]
        lines += ["|---|---|---|---|---|---|"]
        for what, name in NAMES.items():
            failed = self.counts[what, "died"] + self.counts[what, "failed"]
            went_on, hit = self.counts[what, "went on"], len(self._named(what))
            lines.append(f"| {name} | {failed + went_on} | {failed} | {went_on} | {hit} | 0 |")
        known = {state.name for state in states.ALL}
        together: Counter[str] = sum((self._named(what) for what in NAMES), Counter())
        frequent = ", ".join(f"{name} {count}" for name, count in together.most_common(12))
        lines += ["", f"{len(together)} of {len(known)} named states were hit; most often: {frequent}"]
        lines += [f"Not hit: {', '.join(sorted(known - set(together))) or 'none'}"]
        late = sum(count for (_, outcome), count in self.counts.items() if outcome == "too late")
        lines += [f"{late} more runs had ended before the harm. {time.monotonic() - self.begun:.0f} s in all."]
        return "\n".join(lines)

    def _named(self, what: str) -> Counter[str]:
        known = {state.name for state in states.ALL}
        return Counter({name: count for name, count in self.states[what].items() if name in known})


def main() -> None:
    """Do it, and tell the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability")
    parser.add_argument("kills", nargs="?", type=int, default=300)
    parser.add_argument("--target", choices=["mysql", "mariadb"], default="mysql")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    figures, lasts = Figures(), dict[tuple[str, ...], float]()
    with ExitStack() as stack:
        servers = Servers(options.target, stack)
        for number, harms in enumerate(rounds(options.kills)):
            with ExitStack() as databases:
                source, target = SourceDatabase(servers.source), TargetDatabase(servers.target)
                databases.callback(source.drop)
                databases.callback(target.drop)
                directory = Path(databases.enter_context(tempfile.TemporaryDirectory()))
                kills = Kills(World(source, target, directory), seed=options.seed * 1000 + number, lasts=lasts)
                kills.begin()
                for harm in harms:
                    if harm == "killed":
                        kills.kill()
                    elif harm == "sessions":
                        kills.end_sessions()
                    else:
                        kills.restart(harm, partial(servers.restart, harm, source))
                figures.add(kills, harms)
    print(figures.table())


if __name__ == "__main__":
    main()

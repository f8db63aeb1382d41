"""Runs that are killed at random moments, sessions and servers that are taken from under them."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass

from tests.reliability.child import APART, Trace
from tests.reliability.world import SECONDS, World, Writers
from tests.services.login import connect

RUN = ("run", "spec.yaml")
GOLDEN = 0.6180339887498949
"""Its multiples, less their whole parts, are spread evenly, however many are taken."""

Harm = Callable[[int], bool]
"""Does harm to a process, if that is still possible."""


@dataclass(frozen=True)
class Command:
    """What comes to harm: how often, what goes before it, and what makes all good after it."""

    weight: int
    arguments: tuple[str, ...]
    before: Callable[[World], None] | None = None
    after: tuple[tuple[str, ...], ...] = (RUN,)


COMMANDS = (
    Command(6, RUN),
    Command(2, RUN, World.alter),
    Command(1, RUN, World.forget),
    Command(4, (*RUN, "--full-refresh")),
    Command(2, (*RUN, "--tick", "1")),
    Command(2, (APART, "spec.yaml", "accounts")),
    Command(1, ("resync", "spec.yaml", "--table", "orders")),
    Command(2, ("verify", "spec.yaml", "--repair"), World.damage, (RUN, ("verify", "spec.yaml", "--repair"), RUN)),
    Command(1, ("generate", "spec.yaml", "--tick", "2")),
    # Rows that are made anew have the cursor values of before.
    Command(1, ("generate", "spec.yaml"), World.unfill, (("generate", "spec.yaml"), (*RUN, "--full-refresh"))),
)


class Kills:
    """A world in which runs come to harm. What is done follows from the seed; when exactly, from the machine.

    Attributes:
        counts: by what was done and what became of it.
        states: by what was done, the states that the processes had come to last.
        lasts: how long a command takes, as far as is known: moments are drawn from there.
    """

    def __init__(self, world: World, seed: int, lasts: dict[tuple[str, ...], float] | None = None) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.states: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._world = world
        self._chance = random.Random(seed)
        self._moment = self._chance.random()
        self.lasts = {} if lasts is None else lasts

    def begin(self) -> None:
        """A copy to begin with."""
        self._world.run()

    def kill(self) -> None:
        """A run is killed."""
        self._harm("killed", _kill)

    def end_sessions(self) -> None:
        """The servers end sessions of a run, which must then fail by itself, or go on."""
        self._harm("sessions", lambda _: self._end_sessions())

    def restart(self, what: str, restarts: Callable[[], None]) -> None:
        """Servers are restarted under a run."""

        def harm(_: int) -> bool:
            restarts()
            self._world.forget_connections()
            return True

        self._harm(what, harm)

    def _harm(self, what: str, harm: Harm) -> None:
        """Once more, where a run was quicker than the harm."""
        while not self._try(what, harm):
            self.counts[what, "too late"] += 1

    def _try(self, what: str, harm: Harm) -> bool:
        world, command = self._world, self._chance.choices(COMMANDS, [each.weight for each in COMMANDS])[0]
        world.change()
        if command.before is not None:
            command.before(world)
        trace = Trace(world.directory / "trace", anew=True)
        done = False
        with Writers(world.source, longest=0.2).writing():
            process = world.start(*command.arguments, noted=world.directory / "trace")
            while not trace.last() and process.is_alive():
                time.sleep(0.001)
            begun = time.monotonic()
            process.join(self._draw(command))
            if process.is_alive() and process.pid is not None:
                last = trace.last()
                done = harm(process.pid)
            process.join(SECONDS)
            self._learn(command, None if done else time.monotonic() - begun)
        assert process.exitcode in (0, 1, -signal.SIGKILL), f"exit {process.exitcode}\n{world.log()}"
        if done:
            self.counts[what, {0: "went on", 1: "failed"}.get(process.exitcode, "died")] += 1
            self.states[what][trace.last() if process.exitcode == -signal.SIGKILL else last] += 1
        self._make_good(command)
        return done

    def _draw(self, command: Command) -> float:
        """Seconds until the harm. A command that was never seen is watched to its end."""
        self._moment = (self._moment + GOLDEN) % 1
        if (known := self.lasts.get(command.arguments)) is None:
            return SECONDS
        return self._moment * known

    def _learn(self, command: Command, seconds: float | None) -> None:
        """It took so long; or, None, it was harmed, and might have taken longer than was thought."""
        known = self.lasts.get(command.arguments, seconds)
        if known is not None:
            self.lasts[command.arguments] = known * 1.05 if seconds is None else (known + seconds) / 2

    def _make_good(self, command: Command) -> None:
        for arguments in command.after:
            # A fill waits by itself until the server has noticed that the one before is gone.
            if arguments[0] != "generate":
                self._world.expire_leases()
            self._world.run(*arguments)
        self._world.assert_equal()

    def _end_sessions(self) -> bool:
        """About half of the sessions of a run, in both servers; whether there were any."""
        world, ended = self._world, 0
        for pid in world.sessions():
            if self._chance.random() < 0.5:
                world.source.admin(f"SELECT pg_terminate_backend({pid})")
                ended += 1
        with closing(connect(world.target.admin_url)) as connection, closing(connection.cursor()) as cursor:
            cursor.execute("SELECT id FROM information_schema.processlist WHERE user = %s", (world.target.user,))
            mine = world.target.rows("SELECT connection_id()")[0][0]
            for (session,) in cursor.fetchall():
                if session != mine and self._chance.random() < 0.5:
                    # It may have ended by itself in the meantime.
                    with suppress(Exception):
                        cursor.execute(f"KILL {int(session)}")
                        ended += 1
        return ended > 0


def _kill(process: int) -> bool:
    os.kill(process, signal.SIGKILL)
    return True

"""Runs that are killed at random moments, sessions and servers that are taken from under them."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress

from tests.reliability.world import SECONDS, World, Writers
from tests.services.login import connect

COMMANDS = (
    ("run", "spec.yaml"),
    ("run", "spec.yaml"),
    ("run", "spec.yaml", "--full-refresh"),
    ("run", "spec.yaml", "--tick", "1"),
)
START = 0.15
"""Seconds that a run takes until it does something."""


class Kills:
    """A world in which runs come to harm. What is done follows from the seed; when exactly, from the machine."""

    def __init__(self, world: World, seed: int) -> None:
        self.counts: Counter[str] = Counter()
        self._world = world
        self._chance = random.Random(seed)
        self._longest = 3.0

    def begin(self) -> None:
        """A copy to begin with; how long a run takes tells when to kill."""
        self._world.run()
        begun = time.monotonic()
        self._world.run("run", "spec.yaml", "--full-refresh")
        self._longest = time.monotonic() - begun

    def kill(self) -> None:
        """A run is killed."""
        self._harm("killed", lambda process: os.kill(process, signal.SIGKILL))

    def end_sessions(self) -> None:
        """The servers end the sessions of a run, which must then fail by itself, or be quick enough."""
        self._harm("sessions", lambda _: self._end_sessions())

    def restart(self, restarts: Callable[[], None]) -> None:
        """Servers are restarted under a run."""
        self._harm("restarts", lambda _: restarts())

    def _harm(self, what: str, harm: Callable[[int], None]) -> None:
        world, chance = self._world, self._chance
        if chance.random() < 0.2:
            world.alter()
        world.change()
        arguments = chance.choice(COMMANDS)
        with Writers(world.source, longest=0.2).writing():
            process = world.start(*arguments)
            time.sleep(START + chance.random() * self._longest)
            alive = process.pid is not None and process.is_alive()
            if alive and process.pid is not None:
                harm(process.pid)
            process.join(SECONDS)
        assert process.exitcode in (0, 1, -signal.SIGKILL), f"exit {process.exitcode}\n{world.log()}"
        self.counts[what if process.exitcode != 0 else f"{what}, too late"] += 1
        world.expire_leases()
        world.run()
        world.assert_equal()

    def _end_sessions(self) -> None:
        world = self._world
        for pid in world.sessions():
            if self._chance.random() < 0.5:
                world.source.admin(f"SELECT pg_terminate_backend({pid})")
        with closing(connect(world.target.admin_url)) as connection, closing(connection.cursor()) as cursor:
            cursor.execute("SELECT id FROM information_schema.processlist WHERE user = %s", (world.target.user,))
            mine = world.target.rows("SELECT connection_id()")[0][0]
            for (session,) in cursor.fetchall():
                if session != mine and self._chance.random() < 0.5:
                    # It may have ended by itself in the meantime.
                    with suppress(Exception):
                        cursor.execute(f"KILL {int(session)}")

"""Starting a server under its keeper, waiting until it answers, and stopping it."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.services.login import ConnectError, server_version
from tests.services.server import Kind, Server, ServerUnavailable

READY_SECONDS = 60


@dataclass(frozen=True)
class Command:
    arguments: list[str]
    stdin: str = os.devnull


@dataclass(frozen=True)
class Plan:
    """What the keeper has to do: run `commands` in turn, the last one being the server itself.

    `directory` belongs to this server alone and is removed at the end, after `afterwards` have been run.
    `user` and `group` are numeric, or None to stay who we are. `comes_back`: a server that dies is started again.
    """

    directory: str
    commands: list[Command]
    stop_signal: int = signal.SIGTERM
    user: int | None = None
    group: int | None = None
    afterwards: tuple[list[str], ...] = ()
    comes_back: bool = False


class Launched:
    """A server on its way up. `wait` until it answers, and `stop` it in any case."""

    def __init__(self, kind: Kind, url: str, origin: str, plan: Plan, environment: Mapping[str, str]) -> None:
        self.kind = kind
        self.url = url
        self.origin = origin
        self.plan = plan
        self._directory = Path(plan.directory)
        self._keeper = subprocess.Popen(
            [sys.executable, "-I", str(Path(__file__).with_name("keeper.py")), json.dumps(asdict(plan))],
            stdin=subprocess.PIPE,
            env={**os.environ, **environment},
            start_new_session=True,
        )

    @property
    def log(self) -> Path:
        """What the server writes to its standard output and error."""
        return self._directory / "log"

    def wait(self) -> Server:
        """The server, once its administrator can log in.

        Raises ServerUnavailable with the end of the server's log if it stopped, or did not answer in time.
        """
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                return Server(self.kind, self.url, server_version(self.url), self.origin)
            except ConnectError as error:
                if self._keeper.poll() is not None or (self._directory / "failed").exists():
                    raise self._failure("stopped while starting") from None
                if time.monotonic() > deadline:
                    raise self._failure(f"did not answer in {READY_SECONDS} s ({error})") from None
            time.sleep(0.05)

    @property
    def process(self) -> int:
        """The number of the server's process."""
        return int((self._directory / "server").read_text())

    def kill(self) -> None:
        """Kills the server as it is; its keeper starts it again if its plan says that it comes back."""
        os.kill(self.process, signal.SIGKILL)

    def restart(self) -> None:
        """Has a server that comes back stop in good order; it is up again when this returns."""
        before = self.process
        os.kill(before, self.plan.stop_signal)
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            with suppress(ValueError):  # the keeper is just writing the number
                if self.process != before:
                    break
            time.sleep(0.05)
        self.wait()

    def stop(self) -> None:
        """Stops the server and waits until it is gone."""
        assert self._keeper.stdin is not None
        # A byte, and not only the end of the pipe: a forked child may still hold the other copy of it.
        try:
            self._keeper.stdin.write(b"\n")
            self._keeper.stdin.close()
        except BrokenPipeError:
            pass
        self._keeper.wait()

    def _failure(self, what: str) -> ServerUnavailable:
        try:
            log = self.log.read_text(errors="replace")
        except OSError:
            log = ""
        tail = "\n".join(log.strip().splitlines()[-15:])
        return ServerUnavailable(self.kind, f"the server ({self.origin}) {what}; the end of its log:\n{tail}")


@contextmanager
def new_directory(kind: Kind) -> Iterator[Path]:
    """A new directory for one server, which is the keeper's to remove unless launching fails.

    Its path is short: a socket's path has room for about 100 characters.
    """
    directory = Path(tempfile.mkdtemp(prefix=f"vt-{kind}-"))
    try:
        yield directory
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise


def free_port() -> int:
    """A loopback port that nobody listens on.

    Not one that the system hands out: those become the ends of outgoing connections in the seconds until it is used.
    """
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            # A closed connection's remains do not count; the servers themselves ask for the same.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port

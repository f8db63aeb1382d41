"""Finding a server: named by the environment, in Docker, installed, or fetched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tests.services import docker, fetch, mysql, postgres
from tests.services.environment import from_environment
from tests.services.process import Launched
from tests.services.server import Kind, Server, ServerUnavailable, attempt


class Handle(Protocol):
    """A server that is coming up. Several can be coming up at once."""

    def wait(self) -> Server:
        """The server, as soon as it answers. Raises ServerUnavailable."""

    def stop(self) -> None:
        """Stops what was started."""


class Given:
    """A server that somebody else started, and will stop."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def wait(self) -> Server:
        return self._server

    def stop(self) -> None:
        pass


def launch(kind: Kind) -> Handle:
    """Starts a server of this kind in the first way that is possible here, without waiting until it answers.

    Raises ServerUnavailable with the reasons of all ways.
    """
    given = from_environment(kind)
    if given is not None:
        return Given(given)
    return _first(kind, _ways(kind))


def _first(kind: Kind, ways: list[Callable[[], Launched]]) -> Launched:
    reasons: list[str] = []
    for way in ways:
        launched = attempt(way)
        if isinstance(launched, Launched):
            return launched
        reasons.append(launched.reason)
    raise ServerUnavailable(kind, "; ".join(reasons))


def _ways(kind: Kind) -> list[Callable[[], Launched]]:
    if kind == "postgres":
        return [
            lambda: docker.launch(kind),
            lambda: postgres.launch(postgres.installed()),
            lambda: postgres.launch(postgres.bundled()),
        ]
    return [
        lambda: docker.launch(kind),
        lambda: mysql.launch(kind, mysql.installed(kind)),
        lambda: mysql.launch(kind, fetch.fetched(kind)),
    ]


def launch_mortal(kind: Kind) -> Launched:
    """Starts a server of its own that may be killed: it comes back at the same port, with all that was committed.

    Neither a server that somebody else uses nor a container is one.
    """
    ways: list[Callable[[], Launched]] = [
        lambda: mysql.launch(kind, mysql.installed(kind), mortal=True),
        lambda: mysql.launch(kind, fetch.fetched(kind), mortal=True),
    ]
    if kind == "postgres":
        ways = [
            lambda: postgres.launch(postgres.installed(), mortal=True),
            lambda: postgres.launch(postgres.bundled(), mortal=True),
        ]
    return _first(kind, ways)

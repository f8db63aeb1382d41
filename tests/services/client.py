"""The servers' own command line clients: psql, mysql and mariadb."""

from __future__ import annotations

from collections.abc import Callable

from tests.services import fetch, mysql, postgres
from tests.services.installation import Installation
from tests.services.server import Kind, ServerUnavailable, attempt

PROGRAMS: dict[Kind, tuple[str, ...]] = {"postgres": ("psql",), "mysql": ("mysql",), "mariadb": ("mariadb", "mysql")}


def client(kind: Kind) -> list[str]:
    """The start of a command line for this server's client, to which options are appended.

    Raises ServerUnavailable where neither an installed nor a fetched server brings one.
    """
    ways: list[Callable[[], Installation]] = [lambda: mysql.installed(kind), lambda: fetch.fetched(kind)]
    if kind == "postgres":
        ways = [postgres.installed, postgres.bundled]
    reasons = []
    for way in ways:
        found = attempt(way)
        if isinstance(found, ServerUnavailable):
            reasons.append(found.reason)
        elif command := found.command(*PROGRAMS[kind]):
            return command
        else:
            reasons.append(f"no command line client is {found.origin}")
    raise ServerUnavailable(kind, "; ".join(reasons))

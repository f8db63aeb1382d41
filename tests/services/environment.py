"""Servers that are named in the environment: VITRINA_TEST_POSTGRES, VITRINA_TEST_MYSQL, VITRINA_TEST_MARIADB."""

from __future__ import annotations

import os

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from tests.services.login import DRIVERS, ConnectError, server_version
from tests.services.server import Kind, Server, ServerUnavailable


def variable(kind: Kind) -> str:
    return f"VITRINA_TEST_{kind.upper()}"


def required() -> bool:
    """Whether a missing server is a failure: set where every test has to run."""
    return os.environ.get("VITRINA_REQUIRE_SERVICES") == "1"


def from_environment(kind: Kind) -> Server | None:
    """The server that the environment names, None if it names none.

    Raises ServerUnavailable if that server does not answer or is of another kind, and if it is already known that
    none can be had (see `exports`).
    """
    name = variable(kind)
    if not (text := os.environ.get(name)):
        if reason := os.environ.get(f"{name}_UNAVAILABLE"):
            raise ServerUnavailable(kind, reason)
        return None
    try:
        url = make_url(text).set(drivername=DRIVERS[kind]).render_as_string(hide_password=False)
        version = server_version(url)
    except ArgumentError:
        # SQLAlchemy's message repeats the text, which may hold a password.
        form = f"{DRIVERS[kind]}://USER:PASSWORD@HOST:PORT/DATABASE"
        raise ServerUnavailable(kind, f"{name} is not a URL; write it as {form}") from None
    except ConnectError as error:
        raise ServerUnavailable(kind, f"{name}: {error}") from error
    if ("MariaDB" in version) != (kind == "mariadb"):
        raise ServerUnavailable(kind, f"{name} leads to a server of another kind, {version}")
    return Server(kind, url, version, f"named by {name}")


def exports(kind: Kind, outcome: Server | ServerUnavailable) -> dict[str, str]:
    """The variables that tell another process about a server, or that there is none and why."""
    if isinstance(outcome, Server):
        return {variable(kind): outcome.url}
    return {f"{variable(kind)}_UNAVAILABLE": outcome.reason}

"""psycopg2's errors as ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from psycopg2 import errors as pg

from framework.connections import mask, without
from framework.errors import ConnectionFailed, PrivilegeMissing, StatementFailed


def first_line(error: BaseException) -> str:
    """What a driver says in its first line, without secrets."""
    text = str(error).strip()
    return mask(text.splitlines()[0]) if text else type(error).__name__


def connection_failed(name: str, url: str, error: psycopg2.Error, password: str) -> ConnectionFailed:
    """The reason and the fix of a failed login, without the password."""
    reason = without(password, first_line(error))
    transient = False
    if "password authentication failed" in reason or "no password supplied" in reason:
        fix = "correct user and password in the connection's URL"
    elif isinstance(error, psycopg2.ProgrammingError):
        fix = "correct the options of the connection's URL"
    elif "does not exist" in reason:
        fix = "create it, or correct the name in the connection's URL"
    else:
        fix = "start the server, or correct host and port in the connection's URL"
        transient = True
    return ConnectionFailed(name, url, reason, fix, transient=transient)


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Raise psycopg2's errors as `framework.errors`."""
    try:
        yield
    except pg.InsufficientPrivilege as error:
        raise PrivilegeMissing(name, first_line(error), _grant(first_line(error))) from error
    except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
        raise StatementFailed(
            name, f"the connection was lost or the server gave up: {first_line(error)}", "run again", transient=True
        ) from error
    except psycopg2.Error as error:
        # A server that goes away in the middle of a COPY has no error code, and no class of its own.
        lost = error.pgcode is None and type(error) is psycopg2.DatabaseError
        raise StatementFailed(name, first_line(error), "run again" if lost else "", transient=lost) from error


def _grant(reason: str) -> str:
    if "row-level security" in reason:
        return "a policy hides rows from the role, and a copy would lack them: ALTER ROLE ... BYPASSRLS, or copy a view"
    return "grant it to the connection's user; README.md lists what the source role needs"

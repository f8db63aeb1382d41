"""PyMySQL's errors as ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pymysql
import pymysql.err

from framework.connections import mask, without
from framework.errors import ConnectionFailed, PrivilegeMissing, StatementFailed, VitrinaError

ACCESS_DENIED = frozenset({1044, 1142, 1143, 1227, 1370})
WRONG_LOGIN = frozenset({1045, 1698})
RETRY = frozenset({1205, 1213})
"""Lock wait timeout and deadlock: the transaction was rolled back and may be tried again."""


def code(error: BaseException) -> int:
    """The server's or the client's error number, 0 if there is none."""
    return error.args[0] if error.args and isinstance(error.args[0], int) else 0


def reason(error: BaseException) -> str:
    """What the driver says, without secrets."""
    text = error.args[1] if len(error.args) > 1 else str(error)
    return mask(str(text).strip() or type(error).__name__)


def connection_failed(name: str, url: str, error: BaseException, password: str) -> ConnectionFailed:
    """The reason and the fix of a failed login, without the password."""
    if code(error) in WRONG_LOGIN:
        fix = "correct user and password in the connection's URL"
    elif code(error) in ACCESS_DENIED:
        fix = "grant the user access to that database"
    elif code(error) == 1049:
        fix = "create the database, or correct its name in the connection's URL"
    else:
        fix = "start the server, or correct host and port in the connection's URL"
    transient = code(error) not in {*WRONG_LOGIN, *ACCESS_DENIED, 1049}
    return ConnectionFailed(name, url, without(password, reason(error)), fix, transient=transient)


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Raise PyMySQL's errors as `framework.errors`."""
    try:
        yield
    except pymysql.err.MySQLError as error:
        raise as_ours(name, error) from error


def as_ours(name: str, error: pymysql.err.MySQLError) -> VitrinaError:
    """One of PyMySQL's errors as ours."""
    if code(error) in ACCESS_DENIED:
        fix = "grant it to the connection's user; README.md lists what the target role needs"
        return PrivilegeMissing(name, reason(error), fix)
    if code(error) in RETRY:
        return StatementFailed(
            name, f"another session held a lock for too long: {reason(error)}", "run again", lock=True
        )
    if isinstance(error, (pymysql.err.OperationalError, pymysql.err.InterfaceError)) and code(error) in (0, 2006, 2013):
        return StatementFailed(name, f"the connection was lost: {reason(error)}", "run again", transient=True)
    return StatementFailed(name, reason(error), code=code(error))

"""psycopg2's errors as ours."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from psycopg2 import errors as pg

from framework.connections import mask, without
from framework.databases.tls import NO_TLS, UNTRUSTED, WRONG_HOST
from framework.errors import (
    ConnectionFailed,
    DiskFull,
    PrivilegeMissing,
    ReadOnly,
    StatementFailed,
    TlsFailed,
    VitrinaError,
)

_DENIED = re.compile(
    r"(?:permission denied (?:for|to create temporary tables in)|must be owner of) (?P<kind>\w+) (?P<name>.+)"
)
_GRANTS = defaultdict(
    lambda: "grant it to the role",
    schema="GRANT USAGE ON SCHEMA {0} TO the role, and CREATE, where it is to make tables",
    table="GRANT SELECT ON {0} TO the role; what is filled must be its own",
    database="GRANT TEMPORARY ON DATABASE {0} TO the role, and CREATE, where it is to make schemas",
)
"""What to do, by what it is that was refused; the server names neither the privilege nor the role."""

LOST = frozenset({"57P01", "57P02", "57P03", "57P05", "25P03", "25P04"})
"""The server ended the session, or is going down or coming up. (PostgreSQL, "Error Codes")"""

BUSY = frozenset({"53000", "53200", "53300", "72000"})
"""It is short of connections, memory or old snapshots for now."""

LOCKS = frozenset({"40001", "40P01", "55P03"})
"""Serialization failure, deadlock, and a lock that was waited for in vain."""

ANSWERS = ("starting up", "shutting down", "recovery mode", "not accepting connections", "too many", "remaining conn")
"""What a server says that is there and cannot take a connection now; a failed login has no code."""


INSECURE = (
    ("does not support SSL", NO_TLS.format(option="`sslmode`")),
    ("does not match host name", WRONG_HOST),
    ("could not get server's host name from server certificate", WRONG_HOST),
    ("certificate verify failed", UNTRUSTED.format(option="sslrootcert")),
    ("root certificate", UNTRUSTED.format(option="sslrootcert")),
)
"""What libpq says where TLS is demanded and is not to be had (it has no codes), and what to do."""


def first_line(error: BaseException) -> str:
    """What a driver says in its first line, without secrets."""
    text = str(error).strip()
    return mask(text.splitlines()[0]) if text else type(error).__name__


def connection_failed(name: str, url: str, error: psycopg2.Error, password: str, *, reached: bool) -> ConnectionFailed:
    """The reason and the fix of a failed login, without the password; ``reached``: the server has answered before."""
    for line in str(error).splitlines():
        for words, fix in INSECURE:
            if words in line:
                return TlsFailed(name, url, without(password, mask(line.strip())), fix)
    reason = without(password, first_line(error))
    answered = any(words in reason for words in ANSWERS)
    transient = False
    if "password authentication failed" in reason or "no password supplied" in reason:
        fix = "correct user and password in the connection's URL"
    elif isinstance(error, psycopg2.ProgrammingError) or "connection option" in reason:
        fix = "correct the options of the connection's URL"
    elif answered:
        fix = "wait until it takes connections again, or allow more of them"
        transient = True
    elif "permission denied for database" in reason:
        fix = "GRANT CONNECT ON DATABASE ... TO the role"
    elif "no encryption" in reason:  # pg_hba.conf
        fix = "add `tls: require` to the connection in connections.yaml, or let it in without at the server"
    elif "does not exist" in reason:
        fix = "create it, or correct the name in the connection's URL"
    else:
        fix = "start the server, or correct host and port in the connection's URL"
        transient = True
    return ConnectionFailed(name, url, reason, fix, transient=transient, unknown=not (answered or reached))


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Raise psycopg2's errors as `framework.errors`."""
    try:
        yield
    except psycopg2.Error as error:
        raise as_ours(name, error) from error


def as_ours(name: str, error: psycopg2.Error) -> VitrinaError:
    """One of psycopg2's errors as ours."""
    code, reason = error.pgcode, first_line(error)
    if isinstance(error, pg.InsufficientPrivilege):
        return PrivilegeMissing(name, reason, _grant(reason))
    if isinstance(error, pg.DiskFull):
        return DiskFull(name, reason)
    if isinstance(error, pg.ReadOnlySqlTransaction):
        return ReadOnly(name, reason)
    if _is_lost(error):
        return StatementFailed(name, f"the connection was lost: {reason}", "run again", transient=True)
    if code in LOCKS:
        return StatementFailed(name, f"another session was in the way: {reason}", "run again", transient=True)
    if code in BUSY:
        return StatementFailed(name, f"the server gave up: {reason}", "run again", transient=True)
    return StatementFailed(name, reason)


def _is_lost(error: psycopg2.Error) -> bool:
    if error.pgcode is not None:
        return error.pgcode in LOST or error.pgcode.startswith("08")
    # A server that goes away in the middle of a COPY has no error code, and no class of its own.
    lost = isinstance(error, (psycopg2.OperationalError, psycopg2.InterfaceError))
    return lost or type(error) is psycopg2.DatabaseError


def _grant(reason: str) -> str:
    if "row-level security" in reason:
        return "a policy hides rows from the role, and a copy would lack them: ALTER ROLE ... BYPASSRLS, or copy a view"
    denied = _DENIED.search(reason)
    grant = _GRANTS[denied["kind"]].format(denied["name"]) if denied is not None else "grant it to the role"
    return f"{grant}; docs/security.md lists what the source role needs"

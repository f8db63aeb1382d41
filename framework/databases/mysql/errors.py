"""PyMySQL's errors as ours."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import pymysql
import pymysql.err

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

ACCESS_DENIED = frozenset({1044, 1142, 1143, 1227, 1370})
WRONG_LOGIN = frozenset({1045, 1698})
UNKNOWN_DATABASE = 1049
WITHOUT_TLS = 2026
"""The driver's word."""
TLS_DEMANDED = 3159
HOST_MISMATCH = frozenset({62, 64})
"""OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH."""

# MySQL, "Error Message Reference"; MariaDB, "Error Codes".
LOCKS = frozenset({1205, 1213, 1614, 3058, 3101, 3572})
"""Lock wait timeout, deadlock, and commits that a cluster undid: the transaction may be tried again."""

LOST = frozenset({0, 1053, 1152, *range(1156, 1162), 1184, 1927, 2006, 2013, 2055, 3169, 4031})
"""The connection broke, was killed, or was idle for too long; the server is going down. 0: the driver's own word."""

BUSY = frozenset({1040, 1041, 1047, 1203, 1226, 3168})
"""The server is short of connections or memory, or a node of a cluster is not ready yet."""

UNREACHABLE = frozenset({2001, 2002, 2003, 2005})
"""Nothing answers at the address."""

PACKET_TOO_LARGE = 1153

READ_ONLY = frozenset({1792, 1836, 3989})
OPTION_FORBIDS = 1290
"""Some option of the server forbids a statement; `read_only` is one of several."""

FULL = frozenset({3, 20, 1021, 1026, 1030, 1114})
NO_SPACE = re.compile(r"No space left|errno: 28\b|error: 28\b|error 28\b|error 168\b|[Dd]isk full|is full")


def code(error: BaseException) -> int:
    """The server's or the client's error number, 0 if there is none."""
    return error.args[0] if error.args and isinstance(error.args[0], int) else 0


def reason(error: BaseException) -> str:
    """What the driver says, without secrets."""
    text = error.args[1] if len(error.args) > 1 else str(error)
    return mask(str(text).strip() or type(error).__name__)


def connection_failed(name: str, url: str, error: BaseException, password: str, *, reached: bool) -> ConnectionFailed:
    """The reason and the fix of a failed login, without the password; ``reached``: the server has answered before."""
    if (insecure := _insecure(name, url, error)) is not None:
        return insecure
    if code(error) in WRONG_LOGIN:
        fix = "correct user and password in the connection's URL"
    elif code(error) in ACCESS_DENIED:
        fix = "grant the user access to that database"
    elif code(error) == UNKNOWN_DATABASE:
        fix = "create the database, or correct its name in the connection's URL"
    elif code(error) == TLS_DEMANDED:
        fix = "add `tls: require` to the connection in connections.yaml"
    elif code(error) in BUSY:
        fix = "wait until it takes connections again, or allow more of them"
    else:
        fix = "start the server, or correct host and port in the connection's URL"
    transient = code(error) in LOST | BUSY | UNREACHABLE
    unknown = not reached and code(error) not in BUSY
    return ConnectionFailed(name, url, without(password, reason(error)), fix, transient=transient, unknown=unknown)


def _insecure(name: str, url: str, error: BaseException) -> TlsFailed | None:
    """The error where it is about TLS; None where it is about something else."""
    if code(error) == WITHOUT_TLS:
        return TlsFailed(name, url, reason(error), NO_TLS.format(option="`ssl_...`"))
    found = getattr(error, "original_exception", None)
    if not isinstance(found, ssl.SSLCertVerificationError):
        return None
    fix = WRONG_HOST if found.verify_code in HOST_MISMATCH else UNTRUSTED.format(option="ssl_ca")
    return TlsFailed(name, url, f"the server's certificate is refused: {found.verify_message}", fix)


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
        fix = "grant it to the connection's user; docs/security.md lists what the target role needs"
        return PrivilegeMissing(name, reason(error), fix)
    if code(error) in READ_ONLY or (code(error) == OPTION_FORBIDS and "read" in reason(error)):
        return ReadOnly(name, reason(error))
    if code(error) in FULL and NO_SPACE.search(reason(error)):
        return DiskFull(name, reason(error))
    if code(error) == PACKET_TOO_LARGE:
        return StatementFailed(name, reason(error), "raise max_allowed_packet of the server", code=code(error))
    if code(error) in LOCKS:
        return StatementFailed(
            name, f"another session held a lock for too long: {reason(error)}", "run again", lock=True, code=code(error)
        )
    if is_lost(error):
        fix = "run again" + (
            "; if statements take that long, raise `read_timeout`" if "timed out" in str(error) else ""
        )
        return StatementFailed(name, f"the connection was lost: {reason(error)}", fix, transient=True, code=code(error))
    if code(error) in BUSY:
        return StatementFailed(
            name, f"the server gave up: {reason(error)}", "run again", transient=True, code=code(error)
        )
    return StatementFailed(name, reason(error), code=code(error))


def is_lost(error: pymysql.err.MySQLError) -> bool:
    """Whether the connection is gone, or of no use any more."""
    broken = isinstance(error, (pymysql.err.OperationalError, pymysql.err.InterfaceError, pymysql.err.InternalError))
    return broken and code(error) in LOST

"""DuckDB's errors as ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from framework.errors import ConnectionFailed, DiskFull, ReadOnly, StatementFailed

HOLDER = re.compile(r"lock is held in .*?\(PID (?P<pid>\d+)\)")
_PREFIX = re.compile(r"^[A-Za-z]+ Error: ")
_CONFLICT = re.compile(r"conflict", re.IGNORECASE)


def reason(error: BaseException) -> str:
    """What DuckDB says in its first line, without the error's class."""
    text = str(error).strip()
    return _PREFIX.sub("", text.splitlines()[0]) if text else type(error).__name__


def lock_holder(error: duckdb.Error) -> str | None:
    """The process that has the database open, if that is why it could not be opened; empty if DuckDB names none."""
    if "Could not set lock" not in str(error):
        return None
    match = HOLDER.search(str(error))
    return match["pid"] if match else ""


def connection_failed(name: str, url: str, error: duckdb.Error) -> ConnectionFailed:
    """Why a database file could not be opened, and the fix."""
    holder = lock_holder(error)
    if holder is not None:
        process = f"process {holder}" if holder else "another process"
        return ConnectionFailed(
            name, url, f"{process} has the database file open", "wait for it to end, then run again"
        )
    return ConnectionFailed(name, url, reason(error), "correct the path in the connection's URL, or its permissions")


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Raise DuckDB's errors as `framework.errors`."""
    try:
        yield
    except duckdb.TransactionException as error:
        transient = bool(_CONFLICT.search(str(error)))
        raise StatementFailed(name, reason(error), "run again" if transient else "", transient=transient) from error
    except duckdb.Error as error:
        if "No space left on device" in str(error):
            raise DiskFull(name, reason(error)) from error
        if "read-only mode" in str(error):
            raise ReadOnly(name, reason(error)) from error
        raise StatementFailed(name, reason(error)) from error

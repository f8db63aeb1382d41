"""One run at a time works on a table, across processes and machines.

A lease is a row of the target with an owner, a fencing token and an expiry by the server's clock. Its holder renews it;
who dies stops renewing. A writer checks its token in the transaction that writes, so that a run that was stalled and
taken over cannot write any more (M. Kleppmann, "How to do distributed locking", 2016).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from framework.databases.base import PREFIX, Session, Target
from framework.errors import LeaseHeld, LeaseLost, StatementFailed, VitrinaError
from framework.tables import Column, Table
from framework.types import Kind, LogicalType, varchar

LEASES = f"{PREFIX}leases"
TERM = 15
"""Seconds until a lease that is not renewed expires."""

RENEWALS = 3
"""Renewals in a term."""

_TEXT = varchar(128)
TABLE = Table(
    LEASES,
    (
        Column("name", _TEXT, nullable=False),
        Column("owner", _TEXT, nullable=False),
        Column("token", LogicalType(Kind.BIGINT, "bigint"), nullable=False),
        Column("expires_at", LogicalType(Kind.TIMESTAMP, "timestamp"), nullable=False),
    ),
    primary_key=("name",),
)


@dataclass(frozen=True)
class Lease:
    """The right to write one table."""

    target: Target
    name: str
    owner: str
    token: int

    def guard(self, session: Session) -> None:
        """Renew the lease in the caller's transaction, which then excludes every other holder. Raises LeaseLost."""
        table, later = self.target.dialect.quote(LEASES), self.target.dialect.later(TERM)
        held = session.execute(
            f"UPDATE {table} SET expires_at = {later} WHERE name = %s AND owner = %s AND token = %s",
            (self.name, self.owner, self.token),
        )
        if held != 1:
            raise LeaseLost(self.name)


@contextmanager
def held(target: Target, name: str, owner: str) -> Iterator[Lease]:
    """Hold the lease ``name`` for as long as the context lasts. A run may take what it holds already.

    Raises:
        LeaseHeld: another run holds it and is alive.
    """
    with target.session() as session:
        session.create_table(TABLE, if_missing=True)
        token = _acquire(target, session, name, owner)
    lease = Lease(target, name, owner, token)
    stop = threading.Event()
    renewing = threading.Thread(target=_renew, args=(lease, stop), name=f"vitrina-lease-{name}", daemon=True)
    if not target.capabilities.single_writer:
        renewing.start()
    try:
        yield lease
    finally:
        stop.set()
        if renewing.is_alive():
            renewing.join()
        _release(lease)


def _acquire(target: Target, session: Session, name: str, owner: str) -> int:
    table, dialect = target.dialect.quote(LEASES), target.dialect
    # The process that has a single-writer database open is alone: whoever left a lease there is gone.
    free = "1 = 1" if target.capabilities.single_writer else f"expires_at < {dialect.utc_now}"
    deadline = time.monotonic() + TERM + TERM / RENEWALS
    seen: object = None
    while True:
        with session.transaction():
            session.execute(
                f"UPDATE {table} SET token = CASE WHEN owner = %s THEN token ELSE token + 1 END, owner = %s, "
                f"expires_at = {dialect.later(TERM)} WHERE name = %s AND (owner = %s OR {free})",
                (owner, owner, name, owner),
            )
            found = session.query(f"SELECT owner, token, expires_at FROM {table} WHERE name = %s", (name,))
            if not found:
                _insert(session, table, dialect.later(TERM), name, owner)
                continue
        holder, token, expires_at = found[0]
        if holder == owner:
            return int(token)
        if (seen is not None and expires_at != seen) or time.monotonic() > deadline:
            raise LeaseHeld(name, str(holder))
        seen = expires_at
        time.sleep(0.5)


def _insert(session: Session, table: str, expiry: str, name: str, owner: str) -> None:
    try:
        session.execute(
            f"INSERT INTO {table} (name, owner, token, expires_at) VALUES (%s, %s, 1, {expiry})", (name, owner)
        )
    except StatementFailed:
        # Another run was quicker; the next look tells.
        time.sleep(0.05)


def _renew(lease: Lease, stop: threading.Event) -> None:
    while not stop.wait(TERM / RENEWALS):
        try:
            with lease.target.session() as session:
                lease.guard(session)
        except VitrinaError:
            # The writer's own guard decides; a renewal that fails once may succeed the next time.
            continue


def _release(lease: Lease) -> None:
    table, clock = lease.target.dialect.quote(LEASES), lease.target.dialect.utc_now
    try:
        with lease.target.session() as session:
            session.execute(
                f"UPDATE {table} SET expires_at = {clock} WHERE name = %s AND owner = %s AND token = %s",
                (lease.name, lease.owner, lease.token),
            )
    except VitrinaError:
        # The target is gone; the lease expires by itself.
        return

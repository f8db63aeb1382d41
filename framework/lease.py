"""One run at a time works on a table, across processes and machines.

A lease is a row of the target with an owner, a fencing token and an expiry by the server's clock. Its holder renews it;
who dies stops renewing. A writer checks its token in the transaction that writes, so that a run that was stalled and
taken over cannot write any more (M. Kleppmann, "How to do distributed locking", 2016).

The tasks of one run may be processes of their own, with time between them. The first one takes the lease with a new
token and keeps it, the others resume it by that token, and so does a task that is tried again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from framework import bookkeeping
from framework.databases.base import PREFIX, Session, Target
from framework.errors import LeaseHeld, LeaseLost, StatementFailed, VitrinaError
from framework.tables import Column, Table
from framework.types import Kind, LogicalType, varchar

LEASES = f"{PREFIX}leases"
TERM = 15
"""Seconds until a lease that is not renewed expires."""

FIRST = 1
"""The first token."""

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
    term: int = TERM

    def guard(self, session: Session) -> None:
        """Renew the lease in the caller's transaction, which then excludes every other holder. Raises LeaseLost."""
        table, later = self.target.dialect.quote(LEASES), self.target.dialect.later(self.term)
        held = session.execute(
            f"UPDATE {table} SET expires_at = {later} WHERE name = %s AND owner = %s AND token = %s",
            (self.name, self.owner, self.token),
        )
        if held != 1:
            raise LeaseLost(self.name)


@contextmanager
def held(
    target: Target, name: str, owner: str, *, token: int | None = None, term: int = TERM, keep: bool = False
) -> Iterator[Lease]:
    """Hold the lease ``name`` for as long as the context lasts. A run may take what it holds already.

    Args:
        target: where the lease is.
        name: what it is for.
        owner: the run.
        token: of the lease that an earlier task of this run took and kept; without it, the lease is taken anew, and
            whoever held it before, be it another process of this run, cannot write any more.
        term: seconds until it expires, if it is not renewed.
        keep: leave it to the run's next task, instead of giving it back.

    Raises:
        LeaseHeld: another run holds it and is alive.
        LeaseLost: another run has taken the lease of ``token``.
    """
    with target.session() as session:
        if token is None:
            bookkeeping.ensure(session, target, TABLE)
            lease = Lease(target, name, owner, _acquire(target, session, name, owner, term), term)
        else:
            lease = Lease(target, name, owner, token, term)
            lease.guard(session)
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
        if not keep:
            _release(lease)


def release_all(target: Target, owner: str) -> None:
    """Give back every lease that a run has kept."""
    table, clock = target.dialect.quote(LEASES), target.dialect.utc_now
    with target.session() as session:
        if bookkeeping.exists(session, target, LEASES):
            session.execute(f"UPDATE {table} SET expires_at = {clock} WHERE owner = %s", (owner,))


def _acquire(target: Target, session: Session, name: str, owner: str, term: int) -> int:
    table, dialect = target.dialect.quote(LEASES), target.dialect
    # The process that has a single-writer database open is alone: whoever holds a lease for a term there is gone. A
    # lease that is kept between tasks has a longer one.
    free = f"expires_at < {dialect.later(TERM + 1) if target.capabilities.single_writer else dialect.utc_now}"
    deadline = time.monotonic() + TERM + TERM / RENEWALS
    seen: object = None
    while True:
        look = f"SELECT owner, token, expires_at FROM {table} WHERE name = %s"
        try:
            with session.transaction():
                taken = session.execute(
                    f"UPDATE {table} SET token = token + 1, owner = %s, expires_at = {dialect.later(term)} "
                    f"WHERE name = %s AND (owner = %s OR {free})",
                    (owner, name, owner),
                )
                found = session.query(look, (name,))
        except StatementFailed as error:
            # Whoever merges keeps the row until his transaction ends.
            if error.lock and (holding := session.query(look, (name,))):
                raise LeaseHeld(name, str(holding[0][0])) from error
            raise
        if not found:
            if _insert(session, table, dialect.later(term), name, owner):
                return FIRST
            continue
        holder, token, expires_at = found[0]
        if taken:
            return int(token)
        if (seen is not None and expires_at != seen) or time.monotonic() > deadline:
            raise LeaseHeld(name, str(holder), f"{expires_at:%H:%M:%S} UTC")
        seen = expires_at
        time.sleep(0.5)


def _insert(session: Session, table: str, expiry: str, name: str, owner: str) -> bool:
    """Take a lease that nobody has ever had; False if another run was quicker."""
    try:
        session.execute(
            f"INSERT INTO {table} (name, owner, token, expires_at) VALUES (%s, %s, {FIRST}, {expiry})", (name, owner)
        )
    except StatementFailed:
        time.sleep(0.05)
        return False
    return True


def _renew(lease: Lease, stop: threading.Event) -> None:
    while not stop.wait(lease.term / RENEWALS):
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

"""What the target remembers of verifications: for each copy the last verdict on all of its rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from framework import bookkeeping
from framework.databases.base import PREFIX, Session, Target
from framework.errors import CopyNotVerified
from framework.replicate import state
from framework.tables import Column, Table
from framework.types import Kind, LogicalType, varchar
from framework.verify.verdict import Verdict

VERDICTS = f"{PREFIX}verdicts"

_BIGINT = LogicalType(Kind.BIGINT, "bigint")

TABLE = Table(
    VERDICTS,
    (
        Column("table_name", varchar(64), nullable=False),
        Column("generation", varchar(32), nullable=False),
        Column("run_id", varchar(128), nullable=False),
        Column("verified_at", LogicalType(Kind.TIMESTAMP, "timestamp"), nullable=False),
        Column("compared", _BIGINT, nullable=False),
        Column("differing", _BIGINT, nullable=False),
    ),
    primary_key=("table_name",),
)


@dataclass(frozen=True)
class Record:
    """The last verdict on a copy that is there.

    Attributes:
        verified_at: by the target's clock, UTC.
        compared: rows of the source that were compared.
        differing: rows that differed.
        clock: the target's clock now, UTC.
    """

    verified_at: datetime
    compared: int
    differing: int
    clock: datetime

    @property
    def age(self) -> float:
        """Seconds since then."""
        return (self.clock - self.verified_at).total_seconds()

    @property
    def is_of_today(self) -> bool:
        """Whether it was given on this day, UTC."""
        return self.verified_at.date() == self.clock.date()


def write(target: Target, verdict: Verdict, run_id: str) -> None:
    """Remember a verdict on all rows of a copy."""
    name = target.dialect.quote(VERDICTS)
    with target.session() as session:
        bookkeeping.ensure(session, target, TABLE)
        copy = state.current(session, target, verdict.table)
        if copy is None:
            return
        with session.transaction():
            session.execute(f"DELETE FROM {name} WHERE table_name = %s", (verdict.table,))
            session.execute(
                f"INSERT INTO {name} (table_name, generation, run_id, verified_at, compared, differing) "
                f"VALUES (%s, %s, %s, {target.dialect.utc_now}, %s, %s)",
                (verdict.table, copy.generation, run_id, verdict.rows, verdict.differing),
            )


def last(session: Session, target: Target, table: str) -> Record | None:
    """The last verdict on the present copy of ``table``; None if it has not been verified since it was filled."""
    if not bookkeeping.exists(session, target, VERDICTS):
        return None
    copy = state.current(session, target, table)
    if copy is None:
        return None
    found = session.query(
        f"SELECT verified_at, compared, differing, {target.dialect.utc_now} FROM {target.dialect.quote(VERDICTS)} "
        "WHERE table_name = %s AND generation = %s",
        (table, copy.generation),
    )
    return Record(*found[0]) if found else None


def require_equal(target: Target, tables: Iterable[str]) -> None:
    """Raises CopyNotVerified if the last verdict on one of the copies is that rows differ."""
    with target.session() as session:
        for table in tables:
            found = last(session, target, table)
            if found is not None and found.differing:
                raise CopyNotVerified(table, found.differing, found.verified_at)

"""Every run leaves its story in the target: `_vitrina_runs`, and one row a step in `_vitrina_steps`."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from framework import bookkeeping
from framework.databases.base import PREFIX, Session, Target
from framework.errors import VitrinaError
from framework.events import (
    Event,
    RunFinished,
    RunStarted,
    Stats,
    StepFailed,
    StepFinished,
    StepSkipped,
    StepStarted,
)
from framework.tables import Column, Table
from framework.types import Kind, LogicalType, varchar

RUNS = f"{PREFIX}runs"
STEPS = f"{PREFIX}steps"


_LONG = LogicalType(Kind.TEXT, "text")
_BIGINT = LogicalType(Kind.BIGINT, "bigint")
_DOUBLE = LogicalType(Kind.DOUBLE, "double precision")
_MOMENT = LogicalType(Kind.TIMESTAMP, "timestamp")

RUNS_TABLE = Table(
    RUNS,
    (
        Column("run_id", varchar(128), nullable=False),
        Column("pipeline", varchar(64), nullable=False),
        Column("command", varchar(64), nullable=False),
        Column("status", varchar(16), nullable=False),
        Column("started_at", _MOMENT, nullable=False),
        Column("finished_at", _MOMENT),
        Column("seconds", _DOUBLE),
    ),
    primary_key=("run_id",),
)

STEPS_TABLE = Table(
    STEPS,
    (
        Column("run_id", varchar(128), nullable=False),
        Column("step", varchar(128), nullable=False),
        Column("kind", varchar(16), nullable=False),
        Column("status", varchar(16), nullable=False),
        Column("finished_at", _MOMENT, nullable=False),
        Column("seconds", _DOUBLE, nullable=False),
        Column("rows_read", _BIGINT, nullable=False),
        Column("rows_written", _BIGINT, nullable=False),
        Column("rows_deleted", _BIGINT, nullable=False),
        Column("rows_unchanged", _BIGINT, nullable=False),
        Column("watermark", varchar(255)),
        Column("message", _LONG),
        Column("rows_rejected", _BIGINT),
    ),
    primary_key=("run_id", "step"),
)


class Recorder:
    """A listener that writes what happens into the target.

    Args:
        target: where it is written.
        run_id: of a run that has begun elsewhere, and whose steps may be tried again; what is recorded belongs to it.
    """

    def __init__(self, target: Target, run_id: str = "") -> None:
        self._target = target
        self._run_id = run_id
        self._tried_again = bool(run_id)

    def __call__(self, event: Event) -> None:
        """Record the event. Only the first record of a run may fail it: without a target nothing can be done."""
        if isinstance(event, RunStarted):
            self._begin(event)
            return
        with suppress(VitrinaError):
            self._go_on(event)

    def _go_on(self, event: Event) -> None:
        if isinstance(event, StepStarted):
            if self._tried_again:
                self._forget(event.step)
        elif isinstance(event, StepFinished):
            self._step(event.step, event.kind, "succeeded", event.stats, "\n".join(event.stats.warnings) or None)
        elif isinstance(event, StepFailed):
            self._step(event.step, event.kind, "failed", Stats(seconds=event.seconds), event.error)
        elif isinstance(event, StepSkipped):
            self._step(event.step, event.kind, "skipped", Stats(), event.reason)
        elif isinstance(event, RunFinished):
            self._end(event)

    def _begin(self, event: RunStarted) -> None:
        self._run_id = event.run_id
        with self._target.session() as session:
            bookkeeping.ensure(session, self._target, RUNS_TABLE, STEPS_TABLE)
            # A runner may begin a run again, to do what had failed.
            session.execute(f"DELETE FROM {self._quote(RUNS)} WHERE run_id = %s", (event.run_id,))
            session.execute(
                f"INSERT INTO {self._quote(RUNS)} (run_id, pipeline, command, status, started_at) "
                f"VALUES (%s, %s, %s, 'running', {self._target.dialect.utc_now})",
                (event.run_id, event.pipeline, event.command),
            )

    def _step(self, step: str, kind: str, status: str, stats: Stats, message: str | None) -> None:
        told = (step, kind, status, stats, message)
        with self._target.session() as session:
            if not self._tried_again:
                self._insert(session, *told)
                return
            with session.transaction():
                # A runner may try a step again. An attempt that was given up, and fails late, is not its end.
                session.execute(
                    f"DELETE FROM {self._quote(STEPS)} WHERE run_id = %s AND step = %s "
                    "AND (status <> 'succeeded' OR %s = 'succeeded')",
                    (self._run_id, step, status),
                )
                if not session.query(
                    f"SELECT 1 FROM {self._quote(STEPS)} WHERE run_id = %s AND step = %s", (self._run_id, step)
                ):
                    self._insert(session, *told)

    def _insert(self, session: Session, step: str, kind: str, status: str, stats: Stats, message: str | None) -> None:
        session.execute(
            f"INSERT INTO {self._quote(STEPS)} (run_id, step, kind, status, finished_at, seconds, rows_read, "
            "rows_written, rows_deleted, rows_unchanged, watermark, message, rows_rejected) "
            f"VALUES (%s, %s, %s, %s, {self._target.dialect.utc_now}, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                self._run_id,
                step,
                kind,
                status,
                stats.seconds,
                stats.rows_read,
                stats.rows_written,
                stats.rows_deleted,
                stats.rows_unchanged,
                stats.watermark,
                message,
                stats.rows_rejected,
            ),
        )

    def _forget(self, step: str) -> None:
        with self._target.session() as session:
            session.execute(f"DELETE FROM {self._quote(STEPS)} WHERE run_id = %s AND step = %s", (self._run_id, step))

    def _end(self, event: RunFinished) -> None:
        with self._target.session() as session:
            session.execute(
                f"UPDATE {self._quote(RUNS)} SET status = %s, seconds = %s, "
                f"finished_at = {self._target.dialect.utc_now} WHERE run_id = %s",
                (event.status, event.seconds, event.run_id),
            )

    def _quote(self, name: str) -> str:
        return self._target.dialect.quote(name)


@dataclass(frozen=True)
class PastRun:
    run_id: str
    command: str
    status: str
    started_at: datetime
    seconds: float | None


def last_runs(session: Session, target: Target, pipeline: str, limit: int = 5) -> list[PastRun]:
    """The latest runs of a pipeline, newest first; empty where none was recorded."""
    if not bookkeeping.exists(session, target, RUNS):
        return []
    found = session.query(
        f"SELECT run_id, command, status, started_at, seconds FROM {target.dialect.quote(RUNS)} "
        f"WHERE pipeline = %s ORDER BY started_at DESC, run_id DESC LIMIT {int(limit)}",
        (pipeline,),
    )
    return [PastRun(*row) for row in found]


def age_of(session: Session, target: Target, run_id: str) -> float:
    """Seconds since a run began, by the target's clock; 0 if it is not recorded."""
    if not bookkeeping.exists(session, target, RUNS):
        return 0.0
    found = session.query(
        f"SELECT started_at, {target.dialect.utc_now} FROM {target.dialect.quote(RUNS)} WHERE run_id = %s", (run_id,)
    )
    return float((found[0][1] - found[0][0]).total_seconds()) if found else 0.0


@dataclass(frozen=True)
class PastStep:
    step: str
    status: str
    seconds: float
    rows_read: int
    rows_written: int
    rows_deleted: int
    watermark: str | None
    message: str | None
    rows_rejected: int


def steps_of(session: Session, target: Target, run_id: str) -> list[PastStep]:
    """The steps of a run that have ended, in the order of their ends."""
    if not bookkeeping.exists(session, target, STEPS):
        return []
    found = session.query(
        "SELECT step, status, seconds, rows_read, rows_written, rows_deleted, watermark, message, "
        "COALESCE(rows_rejected, 0) "
        f"FROM {target.dialect.quote(STEPS)} WHERE run_id = %s ORDER BY finished_at, step",
        (run_id,),
    )
    return [PastStep(*row) for row in found]


@dataclass(frozen=True)
class Success:
    """The last success of a step: its end, its watermark, and the target's clock now (UTC)."""

    finished_at: datetime
    watermark: str | None
    clock: datetime

    @property
    def age(self) -> float:
        """Seconds since then."""
        return (self.clock - self.finished_at).total_seconds()


def last_success(session: Session, target: Target, pipeline: str, step: str) -> Success | None:
    """The last success of a step, None if there was none."""
    if not bookkeeping.exists(session, target, STEPS):
        return None
    quote = target.dialect.quote
    found = session.query(
        f"SELECT s.finished_at, s.watermark, {target.dialect.utc_now} FROM {quote(STEPS)} AS s "
        f"JOIN {quote(RUNS)} AS r ON r.run_id = s.run_id "
        "WHERE r.pipeline = %s AND s.step = %s AND s.status = 'succeeded' ORDER BY s.finished_at DESC LIMIT 1",
        (pipeline, step),
    )
    return Success(*found[0]) if found else None

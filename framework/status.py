"""How a pipeline is: its last runs, and how fresh each table is."""

from __future__ import annotations

from dataclasses import dataclass, replace

from framework import history, units
from framework.databases.base import Target
from framework.replicate import quarantine
from framework.spec.models import Freshness, Spec
from framework.verify import record
from framework.verify.record import Record


@dataclass(frozen=True)
class TableStatus:
    """One replicated table or mart.

    Attributes:
        age: seconds since its last success, None if there was none.
        lag: seconds between its watermark and the target's clock, None where the watermark is no moment.
        verified: the last verdict on all rows of the copy, None if there is none, or it is a mart.
        freshness: ``fresh``, ``late`` (beyond ``warn``), ``stale`` (beyond ``fail``), ``never``, or ``no limit``.
        quarantined: rows of the source that could not go.
    """

    name: str
    age: float | None
    watermark: str | None
    lag: float | None
    verified: Record | None
    freshness: str
    quarantined: int = 0

    @property
    def differs(self) -> bool:
        """Whether rows differed when it was verified."""
        return self.verified is not None and self.verified.differing > 0


@dataclass(frozen=True)
class Status:
    pipeline: str
    runs: tuple[history.PastRun, ...]
    tables: tuple[TableStatus, ...]

    @property
    def healthy(self) -> bool:
        """Whether no table is stale, was never filled, or is known to differ from its source."""
        return all(table.freshness not in ("stale", "never") and not table.differs for table in self.tables)


def of(spec: Spec, target: Target) -> Status:
    """Read the status of a pipeline from its target; writes nothing."""
    with target.session() as session:
        runs = history.last_runs(session, target, spec.pipeline)

        def table(kind: str, name: str, verified: Record | None) -> TableStatus:
            success = history.last_success(session, target, spec.pipeline, f"{kind}:{name}")
            return _table(name, success, verified, spec.freshness)

        tables = [
            replace(
                table("replicate", name, record.last(session, target, name)),
                quarantined=quarantine.count(session, target, name),
            )
            for name in spec.replicate
        ]
        tables += [table("mart", name, None) for name in spec.marts]
    return Status(spec.pipeline, tuple(runs), tuple(tables))


def _table(
    name: str, success: history.Success | None, verified: Record | None, freshness: Freshness | None
) -> TableStatus:
    if success is None:
        return TableStatus(name, None, None, None, verified, "never")
    age, watermark = success.age, success.watermark
    return TableStatus(name, age, watermark, _lag(success), verified, _judged(age, freshness))


def _lag(success: history.Success) -> float | None:
    if success.watermark is None or ":" not in success.watermark:
        return None
    try:
        moment = units.parse_datetime(success.watermark)
    except ValueError:
        return None
    return (success.clock - moment.replace(tzinfo=None)).total_seconds()


def _judged(age: float, freshness: Freshness | None) -> str:
    if freshness is None:
        return "no limit"
    if freshness.fail is not None and age > units.duration(freshness.fail).total_seconds():
        return "stale"
    if freshness.warn is not None and age > units.duration(freshness.warn).total_seconds():
        return "late"
    return "fresh"

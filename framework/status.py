"""How a pipeline is: its last runs, and how fresh each table is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from framework import history, units
from framework.databases.base import Target
from framework.replicate import quarantine
from framework.spec.models import Freshness, Spec


@dataclass(frozen=True)
class TableStatus:
    """One replicated table or mart.

    Attributes:
        age: seconds since its last success, None if there was none.
        lag: seconds between its watermark and the target's clock, None where the watermark is no moment.
        freshness: ``fresh``, ``late`` (beyond ``warn``), ``stale`` (beyond ``fail``), ``never``, or ``no limit``.
        quarantined: rows of the source that could not go.
    """

    name: str
    age: float | None
    watermark: str | None
    lag: float | None
    freshness: str
    quarantined: int = 0


@dataclass(frozen=True)
class Status:
    pipeline: str
    runs: tuple[history.PastRun, ...]
    tables: tuple[TableStatus, ...]

    @property
    def healthy(self) -> bool:
        """Whether no table is stale or was never filled."""
        return all(table.freshness not in ("stale", "never") for table in self.tables)


def of(spec: Spec, target: Target) -> Status:
    """Read the status of a pipeline from its target; writes nothing."""
    steps = [f"replicate:{name}" for name in spec.replicate] + [f"mart:{name}" for name in spec.marts]
    with target.session() as session:
        runs = history.last_runs(session, target, spec.pipeline)
        rejected = {name: quarantine.count(session, target, name) for name in spec.replicate}
        tables = [
            _table(step, history.last_success(session, target, spec.pipeline, step), spec.freshness, rejected)
            for step in steps
        ]
    return Status(spec.pipeline, tuple(runs), tuple(tables))


def _table(
    step: str, success: history.Success | None, freshness: Freshness | None, rejected: Mapping[str, int]
) -> TableStatus:
    name = step.partition(":")[2]
    if success is None:
        return TableStatus(name, None, None, None, "never", rejected.get(name, 0))
    age, watermark = success.age, success.watermark
    return TableStatus(name, age, watermark, _lag(success), _judged(age, freshness), rejected.get(name, 0))


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

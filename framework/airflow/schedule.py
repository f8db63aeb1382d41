"""When a DAG runs: the spec's schedule as one of Airflow's."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any
from zoneinfo import ZoneInfo

from airflow.sdk import CronDataIntervalTimetable, DeltaDataIntervalTimetable

from framework import units
from framework.airflow import assets
from framework.spec.models import Spec
from framework.spec.scheduling import CONTINUOUS, PRESETS, ScheduleKind, schedule_kind


def schedule_of(spec: Spec) -> Any:
    """None where the pipeline runs only when asked to.

    A plain cron text would have no data interval in Airflow 3, so the timetable that has one is named.
    """
    if spec.after is not None:
        return [assets.pipeline(name) for name in spec.after]
    if spec.schedule is None:
        return None
    kind = schedule_kind(spec.schedule)
    if kind is ScheduleKind.CONTINUOUS:
        return CONTINUOUS
    if kind is ScheduleKind.INTERVAL:
        return DeltaDataIntervalTimetable(units.duration(spec.schedule))
    return CronDataIntervalTimetable(PRESETS.get(spec.schedule, spec.schedule), timezone=spec.timezone)


def start_of(spec: Spec) -> datetime | None:
    """The moment before which nothing is scheduled; without an offset it is in the pipeline's time zone.

    A `@continuous` DAG must have one in the past.
    """
    if spec.start is None:
        return datetime(2000, 1, 1, tzinfo=timezone.utc) if spec.schedule == CONTINUOUS else None
    return units.parse_datetime(spec.start, ZoneInfo(spec.timezone))

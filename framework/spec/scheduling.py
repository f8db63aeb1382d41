"""When a pipeline runs, how often a task is tried, and who hears of a failure."""

from __future__ import annotations

import re
from enum import Enum
from typing import Annotated

from pydantic import Field

from framework import units
from framework.spec.shapes import Duration, Model, Name

CONTINUOUS = "@continuous"

PRESETS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@quarterly": "0 0 1 */3 *",
    "@yearly": "0 0 1 1 *",
}
"""Names of cron expressions."""


class ScheduleKind(Enum):
    """The forms of `schedule`."""

    CRON = "cron"
    INTERVAL = "interval"
    CONTINUOUS = "continuous"


def schedule_kind(schedule: str) -> ScheduleKind:
    """The form of a schedule; what is no other form is read as a cron expression."""
    if schedule == CONTINUOUS:
        return ScheduleKind.CONTINUOUS
    return ScheduleKind.INTERVAL if re.match(units.DURATION, schedule) else ScheduleKind.CRON


class Retries(Model):
    """How a task that failed for a passing reason is tried again; each pause is twice the one before."""

    attempts: Annotated[int, Field(ge=0, le=20)] = Field(
        3, description="tries after the first one; 0: a task is tried once", examples=[3, 0]
    )
    delay: Duration = Field("30s", description="the pause before the second try", examples=["30s", "2min"])
    longest: Duration = Field("10min", description="the longest pause between two tries", examples=["10min", "1h"])


class OnFailure(Model):
    """What happens when a run fails."""

    notify: Name = Field(description="who is told: an entry of `notify` in connections.yaml", examples=["ops"])

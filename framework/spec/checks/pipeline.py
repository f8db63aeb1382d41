"""Rules about the pipeline as a whole."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

from framework import units
from framework.diagnostics import closest, did_you_mean
from framework.spec.checks.lookup import times_of_runs
from framework.spec.checks.rules import Finding, Loc, Rule, rule
from framework.spec.models import Spec
from framework.spec.scheduling import CONTINUOUS, PRESETS, ScheduleKind, schedule_kind

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),
)
_PART = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>[1-9]\d?))?", re.ASCII)


@rule("unknown-timezone")
def unknown_timezone(spec: Spec) -> Iterator[Finding]:
    """The time zone must be one that the system's time zone database has."""
    try:
        zoneinfo.ZoneInfo(spec.timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        known = zoneinfo.available_timezones()
        if known:  # a system without the database knows nothing
            nearest = closest(spec.timezone, known) or "Europe/Moscow"
            yield Finding(("timezone",), f"there is no time zone {spec.timezone!r}", f"did you mean {nearest!r}?")


@rule("bad-schedule")
def bad_schedule(spec: Spec) -> Iterator[Finding]:
    """The schedule is a cron expression of five fields, a name of one, an interval, or `@continuous`."""
    if spec.schedule is None or spec.schedule in PRESETS or schedule_kind(spec.schedule) is not ScheduleKind.CRON:
        return
    if spec.schedule.startswith("@"):
        message = f"{spec.schedule!r} is no name of a schedule"
        yield Finding(("schedule",), message, did_you_mean(spec.schedule, (*PRESETS, CONTINUOUS)))
        return
    fields = spec.schedule.split()
    if len(fields) != len(_FIELDS):
        message = f"a cron expression has five fields, and here are {len(fields)}"
        yield Finding(("schedule",), message, 'write minute, hour, day, month, weekday: "*/15 * * * *"')
        return
    for field, (name, low, high, words) in zip(fields, _FIELDS, strict=True):
        if not all(_is_cron(part, low, high, words) for part in field.split(",")):
            yield Finding(("schedule",), f"{field!r} is no {name} of a cron expression", f"use {low} to {high}, or *")


def _is_cron(part: str, low: int, high: int, words: tuple[str, ...]) -> bool:
    match = _PART.fullmatch(part)
    if match is None:
        return False
    values = [_cron_value(text, low, words) for text in (match["first"], match["last"]) if text]
    in_range = all(value is not None and low <= value <= high for value in values)
    return in_range and values == sorted(values, key=lambda value: value or 0)


def _cron_value(text: str, low: int, words: tuple[str, ...]) -> int | None:
    if text.upper() in words:
        return words.index(text.upper()) + low
    return int(text) if re.fullmatch(r"\d{1,2}", text) else None


@rule("empty-interval")
def empty_interval(spec: Spec) -> Iterator[Finding]:
    """An interval is longer than nothing."""
    if spec.schedule is None or schedule_kind(spec.schedule) is not ScheduleKind.INTERVAL:
        return
    try:
        empty = units.duration(spec.schedule).total_seconds() < 1
    except OverflowError:  # `duration-too-long` tells
        return
    if empty:
        yield Finding(("schedule",), f"an interval of {spec.schedule} is too short", "write 1s or more")


@rule("two-schedules")
def two_schedules(spec: Spec) -> Iterator[Finding]:
    """A pipeline runs by the clock, or after others."""
    if spec.schedule is not None and spec.after is not None:
        message = "a pipeline with `after` runs when the others have, not by the clock"
        yield Finding(("schedule",), message, "remove `schedule` or `after`", on_key=True)


@rule("after-itself")
def after_itself(spec: Spec) -> Iterator[Finding]:
    """A pipeline cannot wait for itself."""
    for place, name in enumerate(spec.after or ()):
        if name == spec.pipeline:
            yield Finding(("after", place), f"{name!r} would wait for itself", "name other pipelines")


@rule("useless-catchup")
def useless_catchup(spec: Spec) -> Iterator[Finding]:
    """Missed intervals are those between `start` and now, of a schedule that has intervals."""
    if not spec.catchup:
        return
    if spec.schedule is None or schedule_kind(spec.schedule) is ScheduleKind.CONTINUOUS:
        message = "only a cron expression or an interval as `schedule` can miss something"
        yield Finding(("catchup",), message, "remove `catchup`", on_key=True)
    elif spec.start is None:
        yield Finding(("catchup",), "without `start` there is nothing to catch up with", "add `start: 2026-01-31`")


@rule("bad-date")
def bad_moments(spec: Spec) -> Iterator[Finding]:
    """Moments must be in the calendar."""
    for key, moment in (("now", spec.now), ("start", spec.start)):
        if moment is None:
            continue
        try:
            units.parse_datetime(moment)
        except (ValueError, OverflowError):
            yield Finding((key,), f"{moment!r} is not in the calendar", "write a date such as 2026-01-31")


TAG_LENGTH = 100
NAME_LENGTH = 250
"""Characters of the longest tag and name that Airflow keeps."""

YEARS = (1970, 2200)
LONGEST = timedelta(days=100 * 365)


@rule("long-tag")
def long_tag(spec: Spec) -> Iterator[Finding]:
    """Tags are short."""
    for place, tag in enumerate(spec.tags):
        if len(tag) > TAG_LENGTH:
            yield Finding(("tags", place), f"a tag has at most {TAG_LENGTH} characters", "write a shorter one")


@rule("long-connection-name")
def long_connection_name(spec: Spec) -> Iterator[Finding]:
    """Names of connections and pipelines are short."""
    names: list[tuple[Loc, str]] = [(("source",), spec.source), (("target",), spec.target)]
    names += [(("after", place), name) for place, name in enumerate(spec.after or ())]
    for loc, name in names:
        if len(name) > NAME_LENGTH:
            yield Finding(loc, f"a name has at most {NAME_LENGTH} characters here", "write a shorter one")


@rule("far-start")
def far_start(spec: Spec) -> Iterator[Finding]:
    """The start lies where every scheduler can reckon with it."""
    year = int(spec.start[:4]) if spec.start is not None else YEARS[0]
    if not YEARS[0] <= year <= YEARS[1]:
        yield Finding(("start",), f"a start lies between {YEARS[0]} and {YEARS[1]}", "leave `start` out")


@rule("more-than-a-century")
def more_than_a_century(spec: Spec) -> Iterator[Finding]:
    """Times of runs are less than a century."""
    for loc, text in times_of_runs(spec):
        with suppress(OverflowError):  # `duration-too-long` tells
            if units.duration(text) > LONGEST:
                yield Finding(loc, f"{text} is more than a century", "write a shorter time")


@rule("freshness-order")
def freshness_order(spec: Spec) -> Iterator[Finding]:
    """A warning comes before a failure."""
    fresh = spec.freshness
    if fresh is None or fresh.warn is None or fresh.fail is None:
        return
    try:
        late = units.duration(fresh.warn) > units.duration(fresh.fail)
    except OverflowError:  # `duration-too-long` tells
        return
    if late:
        message = f"warn ({fresh.warn}) is later than fail ({fresh.fail})"
        yield Finding(("freshness", "warn"), message, "make warn the shorter of the two")


RULES: tuple[Rule, ...] = (
    unknown_timezone,
    bad_schedule,
    empty_interval,
    two_schedules,
    after_itself,
    useless_catchup,
    bad_moments,
    long_tag,
    long_connection_name,
    far_start,
    more_than_a_century,
    freshness_order,
)

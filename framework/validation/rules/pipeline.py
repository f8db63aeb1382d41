"""Rules about the pipeline as a whole."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

from framework import units
from framework.diagnostics import closest, did_you_mean
from framework.spec.models import Spec
from framework.spec.scheduling import CONTINUOUS, PRESETS, ScheduleKind, schedule_kind
from framework.validation.rules import cron
from framework.validation.rules.base import WARNING, Finding, Loc, Rule, rule
from framework.validation.rules.lookup import times_of_runs


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
    if len(fields) != len(cron.FIELDS):
        count = "here is one" if len(fields) == 1 else f"here are {len(fields)}"
        preset = closest(f"@{spec.schedule}", PRESETS) if len(fields) == 1 else None
        advice = f"write {preset}" if preset else 'write minute, hour, day, month, weekday: "*/15 * * * *"'
        yield Finding(("schedule",), f"a cron expression has five fields, and {count}", advice)
        return
    for place, field in enumerate(fields):
        if cron.bad_field(field, place):
            name, low, high, _ = cron.FIELDS[place]
            advice = f"use {low} to {high}, ranges such as {low}-{high}, steps such as */2, or *"
            start = _start_of_field(spec.schedule, place)
            yield Finding(("schedule",), f"{field!r} is no {name} of a cron expression", advice, within=(1, start))


def _start_of_field(expression: str, place: int) -> int:
    """The column, from 1, of a field of a cron expression."""
    return [match.start() + 1 for match in re.finditer(r"\S+", expression)][place]


@rule("never-fires")
def never_fires(spec: Spec) -> Iterator[Finding]:
    """A cron expression names days that the calendar has."""
    if spec.schedule is None or schedule_kind(spec.schedule) is not ScheduleKind.CRON:
        return
    expression = PRESETS.get(spec.schedule, spec.schedule)
    if cron.parse(expression) is not None and cron.longest_pause(expression) is None:
        message = f"{spec.schedule!r} never fires: no month has such a day"
        yield Finding(("schedule",), message, "correct the day or the month")


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


@rule("freshness-too-short", WARNING)
def freshness_too_short(spec: Spec) -> Iterator[Finding]:
    """A table may be as old as the schedule makes it."""
    pause, fresh = _pause(spec), spec.freshness
    if pause is None or fresh is None:
        return
    for key in ("warn", "fail"):
        text = getattr(fresh, key)
        try:
            short = text is not None and units.duration(text) < pause
        except OverflowError:  # `duration-too-long` tells
            continue
        if short:
            message = f"{text} is less than the longest pause of the schedule, which is {_shown(pause)}"
            advice = "write a longer time, or run more often"
            yield Finding(("freshness", key), message, advice, related=((("schedule",), "the schedule"),))


def _shown(pause: timedelta) -> str:
    """A time in the units in which specs write it."""
    seconds = pause // timedelta(seconds=1)
    counts = {"d": seconds // 86400, "h": seconds // 3600 % 24, "min": seconds // 60 % 60, "s": seconds % 60}
    return " ".join(f"{count}{unit}" for unit, count in counts.items() if count)


def _pause(spec: Spec) -> timedelta | None:
    """The longest time between two runs of the schedule; None if that is not known."""
    if spec.schedule is None or schedule_kind(spec.schedule) is ScheduleKind.CONTINUOUS:
        return None
    if schedule_kind(spec.schedule) is ScheduleKind.INTERVAL:
        try:
            return units.duration(spec.schedule)
        except OverflowError:
            return None
    return cron.longest_pause(PRESETS.get(spec.schedule, spec.schedule))


@rule("retry-order", WARNING)
def retry_order(spec: Spec) -> Iterator[Finding]:
    """The first pause is the shortest."""
    delay, longest = spec.retries.delay, spec.retries.longest
    try:
        swapped = spec.retries.attempts > 1 and units.duration(delay) > units.duration(longest)
    except OverflowError:  # `duration-too-long` tells
        return
    if swapped:
        key = "delay" if "delay" in spec.retries.model_fields_set else "longest"
        message = f"the first pause ({delay}) is longer than the longest ({longest})"
        yield Finding(("retries", key), message, "make `longest` the longer of the two")


@rule("connection-url")
def connection_url(spec: Spec) -> Iterator[Finding]:
    """A spec names connections; their URLs are elsewhere."""
    for key, example in (("source", "shop_postgres"), ("target", "shop_mysql")):
        if "://" in getattr(spec, key) or getattr(spec, key).startswith("embedded:"):
            message = "the name of a connection is needed here, not its URL"
            advice = (
                f"write a name such as {example}, and its URL in connections.yaml or VITRINA_CONN_{example.upper()}"
            )
            yield Finding((key,), message, advice)


@rule("same-connection")
def same_connection(spec: Spec) -> Iterator[Finding]:
    """Rows go from one database to another."""
    if spec.source == spec.target and (spec.replicate or spec.marts):
        message = f"source and target are both {spec.source!r}"
        related = ((("source",), "the source"),)
        yield Finding(("target",), message, "name the connection of the other database", related=related)


RULES: tuple[Rule, ...] = (
    unknown_timezone,
    bad_schedule,
    never_fires,
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
    freshness_too_short,
    retry_order,
    connection_url,
    same_connection,
)

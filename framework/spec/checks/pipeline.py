"""Rules about the pipeline as a whole."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterator

from framework import units
from framework.diagnostics import closest
from framework.spec.checks.rules import Finding, Rule, rule
from framework.spec.models import Spec

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
    """The schedule is a cron expression of five fields."""
    if spec.schedule is None:
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


@rule("bad-date")
def bad_now(spec: Spec) -> Iterator[Finding]:
    """`now` must be in the calendar."""
    try:
        units.parse_datetime(spec.now)
    except (ValueError, OverflowError):
        yield Finding(("now",), f"{spec.now!r} is not in the calendar", "write a date such as 2026-01-31")


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


RULES: tuple[Rule, ...] = (unknown_timezone, bad_schedule, bad_now, freshness_order)

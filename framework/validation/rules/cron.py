"""When a cron expression fires: the fields as sets of numbers, and the longest pause between two times."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),
)
"""Name, smallest and largest number, and words of each field."""
_PART = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>[1-9]\d?))?", re.ASCII)
_BEGIN, _LENGTH = date(2024, 1, 1), 3000
"""A leap year, and days enough to meet the next one on every day of the week that a pause may span."""


@dataclass(frozen=True)
class Cron:
    """The numbers that each field allows."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool
    """Whether a day needs to suit only one of `days` and `weekdays`, as it does where both are restricted."""

    def longest_pause(self) -> timedelta | None:
        """The longest time between two runs; None if it never fires, or once in many years."""
        days = [day for day in (_BEGIN + timedelta(days=n) for n in range(_LENGTH)) if self._suits(day)]
        if len(days) < 2:
            return None
        times = sorted(hour * 60 + minute for hour in self.hours for minute in self.minutes)
        within = max((later - earlier for earlier, later in pairwise(times)), default=0)
        most_days = max((later - earlier).days for earlier, later in pairwise(days))
        overnight = most_days * 1440 - times[-1] + times[0]
        return timedelta(minutes=max(within, overnight))

    def _suits(self, day: date) -> bool:
        by_day, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        suits = by_day or by_weekday if self.either_day else by_day and by_weekday
        return suits and day.month in self.months


@lru_cache(maxsize=64)
def longest_pause(expression: str) -> timedelta | None:
    """The longest time between two runs; None if it is no expression, or never fires."""
    parsed = parse(expression)
    return parsed.longest_pause() if parsed else None


def bad_field(field: str, place: int) -> bool:
    """Whether a text is no field at that place of an expression."""
    return _numbers(field, place) is None


def parse(expression: str) -> Cron | None:
    """The expression, understood; None if it is none of five fields."""
    fields = expression.split()
    numbers = [_numbers(field, place) for place, field in enumerate(fields)] if len(fields) == len(FIELDS) else [None]
    if any(found is None for found in numbers):
        return None
    minutes, hours, days, months, weekdays = (frozenset(found or ()) for found in numbers)
    either = not fields[2].startswith("*") and not fields[4].startswith("*")
    return Cron(minutes, hours, days, months, frozenset(day % 7 for day in weekdays), either)


def _numbers(field: str, place: int) -> set[int] | None:
    found: set[int] = set()
    for part in field.split(","):
        numbers = _part(part, place)
        if numbers is None:
            return None
        found |= numbers
    return found


def _part(part: str, place: int) -> set[int] | None:
    _, low, high, words = FIELDS[place]
    match = _PART.fullmatch(part)
    if match is None:
        return None
    first = low if match["first"] is None else _value(match["first"], low, words)
    # `5/15` begins at 5 and goes on to the end.
    open_end = high if match["first"] is None or match["step"] else first
    last = open_end if match["last"] is None else _value(match["last"], low, words)
    if first is None or last is None or not low <= first <= last <= high:
        return None
    return set(range(first, last + 1, int(match["step"] or 1)))


def _value(text: str, low: int, words: tuple[str, ...]) -> int | None:
    if text.upper() in words:
        return words.index(text.upper()) + low
    return int(text) if re.fullmatch(r"\d{1,2}", text) else None

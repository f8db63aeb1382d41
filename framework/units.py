"""Amounts written with a unit: ``5%``, ``10min``, ``90d``, ``-2y``, ``now``.

Specs keep them as the text the author wrote; this module gives them their meaning.
"""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta, timezone, tzinfo

PERCENT = r"^\d+(\.\d+)?%$"
DURATION = r"^\d+(\.\d+)?(ms|s|min|h|d|w|y)$"
RELATIVE = r"^[+-]\d+(\.\d+)?(s|min|h|d|w|y)$"
DATE = r"^\d{4}-\d{2}-\d{2}$"
DATETIME = r"^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?([Zz]|[+-]\d{2}:\d{2})?$"

_DURATION = re.compile(r"^([\d.]+)(ms|s|min|h|d|w|y)$")
_SECONDS = {"ms": 0.001, "s": 1, "min": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 365 * 86_400}


def fraction(percent: str) -> float:
    """The share a percentage means: ``5%`` is 0.05."""
    return float(percent.removesuffix("%")) / 100


def duration(text: str) -> timedelta:
    """The time span of ``10min``; a year (``y``) counts 365 days."""
    match = _DURATION.match(text)
    if match is None:
        raise ValueError(f"{text!r} is not a duration")
    return timedelta(seconds=float(match[1]) * _SECONDS[match[2]])


def instant(text: str, now: datetime) -> datetime:
    """The point in time (UTC) that ``now``, ``-2y``, a date or a date-time means; without a zone it is UTC."""
    if text == "now":
        return now
    if text[0] in "+-":
        span = duration(text[1:])
        return now + span if text[0] == "+" else now - span
    return parse_datetime(text)


def parse_datetime(text: str, zone: tzinfo = timezone.utc) -> datetime:
    """Read an ISO 8601 date or date-time as UTC; what says no zone of its own is in ``zone``. Raises ValueError."""
    moment = datetime.fromisoformat(_as_python_310_reads_it(text))
    return (moment.replace(tzinfo=zone) if moment.tzinfo is None else moment).astimezone(timezone.utc)


def parse_time(text: str) -> time:
    """Read an ISO 8601 time of day. Raises ValueError."""
    return time.fromisoformat(_as_python_310_reads_it(text))


def _as_python_310_reads_it(text: str) -> str:
    text = re.sub(r"[Zz]$", "+00:00", text)
    text = re.sub(r"(:\d{2}(?:\.\d+)?[+-]\d{2})$", r"\1:00", text)
    return re.sub(r"\.(\d{1,6})", lambda match: "." + match[1].ljust(6, "0"), text)

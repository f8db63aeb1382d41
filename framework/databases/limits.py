"""What a copy's native types hold: MySQL's limits, which count for every target, so that one spec makes one copy.

MySQL Reference Manual, "Numeric Data Types", "The DATE, DATETIME, and TIMESTAMP Types".
"""

from __future__ import annotations

from framework.types import LogicalType

DIGITS, SCALE = 65, 30
"""Digits of the widest DECIMAL, and how many of them may stand after the point."""

FIRST_DAY, LAST_DAY = "0001-01-01", "9999-12-31"
"""MySQL documents dates from the year 1000; it keeps and gives back those before it as they are."""


def decimal_of(type_: LogicalType) -> tuple[int, int]:
    """Digits and scale of the DECIMAL that a numeric becomes."""
    if type_.precision is None:
        return DIGITS, SCALE
    precision, scale = _plain(type_.precision, type_.scale or 0)
    if scale > SCALE:
        precision, scale = precision - scale + SCALE, SCALE
    return max(min(precision, DIGITS), scale), scale


def holds_all(type_: LogicalType) -> bool:
    """Whether that DECIMAL has all digits which the numeric may have."""
    return type_.precision is not None and decimal_of(type_) == _plain(type_.precision, type_.scale or 0)


def _plain(precision: int, scale: int) -> tuple[int, int]:
    """Digits and scale of the same numbers without a negative scale, and without more places than digits."""
    if scale < 0:
        return precision - scale, 0
    return max(precision, scale), scale

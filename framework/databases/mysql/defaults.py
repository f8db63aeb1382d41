"""PostgreSQL's column defaults in MySQL: those that say the same there. The others are left out."""

from __future__ import annotations

import re

from framework.databases.limits import DIGITS, SCALE, decimal_of
from framework.types import INTEGER_KINDS, TEXT_KINDS, Kind, LogicalType

LONGEST = 1000
"""Characters of the longest text that is carried; the server's dictionary has no room for very long ones."""

_CAST = re.compile(r"::[a-z0-9_\". ]+(?:\(\d+(?:,\s*\d+)?\))?$", re.IGNORECASE)
_NUMBER = re.compile(r"^-?(\d+)(?:\.(\d+))?$")
_TEXT = re.compile(r"^'((?:[^'\\]|'')*)'$")
_MOMENT = re.compile(r"^'(?:\d{4}-\d\d-\d\d)?[ 0-9:.]*'$")
_NOW = frozenset(
    {"now()", "current_timestamp", "transaction_timestamp()", "statement_timestamp()", "clock_timestamp()"}
)
_NUMBERS = INTEGER_KINDS | {Kind.NUMERIC, Kind.REAL, Kind.DOUBLE, Kind.MONEY}
_TEXTS = TEXT_KINDS | {Kind.JSON, Kind.ENUM, Kind.DATE, Kind.TIME, Kind.TIMESTAMP, Kind.UUID}


def default_of(expression: str | None, type_: LogicalType) -> str | None:
    """The expression of MySQL that says the same, None if none is known."""
    if expression is None:
        return None
    bare = expression.strip()
    if bare.lower() in _NOW:
        return "UTC_TIMESTAMP(6)" if type_.kind is Kind.TIMESTAMPTZ else None
    while (cast := _CAST.search(bare)) is not None:
        bare = bare[: cast.start()]
    if type_.kind is Kind.BOOLEAN:
        return {"true": "1", "false": "0"}.get(bare)
    if type_.kind in _NUMBERS:
        return _number(bare.strip("'()"), type_)
    if type_.kind in (Kind.DATE, Kind.TIME, Kind.TIMESTAMP) and not _MOMENT.match(bare):
        return None
    if type_.kind in _TEXTS and (text := _TEXT.match(bare)) is not None and len(text[1]) <= LONGEST:
        padding = " " * ((type_.length or 0) - len(text[1].replace("''", "'"))) if type_.kind is Kind.CHAR else ""
        return f"'{text[1]}{padding}'"
    return None


def _number(text: str, type_: LogicalType) -> str | None:
    """The number, if it is one that the native type holds."""
    found = _NUMBER.match(text)
    if found is None:
        return None
    digits, scale = decimal_of(type_) if type_.kind is Kind.NUMERIC else (DIGITS, SCALE)
    fits = len(found[1].lstrip("0")) <= digits - scale and len(found[2] or "") <= scale
    if type_.kind in (Kind.REAL, Kind.DOUBLE):
        return f"{text}e0"  # of a number without an exponent, -0 would be 0
    return text if fits else None

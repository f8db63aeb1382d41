"""PostgreSQL's column defaults in MySQL: those that say the same there. The others are left out."""

from __future__ import annotations

import re

from framework.types import DOCUMENT_KINDS, INTEGER_KINDS, TEXT_KINDS, Kind, LogicalType

_CAST = re.compile(r"::[a-z_\" ]+(?:\(\d+(?:,\s*\d+)?\))?$", re.IGNORECASE)
_NUMBER = re.compile(r"^\(?-?\d+(?:\.\d+)?\)?$")
_TEXT = re.compile(r"^'((?:[^'\\]|'')*)'$")
_MOMENT = re.compile(r"^'(?:\d{4}-\d\d-\d\d)?[ 0-9:.]*'$")
_NOW = frozenset(
    {"now()", "current_timestamp", "transaction_timestamp()", "statement_timestamp()", "clock_timestamp()"}
)
_NUMBERS = INTEGER_KINDS | {Kind.NUMERIC, Kind.REAL, Kind.DOUBLE, Kind.MONEY}
_TEXTS = TEXT_KINDS | DOCUMENT_KINDS | {Kind.ENUM, Kind.DATE, Kind.TIME, Kind.TIMESTAMP, Kind.UUID}


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
        number = bare.strip("'()")
        return number if _NUMBER.match(number) else None
    if type_.kind in (Kind.DATE, Kind.TIME, Kind.TIMESTAMP) and not _MOMENT.match(bare):
        return None
    if type_.kind in _TEXTS and type_.kind is not Kind.ARRAY and (text := _TEXT.match(bare)) is not None:
        padded = text[1].ljust(type_.length or 0) if type_.kind is Kind.CHAR else text[1]
        return f"'{padded}'"
    return None

"""Logical types: the meeting point of PostgreSQL's types and a target's.

A PostgreSQL type name becomes a `LogicalType` (`parse_type`); each target maps logical types to its own. Between the
two, a value travels as text in its *wire form*, which every target can read without knowing PostgreSQL:

==============  ==================================================
kind            wire form
==============  ==================================================
boolean         ``1`` or ``0``
bytes           lower-case hexadecimal digits
timestamptz     ``YYYY-MM-DD HH:MM:SS[.ffffff]`` in UTC
everything else PostgreSQL's own output text (ISO dates)
==============  ==================================================
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache


class Kind(str, Enum):
    """The families of values that are told apart."""

    BOOLEAN = "boolean"
    SMALLINT = "smallint"
    INTEGER = "integer"
    BIGINT = "bigint"
    NUMERIC = "numeric"
    REAL = "real"
    DOUBLE = "double precision"
    CHAR = "char"
    VARCHAR = "varchar"
    TEXT = "text"
    BYTES = "bytea"
    DATE = "date"
    TIME = "time"
    TIMESTAMP = "timestamp"
    TIMESTAMPTZ = "timestamptz"
    INTERVAL = "interval"
    UUID = "uuid"
    JSON = "json"
    NETWORK = "network address"
    ENUM = "enum"
    ARRAY = "array"
    UNKNOWN = "unknown"
    """A type no target has a home for; replicating it is refused by name."""


INTEGER_KINDS = frozenset({Kind.SMALLINT, Kind.INTEGER, Kind.BIGINT})
TEXT_KINDS = frozenset({Kind.CHAR, Kind.VARCHAR, Kind.TEXT})


@dataclass(frozen=True)
class LogicalType:
    """A type without a dialect.

    Attributes:
        kind: its family.
        name: the PostgreSQL name, as the user knows it: ``numeric(12,2)``.
        length: characters of a char or varchar, None for unlimited.
        precision: digits of a numeric, None for unlimited.
        scale: digits after the point of a numeric.
    """

    kind: Kind
    name: str
    length: int | None = None
    precision: int | None = None
    scale: int | None = None

    def __str__(self) -> str:
        return self.name


_NAMES: dict[str, Kind] = {
    "boolean": Kind.BOOLEAN,
    "bool": Kind.BOOLEAN,
    "smallint": Kind.SMALLINT,
    "int2": Kind.SMALLINT,
    "integer": Kind.INTEGER,
    "int": Kind.INTEGER,
    "int4": Kind.INTEGER,
    "bigint": Kind.BIGINT,
    "int8": Kind.BIGINT,
    "numeric": Kind.NUMERIC,
    "decimal": Kind.NUMERIC,
    "real": Kind.REAL,
    "float4": Kind.REAL,
    "double precision": Kind.DOUBLE,
    "float8": Kind.DOUBLE,
    "float": Kind.DOUBLE,
    "char": Kind.CHAR,
    "character": Kind.CHAR,
    "bpchar": Kind.CHAR,
    "varchar": Kind.VARCHAR,
    "character varying": Kind.VARCHAR,
    "text": Kind.TEXT,
    "bytea": Kind.BYTES,
    "date": Kind.DATE,
    "time": Kind.TIME,
    "time without time zone": Kind.TIME,
    "timestamp": Kind.TIMESTAMP,
    "timestamp without time zone": Kind.TIMESTAMP,
    "timestamptz": Kind.TIMESTAMPTZ,
    "timestamp with time zone": Kind.TIMESTAMPTZ,
    "interval": Kind.INTERVAL,
    "uuid": Kind.UUID,
    "json": Kind.JSON,
    "jsonb": Kind.JSON,
    "inet": Kind.NETWORK,
    "cidr": Kind.NETWORK,
    "macaddr": Kind.NETWORK,
}

_WITH_ARGUMENTS = re.compile(
    r"^(?P<head>[a-z0-9 ]+?)\s*(?:\(\s*(?P<arguments>-?\d+(?:\s*,\s*-?\d+)?)\s*\))?(?P<tail> with(?:out)? time zone)?$"
)


@lru_cache(maxsize=1024)
def parse_type(name: str) -> LogicalType | None:
    """The logical type a PostgreSQL type name means, or None for a name that is not known."""
    text = " ".join(name.lower().split())
    if text.endswith("[]"):
        element = parse_type(text[:-2])
        return None if element is None else LogicalType(Kind.ARRAY, text)
    match = _WITH_ARGUMENTS.match(text)
    if match is None:
        return None
    kind = _NAMES.get(match["head"] + (match["tail"] or ""))
    if kind is None:
        return None
    arguments = tuple(int(part) for part in match["arguments"].split(",")) if match["arguments"] else ()
    return _with_arguments(kind, text, arguments)


def _with_arguments(kind: Kind, name: str, arguments: tuple[int, ...]) -> LogicalType | None:
    if kind is Kind.NUMERIC:
        if not arguments:
            return LogicalType(kind, name)
        precision, scale = arguments[0], arguments[1] if len(arguments) > 1 else 0
        return LogicalType(kind, name, precision=precision, scale=scale) if 1 <= precision <= 1000 else None
    if kind in (Kind.CHAR, Kind.VARCHAR):
        if len(arguments) > 1 or (arguments and arguments[0] < 1):
            return None
        default = 1 if kind is Kind.CHAR and not name.startswith("bpchar") else None
        return LogicalType(kind, name, length=arguments[0] if arguments else default)
    if kind in (Kind.TIME, Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.INTERVAL):
        return LogicalType(kind, name) if len(arguments) <= 1 else None
    return None if arguments else LogicalType(kind, name)


def varchar(length: int) -> LogicalType:
    """A text of at most ``length`` characters."""
    return LogicalType(Kind.VARCHAR, f"varchar({length})", length=length)


def type_names() -> tuple[str, ...]:
    """Every type name `parse_type` knows, for suggestions."""
    return tuple(sorted(_NAMES))

"""Logical types: the meeting point of PostgreSQL's types and a target's.

A PostgreSQL type name becomes a `LogicalType` (`parse_type`); each target maps logical types to its own. Between the
two, a value travels as text in its *wire form*, which every target can read without knowing PostgreSQL:

==================  ==================================================
kind                wire form
==================  ==================================================
boolean             ``1`` or ``0``
bytes               lower-case hexadecimal digits
timestamptz         ``YYYY-MM-DD HH:MM:SS[.ffffff]`` in UTC
money               its digits: ``1234.56``
array, composite,   the text of a JSON document
hstore
everything else     PostgreSQL's own output text (ISO dates)
==================  ==================================================
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
    TIMETZ = "timetz"
    TIMESTAMP = "timestamp"
    TIMESTAMPTZ = "timestamptz"
    INTERVAL = "interval"
    UUID = "uuid"
    JSON = "json"
    MONEY = "money"
    NUMBER = "object number"
    """Numbers of PostgreSQL's own objects, which have no arithmetic: oid, xid."""
    NETWORK = "network address"
    ENUM = "enum"
    ARRAY = "array"
    COMPOSITE = "composite"
    DICTIONARY = "hstore"
    TEXTUAL = "text form"
    """Types that no target knows, and whose text says all: ranges, bit strings, shapes, tsvector..."""
    UNKNOWN = "unknown"
    """A type no target has a home for; replicating it is refused by name."""


INTEGER_KINDS = frozenset({Kind.SMALLINT, Kind.INTEGER, Kind.BIGINT})
TEXT_KINDS = frozenset({Kind.CHAR, Kind.VARCHAR, Kind.TEXT})
DOCUMENT_KINDS = frozenset({Kind.JSON, Kind.ARRAY, Kind.COMPOSITE, Kind.DICTIONARY})
"""Kinds that travel as JSON."""
PLAIN_KINDS = INTEGER_KINDS | {
    *(Kind.NUMERIC, Kind.REAL, Kind.DOUBLE, Kind.BOOLEAN, Kind.UUID),
    *(Kind.DATE, Kind.TIME, Kind.TIMESTAMP, Kind.TIMESTAMPTZ),
}
"""Kinds whose wire form is never empty, and needs no quotes in CSV."""
LENGTHY_KINDS = TEXT_KINDS | DOCUMENT_KINDS | {Kind.TEXTUAL, Kind.BYTES}
"""Kinds of whose values some may be too long for a key."""


@dataclass(frozen=True)
class LogicalType:
    """A type without a dialect.

    Attributes:
        kind: its family.
        name: the PostgreSQL name, as the user knows it: ``numeric(12,2)``.
        length: characters of a char or varchar, or of the longest text form; None for unlimited.
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
    "macaddr8": Kind.NETWORK,
    "timetz": Kind.TIMETZ,
    "time with time zone": Kind.TIMETZ,
    "money": Kind.MONEY,
    "oid": Kind.NUMBER,
    "xid": Kind.NUMBER,
    "cid": Kind.NUMBER,
    "xid8": Kind.NUMBER,
    "citext": Kind.TEXT,
    "hstore": Kind.DICTIONARY,
}

# By name, the characters of the longest text; None where there is no limit.
_TEXTUAL: dict[str, int | None] = {
    "bit": None,
    "bit varying": None,
    "varbit": None,
    "xml": None,
    "tsvector": None,
    "tsquery": None,
    "jsonpath": None,
    "point": 128,
    "line": 128,
    "lseg": 128,
    "box": 128,
    "circle": 128,
    "path": None,
    "polygon": None,
    "int4range": 128,
    "int8range": 128,
    "numrange": None,
    "daterange": 128,
    "tsrange": 128,
    "tstzrange": 128,
    "int4multirange": None,
    "int8multirange": None,
    "nummultirange": None,
    "datemultirange": None,
    "tsmultirange": None,
    "tstzmultirange": None,
    "pg_lsn": 32,
    "tid": 32,
    "pg_snapshot": None,
    "txid_snapshot": None,
    "refcursor": None,
    "aclitem": None,
    "int2vector": None,
    "oidvector": None,
    "gtsvector": None,
    "regclass": None,
    "regcollation": None,
    "regconfig": None,
    "regdictionary": None,
    "regnamespace": None,
    "regoper": None,
    "regoperator": None,
    "regproc": None,
    "regprocedure": None,
    "regrole": None,
    "regtype": None,
    "ltree": None,
    "lquery": None,
    "ltxtquery": None,
    "cube": None,
    "seg": 128,
    "ean13": 32,
    "isbn": 32,
    "isbn13": 32,
    "ismn": 32,
    "ismn13": 32,
    "issn": 32,
    "issn13": 32,
    "upc": 32,
}

_INTERVAL = re.compile(r"^interval(?: (?:year|month|day|hour|minute|second|to))*(?: ?\(\d\))?$")
_NAMED = {"enum": Kind.ENUM, "composite": Kind.COMPOSITE, "range": Kind.TEXTUAL, "extension": Kind.UNKNOWN}
"""How a spec declares types that somebody made: ``enum mood``."""

NAME_LENGTH = 63
"""Characters of PostgreSQL's longest name; of the longest label of an enum, too."""

_WITH_ARGUMENTS = re.compile(
    r"^(?P<head>[a-z0-9_ ]+?)\s*(?:\(\s*(?P<arguments>-?\d+(?:\s*,\s*-?\d+)?)\s*\))?(?P<tail> with(?:out)? time zone)?$"
)


@lru_cache(maxsize=1024)
def parse_type(name: str) -> LogicalType | None:
    """The logical type a PostgreSQL type name means, or None for a name that is not known.

    Types that somebody made are named by what they are: ``enum mood``, ``composite address``, ``range prices``,
    ``extension geometry``.
    """
    written = " ".join(name.split())
    if written.endswith("[]"):
        element = parse_type(written[:-2])
        return None if element is None else LogicalType(Kind.ARRAY, f"{element.name}[]")
    text = written.lower()
    if text in ('"char"', "name"):
        return LogicalType(Kind.VARCHAR, text, length=NAME_LENGTH)
    family, _, own = text.partition(" ")
    if own and family in _NAMED:
        return LogicalType(_NAMED[family], family + written[len(family) :])
    if _INTERVAL.match(text):
        return LogicalType(Kind.INTERVAL, text)
    match = _WITH_ARGUMENTS.match(text)
    if match is None:
        return None
    head = match["head"] + (match["tail"] or "")
    arguments = tuple(int(part) for part in match["arguments"].split(",")) if match["arguments"] else ()
    if head in _TEXTUAL:
        return _textual(head, text, arguments)
    kind = _NAMES.get(head)
    return None if kind is None else _with_arguments(kind, text, arguments)


def _textual(head: str, name: str, arguments: tuple[int, ...]) -> LogicalType | None:
    if head in ("bit", "varbit", "bit varying"):
        if len(arguments) > 1 or (arguments and arguments[0] < 1):
            return None
        default = 1 if head == "bit" else None
        return LogicalType(Kind.TEXTUAL, name, length=arguments[0] if arguments else default)
    return None if arguments else LogicalType(Kind.TEXTUAL, name, length=_TEXTUAL[head])


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
    if kind in (Kind.TIME, Kind.TIMETZ, Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.INTERVAL):
        return LogicalType(kind, name) if len(arguments) <= 1 else None
    if name == "xid8":
        return LogicalType(kind, name, precision=20, scale=0)
    return None if arguments else LogicalType(kind, name)


def declaration(type_: LogicalType) -> str:
    """The name by which a spec declares a type that was found in a database."""
    if parse_type(type_.name) is not None:
        return type_.name
    if type_.kind is Kind.ARRAY:
        return f"extension {type_.name}"
    if type_.kind in (Kind.DICTIONARY, Kind.TEXT):
        return "hstore" if type_.kind is Kind.DICTIONARY else "citext"
    return next((f"{family} {type_.name}" for family, kind in _NAMED.items() if kind is type_.kind), type_.name)


def textual(name: str, length: int | None = None) -> LogicalType:
    """A type whose values travel as PostgreSQL's text of them."""
    return LogicalType(Kind.TEXTUAL, name, length=length)


def varchar(length: int) -> LogicalType:
    """A text of at most ``length`` characters."""
    return LogicalType(Kind.VARCHAR, f"varchar({length})", length=length)


def type_names() -> tuple[str, ...]:
    """Every type name `parse_type` knows, for suggestions."""
    return tuple(sorted((*_NAMES, *_TEXTUAL, "name")))

"""Names and texts as PostgreSQL writes them."""

from __future__ import annotations

import re

from framework.types import LogicalType

_DECLARED = re.compile(r"(?:enum|composite|range|extension) (?P<name>.+?)(?P<array>(?:\[\])*)")
_PART = r"(?:\"(?:[^\"]|\"\")+\"|[^\W\d][\w$]*)"
_NAME = re.compile(rf"{_PART}(?:\.{_PART})?")


def quote(identifier: str) -> str:
    """The identifier as PostgreSQL quotes it."""
    return '"' + identifier.replace('"', '""') + '"'


def qualified(schema: str | None, table: str) -> str:
    """A table's quoted name with its schema."""
    return f"{quote(schema or 'public')}.{quote(table)}"


def type_name(type_: LogicalType) -> str:
    """A type as statements name it: what a spec declares as ``enum mood`` is called ``mood``."""
    found = _DECLARED.fullmatch(type_.name)
    if found is None:
        return type_.name
    return (found["name"] if _NAME.fullmatch(found["name"]) else quote(found["name"])) + found["array"]


def literal(text: str) -> str:
    """A text as a literal, for statements that take no bound values (COPY, DECLARE CURSOR)."""
    return "'" + text.replace("'", "''") + "'"

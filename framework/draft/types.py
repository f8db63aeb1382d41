"""Types of columns as a spec declares them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from framework.draft.survey import Attribute, TypeSeen
from framework.types import Kind, LogicalType, parse_type

_FAMILIES = {"e": "enum", "c": "composite", "r": "range", "m": "range"}
_SHORT = (
    (re.compile(r"^character varying"), "varchar"),
    (re.compile(r"^character(?=\()"), "char"),
    (re.compile(r"^bit varying"), "varbit"),
    (re.compile(r"^(time|timestamp)(\(\d\))? without time zone"), r"\1\2"),
    (re.compile(r"^(time|timestamp)(\(\d\))? with time zone"), r"\1tz\2"),
)


@dataclass(frozen=True)
class Declared:
    """A column's type.

    Attributes:
        text: as a spec writes it, and ``type`` what that means.
        domain: the domain that it was declared by; else empty.
        extension: the extension that brought it; else empty.
        labels: of an enum.
    """

    text: str
    type: LogicalType
    domain: str = ""
    extension: str = ""
    labels: tuple[str, ...] = ()


def declared(column: Attribute, types: Mapping[int, TypeSeen]) -> Declared:
    """The type of a column. Domains are declared by what they are based on, however many are between."""
    number, shown = column.type_id, column.shown
    domain = ""
    while types[number].kind == "d":
        seen = types[number]
        domain = domain or seen.name
        number, shown = seen.base, seen.base_shown or seen.name
    text = _text(number, shown, types)
    seen = types[number]
    return Declared(
        text=text,
        type=parse_type(text) or LogicalType(Kind.UNKNOWN, text),
        domain=domain,
        extension=(types[seen.element] if seen.element else seen).extension or "",
        labels=seen.labels,
    )


def _text(number: int, shown: str, types: Mapping[int, TypeSeen]) -> str:
    seen = types[number]
    if seen.kind == "d":
        return _text(seen.base, seen.base_shown or seen.name, types)
    if seen.element:
        return _text(seen.element, shown.removesuffix("[]"), types) + "[]"
    short = shown
    for pattern, replacement in _SHORT:
        short = pattern.sub(replacement, short)
    if parse_type(short) is not None:
        return short
    if seen.kind in _FAMILIES:
        return f"{_FAMILIES[seen.kind]} {shown}"
    # Types of extensions are known by their bare names, in whatever schema they live.
    return seen.bare_name if parse_type(seen.bare_name) is not None else f"extension {shown}"

"""Values of PostgreSQL's types as Hypothesis draws them, each as the text that PostgreSQL reads."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from tests.fidelity.values.shapes import LABELS


@dataclass(frozen=True)
class Drawn:
    """A type whose values are drawn.

    Attributes:
        read: PostgreSQL's expression that makes a value of the bound one.
    """

    type: str
    form: str
    values: st.SearchStrategy[Any]
    read: str = "%s"


CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
TEXT = st.text(CHARACTERS, max_size=40)
WORD = st.text(CHARACTERS, min_size=1, max_size=8)
JSON_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


def digits(before: int, after: int) -> st.SearchStrategy[str]:
    """Numbers with so many digits before and after the point."""
    numbers = st.integers(-(10 ** (before + after)) + 1, 10 ** (before + after) - 1)
    return st.builds(_number, numbers, st.integers(0, after), st.just(before))


def _number(value: int, scale: int, before: int) -> str:
    sign = "-" if value < 0 else ""
    text = str(abs(value))[: before + scale].rjust(scale + 1, "0")
    return f"{sign}{text[:-scale]}.{text[-scale:]}" if scale else sign + text


def documents() -> st.SearchStrategy[str]:
    """Texts of JSON, nested, with keys in any order and white space of any kind."""
    leaves = (
        st.none() | st.booleans() | st.integers(-(10**25), 10**25) | st.floats(allow_nan=False, allow_infinity=False)
    )
    nested = st.recursive(
        leaves | JSON_TEXT,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(JSON_TEXT, inner, max_size=4),
        max_leaves=8,
    )
    return st.builds(json.dumps, nested, ensure_ascii=st.booleans(), indent=st.none() | st.integers(0, 2))


def _interval(months: int, days: int, microseconds: int) -> str:
    return f"{months} mons {days} days {microseconds} microseconds"


def _matrix(rows: list[list[Any]]) -> list[list[Any]]:
    """Of rows of one length, as PostgreSQL's arrays are."""
    width = min(map(len, rows))
    return [row[:width] for row in rows]


def arrays(elements: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Arrays of one and of two dimensions, with NULLs."""
    cells = st.none() | elements
    rows = st.lists(st.lists(cells, min_size=1, max_size=3), min_size=1, max_size=3)
    return st.lists(cells, max_size=5) | rows.map(_matrix)


def _range(pair: tuple[int, int], bounds: str) -> str:
    return f"{bounds[0]}{min(pair)},{max(pair)}{bounds[1]}"


INTS = st.integers(-(2**31), 2**31 - 1)
MOMENTS = st.datetimes().map(str)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
CLOCK = st.times().map(str) | st.just("24:00:00")

GROUPS: dict[str, tuple[Drawn, ...]] = {
    "texts": (
        Drawn("text", "text", TEXT),
        Drawn("varchar(20)", "text", st.text(CHARACTERS, max_size=20)),
        Drawn("char(6)", "text", st.text(CHARACTERS, max_size=6)),
        Drawn("bytea", "bytes", st.binary(max_size=60)),
        Drawn("name", "text", st.text(CHARACTERS, max_size=15)),
        Drawn("text", "text", st.text('",\n\r\\NUL\t', max_size=30)),
    ),
    "numbers": (
        Drawn("bigint", "integer", st.integers(-(2**63), 2**63 - 1)),
        Drawn("numeric", "decimal", digits(35, 30)),
        Drawn("numeric(30,10)", "decimal", digits(20, 10)),
        Drawn("double precision", "float", FLOATS.map(repr)),
        Drawn("real", "float", st.floats(allow_nan=False, allow_infinity=False, width=32).map(repr)),
        Drawn(
            "money",
            "money",
            st.integers(-(2**63), 2**63 - 1).map(lambda cents: str(Decimal(cents) / 100)),
            "%s::numeric::money",
        ),
        Drawn("boolean", "boolean", st.booleans()),
    ),
    "moments": (
        Drawn("date", "date", st.dates().map(str)),
        Drawn("time", "time", CLOCK),
        Drawn("timetz", "text", st.builds("{}{:+03}:{:02}".format, CLOCK, st.integers(-15, 15), st.integers(0, 59))),
        Drawn("timestamp", "moment", MOMENTS),
        Drawn("timestamptz", "moment", MOMENTS, "%s::timestamp AT TIME ZONE 'UTC'"),
        Drawn("interval", "text", st.builds(_interval, INTS, INTS, st.integers(-(2**62), 2**62))),
    ),
    "documents": (
        Drawn("json", "text", documents()),
        Drawn("jsonb", "text", documents()),
        Drawn("tsvector", "text", st.lists(WORD, max_size=5), "array_to_tsvector(%s::text[])"),
        Drawn('"Mood: ""good"""', "text", st.sampled_from(LABELS)),
        Drawn("uuid", "text", st.uuids().map(str)),
    ),
    "shapes": (
        Drawn("integer[]", "array", arrays(INTS)),
        Drawn("text[]", "array", arrays(st.text(CHARACTERS, max_size=8))),
        Drawn("numeric[]", "array", arrays(digits(20, 20))),
        Drawn("double precision[]", "array", arrays(FLOATS.map(repr))),
        Drawn("place", "composite", st.tuples(st.none() | INTS, st.none() | INTS), "%s::place"),
        Drawn("int8range", "text", st.builds(_range, st.tuples(INTS, INTS), st.sampled_from(["[]", "[)", "(]", "()"]))),
        Drawn("inet", "text", st.ip_addresses().map(str)),
        Drawn("varbit", "text", st.text("01", max_size=80)),
        Drawn("point", "text", st.builds("({!r},{!r})".format, FLOATS, FLOATS)),
    ),
}

"""The table of types, docs/types.md: what every type of PostgreSQL becomes in each target, and why.

Native types come from the adapters, so that the page cannot say anything else than what they do.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from framework.databases.duckdb.dialect import DuckDBDialect
from framework.databases.mysql.dialect import MySQLDialect
from framework.databases.postgres.ranges import is_limited
from framework.types import DOCUMENT_KINDS, Kind, LogicalType, parse_type, type_names

INTRODUCTION = """\
# Types

What every type of PostgreSQL becomes in the copy. This page is generated from the adapters
(`python -m framework.databases.type_table`), and the tests carry every type's limits to each target and back.

- **exact**: the target's own type holds all values.
- **limited**: the target's own type holds all values but some, which are never altered in silence: the load is refused,
  and names table, column, values and their keys, or the spec says what becomes of them with `out_of_range`
  ([spec.md](spec.md)).
- **text**: the target has no such type; the copy has PostgreSQL's own text of the value, which says all of it.
- **JSON**: the copy has the text of a JSON document. It is kept as text, since MySQL's JSON type rounds large numbers,
  drops the zero of `1.10` and sorts keys; MySQL's JSON functions read text, too.

"""

HEAD = "| PostgreSQL | MySQL, MariaDB | DuckDB | form | remarks |\n|---|---|---|---|---|\n"

FURTHER = (
    *("numeric(12,2)", "numeric(3,5)", "numeric(4,-2)", "numeric(70,35)", "varchar(200)", "varchar(20000)", "char(8)"),
    *("bit(8)", "varbit(8)", "integer[]", "enum mood", "composite address", "range prices"),
)
"""Types with arguments, and types that somebody made, beside the names that are known by themselves."""

NOTES = {
    Kind.BOOLEAN: "1 and 0",
    Kind.REAL: "MySQL's FLOAT would show other digits; no NaN, no infinity (DuckDB has them)",
    Kind.DOUBLE: "no NaN, no infinity (DuckDB has them); MariaDB stores -0 as 0",
    Kind.MONEY: "its amount; of currencies with more than two decimals the load is refused",
    Kind.NUMBER: "the number",
    Kind.CHAR: "padded with spaces, as PostgreSQL shows it; MySQL's CHAR would drop them",
    Kind.DATE: "years 1 to 9999; no infinity",
    Kind.TIME: "24:00:00 included",
    Kind.TIMETZ: "with its offset",
    Kind.TIMESTAMP: "years 1 to 9999; no infinity",
    Kind.TIMESTAMPTZ: "in UTC; years 1 to 9999; no infinity. MySQL's TIMESTAMP would end in 2038",
    Kind.INTERVAL: "in PostgreSQL's style: months and days have no length of their own",
    Kind.JSON: "exactly the source's text",
    Kind.ARRAY: "of any type and depth; where bounds do not begin at 1, or JSON cannot tell values apart, it is "
    "PostgreSQL's text, as a JSON string",
    Kind.COMPOSITE: "an object; what JSON cannot tell apart is PostgreSQL's text, as a JSON string",
    Kind.DICTIONARY: "an object of texts",
    Kind.ENUM: "its label; the order of labels is the source's",
    Kind.NUMERIC: "no NaN",
    Kind.UUID: "36 characters",
    Kind.NETWORK: "with its mask, where it has one",
    Kind.TEXTUAL: "MySQL has no ranges, bit strings of any length, search vectors, nor shapes as exact as these",
}

TAIL = """
A **domain** is its base type, however many domains are between. A type of an extension that is not in the table is
refused by name, unless the column says `out_of_range: text`: then the copy has PostgreSQL's text of it.

## Texts

Texts compare by their bytes, without padding, as in PostgreSQL's C collation: `'a'`, `'A'`, `'á'` and `'a '` are four
keys (`utf8mb4_0900_bin`, in MariaDB `utf8mb4_nopad_bin`). That counts for `citext`, too, which PostgreSQL compares
without case. Texts of up to 16,383 characters are VARCHAR, others LONGTEXT; where a row would be longer than 65,535
bytes, the widest VARCHARs become LONGTEXT, and a notice says so.

## Keys

A primary key, a unique index or a foreign key holds whole values: its texts are VARCHAR(768), and share that length if
they are several; `bytea` is VARBINARY(3072). A value that is longer is refused by name. Other indexes hold the
beginnings of long values.

## What becomes of values out of range

| `out_of_range` | the value | the column |
|---|---|---|
| `reject` (the default) | the load is refused; the copy stays as it was | native |
| `null` | NULL, counted and told | native, may be NULL |
| `clamp` | the nearest value of the target, counted and told; NaN has none and is refused | native |
| `text` (of a column) | as it is | PostgreSQL's text: `infinity`, `0044-03-15 BC`, `NaN`; timestamptz in UTC |

MySQL documents dates from the year 1000 on; it keeps and gives back those of the years 1 to 999 exactly as well, and
the tests see to it that it does. The limits are MySQL's in every target, so that a spec makes the same copy everywhere;
with `reject`, DuckDB takes the few values more that it has room for.
"""


def rows() -> Iterator[str]:
    """The lines of the table, types of one form together."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for name in (*FURTHER, *type_names()):
        type_ = parse_type(name)
        assert type_ is not None
        groups.setdefault(_cells(type_), []).append(name)
    for cells, names in sorted(groups.items(), key=lambda group: _place(group[1][0])):
        yield f"| {', '.join(f'`{name}`' for name in names)} | {' | '.join(cells)} |\n"


def page() -> str:
    """The whole page."""
    return INTRODUCTION + HEAD + "".join(rows()) + TAIL


def _cells(type_: LogicalType) -> tuple[str, ...]:
    mysql = str(MySQLDialect().column_type(type_, indexed=False)).replace(" CHARACTER SET ascii COLLATE ascii_bin", "")
    duckdb = str(DuckDBDialect().column_type(type_, indexed=False))
    note = NOTES.get(type_.kind, "")
    if type_.kind is Kind.NUMERIC and type_.precision in (None, 70):
        note = "never rounded; what has more digits is out of range; no NaN, no infinity"
    return f"`{mysql}`", f"`{duckdb}`", _form(type_), note


def _form(type_: LogicalType) -> str:
    if type_.kind in DOCUMENT_KINDS:
        return "JSON"
    if type_.kind in (Kind.TEXTUAL, Kind.INTERVAL, Kind.TIMETZ, Kind.NETWORK, Kind.ENUM, Kind.UUID):
        return "text"
    return "limited" if is_limited(type_) else "exact"


def _place(name: str) -> int:
    """Kinds in the order of `Kind`."""
    type_ = parse_type(name)
    assert type_ is not None
    return list(Kind).index(type_.kind)


if __name__ == "__main__":
    sys.stdout.write(page())

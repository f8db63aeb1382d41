"""Canonical forms: the text that a value of the source and its copy share if they are the same, and only then.

Each target says which form its native types have (`Canonical.form`); PostgreSQL and the target both write it, each in
its own SQL. A row is the forms of its columns one after the other, so that two rows share a text only if they are the
same in all columns:

=========  ===========================================================================================================
form       text; NULL differs from all of them
=========  ===========================================================================================================
plain      the wire form, which holds no comma, and a comma; of NULL the comma alone
decimal    the same, of a number rounded to the places that the target has
double     the sixteen hexadecimal digits of the number's IEEE 754 form, and a comma
text       how many bytes it has (UTF-8), a colon, and itself, or, if it is `LONG`, its digest; of NULL the colon alone
bytes      the same; itself in hexadecimal digits
=========  ===========================================================================================================

Plain forms are those of native numbers and moments. What the target keeps as a text, or as bytes, may have become
any text, and so its length is told.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import Enum
from typing import Protocol

from framework.types import LogicalType

LONG = 1024
"""Bytes above which a text's or a blob's SHA-256 stands for it: no row is longer than a server's statements may be."""

DIGITS = 14
"""Hexadecimal digits of a row's SHA-256 that make its number: seven bytes, which every database can add up."""

NUMBERS = 1 << (4 * DIGITS)
"""How many different numbers rows can have."""


class Form(Enum):
    """How a value is written."""

    PLAIN = "plain"
    DECIMAL = "decimal"
    DOUBLE = "double"
    DOUBLE_WITHOUT_SIGN = "double, where -0 is 0"
    TEXT = "text"
    BYTES = "bytes"


class Canonical(Protocol):
    """How a target writes canonical forms. Expressions are SQL; column names in them are quoted already."""

    def form(self, type_: LogicalType) -> Form:
        """The form of values that the target keeps for ``type_``."""

    def text(self, expression: str, type_: LogicalType) -> str:
        """The canonical text of a value."""

    def row(self, columns: Sequence[tuple[str, LogicalType]], filled: Collection[str] = ()) -> str:
        """The canonical text of values side by side; ``filled``: expressions that are hardly ever NULL, to be quick."""

    def number(self, text: str) -> str:
        """An integer from 0 to `NUMBERS`, made of the SHA-256 of a text."""

    def keyed(self, table: str) -> str:
        """The quoted table, as FROM names it where rows are to be found by its primary key."""

    def leading(self, expression: str) -> str:
        """The first 48 bits of a UUID, as an integer."""

    def joined(self, text: str) -> str | None:
        """An aggregate: the texts of all rows as they come; None where they do not come in their key's order."""

    def bits(self, expression: str, low: int, width: int) -> str:
        """An aggregate: an integer with a bit for each place that integers have in a group of ``width``, 62 at most.

        Groups begin at ``low``; no integer is below it.
        """

    def listed(self, name: str, value: str) -> str:
        """An aggregate: of integers, ``name:value`` with commas, in the order of the names, as text."""

    def shown(self, expression: str, type_: LogicalType) -> str:
        """A value as people read it, as text; NULL stays NULL."""

    def bucket(self, expression: str, low: int, width: int) -> str:
        """How many times ``width`` fits between ``low`` and an integer that is not below it."""


def integer(value: int) -> str:
    """A literal of 64 bits, in brackets where it needs them; the smallest one's digits alone are too large a number."""
    if value == -(1 << 63):
        return f"({value + 1} - 1)"
    return f"({value})" if value < 0 else str(value)

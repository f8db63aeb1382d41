"""How PostgreSQL writes canonical forms (see `framework.databases.canonical`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence

from framework.databases.canonical import DIGITS, LONG, Form, integer
from framework.databases.limits import decimal_of
from framework.databases.postgres.wire import wire
from framework.types import Kind, LogicalType

ARGUMENTS = 90
"""Arguments of one call: PostgreSQL's functions take a hundred at most."""

_MONEY_SCALE = 2
_SHORT = LONG // 4
"""Characters of a text that is never long, whatever they are."""

_COLUMN = re.compile(r'"(?:[^"]|"")+"')
"""An expression that may stand more than once: it costs nothing, and is the same each time."""

# Evaluated once: without OFFSET, PostgreSQL would put the expression into each of the places.
_ONCE = "(SELECT {0} FROM (SELECT {1} AS w OFFSET 0) AS q)"
_AS_TEXT = "CASE WHEN w IS NOT NULL THEN format('%s', w) END"


class PostgresCanonical:
    """Implements `framework.databases.canonical.Canonical`, in the forms of the target that is compared with.

    A text's bytes are those that `textsend` gives: UTF-8, as the session's client encoding is, whatever the server's.

    Args:
        form: the target's.
    """

    def __init__(self, form: Callable[[LogicalType], Form]) -> None:
        self.form = form

    def text(self, expression: str, type_: LogicalType) -> str:
        """The canonical text of a value."""
        return f"concat({', '.join(self._parts(expression, type_))})"

    def row(self, columns: Sequence[tuple[str, LogicalType]], filled: Collection[str] = ()) -> str:  # noqa: ARG002
        """The canonical text of values side by side; NULL costs nothing here."""
        parts = [part for expression, type_ in columns for part in self._parts(expression, type_)]
        groups = (parts[start : start + ARGUMENTS] for start in range(0, len(parts), ARGUMENTS))
        return " || ".join(f"concat({', '.join(group)})" for group in groups)

    def number(self, text: str) -> str:
        """An integer made of the SHA-256 of a text."""
        first = f"substr(sha256(textsend({text})), 1, {DIGITS // 2})"
        return f"('x' || encode({first}, 'hex'))::bit({4 * DIGITS})::bigint"

    def keyed(self, table: str) -> str:
        """The table as it is: nothing is to be said."""
        return table

    def leading(self, expression: str) -> str:
        """The first 48 bits of a UUID, as an integer."""
        return f"('x' || left(replace(({expression})::text, '-', ''), 12))::bit(48)::bigint"

    def joined(self, text: str) -> str:
        """The texts of all rows as they come."""
        return f"string_agg({text}, '')"

    def bits(self, expression: str, low: int, width: int) -> str:
        """An aggregate: an integer with a bit for each place that integers have in a group of ``width``."""
        return f"bit_or(1::bigint << ((({expression})::bigint - {integer(low)}) % {width})::integer)"

    def listed(self, name: str, value: str) -> str:
        """An aggregate: ``name:value`` with commas, in the order of the names."""
        return f"string_agg({name} || ':' || {value}, ',' ORDER BY {name})"

    def shown(self, expression: str, type_: LogicalType) -> str:
        """A value as people read it."""
        return _ONCE.format(_AS_TEXT, wire(expression, type_))

    def bucket(self, expression: str, low: int, width: int) -> str:
        """How many times ``width`` fits between ``low`` and an integer."""
        return f"(({expression})::bigint - {integer(low)}) / {width}"

    def _parts(self, expression: str, type_: LogicalType) -> list[str]:
        """What `concat` makes the canonical text of; it takes NULL for an empty text, and values by their output."""
        form = self.form(type_)
        if form is Form.TEXT:
            return _text(expression, type_)
        if form is Form.BYTES:
            return _bytes(expression)
        return [_number(expression, type_, form), "','"]


def _number(expression: str, type_: LogicalType, form: Form) -> str:
    if form is Form.DECIMAL:
        scale = _MONEY_SCALE if type_.kind is Kind.MONEY else decimal_of(type_)[1]
        return f"round({wire(expression, type_)}, {scale})"
    if form is Form.PLAIN:
        return wire(expression, type_)
    # A real travels as its shortest text, and is what that text is as a double.
    double = f"(({expression})::text)::float8" if type_.kind is Kind.REAL else f"({expression})::float8"
    without_sign = " + 0::float8" if form is Form.DOUBLE_WITHOUT_SIGN else ""
    return f"upper(encode(float8send({double}{without_sign}), 'hex'))"


def _text(expression: str, type_: LogicalType) -> list[str]:
    if type_.kind in (Kind.TEXT, Kind.VARCHAR) and _COLUMN.fullmatch(expression):
        never_long = type_.length is not None and type_.length <= _SHORT
        return [_length(expression), "':'", expression if never_long else _shortened(expression)]
    told = f"concat({_length('v')}, ':', {_shortened('v')})"
    return [f"(SELECT {told} FROM (SELECT {_ONCE.format(_AS_TEXT, wire(expression, type_))} AS v OFFSET 0) AS p)"]


def _length(text: str) -> str:
    return f"octet_length(textsend({text}))"


def _shortened(text: str) -> str:
    return f"CASE WHEN {_length(text)} > {LONG} THEN {_digest(text)} ELSE {text} END"


def _bytes(expression: str) -> list[str]:
    told = (
        f"concat(octet_length(w), ':', CASE WHEN octet_length(w) > {LONG} THEN encode(sha256(w), 'hex') "
        "ELSE encode(w, 'hex') END)"
    )
    return [_ONCE.format(told, expression)]


def _digest(text: str) -> str:
    return f"encode(sha256(textsend({text})), 'hex')"

"""How MySQL and MariaDB write canonical forms (see `framework.databases.canonical`)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import chain

from framework.databases.canonical import DIGITS, LONG, Form, integer
from framework.databases.limits import holds_all
from framework.types import INTEGER_KINDS, TEXT_KINDS, Kind, LogicalType

_WITH_FRACTION = frozenset({Kind.TIME, Kind.TIMESTAMP, Kind.TIMESTAMPTZ})
_PLAIN = INTEGER_KINDS | _WITH_FRACTION | {Kind.BOOLEAN, Kind.NUMBER, Kind.DATE}

_SHORT = LONG // 4
"""Characters of a text that is never long, whatever they are."""


class MySQLCanonical:
    """Implements `framework.databases.canonical.Canonical`.

    Args:
        signed_zero: the server tells 0 and -0 apart.
    """

    def __init__(self, *, signed_zero: bool) -> None:
        self._double = Form.DOUBLE if signed_zero else Form.DOUBLE_WITHOUT_SIGN

    def form(self, type_: LogicalType) -> Form:
        """The form of values of ``type_``."""
        if type_.kind in _PLAIN:
            return Form.PLAIN
        if type_.kind is Kind.NUMERIC:
            return Form.PLAIN if holds_all(type_) else Form.DECIMAL
        if type_.kind is Kind.MONEY:
            return Form.DECIMAL
        if type_.kind in (Kind.REAL, Kind.DOUBLE):
            return self._double
        return Form.BYTES if type_.kind is Kind.BYTES else Form.TEXT

    def text(self, expression: str, type_: LogicalType) -> str:
        """The canonical text of a value."""
        return self._written([(expression, type_)], ())

    def row(self, columns: Sequence[tuple[str, LogicalType]], filled: Collection[str] = ()) -> str:
        """The canonical text of values side by side: without a look whether they are NULL, and with it if one is."""
        careful = self._written(columns, ())
        return f"IFNULL({self._written(columns, filled)}, {careful})" if filled else careful

    def _written(self, columns: Sequence[tuple[str, LogicalType]], filled: Collection[str]) -> str:
        """The text; NULL if a value of those that are ``filled`` is."""
        told = (self._parts(expression, type_, filled=expression in filled) for expression, type_ in columns)
        return f"CONCAT({', '.join(chain.from_iterable(told))})"

    def number(self, text: str) -> str:
        """An integer made of the SHA-256 of a text."""
        return f"CAST(CONV(LEFT(SHA2({text}, 256), {DIGITS}), 16, 10) AS SIGNED)"

    def _parts(self, expression: str, type_: LogicalType, *, filled: bool) -> list[str]:
        """What CONCAT makes the canonical text of; none is NULL, unless a value is that is said to be ``filled``."""
        form = self.form(type_)
        if form in (Form.TEXT, Form.BYTES):
            told = _text(expression, type_) if form is Form.TEXT else _told(expression, f"LOWER(HEX({expression}))")
            return told if filled else [f"IFNULL(CONCAT({', '.join(told)}), ':')"]
        if form in (Form.PLAIN, Form.DECIMAL):
            value = _trimmed(expression, type_)
        else:
            # A point's well-known binary is the byte order (1), a kind (4), and its coordinates, the lowest byte first.
            value = f"HEX(REVERSE(SUBSTR(ST_AsBinary(POINT({expression}, 0)), 6, 8)))"
        return [value if filled else f"IFNULL({value}, '')", "','"]

    def keyed(self, table: str) -> str:
        """Of a table that has just been loaded the server knows no statistics yet, and may rather read all of it."""
        return f"{table} FORCE INDEX (PRIMARY)"

    def leading(self, expression: str) -> str:
        """The first 48 bits of a UUID, as an integer."""
        return f"CAST(CONV(CONCAT(LEFT({expression}, 8), SUBSTR({expression}, 10, 4)), 16, 10) AS SIGNED)"

    def joined(self, text: str) -> str:
        """The texts of all rows as they come: a range of the primary key is read in its order."""
        return f"GROUP_CONCAT({text} SEPARATOR '')"

    def bits(self, expression: str, low: int, width: int) -> str:
        """An aggregate: an integer with a bit for each place that integers have in a group of ``width``."""
        return f"BIT_OR(1 << ((({expression}) - {integer(low)}) % {width}))"

    def listed(self, name: str, value: str) -> str:
        """An aggregate: ``name:value`` with commas, in the order of the names."""
        return f"GROUP_CONCAT({name}, ':', {value} ORDER BY {name})"

    def shown(self, expression: str, type_: LogicalType) -> str:
        """A value as people read it."""
        if type_.kind is Kind.BYTES:
            return f"LOWER(HEX({expression}))"
        return f"CAST({_trimmed(expression, type_)} AS CHAR)"

    def bucket(self, expression: str, low: int, width: int) -> str:
        """How many times ``width`` fits between ``low`` and an integer."""
        return f"(({expression}) - {integer(low)}) DIV {width}"


def _trimmed(expression: str, type_: LogicalType) -> str:
    """MySQL shows six digits of a second's fraction, PostgreSQL as many as there are. Bytes are trimmed quicker."""
    if type_.kind not in _WITH_FRACTION:
        return expression
    return f"TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM CAST({expression} AS BINARY)))"


def _text(expression: str, type_: LogicalType) -> list[str]:
    # Beside texts of utf8mb4, MariaDB refuses those of ascii.
    text = expression if type_.kind in TEXT_KINDS else f"CONVERT({expression} USING utf8mb4)"
    return _told(text, text, never_long=type_.length is not None and type_.length <= _SHORT)


def _told(expression: str, value: str, *, never_long: bool = False) -> list[str]:
    length = f"LENGTH({expression})"
    return [length, "':'", value if never_long else f"IF({length} > {LONG}, SHA2({expression}, 256), {value})"]

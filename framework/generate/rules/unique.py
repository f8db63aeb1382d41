"""Texts that never repeat, by construction: no table of what was drawn, no second try.

A row's number is put into a random order over all combinations that a pool of drawn texts allows, and read as one.

- Addresses with an @ combine a name and a domain: ``oksana@example.org``; when those are used up, with a number:
  ``oksana2@example.org``.
- Texts of many digits (telephones, bar codes) keep their shape and get other digits at their end.
- All other texts are taken as they are; when all are used up, ``-2`` is put behind them.

A tick that draws a value anew marks it with its own number: ``oksana.t5@example.org``. Drawn texts that end like such a
suffix are left out, so that every text can be read back in one way only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import numpy as np

from framework.generate.columns import text
from framework.generate.columns.streams import Permutation, Rows
from framework.generate.columns.text import Text
from framework.generate.columns.values import Vector
from framework.generate.rules import coerce
from framework.generate.rules.rule import REDRAWN, Batch, Rule, Scope, distinct_places
from framework.types import LogicalType

_FEWEST_DIGITS, _MOST_DIGITS = 7, 9
_SPARE_ROWS = 1_000_000
"""The suffixes of so many more rows than the fill makes must fit, for ticks."""


def texts(scope: Scope, provider: str, drawn: list[str], type_: LogicalType) -> Rule:
    """Distinct texts that look like the drawn ones and fit into the type.

    Raises:
        RuleImpossible: the type is too short to keep so many apart.
    """
    if all(value.count("@") == 1 for value in drawn):
        return _addresses(scope, drawn, type_)
    fitting = [value for value in drawn if type_.length is None or len(value) <= type_.length]
    if fitting and min(_count_digits(value) for value in fitting) >= _FEWEST_DIGITS:
        return _numbers(scope, fitting, has_check_digit=provider.startswith("ean"))
    return _suffixed(scope, drawn, type_)


def _addresses(scope: Scope, drawn: list[str], type_: LogicalType) -> Rule:
    domains = _distinct("@" + value.partition("@")[2] for value in drawn)
    names = _distinct(value.partition("@")[0].rstrip("0123456789") for value in drawn)
    names = [name for name in names if name and not name.endswith(".t")]
    room = None if type_.length is None else type_.length - max(len(domain) for domain in domains)
    names = _with_room(scope, names, room, len(domains))
    name_pool, domain_pool = _column(names), _column(domains)

    def assemble(places: Rows, suffixes: Text) -> Text:
        name, domain = np.divmod(places, len(domains))
        return text.joined([name_pool.take(name), suffixes, domain_pool.take(domain)])

    return _in_epochs(scope, type_, len(names) * len(domains), ("", ".t"), assemble)


def _suffixed(scope: Scope, drawn: list[str], type_: LogicalType) -> Rule:
    values = _distinct(value for value in drawn if value and re.search(r"-t?\d+$", value) is None)
    with_room = _with_room(scope, values, type_.length, 1)
    if not with_room:
        return _as_drawn(scope, [value for value in values if len(value) <= (type_.length or len(value))])
    pool = _column(with_room)
    return _in_epochs(
        scope, type_, len(pool), ("-", "-t"), lambda places, suffixes: text.joined([pool.take(places), suffixes])
    )


def _as_drawn(scope: Scope, values: list[str]) -> Rule:
    """Texts so short that there is no room for a suffix: each can be used once."""
    pool = _column(values)
    places = distinct_places(scope, len(values))
    return Rule(lambda _, rows: Vector(pool.take(places(rows))))


def _in_epochs(
    scope: Scope,
    type_: LogicalType,
    size: int,
    marks: tuple[str, str],
    assemble: Callable[[Rows, Text], Text],
) -> Rule:
    """All combinations once, then once more with the number of the epoch (and of the tick) behind the mark."""
    if not size:
        raise scope.impossible(f"{type_} is too short to keep its values apart", "widen the type")
    permutation = Permutation(size, scope.stream.child("place"))

    def draw(_: Batch, rows: Rows) -> Vector:
        ticks, numbers = np.divmod(rows, REDRAWN)
        epochs, numbers = np.divmod(numbers, size)
        suffixes = text.joined([marked(marks[0], epochs + 1, epochs > 0), marked(marks[1], ticks, ticks > 0)])
        column = assemble(permutation(numbers), suffixes)
        return Vector(coerce.fitting(scope, type_, column, may_cut=False))

    return Rule(draw)


def marked(mark: str, numbers: Rows, where: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Text:
    if not where.any():
        return text.constant(b"", len(numbers))
    column = text.joined([text.constant(mark.encode(), len(numbers)), text.of_integers(numbers)])
    return Text(column.data, np.where(where, column.lengths, 0))


def _numbers(scope: Scope, drawn: list[str], *, has_check_digit: bool) -> Rule:
    """The last digits of each text become a number of their own; what is left is its shape."""
    end = -1 if has_check_digit else None
    width = min(min(_count_digits(value[:end]) for value in drawn) - 1, _MOST_DIGITS)
    shapes = _distinct(_masked(value[:end], width) for value in drawn)
    pool = _column(shapes)
    holes = np.array([[place for place, byte in enumerate(shape.encode()) if byte == 0x23] for shape in shapes])
    places = distinct_places(scope, len(shapes) * 10**width)

    def draw(_: Batch, rows: Rows) -> Vector:
        shape, number = np.divmod(places(rows), 10**width)
        column = pool.take(shape)
        np.put_along_axis(column.data, holes[shape], text.digits(number, width).data, axis=1)
        return Vector(text.joined([column, _gs1_check_digits(column)]) if has_check_digit else column)

    return Rule(draw)


def _masked(value: str, width: int) -> str:
    """The text with ``#`` for its last ``width`` digits; other ``#`` are dropped."""
    reversed_, left = [], width
    for sign in reversed(value.replace("#", "")):
        is_hole = left > 0 and "0" <= sign <= "9"
        left -= is_hole
        reversed_.append("#" if is_hole else sign)
    return "".join(reversed(reversed_))


def _gs1_check_digits(column: Text) -> Text:
    """The check digit of bar codes that are all of one length."""
    digits = column.data.astype(np.int64) - ord("0")
    weights = np.array([3 if place % 2 == 0 else 1 for place in range(digits.shape[1])])[::-1]
    return text.digits(-(digits @ weights) % 10, 1)


def _with_room(scope: Scope, values: list[str], length: int | None, combinations: int) -> list[str]:
    """The texts that leave room for the longest suffix to be expected."""
    if length is None or not values:
        return values
    epochs = (scope.count + _SPARE_ROWS) // (len(values) * combinations) + 2
    return [value for value in values if len(value) <= length - 1 - len(str(epochs))]


def _count_digits(value: str) -> int:
    return sum("0" <= sign <= "9" for sign in value)


def _distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _column(values: list[str]) -> Text:
    return text.of([value.encode() for value in values])

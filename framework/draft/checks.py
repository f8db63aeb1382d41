"""What check constraints say of single columns: the values they may have, or their bounds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from framework.draft.survey import ConstraintSeen

_CAST = r"(?:::[a-z\"][\w \"().]*?(?:\[\])?)?"
_COLUMN = r'\(?"?(?P<column>[^"\'()]+?)"?\)?' + _CAST
_LITERAL = r"'(?:[^']|'')*'|-?\d+(?:\.\d+)?"
_IN = re.compile(rf"{_COLUMN} = ANY \(\(?ARRAY\[(?P<values>.*?)\]\)?{_CAST}\)", re.DOTALL)
_EQUAL = re.compile(rf"{_COLUMN} = (?P<values>'(?:[^']|'')*'){_CAST}")
_ITEM = re.compile(rf"\(?(?P<value>{_LITERAL})\)?{_CAST}(?:, |$)")
_BOUND = re.compile(rf"{_COLUMN} (?P<sign>>=|<=|>|<) \(?'?(?P<number>-?\d+(?:\.\d+)?)'?{_CAST}\)?{_CAST}")
_OR_NULL = re.compile(r" OR \(\(?\"?[^()]+\"?\)?(?:::\w+)? IS NULL\)$")
_MOST = 50
"""Values that are worth proposing."""


@dataclass(frozen=True)
class Allowed:
    """What a column may hold.

    Attributes:
        values: all that it may, as texts; empty if no check lists them.
        low: the smallest number, ``high`` the largest; None without a limit. ``above``: ``low`` itself is too small.
    """

    values: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    above: bool = False
    below: bool = False


def allowed(constraints: Iterable[ConstraintSeen], column: str) -> Allowed:
    """What the checks on ``column`` alone say, as far as they are of simple forms."""
    found = Allowed()
    for constraint in constraints:
        if constraint.kind == "c" and constraint.columns == (column,):
            for part in _parts(constraint.definition):
                found = _narrowed(found, part)
    return found


def _parts(definition: str) -> Iterator[str]:
    """The conditions that a definition joins by AND."""
    text = _bare(definition.removeprefix("CHECK ").removesuffix(" NOT VALID").removesuffix(" NO INHERIT"))
    text = _bare(_OR_NULL.sub("", text))
    if re.search(r"\b(?:OR|NOT|CASE)\b", re.sub(r"'(?:[^']|'')*'", "", text)):
        return
    yield from map(_bare, text.split(" AND "))


def _bare(text: str) -> str:
    """The text without brackets around it."""
    while text.startswith("(") and text.endswith(")") and _is_one_bracket(text):
        text = text[1:-1]
    return text


def _is_one_bracket(text: str) -> bool:
    """Whether the first bracket of a text ends with it."""
    depth, quoted = 0, False
    for place, char in enumerate(text):
        quoted ^= char == "'"
        if not quoted:
            depth += (char == "(") - (char == ")")
            if depth == 0 and place < len(text) - 1:
                return False
    return depth == 0


def _narrowed(found: Allowed, part: str) -> Allowed:
    listed = _IN.fullmatch(part) or _EQUAL.fullmatch(part)
    if listed is not None:
        values = tuple(_items(listed["values"]))
        return replace(found, values=values) if 0 < len(values) <= _MOST else found
    bound = _BOUND.fullmatch(part)
    if bound is None:
        return found
    number = float(bound["number"])
    if bound["sign"].startswith(">"):
        return replace(found, low=number, above=bound["sign"] == ">")
    return replace(found, high=number, below=bound["sign"] == "<")


def _items(text: str) -> Iterator[str]:
    place = 0
    while place < len(text):
        match = _ITEM.match(text, place)
        if match is None:
            return
        value = match["value"]
        yield value[1:-1].replace("''", "'") if value.startswith("'") else value
        place = match.end()

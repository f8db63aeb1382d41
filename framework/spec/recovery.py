"""Reading on behind a part of a text that is no YAML: the part is blanked, and everything else keeps its place."""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORD = re.compile(r"[\w-]+")
_LINE = re.compile("[^\n\r\x85\u2028\u2029]*(?:\r\n|[\n\r\x85\u2028\u2029]|$)")
"""A line as YAML knows it, with its end."""


@dataclass(frozen=True)
class Hole:
    """Lines that were left out.

    Attributes:
        line: the first of them, from 1.
        indent: the columns before its text.
        above: the lines that it was nested in.
        names: the words that stood there.
    """

    line: int
    indent: int
    above: frozenset[int]
    names: frozenset[str]


def without(text: str, line: int) -> tuple[str, Hole]:
    """The text without a line (from 1) and the deeper ones behind it, and what was left out."""
    lines = _LINE.findall(text)
    first = min(line, len(lines)) - 1
    while first > 0 and not lines[first].strip():
        first -= 1
    indent = _indent(lines[first])
    end = first + 1
    while end < len(lines) and (not lines[end].strip() or _indent(lines[end]) > indent):
        end += 1
    names = frozenset(word for each in lines[first:end] for word in _WORD.findall(each))
    blank = [re.sub("[^\n\r\x85\u2028\u2029]", " ", each) for each in lines[first:end]]
    return "".join([*lines[:first], *blank, *lines[end:]]), Hole(first + 1, indent, _above(lines, first), names)


def _above(lines: list[str], first: int) -> frozenset[int]:
    """The lines, from 1, whose keys the line ``first`` (from 0) stands under."""
    found, indent = set(), _indent(lines[first])
    for place in range(first - 1, -1, -1):
        if lines[place].strip() and not lines[place].lstrip().startswith("#") and _indent(lines[place]) < indent:
            found.add(place + 1)
            indent = _indent(lines[place])
    return frozenset(found)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))

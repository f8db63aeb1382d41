"""A YAML document as a tree that remembers where everything stands."""

from __future__ import annotations

from collections.abc import Sequence as Seq
from dataclasses import dataclass, field

from framework.diagnostics import Position


@dataclass(frozen=True)
class Span:
    """Where something stands: its first character and how many of that line belong to it."""

    position: Position = field(default_factory=Position)
    length: int = 1


@dataclass(frozen=True, eq=False)
class Scalar:
    """A value as it is written; ``quoted`` (or a block) is always text."""

    text: str
    quoted: bool
    span: Span


@dataclass(frozen=True, eq=False)
class Sequence:
    items: tuple[Node, ...]
    span: Span


@dataclass(frozen=True)
class Entry:
    """A value of a mapping, and where its key stands."""

    key: Span
    value: Node


@dataclass(frozen=True, eq=False)
class Mapping:
    entries: dict[str, Entry]
    span: Span


Node = Scalar | Sequence | Mapping


@dataclass(frozen=True)
class Place:
    """What a path leads to.

    Attributes:
        path: the steps that the document has.
        key: where the key stands; None for items of a list and the document itself.
        ended: whether the last step of the path was found.
    """

    node: Node
    path: tuple[str | int, ...] = ()
    key: Span | None = None
    ended: bool = True


def find(root: Node, path: Seq[str | int]) -> Place:
    """Follow ``path`` from ``root``. Steps the document does not have are skipped."""
    place = Place(root)
    for step in path:
        entry = _child(place.node, step)
        if entry is None:
            place = Place(place.node, place.path, place.key, ended=False)
        else:
            key = entry.key if isinstance(place.node, Mapping) else None
            place = Place(entry.value, (*place.path, step), key)
    return place


def span_within(scalar: Scalar, lines: Seq[str], line: int, column: int) -> Span:
    """Where line ``line``, column ``column`` (from 1) of a text stands in the file, of which ``lines`` are the lines.

    Known for literal blocks (``|``) and texts of one line; elsewhere it is where the text begins.
    """
    start = scalar.span.position
    first = lines[start.line - 1][start.column - 1 : start.column]
    if first == "|" and start.line + line <= len(lines):
        block = lines[start.line : start.line + line]
        indent = min((len(row) - len(row.lstrip()) for row in block if row.strip()), default=0)
        return Span(Position(start.line + line, indent + column), _word_length(block[-1], indent + column))
    if first not in "|>" and line == 1:
        place = start.column + column - 1 + (first in "'\"")
        return Span(Position(start.line, place), _word_length(lines[start.line - 1], place))
    return scalar.span


def _word_length(line: str, column: int) -> int:
    rest = line[column - 1 :]
    return max(1, len(rest) - len(rest.lstrip("".join(filter(str.isalnum, rest)) + "_.")))


def _child(node: Node, step: str | int) -> Entry | None:
    if isinstance(node, Mapping) and isinstance(step, str):
        return node.entries.get(step)
    if isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
        item = node.items[step]
        return Entry(item.span, item)
    return None

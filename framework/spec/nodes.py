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
        return _in_line(lines, start.line + line, indent + column)
    if first == ">" and (place := _in_folded(scalar, lines, line, column)) is not None:
        return place
    if first not in "|>" and line == 1:
        return _in_line(lines, start.line, start.column + column - 1 + (first in "'\""))
    return scalar.span


def _in_folded(scalar: Scalar, lines: Seq[str], line: int, column: int) -> Span | None:
    """The place in a folded block whose lines are joined by blanks; None where it is folded in another way."""
    start = scalar.span.position.line
    rows, count = [], 0
    for row in lines[start:]:
        rows.append(row)
        count += len(row.strip()) + 1
        if count > len(scalar.text):
            break
    indent = min((len(row) - len(row.lstrip()) for row in rows if row.strip()), default=0)
    if line != 1 or " ".join(row.strip() for row in rows).strip() != scalar.text.strip():
        return None
    for number, row in enumerate(rows, start=start + 1):
        if column <= len(row.strip()) + 1:
            return _in_line(lines, number, indent + column)
        column -= len(row.strip()) + 1
    return None


def _in_line(lines: Seq[str], line: int, column: int) -> Span:
    """A word of a line, or its end where the text reckoned with escapes or tabs that the line writes otherwise."""
    column = min(column, len(lines[line - 1]) + 1)
    return Span(Position(line, column), _word_length(lines[line - 1], column))


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

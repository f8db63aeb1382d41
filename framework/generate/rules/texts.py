"""Rules that write text: pattern, template, uuid."""

from __future__ import annotations

import string

import numpy as np

from framework.generate.columns import text
from framework.generate.columns.streams import Rows
from framework.generate.columns.text import Octets, Text
from framework.generate.columns.values import Vector
from framework.generate.rules import coerce
from framework.generate.rules.apart import template_tells_apart
from framework.generate.rules.rule import Batch, Rule, Scope, distinct_places
from framework.types import TEXT_KINDS, Kind, LogicalType

_SETS = {"#": b"0123456789", "?": b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def uuid(scope: Scope, _: object, type_: LogicalType) -> Rule:
    """Random UUIDs of version 4."""
    if type_.kind is not Kind.UUID and type_.kind not in TEXT_KINDS:
        raise scope.unfit("uuid", type_, "use type uuid")
    if type_.length is not None and type_.length < 36:
        raise scope.impossible(f"a UUID has 36 characters, too many for {type_}", "use type uuid")

    def draw(_: Batch, rows: Rows) -> Vector:
        bits = np.stack([scope.stream.child(half).bits(rows) for half in (0, 1)], axis=1)
        octets = np.ascontiguousarray(bits.astype(">u8")).view(np.uint8).reshape(len(rows), 16)
        octets[:, 6] = (octets[:, 6] & 0x0F) | 0x40
        octets[:, 8] = (octets[:, 8] & 0x3F) | 0x80
        return Vector(octets if type_.kind is Kind.UUID else text.of_uuids(octets))

    return Rule(draw)


def pattern(scope: Scope, rule: str, type_: LogicalType) -> Rule:
    """``#`` becomes a digit, ``?`` a capital letter."""
    if type_.kind not in TEXT_KINDS:
        raise scope.unfit("pattern", type_, "use a text type")
    if type_.length is not None and len(rule) > type_.length:
        raise scope.impossible(f"`pattern: {rule}` is too long for {type_}", "widen the type")
    if scope.unique:
        return _unique_pattern(scope, rule)

    def draw(_: Batch, rows: Rows) -> Vector:
        parts = [
            _letters(_SETS[sign], scope.stream.child(place).below(rows, len(_SETS[sign])))
            if sign in _SETS
            else text.constant(sign.encode(), len(rows))
            for place, sign in enumerate(rule)
        ]
        return Vector(_side_by_side(parts))

    return Rule(draw)


def _unique_pattern(scope: Scope, rule: str) -> Rule:
    size = 1
    for sign in rule:
        size = min(size * len(_SETS.get(sign, b".")), 2**62)
    places = distinct_places(scope, size)

    def draw(_: Batch, rows: Rows) -> Vector:
        number = places(rows)
        parts = []
        for sign in reversed(rule):
            if sign in _SETS:
                number, letter = np.divmod(number, len(_SETS[sign]))
                parts.append(_letters(_SETS[sign], letter))
            else:
                parts.append(text.constant(sign.encode(), len(rows)))
        return Vector(_side_by_side(parts[::-1]))

    return Rule(draw)


def _letters(alphabet: bytes, places: Rows) -> Text:
    column = np.frombuffer(alphabet, dtype=np.uint8)[places]
    return Text(column[:, None], np.ones(len(places), dtype=np.int64))


def _side_by_side(parts: list[Text]) -> Text:
    """Texts of constant lengths put together."""
    data: Octets = np.hstack([part.data for part in parts])
    return Text(data, np.full(len(data), data.shape[1], dtype=np.int64))


def template(scope: Scope, rule: str, type_: LogicalType) -> Rule:
    """Text with other columns of the row in braces."""
    if type_.kind not in TEXT_KINDS:
        raise scope.unfit("template", type_, "use a text type")
    pieces = _pieces(scope, rule)
    names = frozenset(name for _, name in pieces if name is not None)
    if scope.unique and not template_tells_apart(pieces, scope.distinct, scope.types):
        raise scope.never_unique("template")

    def draw(batch: Batch, rows: Rows) -> Vector:
        parts: list[Text] = []
        result = Vector(rows)
        for literal, name in pieces:
            if literal:
                parts.append(text.constant(literal.encode(), len(rows)))
            if name is not None:
                vector = batch.column(name)
                column = coerce.written(scope.types[name], vector)
                assert column is not None
                parts.append(column)
                result = result.with_nulls(vector.nulls)
        return Vector(coerce.fitting(scope, type_, text.joined(parts), may_cut=not scope.unique), result.nulls)

    return Rule(draw, reads=names)


def _pieces(scope: Scope, rule: str) -> list[tuple[str, str | None]]:
    """The template as pairs of literal text and the column behind it."""
    try:
        parsed = list(string.Formatter().parse(rule))
    except ValueError as error:
        raise scope.impossible(
            f"`template: {rule}` has a single brace", "write {{ and }} for braces that stand for themselves"
        ) from error
    for _, name, form, conversion in parsed:
        if name is None:
            continue
        type_ = scope.types.get(name)
        if type_ is None or form or conversion:
            raise scope.impossible(f"`template: {rule}` names no column of the row", "write {column}, nothing more")
        if coerce.written(type_, Vector(_none(type_))) is None:
            raise scope.impossible(f"{name!r} of type {type_} cannot stand in a template", "take a text or a number")
    return [(literal, name) for literal, name, _, _ in parsed]


def _none(type_: LogicalType) -> Text | np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    if type_.kind in TEXT_KINDS or type_.kind is Kind.JSON:
        return text.of([])
    return np.zeros((0, 16), dtype=np.int64) if type_.kind is Kind.UUID else np.zeros(0, dtype=np.int64)

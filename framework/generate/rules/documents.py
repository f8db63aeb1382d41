"""Rules that hold other rules: json and array."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from framework.generate.columns import encode, text
from framework.generate.columns.scalars import ELEMENT_OIDS, element_of
from framework.generate.columns.streams import Rows
from framework.generate.columns.text import Text
from framework.generate.columns.values import Vector
from framework.generate.rules import coerce
from framework.generate.rules.rule import NATURAL, Batch, Rule, Scope
from framework.spec import fake
from framework.types import TEXT_KINDS, Kind, LogicalType

_TYPES_IN_JSON = {
    **dict.fromkeys(("sequence", "integer", "zipf"), LogicalType(Kind.BIGINT, "bigint")),
    **dict.fromkeys(
        ("normal", "lognormal", "expression"), LogicalType(Kind.NUMERIC, "numeric(18,4)", precision=18, scale=4)
    ),
    **dict.fromkeys(("datetime", "after", "before"), LogicalType(Kind.TIMESTAMPTZ, "timestamptz")),
    **dict.fromkeys(("template", "pattern", "persona"), LogicalType(Kind.TEXT, "text")),
    "date": LogicalType(Kind.DATE, "date"),
    "uuid": LogicalType(Kind.UUID, "uuid"),
}
"""What the values of a rule are within a document; choice, constant and Faker make JSON themselves."""


def document(scope: Scope, rule: Mapping[str, fake.Fake], type_: LogicalType) -> Rule:
    """A JSON object with a rule for each key."""
    if type_.kind is not Kind.JSON and type_.kind not in TEXT_KINDS:
        raise scope.unfit("json", type_, "use type jsonb")
    if scope.unique:
        raise scope.never_unique("json")
    members = [(name, _in_json(scope.child(name), inner)) for name, inner in rule.items()]

    def draw(batch: Batch, rows: Rows) -> Vector:
        parts = []
        for number, (name, (_, write)) in enumerate(members):
            mark = ("," if number else "{") + json.dumps(name, ensure_ascii=False) + ":"
            parts += [text.constant(mark.encode(), len(rows)), write(batch, rows)]
        end = text.constant(b"}" if members else b"{}", len(rows))
        return Vector(coerce.fitting(scope, type_, text.joined([*parts, end]), may_cut=False))

    return _reading(draw, [inner for _, (inner, _) in members])


def _in_json(scope: Scope, rule: fake.Fake) -> tuple[Rule, Callable[[Batch, Rows], Text]]:
    """A rule within a document, and how its values are written; NULL is JSON's null."""
    type_ = _TYPES_IN_JSON.get(rule.kind, NATURAL)
    inner = scope.make(scope, rule, type_)

    def write(batch: Batch, rows: Rows) -> Text:
        vector = inner.draw(batch, rows)
        column = coerce.as_json(type_, vector)
        if vector.nulls is None:
            return column
        values = zip(text.to_bytes(column), vector.nulls, strict=True)
        return text.of([b"null" if null else value for value, null in values])

    return inner, write


def array(scope: Scope, rule: fake.ArrayOf, type_: LogicalType) -> Rule:
    """Between ``min`` and ``max`` values of one rule, as a PostgreSQL array or a JSON array."""
    if type_.kind not in (Kind.ARRAY, Kind.JSON):
        raise scope.unfit("array", type_, "use an array type such as text[], or jsonb")
    if scope.unique:
        raise scope.never_unique("array")
    if rule.min > rule.max:
        raise scope.impossible(f"`min: {rule.min}` is larger than `max: {rule.max}`", "exchange them")
    # The elements have rows of their own: there are no other columns beside them.
    elements = replace(scope.child("of"), types={}, parents={}, distinct=frozenset(), count=0)
    if type_.kind is Kind.JSON:
        _, write = _in_json(elements, rule.of)
        assemble: Callable[[Text, Rows], Text] = _json_array
    else:
        element = element_of(type_)
        inner = scope.make(elements, rule.of, element)
        write = lambda batch, rows: encode.field(element, inner.draw(batch, rows))  # noqa: E731
        assemble = _postgres_array(ELEMENT_OIDS[element.kind])
    lengths = scope.stream.child("length")

    def draw(batch: Batch, rows: Rows) -> Vector:
        counts = rule.min + lengths.below(rows, rule.max - rule.min + 1)
        places = np.arange(rule.max)
        addresses = (rows[:, None] * max(rule.max, 1) + places)[places < counts[:, None]]
        return Vector(assemble(write(batch, addresses), counts))

    return Rule(draw)


def _json_array(elements: Text, counts: Rows) -> Text:
    with_commas = text.joined([elements, text.constant(b",", len(elements))])
    bodies = _grouped(with_commas, counts)
    trimmed = Text(bodies.data, np.maximum(bodies.lengths - 1, 0))
    return text.joined([text.constant(b"[", len(counts)), trimmed, text.constant(b"]", len(counts))])


def _postgres_array(oid: int) -> Callable[[Text, Rows], Text]:
    empty = struct.pack(">iii", 0, 0, oid)

    def assemble(elements: Text, counts: Rows) -> Text:
        headers = [struct.pack(">iiiii", 1, 0, oid, count, 1) if count else empty for count in counts.tolist()]
        return text.joined([text.of(headers), _grouped(elements, counts)])

    return assemble


def _grouped(elements: Text, counts: Rows) -> Text:
    """The elements of each row put together: so many as its count says."""
    ends = np.cumsum(np.concatenate([[0], elements.lengths]))[np.cumsum(np.concatenate([[0], counts]))]
    return text.spread(elements.data[elements.filled], np.diff(ends))


def _reading(draw: Callable[[Batch, Rows], Vector], parts: list[Rule]) -> Rule:
    reads = frozenset[str]().union(*(part.reads for part in parts))
    parent_reads = frozenset[tuple[str, str]]().union(*(part.parent_reads for part in parts))
    return Rule(draw, reads, parent_reads)

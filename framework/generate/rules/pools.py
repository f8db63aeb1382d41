"""Rules that draw from a pool of ready values: choice, constant, and the providers of Faker."""

from __future__ import annotations

from typing import Any

import numpy as np

from framework.generate.columns import convert
from framework.generate.columns.streams import Rows
from framework.generate.columns.values import Vector
from framework.generate.rules import distributions, unique
from framework.generate.rules.rule import Batch, Rule, Scope, distinct_places
from framework.spec import fake
from framework.types import TEXT_KINDS, LogicalType

_SMALLEST, _LARGEST = 1_024, 16_384
_UNIQUE = 4_096
"""Unique columns draw fewer, since they make new texts of the parts of what was drawn."""


def constant(scope: Scope, rule: Any, type_: LogicalType) -> Rule:
    """The same value in all rows."""
    if scope.unique and scope.count > 1:
        raise scope.never_unique("constant")
    pool = _pool(scope, "constant", [rule], type_)
    return Rule(lambda _, rows: pool.take(np.zeros(len(rows), dtype=np.int64)))


def choice(scope: Scope, rule: fake.Choice, type_: LogicalType) -> Rule:
    """One of a list, or of a mapping of values to weights."""
    values = list(rule)
    pool = _pool(scope, "choice", values, type_)
    if scope.unique:
        places = distinct_places(scope, len(values))
        return Rule(lambda _, rows: pool.take(places(rows)))
    if not isinstance(rule, dict):
        return Rule(lambda _, rows: pool.take(scope.stream.below(rows, len(values))))
    if sum(rule.values()) <= 0:
        raise scope.impossible("all weights of its `choice` are 0", "give at least one value a weight")
    ends = distributions.thresholds(list(rule.values()))

    def draw(_: Batch, rows: Rows) -> Vector:
        return pool.take(np.searchsorted(ends, scope.stream.bits(rows), side="right"))

    return Rule(draw)


def _pool(scope: Scope, rule: str, values: list[Any], type_: LogicalType) -> Vector:
    try:
        return convert.vector_of(type_, values)
    except ValueError as error:
        raise scope.impossible(
            f"in its `{rule}`, {error}", "correct the value, or give the column another type"
        ) from error


def faker(scope: Scope, rule: fake.Faker, type_: LogicalType) -> Rule:
    """A provider of Faker. Texts too long for the type are drawn again, or cut where no draw is short enough."""
    size = pool_size(scope.count, unique=scope.unique)
    drawn = scope.pools.draw(scope, rule, size)
    if scope.unique:
        if type_.kind not in TEXT_KINDS:
            raise scope.impossible(
                f"Faker's {rule.provider} cannot keep values of type {type_} apart", "use integer, sequence or uuid"
            )
        return unique.texts(scope, rule.provider, _texts(drawn, None), type_)
    values: list[Any] = _texts(drawn, type_.length) if type_.kind in TEXT_KINDS else drawn
    pool = _pool(scope, f"faker: {rule.provider}", values, type_)
    return Rule(lambda _, rows: pool.take(scope.stream.below(rows, size)))


def pool_size(rows: int, *, unique: bool) -> int:
    """How many values are drawn from Faker: as many as the table has rows, within bounds."""
    return min(max(rows, _SMALLEST), _UNIQUE if unique else _LARGEST)


def _texts(drawn: list[Any], length: int | None) -> list[str]:
    """The values as texts no longer than ``length``: those that fit are taken, and repeated to fill the pool."""
    texts = [str(value).replace("\0", "") for value in drawn]
    if length is None:
        return texts
    fitting = [value for value in texts if len(value) <= length] or [value[:length] for value in texts]
    return [fitting[place % len(fitting)] for place in range(len(texts))]

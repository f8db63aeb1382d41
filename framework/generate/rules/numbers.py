"""Rules that make numbers: sequence, integer, normal, lognormal, zipf."""

from __future__ import annotations

import numpy as np

from framework.generate.columns.streams import Rows
from framework.generate.columns.values import Vector
from framework.generate.rules import coerce, distributions
from framework.generate.rules.distributions import Numbers, interpolated
from framework.generate.rules.rule import REDRAWN, Batch, Rule, Scope, distinct_places
from framework.spec import fake
from framework.types import LogicalType


def sequence(scope: Scope, rule: fake.Sequence, type_: LogicalType) -> Rule:
    """``start``, ``start + step``, ... in the order of the rows."""
    last = rule.start + rule.step * max(scope.count - 1, 0)
    convert = coerce.integers(scope, "sequence", type_, rule.start, last)

    def draw(_: Batch, rows: Rows) -> Vector:
        if len(rows) and int(rows.max()) >= REDRAWN:
            raise scope.impossible("a sequence cannot be drawn anew", "take it out of `redraw:`")
        return convert(rule.start + rows * rule.step)

    return Rule(draw)


def integer(scope: Scope, rule: fake.Integer, type_: LogicalType) -> Rule:
    """Whole numbers, each as likely as the other."""
    size = rule.max - rule.min + 1
    if size < 1:
        raise scope.impossible(f"no whole number lies between {rule.min} and {rule.max}", "exchange `min` and `max`")
    convert = coerce.integers(scope, "integer", type_, rule.min, rule.max)
    if scope.unique:
        places = distinct_places(scope, size)
        return Rule(lambda _, rows: convert(rule.min + places(rows)))
    # All 64 bits are one more than a limit can say.
    limit = min(size, 2**64 - 1)
    return Rule(lambda _, rows: convert(rule.min + scope.stream.below(rows, limit)))


def normal(scope: Scope, rule: fake.Normal, type_: LogicalType) -> Rule:
    """A normal distribution, clipped."""
    return _continuous(scope, "normal", rule, distributions.normal(rule.mean, rule.sigma), type_)


def lognormal(scope: Scope, rule: fake.Lognormal, type_: LogicalType) -> Rule:
    """A log-normal distribution, clipped."""
    try:
        table = distributions.lognormal(rule.mean, rule.sigma)
    except OverflowError as error:
        raise scope.impossible(
            "its values are too large", "`mean` and `sigma` are those of the logarithm: try mean 3, sigma 1"
        ) from error
    return _continuous(scope, "lognormal", rule, table, type_)


def zipf(scope: Scope, rule: fake.Zipf, type_: LogicalType) -> Rule:
    """Ranks, the first the most frequent."""
    if scope.unique:
        raise scope.never_unique("zipf")
    convert = coerce.integers(scope, "zipf", type_, 1, rule.max)
    distribution = distributions.Zipf(rule.exponent, rule.max)
    return Rule(lambda _, rows: convert(distribution.ranks(scope.stream.uniform(rows))))


def _continuous(
    scope: Scope, name: str, rule: fake.Normal | fake.Lognormal, table: Numbers, type_: LogicalType
) -> Rule:
    if scope.unique:
        raise scope.never_unique(name)
    low = -np.inf if rule.min is None else rule.min
    high = np.inf if rule.max is None else rule.max
    if low > high:
        raise scope.impossible(f"no number lies between {low} and {high}", "exchange `min` and `max`")
    convert = coerce.floats(scope, name, type_)
    return Rule(lambda _, rows: convert(np.clip(interpolated(table, scope.stream.uniform(rows)), low, high)))

"""Rules that draw from a pool of ready values: choice, constant, and the providers of Faker."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from framework.generate import convert, distributions, unique
from framework.generate.rule import Batch, Rule, Scope, distinct_places
from framework.generate.streams import Rows
from framework.generate.values import Vector
from framework.spec import fake
from framework.types import TEXT_KINDS, LogicalType

_SMALLEST, _LARGEST = 1_024, 16_384
"""Values drawn from Faker: as many as the table has rows, within these bounds."""

_CLOCK = frozenset({"timezone", "pytimezone", "century"})
"""The providers of Faker's date_time that do not look at the clock."""


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
    draws = _draws(scope, rule)
    size = min(max(scope.count, _SMALLEST), _LARGEST)
    if scope.unique:
        if type_.kind not in TEXT_KINDS:
            raise scope.impossible(
                f"Faker's {rule.provider} cannot keep values of type {type_} apart", "use integer, sequence or uuid"
            )
        return unique.texts(scope, rule.provider, _texts(draws, size, None), type_)
    if type_.kind in TEXT_KINDS:
        values: list[Any] = _texts(draws, size, type_.length)
    else:
        values = list(islice(draws, size))
    pool = _pool(scope, f"faker: {rule.provider}", values, type_)
    return Rule(lambda _, rows: pool.take(scope.stream.below(rows, size)))


def _texts(draws: Iterator[Any], size: int, length: int | None) -> list[str]:
    """So many texts, no longer than ``length``: those that fit are taken first, and repeated to fill the pool."""
    drawn = [str(value).replace("\0", "") for value in islice(draws, size)]
    if length is None:
        return drawn
    fitting = [value for value in drawn if len(value) <= length] or [value[:length] for value in drawn]
    return [fitting[place % len(fitting)] for place in range(size)]


def _draws(scope: Scope, rule: fake.Faker) -> Iterator[Any]:
    """Endless values of a provider, the same for the same column of the same seed."""
    from faker import Faker  # half a second that only filling should cost
    from faker.config import AVAILABLE_LOCALES

    locale = rule.locale or scope.locale
    if locale not in AVAILABLE_LOCALES:
        raise scope.impossible(f"Faker has no locale {locale!r}", _suggestion(locale, sorted(AVAILABLE_LOCALES)))
    generator = Faker(locale)
    generator.seed_instance(scope.stream.child(locale).key)
    provide = getattr(generator, rule.provider, None)
    if rule.provider.startswith("_") or not callable(provide):
        known = sorted({name for provider in generator.get_providers() for name in dir(provider) if name[0] != "_"})
        raise scope.impossible(f"Faker has no provider {rule.provider!r}", _suggestion(rule.provider, known))
    _refuse_the_clock(scope, rule.provider, provide)
    return _calls(scope, rule, provide)


def _calls(scope: Scope, rule: fake.Faker, provide: Callable[..., Any]) -> Iterator[Any]:
    call = partial(provide, **rule.arguments)
    while True:
        try:
            yield call()
        except Exception as error:
            raise scope.impossible(
                f"Faker's {rule.provider} failed: {error}", "correct its `arguments:`; see Faker's documentation"
            ) from error


def _refuse_the_clock(scope: Scope, name: str, provide: Callable[..., Any]) -> None:
    """Faker's dates are counted from today: the same seed would give other data tomorrow."""
    module = getattr(getattr(provide, "__func__", provide), "__module__", "")
    if module.startswith("faker.providers.date_time") and name not in _CLOCK:
        raise scope.impossible(
            f"Faker's {name} depends on today's date",
            "use `fake: {date: {from: ..., to: ...}}` or `fake: {datetime: {from: ..., to: ...}}`",
        )


def _suggestion(wrong: str, known: list[str]) -> str:
    close = difflib.get_close_matches(wrong, known, n=3)
    return f"did you mean {' or '.join(close)}?" if close else "see the list in Faker's documentation"

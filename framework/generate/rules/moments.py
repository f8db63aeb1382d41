"""Rules that make points in time: date, datetime, after, before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from framework import units
from framework.generate.columns.scalars import EPOCH, MOMENT_KINDS, microseconds
from framework.generate.columns.streams import Rows
from framework.generate.columns.values import DAY, Vector
from framework.generate.rules import coerce
from framework.generate.rules.rule import Batch, Rule, Scope, distinct_places
from framework.spec import fake
from framework.types import Kind, LogicalType

_MICROSECOND = timedelta(microseconds=1)


def date(scope: Scope, rule: fake.DateRange, type_: LogicalType) -> Rule:
    """Days between two days, both included."""
    return _between(scope, "date", rule, type_, DAY)


def datetime(scope: Scope, rule: fake.DatetimeRange, type_: LogicalType) -> Rule:
    """Points in time between two others, both included."""
    return _between(scope, "datetime", rule, type_, 1)


def _between(scope: Scope, name: str, rule: fake.DateRange | fake.DatetimeRange, type_: LogicalType, unit: int) -> Rule:
    first, last = _instant(scope, rule.from_) // unit, _instant(scope, rule.to) // unit
    if first > last:
        raise scope.impossible(f"`from: {rule.from_}` is later than `to: {rule.to}`", "exchange them")
    convert = coerce.moments(scope, name, type_, unit)
    size = last - first + 1
    if scope.unique:
        if unit == 1 and type_.kind is Kind.DATE:
            raise scope.never_unique(name)
        places = distinct_places(scope, size)
        return Rule(lambda _, rows: convert(first + places(rows)))
    return Rule(lambda _, rows: convert(first + scope.stream.below(rows, size)))


def _instant(scope: Scope, text: str) -> int:
    try:
        return microseconds(units.instant(text, EPOCH + scope.now * _MICROSECOND))
    except (ValueError, OverflowError) as error:
        raise scope.impossible(f"{text!r} is no point in time", "use 2024-01-31, -2y or now") from error


def after(scope: Scope, rule: fake.Near, type_: LogicalType) -> Rule:
    """Later than another column by at most ``within``, never beyond now."""

    def later(base: Rows, rows: Rows, within: int, now: int) -> Rows:
        room = np.clip(now - base, 0, within)
        return base + scope.stream.below(rows, room + 1)

    return _near(scope, "after", rule, type_, later)


def before(scope: Scope, rule: fake.Near, type_: LogicalType) -> Rule:
    """Earlier than another column by at most ``within``."""

    def earlier(base: Rows, rows: Rows, within: int, _: int) -> Rows:
        return base - scope.stream.below(rows, within + 1)

    return _near(scope, "before", rule, type_, earlier)


def _near(
    scope: Scope, name: str, rule: fake.Near, type_: LogicalType, shift: Callable[[Rows, Rows, int, int], Rows]
) -> Rule:
    if scope.unique:
        raise scope.never_unique(name)
    base = _base(scope, rule.column)
    unit = DAY if type_.kind is Kind.DATE else 1
    convert = coerce.moments(scope, name, type_, unit)
    within = units.duration(rule.within) // _MICROSECOND // unit

    def draw(batch: Batch, rows: Rows) -> Vector:
        found = base.read(batch)
        moments = coerce.microseconds_of(base.type, found) // unit
        return convert(shift(moments, rows, within, scope.now // unit)).with_nulls(found.nulls)

    return Rule(draw, base.reads, base.parent_reads)


@dataclass(frozen=True)
class _Base:
    """The column that another one starts from."""

    type: LogicalType
    read: Callable[[Batch], Vector]
    reads: frozenset[str] = frozenset()
    parent_reads: frozenset[tuple[str, str]] = frozenset()


def _base(scope: Scope, column: str) -> _Base:
    table, dot, name = column.rpartition(".")
    reference, types = scope.parents.get(table, ("", {})) if dot else ("", scope.types)
    type_ = types.get(name)
    if type_ is None:
        raise scope.impossible(
            f"there is no column {column!r} to start from", "name a column of the row, or `table.column` of a parent"
        )
    if type_.kind is not Kind.DATE and type_.kind not in MOMENT_KINDS:
        raise scope.impossible(f"{column!r} is of type {type_}", "start from a date or a timestamp")
    if dot:
        parent_reads = frozenset({(reference, name)})
        return _Base(type_, lambda batch: batch.parent(reference).column(name), parent_reads=parent_reads)
    return _Base(type_, lambda batch: batch.column(name), reads=frozenset({name}))

"""Rules about fake data: what a rule refers to, and whether its values fit the column."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from graphlib import CycleError, TopologicalSorter

from framework import units
from framework.diagnostics import did_you_mean
from framework.spec.entities import Entity, EntityColumn
from framework.spec.fake import DateRange, DatetimeRange, Fake
from framework.spec.models import Spec
from framework.types import TEXT_KINDS, Kind, parse_type
from framework.validation.rules.base import Finding, Loc, Rule, rule
from framework.validation.rules.expressions import Unreadable, expression_names, template_names
from framework.validation.rules.lookup import MOMENT_KINDS, NUMBER_KINDS, FakeAt, fakes, kind_of

_FITTING: dict[str, frozenset[Kind]] = {
    "sequence": NUMBER_KINDS | TEXT_KINDS,
    "integer": NUMBER_KINDS | TEXT_KINDS,
    "zipf": NUMBER_KINDS | TEXT_KINDS,
    "normal": NUMBER_KINDS,
    "lognormal": NUMBER_KINDS,
    "expression": NUMBER_KINDS,
    "uuid": TEXT_KINDS | {Kind.UUID},
    "date": MOMENT_KINDS | TEXT_KINDS,
    "datetime": MOMENT_KINDS | TEXT_KINDS,
    "after": MOMENT_KINDS | TEXT_KINDS,
    "before": MOMENT_KINDS | TEXT_KINDS,
    "template": TEXT_KINDS,
    "pattern": TEXT_KINDS,
    "persona": TEXT_KINDS,
    "json": TEXT_KINDS | {Kind.JSON},
    "array": frozenset({Kind.ARRAY, Kind.JSON}),
}
"""Kinds of columns that take a rule's values; rules that are not here suit many."""
_UNWRITTEN = frozenset({Kind.REAL, Kind.DOUBLE, Kind.TIME, Kind.BYTES, Kind.ARRAY})
"""Kinds of columns that cannot stand in a template."""


@rule("zero-weights")
def zero_weights(spec: Spec) -> Iterator[Finding]:
    """Something must be left to choose."""
    for at in fakes(spec):
        if isinstance(at.fake.choice, dict) and sum(at.fake.choice.values()) <= 0:
            yield Finding((*at.loc, "choice"), "all weights are zero", "give one of them a weight above 0")


@rule("bad-date")
def bad_dates(spec: Spec) -> Iterator[Finding]:
    """Dates are in the calendar."""
    for loc, span in _spans(spec):
        for end, text in (("from", span.from_), ("to", span.to)):
            if _instant(text, spec) is None:
                advice = "write a date such as 2026-01-31"
                yield Finding((*loc, end), f"{text!r} is not in the calendar", advice)


@rule("min-over-max")
def swapped_dates(spec: Spec) -> Iterator[Finding]:
    """The earlier date comes first."""
    for loc, span in _spans(spec):
        first, last = _instant(span.from_, spec), _instant(span.to, spec)
        if first and last and first > last:
            yield Finding((*loc, "from"), f"{span.from_} is later than {span.to}", "swap them")


def _spans(spec: Spec) -> Iterator[tuple[Loc, DateRange | DatetimeRange]]:
    for at in fakes(spec):
        if at.fake.date is not None:
            yield (*at.loc, "date"), at.fake.date
        if at.fake.datetime is not None:
            yield (*at.loc, "datetime"), at.fake.datetime


def _instant(text: str, spec: Spec) -> datetime | None:
    """The point in time; None if it, or `now`, is not in the calendar."""
    try:
        return units.instant(text, units.parse_datetime(spec.now))
    except (ValueError, OverflowError):
        return None


@rule("unknown-column")
def unknown_column(spec: Spec) -> Iterator[Finding]:
    """Rules refer to columns of the row, or of a row it refers to."""
    for at in fakes(spec):
        if at.in_array:
            continue
        for key in ("after", "before"):
            near = getattr(at.fake, key)
            if near is not None:
                yield from _unknown_near(spec, at, key, near.column)
        for key, names_in in _TEXTS.items():
            text = getattr(at.fake, key)
            for name in _names(text, names_in):
                if name not in at.entity.columns:
                    message = f"{at.table!r} has no column {name!r}"
                    yield Finding((*at.loc, key), message, did_you_mean(name, at.entity.columns))


def _unknown_near(spec: Spec, at: FakeAt, key: str, name: str) -> Iterator[Finding]:
    loc = (*at.loc, key, "column")
    table, dot, column = name.rpartition(".")
    if not dot:
        if name not in at.entity.columns:
            yield Finding(loc, f"{at.table!r} has no column {name!r}", did_you_mean(name, at.entity.columns))
        return
    parents = _parents(at.entity) - {at.table}
    if table not in parents:
        message = f"no column of {at.table!r} refers to another table {table!r}"
        yield Finding(loc, message, did_you_mean(table, sorted(parents)) or "name a column of the same row")
    elif table in spec.entities and column not in spec.entities[table].columns:
        yield Finding(loc, f"{table!r} has no column {column!r}", did_you_mean(column, spec.entities[table].columns))


def _parents(entity: Entity) -> set[str]:
    return {column.references.table for column in entity.columns.values() if column.references}


_TEXTS: dict[str, Callable[[str], tuple[str, ...]]] = {"template": template_names, "expression": expression_names}
"""Rules that name columns in a text."""


def _names(text: str | None, names_in: Callable[[str], tuple[str, ...]]) -> tuple[str, ...]:
    try:
        return tuple(dict.fromkeys(names_in(text))) if text is not None else ()
    except Unreadable:
        return ()


@rule("bad-expression")
def bad_expression(spec: Spec) -> Iterator[Finding]:
    """Expressions are arithmetic, templates are texts with columns in braces."""
    for at in fakes(spec):
        for key, names_in in _TEXTS.items():
            text = getattr(at.fake, key)
            try:
                if text is not None:
                    names_in(text)
            except Unreadable as error:
                advice = (
                    "write `price * quantity`" if key == "expression" else "write `{column}`; {{ stands for a brace"
                )
                yield Finding((*at.loc, key), f"this {key} cannot be read: {error}", advice)


@rule("expression-type")
def expression_type(spec: Spec) -> Iterator[Finding]:
    """Arithmetic is done with numbers."""
    for at in fakes(spec):
        for name in _names(at.fake.expression, expression_names):
            column = at.entity.columns.get(name)
            kind = kind_of(column) if column else None
            if column and kind and kind not in NUMBER_KINDS:
                message = f"{name!r} is of type {column.type}, and arithmetic needs numbers"
                yield Finding((*at.loc, "expression"), message, "name a column of a number type")


@rule("template-type")
def template_type(spec: Spec) -> Iterator[Finding]:
    """Templates are made of texts, whole numbers, numerics and dates."""
    for at in fakes(spec):
        for name in _names(at.fake.template, template_names):
            column = at.entity.columns.get(name)
            if column and kind_of(column) in _UNWRITTEN:
                message = f"{name!r} is of type {column.type}, which cannot stand in a template"
                yield Finding((*at.loc, "template"), message, "name a column of another type, such as numeric(12,2)")


@rule("no-columns-in-array")
def no_columns_in_array(spec: Spec) -> Iterator[Finding]:
    """The elements of an array have no columns beside them."""
    for at in fakes(spec):
        if at.in_array and (_needed(at.fake) or at.fake.after or at.fake.before or at.fake.persona):
            message = "the elements of an array have no columns to be made of"
            yield Finding(at.loc, message, "use a rule that needs no column")


@rule("null-source")
def null_source(spec: Spec) -> Iterator[Finding]:
    """What is made of a column that may be NULL may be NULL itself."""
    for at in fakes(spec):
        if at.column.may_be_null or at.in_array or at.entity.rows is None:
            continue
        for name in sorted(_needed(at.fake) | _references_needed(at)):
            source = at.entity.columns.get(name)
            if source is not None and source.may_be_null and name != at.name:
                message = f"{at.name!r} is NOT NULL, and is made from {name!r}, which may be NULL"
                yield Finding(at.loc, message, f"give {at.name!r} `nullable: true`, or make {name!r} NOT NULL")


def _references_needed(at: FakeAt) -> set[str]:
    """The columns that lead to the tables of `table.column`."""
    near = {rule_.column for rule_ in (at.fake.after, at.fake.before) if rule_ is not None and "." in rule_.column}
    tables = {column.rpartition(".")[0] for column in near}
    return {name for name, of in at.entity.columns.items() if of.references and of.references.table in tables}


@rule("no-date")
def no_date(spec: Spec) -> Iterator[Finding]:
    """`after` and `before` name a point in time."""
    for at in fakes(spec):
        for key in ("after", "before"):
            near = getattr(at.fake, key)
            column = _near_column(spec, at, near.column) if near else None
            kind = kind_of(column) if column else None
            if near and column and kind and kind not in MOMENT_KINDS:
                message = f"{near.column!r} is of type {column.type}, which is no point in time"
                yield Finding((*at.loc, key, "column"), message, "name a column of type date or timestamptz")


def _near_column(spec: Spec, at: FakeAt, name: str) -> EntityColumn | None:
    table, dot, column = name.rpartition(".")
    entity = spec.entities.get(table) if dot else at.entity
    return entity.columns.get(column) if entity else None


@rule("dependency-cycle")
def dependency_cycle(spec: Spec) -> Iterator[Finding]:
    """No column is made of itself."""
    for table, entity in spec.entities.items():
        sorter: TopologicalSorter[str] = TopologicalSorter()
        for at in fakes(spec):
            if at.table == table:
                sorter.add(at.name, *_needed(at.fake))
        try:
            sorter.prepare()
        except CycleError as error:
            circle: list[str] = error.args[1][::-1]
            message = f"columns are made from each other in a circle: {' -> '.join(circle)}"
            first = next(name for name in entity.columns if name in circle)
            yield Finding(
                ("entities", table, "columns", first, "fake"), message, "give one of them a rule that names no other"
            )


def _needed(fake: Fake) -> set[str]:
    near = {rule_.column for rule_ in (fake.after, fake.before) if rule_ is not None and "." not in rule_.column}
    named = {name for key, names_in in _TEXTS.items() for name in _names(getattr(fake, key), names_in)}
    return near | named


@rule("fake-type")
def fake_type(spec: Spec) -> Iterator[Finding]:
    """A rule's values fit the column's type."""
    for at in fakes(spec):
        if at.nested:
            continue
        key, kind = at.fake.kind.rstrip("_"), kind_of(at.column)
        fitting = _FITTING.get(key)
        if kind is not None and fitting is not None and kind not in fitting:
            names = ", ".join(sorted(each.value for each in fitting))
            message = f"{key} makes no values of type {at.column.type}"
            yield Finding(at.loc, message, f"use another rule; {key} is for {names}")


@rule("array-element")
def array_element(spec: Spec) -> Iterator[Finding]:
    """The rule of an array makes values of its elements' type."""
    for at in fakes(spec):
        type_ = None if at.nested else parse_type(at.column.type)
        if at.fake.array is None or type_ is None or type_.kind is not Kind.ARRAY:
            continue
        element = parse_type(type_.name.removesuffix("[]"))
        key = at.fake.array.of.kind.rstrip("_")
        if element is not None and key in _FITTING and element.kind not in _FITTING[key]:
            message = f"{key} makes no values of type {element}"
            yield Finding((*at.loc, "array", "of"), message, "use another rule")


RULES: tuple[Rule, ...] = (
    zero_weights,
    bad_dates,
    swapped_dates,
    unknown_column,
    bad_expression,
    expression_type,
    template_type,
    no_columns_in_array,
    null_source,
    no_date,
    dependency_cycle,
    fake_type,
    array_element,
)

"""Rules about fake values: whether they fit into their column, and whether there are enough of them."""

from __future__ import annotations

import math
import string
from collections.abc import Iterator

from framework.generate.columns.scalars import INTEGER_LIMITS, held, limit_of, scale_of, supported
from framework.generate.rules.apart import template_tells_apart
from framework.spec.entities import Entity, EntityColumn
from framework.spec.fake import Fake
from framework.spec.models import Spec
from framework.spec.persona import LONGEST, UNIQUE
from framework.types import TEXT_KINDS, Kind, LogicalType, parse_type
from framework.validation.rules.base import WARNING, Finding, Loc, Rule, rule
from framework.validation.rules.expressions import Unreadable, template_names
from framework.validation.rules.lookup import FakeAt, columns, fakes, is_unique, kind_of, row_counts

_REPEATING = frozenset({"normal", "lognormal", "zipf", "after", "before", "expression", "json", "array"})
"""Rules that cannot promise that no value repeats."""
_REDRAWN = frozenset({"uuid", "faker", "template", "persona"})
"""Rules whose unique values a tick can draw anew."""
_UUID, _DATE = 36, 10
"""Characters of a UUID and of a date."""
_LARGEST_EXPONENT = 709.0
"""The exponential of more is no double precision number."""
_FARTHEST = 6.2
"""Standard deviations of the farthest value of a normal distribution that the generator draws, roughly."""


@rule("value-type")
def value_type(spec: Spec) -> Iterator[Finding]:
    """Values that are written out are of the column's type."""
    for at in fakes(spec):
        type_ = at.type
        if type_ is None or not supported(type_):
            continue
        for loc, value, on_key in _written(at):
            try:
                held(type_, value)
            except ValueError:
                yield Finding(loc, *_misfit(type_, value), on_key)
    yield from _next_states(spec)


def _misfit(type_: LogicalType, value: object) -> tuple[str, str]:
    """What is wrong with a value, and what to do."""
    written = str(value).lower() if isinstance(value, bool) else repr(value)
    if type_.kind in TEXT_KINDS and type_.length is not None:
        fact = f"{written} has {len(str(value))} characters, and {type_} has room for {type_.length}"
        return fact, "widen the type, or shorten it"
    return f"{written} is no value of type {type_}", "correct the value, or the type"


def _written(at: FakeAt) -> Iterator[tuple[Loc, object, bool]]:
    if isinstance(at.fake.choice, dict):
        for value in at.fake.choice:
            yield (*at.loc, "choice", value), value, True
    elif at.fake.choice is not None:
        for place, each in enumerate(at.fake.choice):
            yield (*at.loc, "choice", place), each, False
    if at.fake.constant is not None:
        yield (*at.loc, "constant"), at.fake.constant, False


def _next_states(spec: Spec) -> Iterator[Finding]:
    for table, entity in spec.entities.items():
        changes = entity.changes
        for name, states in (changes.update.set if changes and changes.update else {}).items():
            type_ = parse_type(entity.columns[name].type) if name in entity.columns else None
            if type_ is None or not supported(type_):
                continue
            for state, value in states.next.items():
                try:
                    held(type_, value)
                except ValueError:
                    loc = ("entities", table, "changes", "update", "set", name, "next", state)
                    yield Finding(loc, *_misfit(type_, value))


@rule("value-too-long")
def value_too_long(spec: Spec) -> Iterator[Finding]:
    """A text column has room for what its rule makes."""
    counts = row_counts(spec)
    for at in fakes(spec):
        type_ = at.type
        if type_ is None or type_.kind not in TEXT_KINDS or type_.length is None:
            continue
        longest = _length(at, counts[at.table])
        if longest is not None and longest > type_.length:
            key = at.fake.kind.rstrip("_")
            message = f"{key} makes texts of {longest} characters, and {type_} has room for {type_.length}"
            yield Finding((*at.loc, key), message, f"make it {type_.kind.value}({longest}) or more")


def _length(at: FakeAt, rows: int | None) -> int | None:
    """Characters that some value of a rule has; None if that is not known."""
    fake = at.fake
    if fake.pattern is not None:
        return len(fake.pattern)
    if fake.uuid is not None:
        return _UUID
    if fake.date is not None:
        return _DATE
    if fake.persona is not None:
        return LONGEST.get(fake.persona.part) if is_unique(at.entity, at.name) and not at.nested else None
    if fake.template is not None:
        return _template_length(fake.template) if is_unique(at.entity, at.name) and not at.nested else None
    numbers = [value for _, _, value in _whole_numbers(fake, rows)]
    return max(len(str(number)) for number in numbers) if numbers else None


def _template_length(template: str) -> int:
    try:
        return sum(len(literal) + (name is not None) for literal, name, *_ in string.Formatter().parse(template))
    except ValueError:
        return 0


@rule("fake-out-of-range")
def fake_out_of_range(spec: Spec) -> Iterator[Finding]:
    """Whole numbers fit into the column."""
    counts = row_counts(spec)
    for at in fakes(spec):
        type_ = at.type
        if type_ is None or type_.kind not in (*INTEGER_LIMITS, Kind.NUMERIC):
            continue
        low, high = _room(type_)
        for key, end, value in _whole_numbers(at.fake, counts[at.table] if not at.nested else None):
            if not low <= value <= high:
                loc = (*at.loc, key, end) if end in ("min", "max", "start") else (*at.loc, key)
                message = f"{value} does not fit into {at.column.type}"
                yield Finding(loc, f"{message}{_why(end)}", f"use {low} to {high}, or a larger type")


def _room(type_: LogicalType) -> tuple[int, int]:
    """The smallest and the largest whole number that a type holds."""
    if type_.kind is Kind.NUMERIC:
        high = (limit_of(type_) - 1) // 10 ** max(scale_of(type_), 0)
        return -high, high
    return -limit_of(type_), limit_of(type_) - 1


def _why(end: str) -> str:
    return ", and the last row would have it" if end == "last" else ""


def _whole_numbers(fake: Fake, rows: int | None) -> Iterator[tuple[str, str, int]]:
    if fake.integer is not None:
        yield "integer", "min", fake.integer.min
        yield "integer", "max", fake.integer.max
    if fake.zipf is not None:
        yield "zipf", "max", fake.zipf.max
    if fake.sequence is not None:
        yield "sequence", "start", fake.sequence.start
        if rows is not None:
            yield "sequence", "last", fake.sequence.start + fake.sequence.step * max(rows - 1, 0)


@rule("lognormal-too-large")
def lognormal_too_large(spec: Spec) -> Iterator[Finding]:
    """The mean of a log-normal distribution is that of the logarithm."""
    for at in fakes(spec):
        lognormal = at.fake.lognormal
        if lognormal is not None and lognormal.mean + _FARTHEST * lognormal.sigma > _LARGEST_EXPONENT:
            farthest = lognormal.mean + _FARTHEST * lognormal.sigma
            key = "mean" if lognormal.mean > _LARGEST_EXPONENT / 2 else "sigma"
            message = f"`{key}` is that of the logarithm: values would go up to e to the {farthest:.0f}"
            yield Finding((*at.loc, "lognormal", key), message, "for values around 20, write mean 3 and sigma 1")


@rule("mostly-clipped", WARNING)
def mostly_clipped(spec: Spec) -> Iterator[Finding]:
    """A distribution lies within its bounds."""
    for at in fakes(spec):
        for key in ("normal", "lognormal"):
            drawn = getattr(at.fake, key)
            if drawn is None or (key == "lognormal" and drawn.mean > _LARGEST_EXPONENT):
                continue
            median = drawn.mean if key == "normal" else math.exp(drawn.mean)
            below = drawn.min is not None and median < drawn.min
            if below or (drawn.max is not None and median > drawn.max):
                end, name = (drawn.min, "min") if below else (drawn.max, "max")
                message = f"half of the values or more are clipped to {name} ({end}): the median is {median:,.6g}"
                yield Finding((*at.loc, key, name), message, f"move `{name}`, or `mean`")


@rule("repeating-rule")
def repeating_rule(spec: Spec) -> Iterator[Finding]:
    """A unique column needs a rule that keeps its values apart."""
    for loc, _, entity, name, column in columns(spec):
        if column.fake is None or not is_unique(entity, name):
            continue
        if (why := _repeats(entity, column, column.fake)) is not None:
            advice = "use sequence, uuid, integer, pattern or a Faker provider"
            yield Finding((*loc, "fake"), f"{name!r} is unique, and {why}", advice)


def _repeats(entity: Entity, column: EntityColumn, fake: Fake) -> str | None:
    """Why a rule may repeat its values; None if it does not."""
    key, kind = fake.kind.rstrip("_"), kind_of(column)
    if key in _REPEATING:
        return f"{key} may repeat its values"
    if key == "datetime" and kind is Kind.DATE:
        return "many points in time are of one day"
    if key == "faker" and kind is not None and kind not in TEXT_KINDS:
        return f"Faker's values of type {column.type} may repeat"
    if fake.persona is not None and fake.persona.part not in UNIQUE:
        return f"two people may have the same {fake.persona.part}"
    if fake.template is not None and not _tells_apart(entity, fake.template):
        return "two rows may make the same text of this template"
    return None


def _tells_apart(entity: Entity, template: str) -> bool:
    try:
        names = template_names(template)
    except Unreadable:
        return True  # `bad-expression` tells
    types = {name: parse_type(entity.columns[name].type) for name in names if name in entity.columns}
    known = {name: type_ for name, type_ in types.items() if type_ is not None}
    if len(known) < len(set(names)):
        return True  # other rules tell
    distinct = {name for name in entity.columns if is_unique(entity, name)}
    pieces = [(literal, name) for literal, name, _, _ in string.Formatter().parse(template)]
    return template_tells_apart(pieces, distinct, known)


@rule("not-enough-values")
def not_enough_values(spec: Spec) -> Iterator[Finding]:
    """A unique column needs as many values as there are rows."""
    counts = row_counts(spec)
    for loc, table, entity, name, column in columns(spec):
        rows = counts[table]
        if rows is None or not is_unique(entity, name):
            continue
        if column.fake is not None:
            possible = _distinct(column, column.fake)
        else:
            possible = counts.get(column.references.table) if column.references else None
        if possible is not None and possible < rows:
            place = (*loc, "fake" if column.fake else "references")
            message = f"{name!r} is unique, and {rows} rows of {table!r} need more than its {possible} values"
            yield Finding(place, message, "use a rule with more values, or fewer rows", on_key=not column.fake)


def _distinct(column: EntityColumn, fake: Fake) -> int | None:
    """How many different values a rule can make; None if that is not known."""
    if fake.choice is not None:
        weights = fake.choice.values() if isinstance(fake.choice, dict) else [1] * len(set(map(str, fake.choice)))
        return sum(weight > 0 for weight in weights)
    if fake.integer is not None:
        return max(0, fake.integer.max - fake.integer.min + 1)
    if fake.pattern is not None:
        return int(10 ** fake.pattern.count("#") * 26 ** fake.pattern.count("?"))
    if fake.constant is not None:
        return 1
    return 2 if kind_of(column) is Kind.BOOLEAN else None


@rule("key-may-repeat")
def key_may_repeat(spec: Spec) -> Iterator[Finding]:
    """A key of several columns has one that never repeats by itself."""
    counts = row_counts(spec)
    for table, entity in spec.entities.items():
        keys: list[tuple[Loc, tuple[str, ...]]] = [
            (("entities", table, "unique", place), names) for place, names in enumerate(entity.unique)
        ]
        if len(entity.key) > 1:
            keys.append((_key_loc(table, entity), entity.key))
        for loc, names in keys:
            known = len(names) > 1 and all(name in entity.columns for name in names)
            if known and _has_rows(entity, counts[table]) and not any(_never_repeats(entity, name) for name in names):
                message = f"two rows may have the same {' and '.join(names)}"
                yield Finding(loc, message, "make one of them a sequence, a uuid, or `unique: true`")


def _has_rows(entity: Entity, count: int | None) -> bool:
    """Whether there may be two rows."""
    return entity.rows is not None and (count is None or count > 1)


def _key_loc(table: str, entity: Entity) -> Loc:
    if entity.primary_key is not None:
        return ("entities", table, "primary_key")
    return ("entities", table, "columns", entity.key[0], "primary_key")


def _never_repeats(entity: Entity, name: str) -> bool:
    fake = entity.columns[name].fake
    return is_unique(entity, name) or (fake is not None and fake.kind in ("sequence", "uuid"))


@rule("no-parents")
def no_parents(spec: Spec) -> Iterator[Finding]:
    """Rows that refer to a table need rows there."""
    counts = row_counts(spec)
    for loc, table, entity, name, column in columns(spec):
        parent = column.references.table if column.references else table
        if parent != table and counts.get(parent) == 0 and counts[table] != 0 and entity.rows is not None:
            message = f"{parent!r} has no rows that {name!r} could refer to"
            yield Finding((*loc, "references", "table"), message, f"give {parent!r} rows, or {table!r} none")


@rule("redrawn-key")
def redrawn_key(spec: Spec) -> Iterator[Finding]:
    """A tick draws anew what may repeat, or what the rule can keep apart over time."""
    for table, entity in spec.entities.items():
        update = entity.changes.update if entity.changes else None
        for place, name in enumerate(update.redraw if update else ()):
            column = entity.columns.get(name)
            if column is None or name in entity.key:
                continue
            key = column.fake.kind if column.fake else "reference"
            unique = is_unique(entity, name) and key not in _REDRAWN
            if unique or key == "sequence":
                loc = ("entities", table, "changes", "update", "redraw", place)
                message = f"{name!r} cannot be drawn anew: its {key} could repeat a value"
                if key == "sequence":
                    message = f"{name!r} cannot be drawn anew: a sequence numbers new rows only"
                yield Finding(loc, message, "remove it, or use uuid or a Faker provider")


RULES: tuple[Rule, ...] = (
    value_type,
    value_too_long,
    fake_out_of_range,
    lognormal_too_large,
    mostly_clipped,
    repeating_rule,
    not_enough_values,
    key_may_repeat,
    no_parents,
    redrawn_key,
)

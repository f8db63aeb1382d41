"""A rule of fake data for a column, from its name, its type and its checks. Nothing is taken from the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from framework.draft import words
from framework.draft.checks import Allowed
from framework.draft.text import Bare
from framework.draft.words import Value, says
from framework.generate.columns.scalars import INTEGER_LIMITS, element_of, held, limit_of, scale_of, supported
from framework.types import INTEGER_KINDS, TEXT_KINDS, Kind, LogicalType
from framework.validation.rules.faker_index import index

ROWS = 1000
"""Rows that are proposed for a table, if its columns have so many values."""

_DIGITS = 10
_UUID = 36
_ADDRESS = 40
"""Characters that unique addresses need at most."""
_WORD = 4
"""Characters of a text that has room for a word."""
_UNLIKE = ("citext", "name", '"char"')
"""Texts whose arrays are other ones than those of text."""
_EXACT = 9
"""Digits before the point of a number that needs no thought."""


@dataclass(frozen=True)
class Subject:
    """A column that is to be filled.

    Attributes:
        table: the name of its table, which tells whose `name` it is.
        labels: of an enum.
        unique: no value may appear twice.
        numbered: it belongs to a key that only a sequence keeps apart.
        moments: the columns of the table that are dates or timestamps and never NULL.
    """

    table: str
    name: str
    type: LogicalType
    labels: tuple[str, ...] = ()
    allowed: Allowed = field(default_factory=Allowed)
    unique: bool = False
    numbered: bool = False
    moments: tuple[str, ...] = ()

    def says(self, pattern: str) -> bool:
        """Whether its name has one of these words."""
        return says(self.name, pattern)


@dataclass(frozen=True)
class Proposal:
    """A rule, and how many different values it can make (None: more than anybody asks for)."""

    rule: Value
    distinct: int | None = None


def propose(subject: Subject) -> Proposal | None:
    """The rule; None where the generator has none for such a column."""
    type_ = subject.type
    if subject.labels and type_.kind is Kind.ENUM:
        return _choice(subject.labels) if supported(type_) else None
    if not supported(type_):
        return None
    if subject.allowed.values and (chosen := _listed(subject)):
        return _choice(chosen)
    if type_.kind in INTEGER_KINDS or type_.kind in (Kind.NUMERIC, Kind.REAL, Kind.DOUBLE):
        return _number(subject)
    if type_.kind in TEXT_KINDS:
        return _text(subject)
    return _other(subject)


def _listed(subject: Subject) -> list[Value]:
    """The values that a check lists, as a spec writes them for the type."""
    chosen: list[Value] = []
    for value in subject.allowed.values:
        try:
            held(subject.type, value)
        except ValueError:
            continue
        chosen.append(int(value) if subject.type.kind in INTEGER_KINDS else value)
    return chosen


def _choice(values: Sequence[Value]) -> Proposal:
    return Proposal({"choice": list(values)}, len(values))


# --- numbers


def _number(subject: Subject) -> Proposal:
    low, high = _room(subject.type)
    if subject.unique or subject.numbered:
        return Proposal("sequence", max(high, 0))
    checked = subject.allowed
    if checked.low is not None or checked.high is not None:
        return Proposal(_within(subject, low, high))
    for pattern, bounds in words.NUMBERS:
        if subject.says(pattern) and low <= bounds["min"] and bounds["max"] <= high:
            return Proposal({"integer": {"min": int(bounds["min"]), "max": int(bounds["max"])}})
    if subject.type.kind in INTEGER_KINDS:
        return Proposal({"integer": {"min": min(1, high), "max": min(1000, high)}})
    return Proposal(_amount(low, high))


def _room(type_: LogicalType) -> tuple[int, int]:
    """The smallest and the largest whole number that a type holds, or that is worth making."""
    if type_.kind in INTEGER_LIMITS:
        return -INTEGER_LIMITS[type_.kind], INTEGER_LIMITS[type_.kind] - 1
    if type_.kind is Kind.NUMERIC:
        high = (limit_of(type_) - 1) // 10 ** max(scale_of(type_), 0)
        return -high, high
    return -(10**_EXACT), 10**_EXACT


def _within(subject: Subject, low: int, high: int) -> Value:
    """Whole numbers within the bounds of a check, and a fraction where there is no whole number between."""
    checked = subject.allowed
    first = low if checked.low is None else int(-(-checked.low // 1))
    last = high if checked.high is None else int(checked.high // 1)
    if checked.low is not None and checked.above and first <= checked.low:
        first += 1
    if checked.high is not None and checked.below and last >= checked.high:
        last -= 1
    if checked.low is None:
        first = max(low, last - 1000)
    if checked.high is None:
        last = min(high, first + 1000)
    first, last = max(first, low), min(last, high)
    if first <= last:
        return {"integer": {"min": first, "max": last}}
    middle = ((checked.low or 0) + (checked.high if checked.high is not None else (checked.low or 0))) / 2
    return {"constant": middle if subject.type.kind not in INTEGER_KINDS else 0}


def _amount(low: int, high: int) -> Value:
    """Many small numbers and few large ones, as prices are."""
    if high < 100:
        return {"integer": {"min": 0, "max": max(high, 0)}}
    del low
    return {"lognormal": {"mean": 3, "sigma": 1, "min": 1, "max": min(high, 10_000)}}


# --- texts


def _text(subject: Subject) -> Proposal:
    # PostgreSQL's own type "char" is a single byte.
    length = 1 if subject.type.name == '"char"' else subject.type.length
    if subject.unique:
        return _unique_text(subject, length)
    if subject.numbered:
        return Proposal("sequence", 10 ** min(length or _EXACT, _EXACT) - 1)
    if subject.says(r"uuid|guid|token") and (length is None or length >= _UUID):
        return Proposal("uuid")
    named = _by_name(subject, length)
    return Proposal(_prose(subject, length) if named is None else named)


def _by_name(subject: Subject, length: int | None) -> Value | None:
    """What the name of a text says of its values; None if nothing."""
    if subject.says(words.COUNTRIES) and length in (2, 3):
        alpha_3 = {"faker": {"provider": "country_code", "arguments": {"representation": "alpha-3"}}}
        return "country_code" if length == 2 else alpha_3
    own = _name_of(subject) if subject.says("name") and not subject.says(words.OTHER_NAMES) else None
    if own is not None and _fits(own, length):
        return own
    for pattern, provider in words.TEXTS:
        if subject.says(pattern) and _fits(provider, length):
            return provider
    for pattern, values in words.CHOICES:
        fitting = [value for value in values if length is None or len(value) <= length]
        if subject.says(pattern) and fitting:
            return {"choice": fitting}
    return None


def _name_of(subject: Subject) -> str | None:
    """The provider for `name`, which is a person's or a firm's."""
    if says(subject.table, words.FIRMS):
        return "company"
    return "name" if says(subject.table, words.PEOPLE) else None


def _fits(provider: str, length: int | None) -> bool:
    if length is None:
        return True
    signature = index().signatures.get(provider)
    shortest = signature.shortest if signature is not None else None
    return length >= (shortest or 15)


def _prose(subject: Subject, length: int | None) -> Value:
    if length is None or length >= 60:
        return words.sentence(12 if subject.says(words.PROSE) else 4)
    return "word" if length >= _WORD else {"pattern": "#" * length}


def _unique_text(subject: Subject, length: int | None) -> Proposal:
    if length is None or length >= _ADDRESS:
        if subject.says(r"e_?mails?"):
            return Proposal("email")
        if subject.says(r"user_?name|login|nick(?:_?name)?|screen_?name"):
            return Proposal("user_name")
        return Proposal("uuid") if subject.says(r"uuid|guid|token|hash|key") else Proposal({"pattern": "#" * _DIGITS})
    return Proposal({"pattern": "#" * min(length, _DIGITS)}, 10 ** min(length, _DIGITS))


# --- all else


def _other(subject: Subject) -> Proposal | None:
    kind = subject.type.kind
    if kind is Kind.UUID:
        return Proposal("uuid")
    if kind in (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ):
        return _moment(subject)
    if kind is Kind.BOOLEAN:
        return Proposal({"choice": [True, False]}, 2)
    if kind is Kind.TIME:
        return Proposal({"choice": words.TIMES}, len(words.TIMES))
    if subject.unique:
        return None
    if kind is Kind.JSON:
        return Proposal({"json": {"note": "word"}})
    if kind is Kind.BYTES:
        return Proposal({"choice": ["one", "two", "three"]})
    return _array(subject) if kind is Kind.ARRAY else None


def _moment(subject: Subject) -> Proposal:
    is_day = subject.type.kind is Kind.DATE
    rule = "date" if is_day else "datetime"
    if subject.unique:
        return Proposal({rule: words.LONG_PAST}, 40_000 if is_day else None)
    if subject.says(words.BIRTHS):
        return Proposal({rule: words.DAYS_OF_BIRTH})
    created = next((name for name in subject.moments if says(name, words.CREATED)), None)
    if created is not None and created != subject.name and subject.says(words.LATER):
        return Proposal({"after": {"column": created, "within": Bare("90d")}})
    return Proposal({rule: words.PAST})


def _array(subject: Subject) -> Proposal | None:
    element = element_of(subject.type)
    if element.name in _UNLIKE:
        return None
    inner = propose(Subject(subject.table, subject.name, element))
    if inner is None:
        return None
    rule = "word" if element.kind in TEXT_KINDS and (element.length or _DIGITS) >= _DIGITS else inner.rule
    return Proposal({"array": {"of": rule, "min": 0, "max": 3}})

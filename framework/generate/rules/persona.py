"""The rule `persona`: the columns of a row that speak of one person agree with each other.

A row's number is put into a random order over pairs of a first and a last name, half of them of each gender; so
names, gender, e-mail address and user name follow from one number. What is made of names never repeats: when all pairs
are used up, there is a number behind them. City and postcode are one place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from framework.generate.columns import text
from framework.generate.columns.streams import Permutation, Rows, Stream
from framework.generate.columns.text import Text
from framework.generate.columns.values import Vector
from framework.generate.rules import coerce, pools
from framework.generate.rules.drawn import Pools
from framework.generate.rules.rule import REDRAWN, Rule, Scope
from framework.generate.rules.unique import marked
from framework.spec import fake
from framework.spec.persona import LONGEST, UNIQUE, Part
from framework.types import TEXT_KINDS, LogicalType

DRAWN = 1_024
"""Values of each kind that are drawn from Faker."""
PLACES: Mapping[str, str] = {"city": "city", "postcode": "postcode", "street": "street_address"}
"""What a place is made of, and Faker's providers."""
_FAMILY_FIRST = {"hu_HU": " ", "ja_JP": " ", "ko_KR": "", "zh_CN": "", "zh_TW": ""}
"""Locales that put the last name first, and what stands between the names."""
_DOMAINS = ("@example.com", "@example.net", "@example.org")
"""Reserved for examples: nobody gets mail by accident."""
_LONGEST_WORD = 20
_GENDERS = ("male", "female")


def persona(scope: Scope, rule: fake.Persona, type_: LogicalType) -> Rule:
    """A part of the person that a row speaks of."""
    if type_.kind not in TEXT_KINDS:
        raise scope.unfit("persona", type_, "use a text type")
    if scope.unique and rule.part not in UNIQUE:
        raise scope.never_unique(f"persona: {rule.part}")
    if not scope.types:
        raise scope.impossible("the elements of an array are no person", "use a Faker provider")
    needed = LONGEST.get(rule.part)
    if scope.unique and needed is not None and type_.length is not None and type_.length < needed:
        raise scope.impossible(
            f"a unique {rule.part} may have {needed} characters, too many for {type_}", "widen the type"
        )
    locale = rule.locale or scope.locale
    if rule.part == "phone":
        return pools.faker(scope, fake.Faker(provider="phone_number", locale=locale), type_)
    stream = Stream(*scope.stream.path[:2], "", "persona", locale)
    made = (_place if rule.part == "address" or rule.part in PLACES else _person)(scope, rule.part, locale, stream)
    may_cut = not scope.unique
    return Rule(lambda _, rows: Vector(coerce.fitting(scope, type_, made(rows), may_cut=may_cut)))


@dataclass(frozen=True)
class _Names:
    """First and last names of both genders: those of women stand behind those of men."""

    firsts: Text
    lasts: Text
    first_words: Text
    last_words: Text
    counts: tuple[tuple[int, int], tuple[int, int]]

    @property
    def pairs(self) -> int:
        """Pairs of names for each gender."""
        return min(first * last for first, last in self.counts)


def _person(scope: Scope, part: Part, locale: str, stream: Stream) -> Callable[[Rows], Text]:
    names = _names(scope, locale)
    order = Permutation(2 * names.pairs, stream.child("person"))
    domains = text.of([domain.encode() for domain in _DOMAINS])
    between = _FAMILY_FIRST.get(locale)
    genders = text.of([gender.encode() for gender in _GENDERS])

    def make(rows: Rows) -> Text:
        ticks, numbers = np.divmod(rows, REDRAWN)
        epochs, numbers = np.divmod(numbers, 2 * names.pairs)
        pair, gender = np.divmod(order((numbers + ticks) % (2 * names.pairs)), 2)
        (men_first, men_last), (women_first, women_last) = names.counts
        last, first = np.divmod(pair, np.where(gender == 0, men_first, women_first))
        last = last % np.where(gender == 0, men_last, women_last)
        first, last = first + gender * men_first, last + gender * men_last
        if part == "gender":
            return genders.take(gender)
        if part in ("email", "user_name"):
            dot = text.constant(b".", len(rows))
            local = [names.first_words.take(first), dot, names.last_words.take(last)]
            suffixes = [marked("", epochs + 1, epochs > 0), marked(".t", ticks, ticks > 0)]
            domain = [domains.take(stream.child("domain").below(rows, len(_DOMAINS)))] if part == "email" else []
            return text.joined([*local, *suffixes, *domain])
        chosen = {"first_name": [names.firsts.take(first)], "last_name": [names.lasts.take(last)]}
        if part in chosen:
            return chosen[part][0]
        space = text.constant((" " if between is None else between).encode(), len(rows))
        parts = [names.firsts.take(first), space, names.lasts.take(last)]
        return text.joined(parts if between is None else parts[::-1])

    return make


def _names(scope: Scope, locale: str) -> _Names:
    """Names whose words in Latin letters tell them apart."""
    firsts, seen = [], set[str]()
    for gender in _GENDERS:
        found = _worded(scope, locale, f"first_name_{gender}", seen)
        seen |= found.keys()
        firsts.append(found)
    if len(firsts[1]) < len(firsts[0]) // 4:  # a locale that does not tell men's names from women's
        both = list({**firsts[0], **firsts[1]}.items())
        firsts = [dict(both[::2]), dict(both[1::2])]
    lasts = [_worded(scope, locale, f"last_name_{gender}", set()) for gender in _GENDERS]
    if not all((*firsts, *lasts)):
        raise scope.impossible(f"Faker has no names of people for {locale}", "use another locale")
    return _Names(
        _column([*firsts[0].values(), *firsts[1].values()]),
        _column([*lasts[0].values(), *lasts[1].values()]),
        _column([*firsts[0], *firsts[1]]),
        _column([*lasts[0], *lasts[1]]),
        ((len(firsts[0]), len(lasts[0])), (len(firsts[1]), len(lasts[1]))),
    )


def _worded(scope: Scope, locale: str, provider: str, taken: set[str]) -> dict[str, str]:
    """Different names by their words in Latin letters, none of them taken."""
    found: dict[str, str] = {}
    for word, name in scope.pools.kept(f"persona {provider}", locale, partial(_words, scope, locale, provider)):
        if word not in taken:
            found.setdefault(word, name)
    return found


def _words(scope: Scope, locale: str, provider: str) -> list[list[str]]:
    """Pairs of a word in Latin letters and the name it stands for; the words are Faker's, too."""
    from faker.decode import unidecode

    found: dict[str, str] = {}
    for name in Pools().draw(scope, fake.Faker(provider=provider, locale=locale), DRAWN):
        word = re.sub("[^a-z]", "", unidecode(str(name)).lower())
        if word and len(word) <= _LONGEST_WORD:
            found.setdefault(word, str(name))
    return [[word, name] for word, name in found.items()]


def _place(scope: Scope, part: Part, locale: str, stream: Stream) -> Callable[[Rows], Text]:
    def drawn(provider: str) -> list[str]:
        values = scope.pools.draw(scope, fake.Faker(provider=provider, locale=locale), DRAWN)
        return [str(value).replace("\n", ", ") for value in values]

    columns = {name: drawn(provider) for name, provider in PLACES.items()}
    cities = columns["city"] = list(dict.fromkeys(columns["city"]))
    columns["postcode"] = columns["postcode"][: len(cities)]
    values = {name: _column(column) for name, column in columns.items()}

    def make(rows: Rows) -> Text:
        city = stream.child("city").below(rows, len(cities))
        street = stream.child("street").below(rows, len(columns["street"]))
        places = {"city": city, "postcode": city, "street": street}
        if part != "address":
            return values[part].take(places[part])
        comma = text.constant(b", ", len(rows))
        parts = [values[name].take(places[name]) for name in ("street", "city", "postcode")]
        return text.joined([parts[0], comma, parts[1], comma, parts[2]])

    return make


def _column(values: list[str]) -> Text:
    return text.of([value.encode() for value in values])

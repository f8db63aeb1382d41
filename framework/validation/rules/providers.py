"""Rules that ask what the Faker library offers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from framework.diagnostics import closest, did_you_mean
from framework.generate.columns.scalars import held
from framework.spec.fake import Faker
from framework.spec.models import Spec
from framework.types import INTEGER_KINDS, TEXT_KINDS, Kind
from framework.validation.rules.base import WARNING, Finding, Loc, Rule, rule
from framework.validation.rules.faker_index import Signature, index
from framework.validation.rules.lookup import MOMENT_KINDS, FakeAt, fakes


@rule("unknown-locale")
def unknown_locale(spec: Spec) -> Iterator[Finding]:
    """Locales are those of Faker."""
    for loc, locale in _locales(spec):
        if locale not in _known_locales():
            yield Finding(
                loc,
                f"Faker has no locale {locale!r}",
                _locale_advice(locale),
            )


def _locale_advice(locale: str) -> str:
    begins = sorted(name for name in _known_locales() if name.startswith(f"{locale}_"))
    own = next((name for name in begins if name == f"{locale}_{locale.upper()}"), begins[0] if begins else None)
    return f"did you mean {own!r}?" if own else did_you_mean(locale, _known_locales()) or "write one such as en_US"


def _locales(spec: Spec) -> Iterator[tuple[Loc, str]]:
    used = [at for at in fakes(spec) if at.fake.faker is not None or at.fake.persona is not None]
    if used:
        yield ("locale",), spec.locale
    for at in used:
        if at.fake.faker is not None and at.fake.faker.locale is not None:
            yield (*at.loc, "faker", "locale"), at.fake.faker.locale
        if at.fake.persona is not None and at.fake.persona.locale is not None:
            yield (*at.loc, "persona", "locale"), at.fake.persona.locale


@rule("unknown-provider")
def unknown_provider(spec: Spec) -> Iterator[Finding]:
    """A bare text is `sequence`, `uuid`, or a provider of Faker."""
    for at in fakes(spec):
        faker = at.fake.faker
        locale = faker.locale or spec.locale if faker else ""
        if faker is None or locale not in _known_locales():
            continue
        known = index().providers(locale)
        if faker.provider not in known:
            within = sorted(name for name in known if faker.provider in name.split("_"))
            nearest = within[0] if within else closest(faker.provider, ("sequence", "uuid", *known))
            advice = (
                f"did you mean {nearest!r}?" if nearest else "see the list of Faker's providers, such as name, email"
            )
            message = f"{faker.provider!r} is no provider of Faker for {locale}"
            yield Finding((*at.loc, "faker", "provider"), message, advice)


@rule("unknown-argument")
def unknown_argument(spec: Spec) -> Iterator[Finding]:
    """Arguments of a provider are those that it takes, and all that it must have."""
    for at, faker, signature in _called(spec):
        for name in faker.arguments:
            if not signature.any_argument and name not in signature.arguments:
                loc = (*at.loc, "faker", "arguments", name)
                advice = did_you_mean(name, signature.arguments) or "it takes none"
                yield Finding(loc, f"Faker's {faker.provider} has no argument {name!r}", advice, on_key=True)
        for name in signature.required:
            if name not in faker.arguments:
                advice = f"write {{faker: {{provider: {faker.provider}, arguments: {{{name}: ...}}}}}}"
                yield Finding((*at.loc, "faker", "provider"), f"Faker's {faker.provider} needs {name!r}", advice)


@rule("provider-type")
def provider_type(spec: Spec) -> Iterator[Finding]:
    """A provider makes values of the column's type."""
    for at, faker, signature in _called(spec):
        type_ = at.type
        if type_ is None or faker.arguments or signature.makes is None or faker.provider in index().clocks:
            continue
        if signature.makes not in _MADE.get(type_.kind, _EVERYTHING):
            message = f"Faker's {faker.provider} makes {_SAID[signature.makes]}, no values of type {type_}"
            yield Finding((*at.loc, "faker", "provider"), message, "use another rule, or another type")
        elif signature.largest is not None and type_.kind in (*INTEGER_KINDS, Kind.NUMERIC):
            try:
                held(type_, signature.largest)
            except ValueError:
                message = f"Faker's {faker.provider} makes numbers such as {signature.largest}, too large for {type_}"
                yield Finding((*at.loc, "faker", "provider"), message, "use `integer`, or a larger type")


@rule("value-cut", WARNING)
def value_cut(spec: Spec) -> Iterator[Finding]:
    """A text column has room for what a provider makes."""
    for at, faker, signature in _called(spec):
        type_ = at.type
        if type_ is None or type_.kind not in TEXT_KINDS or type_.length is None or faker.arguments:
            continue
        if signature.shortest is not None and signature.shortest > _MARGIN * type_.length:
            what = f"the shortest text of {faker.provider} that was seen has {signature.shortest} characters"
            message = f"{what}, and {type_} has room for {type_.length}: all may be cut"
            yield Finding((*at.loc, "faker", "provider"), message, "widen the type")


def _called(spec: Spec) -> Iterator[tuple[FakeAt, Faker, Signature]]:
    """The rules that call a provider of which the index knows more than its name."""
    for at in fakes(spec):
        faker = at.fake.faker
        if faker is not None and (signature := index().signatures.get(faker.provider)) is not None:
            yield at, faker, signature


_MARGIN = 1.25
"""So much longer than the column must the shortest text be that was seen: there may be shorter ones."""
_NUMBERS = frozenset({"integer", "digits", "number"})
_EVERYTHING = frozenset({"boolean", "integer", "digits", "number", "uuid", "moment", "text", "other"})
_MADE: Mapping[Kind, frozenset[str]] = {
    **dict.fromkeys(INTEGER_KINDS, frozenset({"integer", "digits"})),
    **dict.fromkeys((Kind.NUMERIC, Kind.REAL, Kind.DOUBLE), _NUMBERS),
    Kind.BOOLEAN: frozenset({"boolean"}),
    Kind.UUID: frozenset({"uuid"}),
    **dict.fromkeys((*MOMENT_KINDS, Kind.TIME), frozenset({"moment"})),
    Kind.ARRAY: frozenset({"other"}),
    Kind.ENUM: frozenset(),
}
"""What a provider may make for the kinds of columns that do not take everything."""
_SAID = {
    "boolean": "true and false",
    "integer": "whole numbers",
    "digits": "texts of digits",
    "number": "numbers with decimals",
    "uuid": "UUIDs",
    "moment": "dates or times",
    "text": "texts",
    "other": "lists or mappings",
}


@rule("clock-provider")
def clock_provider(spec: Spec) -> Iterator[Finding]:
    """Providers that count from today would give other data tomorrow for the same seed."""
    for at in fakes(spec):
        faker = at.fake.faker
        locale = faker.locale or spec.locale if faker else ""
        if faker is None or locale not in _known_locales() or faker.provider in _TIMELESS:
            continue
        if faker.provider in index().clocks & index().providers(locale):
            message = f"Faker's {faker.provider} depends on today's date"
            advice = "use `date: {from: ..., to: ...}` or `datetime: {from: ..., to: ...}`"
            yield Finding((*at.loc, "faker", "provider"), message, advice)


_TIMELESS = frozenset({"timezone", "pytimezone", "century"})
"""Faker's providers beside its dates that do not look at the clock."""


def _known_locales() -> Mapping[str, frozenset[str]]:
    return index().locales


RULES: tuple[Rule, ...] = (
    unknown_locale,
    unknown_provider,
    unknown_argument,
    provider_type,
    value_cut,
    clock_provider,
)

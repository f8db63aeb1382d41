"""Rules that ask what the Faker library offers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from framework.diagnostics import closest, did_you_mean
from framework.spec.checks.faker_index import index
from framework.spec.checks.lookup import fakes
from framework.spec.checks.rules import Finding, Loc, Rule, rule
from framework.spec.models import Spec


@rule("unknown-locale")
def unknown_locale(spec: Spec) -> Iterator[Finding]:
    """Locales are those of Faker."""
    for loc, locale in _locales(spec):
        if locale not in _known_locales():
            yield Finding(
                loc,
                f"Faker has no locale {locale!r}",
                did_you_mean(locale, _known_locales()) or "write one such as en_US",
            )


def _locales(spec: Spec) -> Iterator[tuple[Loc, str]]:
    used = [at for at in fakes(spec) if at.fake.faker is not None]
    if used:
        yield ("locale",), spec.locale
    for at in used:
        if at.fake.faker is not None and at.fake.faker.locale is not None:
            yield (*at.loc, "faker", "locale"), at.fake.faker.locale


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
            nearest = closest(faker.provider, ("sequence", "uuid", *known))
            advice = (
                f"did you mean {nearest!r}?" if nearest else "see the list of Faker's providers, such as name, email"
            )
            message = f"{faker.provider!r} is no provider of Faker for {locale}"
            yield Finding((*at.loc, "faker", "provider"), message, advice)


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


RULES: tuple[Rule, ...] = (unknown_locale, unknown_provider, clock_provider)

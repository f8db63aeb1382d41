"""Values drawn from Faker, the same for the same provider, locale and arguments: each list is drawn once.

Faker's values change between its releases. What is in the lock file of a spec (`SPEC.pools.json`, made by
`vitrina lock`, to be committed) is taken from there, and Faker is not asked.
"""

from __future__ import annotations

import difflib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from framework.errors import UsageError
from framework.generate.columns.streams import Stream
from framework.generate.rules.rule import Scope
from framework.spec import fake

VERSION = 1
"""Of the lock file's form."""

SLOW = 3.0
"""Seconds: lists that take longer are announced."""
TRIAL = 0.25
"""Seconds after which it is reckoned how long a list will take."""

_CLOCK = frozenset({"timezone", "pytimezone", "century"})
"""The providers of Faker's date_time that do not look at the clock."""

Key = tuple[str, str, str]
"""Provider, locale, arguments as JSON."""


class Pools:
    """The values of providers, as many as were asked for; longer lists begin like shorter ones.

    Args:
        locked: lists that were drawn before.
        announce: is told when drawing will take long.
    """

    def __init__(
        self, locked: Mapping[Key, list[Any]] | None = None, announce: Callable[[str], None] = lambda _: None
    ) -> None:
        self.locked = dict(locked or {})
        self.used: dict[Key, list[Any]] = {}
        self._announce = announce
        self._draws: dict[Key, Iterator[Any]] = {}
        self._lock = threading.Lock()

    @classmethod
    def of(cls, path: Path | None, announce: Callable[[str], None] = lambda _: None) -> Pools:
        """The pools of a lock file, if there is one. Raises UsageError."""
        return cls(_read(path) if path is not None and path.exists() else None, announce)

    def draw(self, scope: Scope, rule: fake.Faker, size: int) -> list[Any]:
        """So many values of a provider. Raises RuleImpossible."""
        with self._lock:
            return self._drawn(scope, rule, key_of(rule, scope.locale), size)

    def kept(self, name: str, locale: str, make: Callable[[], list[Any]]) -> list[Any]:
        """What is made of drawn values, as the lock file has it or, the first time, as ``make`` says."""
        key = name, locale, "{}"
        with self._lock:
            if key not in self.used:
                self.used[key] = self.locked.get(key) or make()
            return self.used[key]

    def _drawn(self, scope: Scope, rule: fake.Faker, key: Key, size: int) -> list[Any]:
        locked = self.locked.get(key, [])
        if len(locked) >= size:
            self.used[key] = max(self.used.get(key, []), locked[:size], key=len)
            return locked[:size]
        values = self.used.setdefault(key, [])
        if key not in self._draws:
            self._draws[key] = _draws(scope, rule)
            if locked:
                self._announce(
                    f"the lock file has {len(locked)} of {size} values of {rule.provider}: run `vitrina lock`"
                )
        self._extend(rule.provider, values, self._draws[key], size)
        return values[:size]

    def _extend(self, provider: str, values: list[Any], draws: Iterator[Any], size: int) -> None:
        began, before, tried = time.perf_counter(), len(values), False
        while len(values) < size:
            values.append(next(draws))
            spent = time.perf_counter() - began
            if not tried and spent > TRIAL:
                tried, left = True, size - len(values)
                needed = spent / (len(values) - before) * left
                if needed > SLOW:
                    self._announce(
                        f"{left:,} values of {provider} are drawn in about {needed:.0f} s (`vitrina lock` keeps them)"
                    )


@lru_cache(maxsize=1)
def shared() -> Pools:
    """Pools for who has no lock file: what one table has drawn, the next one finds."""
    return Pools()


def key_of(rule: fake.Faker, locale: str) -> Key:
    """What the values of a rule depend on."""
    return rule.provider, rule.locale or locale, json.dumps(rule.arguments, sort_keys=True, default=str)


def write(path: Path, pools: Pools) -> tuple[int, tuple[str, ...]]:
    """Write all lists that were used; how many, and the providers whose values JSON cannot keep."""
    from faker import VERSION as FAKER

    lines, left_out = [], []
    for (provider, locale, arguments), values in sorted(pools.used.items()):
        if json.loads(json.dumps(values, default=str)) != values:
            left_out.append(provider)
            continue
        entry = {"provider": provider, "locale": locale, "arguments": json.loads(arguments), "values": values}
        lines.append(json.dumps(entry, ensure_ascii=False))
    head = f'{{"version": {VERSION}, "faker": "{FAKER}", "pools": [\n'
    path.write_text(head + ",\n".join(lines) + "\n]}\n", encoding="utf-8")
    return len(lines), tuple(left_out)


def _read(path: Path) -> dict[Key, list[Any]]:
    fix = f"make it anew: rm {path.name}; vitrina lock SPEC"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["version"] != VERSION:
            raise UsageError(f"{path} has the form {found['version']}, this Vitrina reads {VERSION}", fix)
        return {
            (pool["provider"], pool["locale"], json.dumps(pool["arguments"], sort_keys=True)): pool["values"]
            for pool in found["pools"]
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} is no lock file of pools", fix) from error


def _draws(scope: Scope, rule: fake.Faker) -> Iterator[Any]:
    """Endless values of a provider."""
    from faker import Faker  # half a second that only drawing should cost
    from faker.config import AVAILABLE_LOCALES

    key = key_of(rule, scope.locale)
    locale = key[1]
    if locale not in AVAILABLE_LOCALES:
        raise scope.impossible(f"Faker has no locale {locale!r}", _suggestion(locale, sorted(AVAILABLE_LOCALES)))
    generator = Faker(locale)
    generator.seed_instance(Stream("pool", *key).key)
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

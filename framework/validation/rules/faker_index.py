"""What Faker offers, as a file: checking a spec must not import Faker, which takes half a second.

``python -m framework.validation.rules.faker_index`` writes the file from the installed Faker.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_suffix(".json")
CLOCKS = "faker.providers.date_time"


@dataclass(frozen=True)
class Signature:
    """What is known of a provider that every locale has.

    Attributes:
        arguments: their names.
        required: those without a default.
        any_argument: whether it takes others, too.
        makes: boolean, integer, digits (a text of them), number, uuid, moment, text or other; None if that varies.
        shortest: characters of the shortest text that was seen; None for what is no text.
        largest: the largest whole number that was seen, or that is as long; None for what is none.
    """

    arguments: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    any_argument: bool = False
    makes: str | None = None
    shortest: int | None = None
    largest: int | None = None


@dataclass(frozen=True)
class FakerIndex:
    """Providers by locale.

    Attributes:
        version: of Faker.
        common: providers of every locale.
        locales: what each locale has beside them.
        clocks: providers of dates and times.
        signatures: of the common providers.
    """

    version: str
    common: frozenset[str]
    locales: Mapping[str, frozenset[str]]
    clocks: frozenset[str]
    signatures: Mapping[str, Signature]

    def providers(self, locale: str) -> frozenset[str]:
        """All providers of a locale."""
        return self.common | self.locales[locale]


@cache
def index() -> FakerIndex:
    """What the file says."""
    data = json.loads(FILE.read_text(encoding="utf-8"))
    locales = {name: frozenset(providers) for name, providers in data["locales"].items()}
    signatures = {name: Signature(**said) for name, said in data["common"].items()}
    return FakerIndex(data["version"], frozenset(data["common"]), locales, frozenset(data["clocks"]), signatures)


def build() -> dict[str, Any]:
    """The file's content, from the installed Faker."""
    import faker
    from faker.config import AVAILABLE_LOCALES

    fakers = {locale: faker.Faker(locale) for locale in sorted(AVAILABLE_LOCALES)}
    modules = {locale: _providers(found.factories[0]) for locale, found in fakers.items()}
    common = frozenset.intersection(*(frozenset(found) for found in modules.values()))
    generators = [found.factories[0] for found in fakers.values()]
    clocks = {name for found in modules.values() for name, module in found.items() if module.startswith(CLOCKS)}
    return {
        "version": str(faker.VERSION),
        "common": {name: _signature(name, generators) for name in sorted(common)},
        "clocks": sorted(clocks),
        "locales": {locale: sorted(found.keys() - common) for locale, found in modules.items()},
    }


SAMPLES = 4
"""Values of each locale that are looked at."""
_UNSAMPLED = frozenset({"binary", "zip", "tar", "image", "enum", "fixed_width", "profile"})
"""Providers that are slow, or need arguments to make anything."""


def _signature(name: str, generators: Sequence[Any]) -> dict[str, Any]:
    """What the installed Faker shows of a provider in any locale; what is not worth saying is left out."""
    methods = dict.fromkeys(getattr(getattr(generator, name), "__func__", None) for generator in generators)
    signatures = [inspect.signature(getattr(generator, name)).parameters for generator in generators]
    found = {key: parameter for parameters in signatures for key, parameter in parameters.items()}.values()
    named = [p for p in found if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    values = [] if name in _UNSAMPLED else _sample(name, generators)
    texts = [value for value in values if isinstance(value, str)]
    makes = _makes(values)
    said = {
        "arguments": [p.name for p in named],
        "required": [p.name for p in named if p.default is p.empty] if len(methods) == 1 else [],
        "any_argument": any(p.kind is p.VAR_KEYWORD for p in found),
        "makes": makes,
        "shortest": min(map(len, texts)) if texts and len(texts) == len(values) else None,
        "largest": _largest(values, makes),
    }
    return {key: value for key, value in said.items() if value}


def _largest(values: Sequence[Any], makes: str | None) -> int | None:
    """Of texts of digits, all nines: a sample need not have met what is as long."""
    if not values or makes not in ("integer", "digits"):
        return None
    return max(map(int, values)) if makes == "integer" else int("9" * max(map(len, values)))


def _sample(name: str, generators: Sequence[Any]) -> list[Any]:
    values = []
    for generator in generators:
        generator.seed_instance(1)
        try:
            values += [getattr(generator, name)() for _ in range(SAMPLES)]
        except Exception:  # noqa: BLE001 - a provider that needs arguments fails as it likes
            return []
    return values


def _makes(values: Sequence[Any]) -> str | None:
    kinds = {_kind(value) for value in values}
    if kinds == {"integer", "number"}:
        return "number"
    return kinds.pop() if len(kinds) == 1 else None


def _kind(value: Any) -> str:
    if isinstance(value, str):
        if re.fullmatch(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", value):
            return "uuid"
        return "digits" if re.fullmatch(r"[0-9]+", value, re.ASCII) else "text"
    kinds = {bool: "boolean", int: "integer", float: "number", Decimal: "number", date: "moment", datetime: "moment"}
    return next((kind for type_, kind in kinds.items() if type(value) is type_), "other")


def _providers(generator: Any) -> dict[str, str]:
    """The providers of a generator, and the module each comes from."""
    found = {}
    for provider in reversed(generator.get_providers()):
        for name in dir(provider):
            method = getattr(provider, name)
            if not name.startswith("_") and callable(method):
                found[name] = str(getattr(method, "__module__", ""))
    return found


def text() -> str:
    """The file as it is written."""
    return json.dumps(build(), indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")

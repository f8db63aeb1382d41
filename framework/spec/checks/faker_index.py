"""What Faker offers, as a file: checking a spec must not import Faker, which takes half a second.

`make schema` writes the file from the installed Faker.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_suffix(".json")
CLOCKS = "faker.providers.date_time"


@dataclass(frozen=True)
class FakerIndex:
    """Providers by locale.

    Attributes:
        version: of Faker.
        common: providers of every locale.
        locales: what each locale has beside them.
        clocks: providers of dates and times.
    """

    version: str
    common: frozenset[str]
    locales: Mapping[str, frozenset[str]]
    clocks: frozenset[str]

    def providers(self, locale: str) -> frozenset[str]:
        """All providers of a locale."""
        return self.common | self.locales[locale]


@cache
def index() -> FakerIndex:
    """What the file says."""
    data = json.loads(FILE.read_text(encoding="utf-8"))
    locales = {name: frozenset(providers) for name, providers in data["locales"].items()}
    return FakerIndex(data["version"], frozenset(data["common"]), locales, frozenset(data["clocks"]))


def build() -> dict[str, Any]:
    """The file's content, from the installed Faker."""
    import faker
    from faker.config import AVAILABLE_LOCALES

    modules = {locale: _providers(faker.Faker(locale).factories[0]) for locale in sorted(AVAILABLE_LOCALES)}
    common = frozenset.intersection(*(frozenset(found) for found in modules.values()))
    clocks = {name for found in modules.values() for name, module in found.items() if module.startswith(CLOCKS)}
    return {
        "version": str(faker.VERSION),
        "common": sorted(common),
        "clocks": sorted(clocks),
        "locales": {locale: sorted(found.keys() - common) for locale, found in modules.items()},
    }


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

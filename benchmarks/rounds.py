"""How ways are compared: side by side in the same rounds, each into a database of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from tests.services.databases import Database

Opened = TypeVar("Opened", bound=Database)
Took = TypeVar("Took")


def alternately(ways: Mapping[str, Callable[[], Took]], rounds: int) -> dict[str, tuple[Took, ...]]:
    """What each way took in each round; every other round goes backwards, so that none always goes first."""
    taken: dict[str, list[Took]] = {name: [] for name in ways}
    for number in range(rounds):
        for name in reversed(list(ways)) if number % 2 else ways:
            taken[name].append(ways[name]())
    return {name: tuple(found) for name, found in taken.items()}


@contextmanager
def closing(database: Opened) -> Iterator[Opened]:
    """Drops the database at the end."""
    try:
        yield database
    finally:
        database.drop()

"""How many different values a column drawn from Faker will have: said beforehand, since it is fewer than its rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from framework.generate.rules.dataset import reference_order
from framework.generate.rules.drawn import Pools, key_of
from framework.generate.rules.persona import DRAWN, PLACES
from framework.generate.rules.pools import pool_size
from framework.spec.entities import GenerateTask, RowsPer
from framework.spec.fake import Fake, Faker


def distinct_values(task: GenerateTask, lock: Path | None) -> Iterator[str]:
    """A sentence for each column that repeats the values of a pool; exact numbers need the lock file."""
    pools, counts = Pools.of(lock), _counts(task)
    for table, rows in counts.items():
        entity = task.entities[table]
        for name, column in entity.columns.items():
            found = _pool(column.fake, rows, task.locale) if column.fake is not None else None
            if found is None or column.unique or entity.key == (name,) or (name,) in entity.unique:
                continue
            rule, size = found
            locked = pools.locked.get(key_of(rule, task.locale), [])
            if len(locked) >= size:
                values = len({str(value) for value in locked[:size]})
                said = f"about {_met(values, rows):,} different values in {rows:,} rows"
            else:
                said = f"at most {min(size, rows):,} different values in {rows:,} rows"
            yield f"{table}.{name}: {said}, drawn from {size:,} of Faker's {rule.provider}"


def _pool(rule: Fake, rows: int, locale: str) -> tuple[Faker, int] | None:
    """The provider that a column draws from, and how many values of it."""
    if rule.faker is not None:
        return rule.faker, pool_size(rows, unique=False)
    if rule.persona is None:
        return None
    locale = rule.persona.locale or locale
    if rule.persona.part == "phone":
        return Faker(provider="phone_number", locale=locale), pool_size(rows, unique=False)
    provider = PLACES.get(rule.persona.part)
    return (Faker(provider=provider, locale=locale), DRAWN) if provider else None


def _counts(task: GenerateTask) -> dict[str, int]:
    """The rows of each table to fill, as far as the spec alone tells."""
    counts: dict[str, int] = {}
    for name in reference_order(task.entities):
        rows = task.entities[name].rows
        if isinstance(rows, RowsPer):
            reference = task.entities[name].columns[rows.per].references
            if reference is not None and reference.table in counts:
                counts[name] = round(counts[reference.table] * rows.mean)
        elif rows is not None:
            counts[name] = rows
    return counts


def _met(values: int, rows: int) -> int:
    """How many of so many values are met in so many draws."""
    return round(values * (1 - (1 - 1 / values) ** rows)) if values else 0

"""The rules of all families, in the order they are applied."""

from framework.validation.rules import (
    changes,
    cursors,
    entities,
    fake,
    fits,
    foreign_keys,
    marts,
    masks,
    names,
    numbers,
    pipeline,
    providers,
    quarantine,
    replicate,
    source_sql,
    target,
)
from framework.validation.rules.base import Rule

RULES: tuple[Rule, ...] = (
    *pipeline.RULES,
    *names.RULES,
    *numbers.RULES,
    *entities.RULES,
    *fake.RULES,
    *fits.RULES,
    *providers.RULES,
    *changes.RULES,
    *replicate.RULES,
    *cursors.RULES,
    *masks.RULES,
    *quarantine.RULES,
    *foreign_keys.RULES,
    *source_sql.RULES,
    *target.RULES,
    *marts.RULES,
)

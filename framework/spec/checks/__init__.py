"""The rules of all families, in the order they are applied."""

from framework.spec.checks import changes, entities, fake, names, numbers, pipeline, providers, replicate
from framework.spec.checks.rules import Finding, Rule

RULES: tuple[Rule, ...] = (
    *pipeline.RULES,
    *names.RULES,
    *numbers.RULES,
    *entities.RULES,
    *fake.RULES,
    *providers.RULES,
    *changes.RULES,
    *replicate.RULES,
)

__all__ = ["RULES", "Finding", "Rule"]

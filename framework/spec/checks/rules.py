"""Rules: what a spec of the right structure may still say wrong. Each is a small function that yields findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from framework.spec.models import Spec

Loc = tuple[str | int, ...]


@dataclass(frozen=True)
class Finding:
    """One mistake.

    Attributes:
        loc: the path of the wrong value in the file, as keys are written there.
        on_key: the key is wrong, not its value.
        within: line and column, from 1, within the text that stands there.
        rule: the id that the problem shows, where it is not the rule's own.
    """

    loc: Loc
    message: str
    suggestion: str = ""
    on_key: bool = False
    within: tuple[int, int] | None = None
    rule: str = ""


@dataclass(frozen=True)
class Rule:
    """A check with the id that problems show."""

    id: str
    find: Callable[[Spec], Iterable[Finding]]


def rule(id_: str) -> Callable[[Callable[[Spec], Iterable[Finding]]], Rule]:
    """Makes a function that yields findings a rule."""
    return lambda find: Rule(id_, find)

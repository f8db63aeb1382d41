"""Rules: what a spec of the right structure may still say wrong. Each is a small function that yields findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import TypeVar

from framework.diagnostics import Severity
from framework.spec.models import Spec

Loc = tuple[str | int, ...]
Found = TypeVar("Found")
WARNING, HINT = Severity.WARNING, Severity.HINT


@dataclass(frozen=True)
class Finding:
    """One mistake.

    Attributes:
        loc: the path of the wrong value in the file, as keys are written there.
        on_key: the key is wrong, not its value.
        within: line and column, from 1, within the text that stands there.
        rule: the id that the problem shows, where it is not the rule's own.
        severity: how bad it is, where that is not the rule's own.
        related: paths of other values that it is about, and what each is.
    """

    loc: Loc
    message: str
    suggestion: str = ""
    on_key: bool = False
    within: tuple[int, int] | None = None
    rule: str = ""
    severity: Severity | None = None
    related: tuple[tuple[Loc, str], ...] = ()


@dataclass(frozen=True)
class Rule:
    """A check with the id that problems show. Its story is told in `framework/spec/stories`."""

    id: str
    find: Callable[[Spec], Iterable[Finding]]
    severity: Severity = Severity.ERROR


def rule(id_: str, severity: Severity = Severity.ERROR) -> Callable[[Callable[[Spec], Iterable[Finding]]], Rule]:
    """Makes a function that yields findings a rule."""
    return lambda find: Rule(id_, find, severity)


def once(of: Callable[[Spec], Found]) -> Callable[[Spec], Found]:
    """Makes a function remember what it said of the last spec, which many rules ask for in a row."""
    last: tuple[Spec, Found] | None = None

    @wraps(of)
    def found(spec: Spec) -> Found:
        nonlocal last
        known = last  # another thread may look at another spec
        if known is None or known[0] is not spec:
            known = last = (spec, of(spec))
        return known[1]

    return found

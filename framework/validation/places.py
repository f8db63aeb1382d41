"""From the path of a value to its place in the file, for problems and for what they refer to."""

from __future__ import annotations

from framework.diagnostics import Problem, Related, Severity
from framework.spec.document import Document
from framework.spec.nodes import Span, find

Loc = tuple[str | int, ...]


def problem_at(
    document: Document,
    loc: Loc,
    rule: str,
    message: str,
    suggestion: str,
    *,
    on_key: bool = False,
    severity: Severity = Severity.ERROR,
    related: Related | None = None,
) -> Problem:
    """A problem with the value at ``loc``, or with its key."""
    span = _span(document, loc, on_key=on_key)
    others = (related,) if related else ()
    return Problem(document.path, span.position, rule, message, suggestion, span.length, severity, others)


def related_at(document: Document, loc: Loc, message: str) -> Related:
    """What a problem refers to: the key at ``loc``."""
    span = _span(document, loc, on_key=True)
    return Related(document.path, span.position, message, span.length)


def _span(document: Document, loc: Loc, *, on_key: bool) -> Span:
    assert document.root is not None
    place = find(document.root, loc)
    return place.key if on_key and place.key else place.node.span

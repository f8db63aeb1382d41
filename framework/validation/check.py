"""What rules find in a spec, each at its place in the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from framework.diagnostics import Problem, Severity
from framework.spec.document import Document
from framework.spec.load import Loaded
from framework.spec.nodes import Place, Scalar, Span, find, span_within
from framework.validation.places import related_at
from framework.validation.rules.base import Finding, Rule


def check(loaded: Loaded, rules: Iterable[Rule]) -> tuple[Problem, ...]:
    """What ``rules`` find in a file beside the problems of its structure; in the order of lines."""
    found = _found(loaded, rules) if loaded.spec is not None else _found_in_part(loaded, rules)
    problems = (placed(finding, rule.id, rule.severity, loaded.document) for rule, finding in found)
    return tuple(sorted(dict.fromkeys(problems), key=lambda problem: problem.position))


def _found(loaded: Loaded, rules: Iterable[Rule]) -> Iterator[tuple[Rule, Finding]]:
    if loaded.spec is not None:
        yield from ((rule, finding) for rule in rules for finding in rule.find(loaded.spec))


def _found_in_part(loaded: Loaded, rules: Iterable[Rule]) -> Iterator[tuple[Rule, Finding]]:
    """Of a spec whose structure is wrong, what is surely wrong in the rest of it."""
    partial = loaded.partial
    if partial is None:
        return
    for rule in rules:
        for finding in rule.find(partial.spec):
            severity = finding.severity or rule.severity
            if severity is Severity.ERROR and not partial.covers(finding.loc, finding.message):
                yield rule, finding


def placed(finding: Finding, rule: str, severity: Severity, document: Document) -> Problem:
    """A finding as a problem of its file; ``rule`` and ``severity`` are used where it has none of its own."""
    assert document.root is not None
    span = _span_of(find(document.root, finding.loc), finding, document.lines)
    return Problem(
        document.path,
        span.position,
        finding.rule or rule,
        finding.message,
        finding.suggestion,
        span.length,
        finding.severity or severity,
        tuple(related_at(document, loc, message) for loc, message in finding.related),
    )


def _span_of(place: Place, finding: Finding, lines: Sequence[str]) -> Span:
    """The key, where the finding is about it or about what is not written; else the value, or a part of it."""
    if finding.within is not None and place.ended and isinstance(place.node, Scalar):
        return span_within(place.node, lines, *finding.within)
    unwritten = not place.ended and not isinstance(place.node, Scalar)
    return place.key if place.key and (finding.on_key or unwritten) else place.node.span

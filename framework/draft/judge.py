"""The checker reads a draft before anybody else does; what it would refuse is taken back, with what it said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from framework.diagnostics import Severity
from framework.draft.drafted import Drafted, Verdict
from framework.draft.text import shown
from framework.errors import UsageError
from framework.spec.document import MAX_BYTES
from framework.spec.load import parse_spec
from framework.spec.models import Spec
from framework.validation.rules import RULES
from framework.validation.rules.base import Finding

SHOWN = 3
"""Tables that are named where none can be drafted."""

MOST = 8
"""Times that a draft is read; each time something is taken back, so that few are needed."""


def judged(
    tables_of: Callable[[Verdict], Sequence[Drafted]], write: Callable[[Sequence[Drafted], Verdict], str]
) -> tuple[str, tuple[Drafted, ...]] | None:
    """The draft without what the checker refuses, and its tables; None if it is too large to be read.

    Raises:
        UsageError: nothing is left of it.
    """
    verdict = Verdict()
    for _ in range(MOST):
        tables = tables_of(verdict)
        if all(table.left_out for table in tables):
            raise _nothing(tables)
        text = write(tables, verdict)
        spec = parse_spec(text, Path("draft"), {}).spec if len(text.encode()) <= MAX_BYTES else None
        if spec is None:
            return None
        if not _learn(verdict, tables, spec):
            break
    return text, tuple(tables)


def _nothing(tables: Sequence[Drafted]) -> UsageError:
    reasons = "; ".join(f"{table.relation.shown}: {table.left_out}" for table in tables[:SHOWN])
    more = f"; and {len(tables) - SHOWN} more" if len(tables) > SHOWN else ""
    return UsageError(f"nothing is left to draft: {reasons}{more}", "grant what is missing, or name other tables")


def _learn(verdict: Verdict, tables: Sequence[Drafted], spec: Spec) -> bool:
    """Add what the checker finds to the verdict; whether there was anything new."""
    by_target = {table.target: table for table in tables}
    by_entity = {table.relation.name: table for table in tables if not table.undeclared}
    before = _size(verdict)
    for rule_id, severity, finding in _findings(spec):
        section, name = finding.loc[0], str(finding.loc[1]) if len(finding.loc) > 1 else ""
        if section == "entities" and name in by_entity:
            _doubt_entity(verdict, by_entity[name], rule_id, severity, finding)
        elif section == "replicate" and name in by_target:
            _doubt_copy(verdict, by_target[name], rule_id, severity, finding)
    return _size(verdict) > before


def _findings(spec: Spec) -> Iterator[tuple[str, Severity, Finding]]:
    """Errors and warnings."""
    for rule in RULES:
        for finding in rule.find(spec):
            severity = finding.severity or rule.severity
            if severity is not Severity.HINT:
                yield finding.rule or rule.id, severity, finding


def _doubt_entity(verdict: Verdict, table: Drafted, rule_id: str, severity: Severity, finding: Finding) -> None:
    column = str(finding.loc[3]) if len(finding.loc) > 3 and finding.loc[2] == "columns" else ""
    if severity is not Severity.ERROR and column:
        place = ("entities", table.relation.name, column)
        verdict.doubts.setdefault(place, {}).setdefault(rule_id, "PostgreSQL has it like that")
    elif column in table.references.declared:
        verdict.dropped.setdefault((table.relation.id, column), finding.message)
    else:
        verdict.undeclared.setdefault(table.relation.id, finding.message)


def _doubt_copy(verdict: Verdict, table: Drafted, rule_id: str, severity: Severity, finding: Finding) -> None:
    if severity is Severity.ERROR:
        verdict.refused.setdefault(table.target, finding.message)
        return
    within = str(finding.loc[2]) if len(finding.loc) > 2 else ""
    place = within if within in ("key", "unique", "indexes") else "table"
    verdict.doubts.setdefault(("replicate", table.target, place), {}).setdefault(
        rule_id, _reason(table, rule_id, finding)
    )


def _reason(table: Drafted, rule_id: str, finding: Finding) -> str:
    if rule_id != "long-key":
        return shown(finding.message)
    if table.seen is None or table.seen.problem:
        return "nobody looked at its values yet"
    longest = max(table.seen.longest.values(), default=0)
    return f"no value has more than {longest:,} characters" if longest != 1 else "all values are single characters"


def _size(verdict: Verdict) -> int:
    doubts = sum(map(len, verdict.doubts.values()))
    return len(verdict.refused) + len(verdict.undeclared) + len(verdict.dropped) + doubts

"""Rules that need more than the spec's structure: what the marts' SQL reads, against the copy's columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from framework.errors import VitrinaError
from framework.marts.analysis import analyse_all, check_findings
from framework.marts.query import Finding as SqlFinding
from framework.replicate.mapping import DELETED_AT, PLAN_MASK_KEY, resolve
from framework.spec.checks import Finding, Rule
from framework.spec.declared import table_of
from framework.spec.models import Spec


def _marts(spec: Spec) -> Iterator[Finding]:
    for name, findings in analyse_all(spec.marts, replicated_columns(spec)).items():
        yield from (_placed(("marts", name), finding) for finding in findings)


def _copies(spec: Spec) -> Iterator[Finding]:
    known = {**dict.fromkeys(spec.marts, ()), **replicated_columns(spec)}
    for name, settings in spec.replicate.items():
        for finding in check_findings(name, settings.checks, known[name], known):
            if finding.line is not None:
                # All but the SQL is checked by the rules of the spec.
                yield _placed(("replicate", name), finding)


MART_RULES = (Rule("mart", _marts), Rule("copy-check", _copies))


def replicated_columns(spec: Spec) -> Mapping[str, tuple[str, ...]]:
    """The columns of every replicated table; none where its source is not declared, or declared wrongly."""
    return {name: _columns(spec, name) for name in spec.replicate}


def _columns(spec: Spec, name: str) -> tuple[str, ...]:
    task = spec.replicate_task(name)
    entity = spec.entities.get(task.source_table)
    if entity is None:
        return ()
    try:
        mapping = resolve(task, table_of(task.source_table, entity), PLAN_MASK_KEY)
    except VitrinaError:
        # The rules of the spec say what is wrong with it.
        return ()
    return (*mapping.names, DELETED_AT) if mapping.marks_deletes else mapping.names


def _placed(root: tuple[str, ...], finding: SqlFinding) -> Finding:
    within = (finding.line, finding.column) if finding.line and finding.column else None
    return Finding(
        (*root, *finding.key),
        finding.message,
        finding.suggestion,
        on_key=not finding.key,
        within=within,
        rule=finding.rule,
    )

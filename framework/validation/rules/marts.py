"""Rules about the SQL of marts and checks, against the columns that the copies have."""

from __future__ import annotations

from collections.abc import Iterator

from framework.marts.analysis import Tables, analyse_all, check_findings
from framework.marts.families import family_of
from framework.marts.query import Finding as SqlFinding
from framework.replicate.mapping import DELETED_AT
from framework.spec.models import Spec
from framework.validation.rules.base import Finding, Rule
from framework.validation.rules.target import copies, mappings


def _marts(spec: Spec) -> Iterator[Finding]:
    for name, findings in analyse_all(spec.marts, replicated(spec)).items():
        yield from (_placed(("marts", name), finding) for finding in findings)


def _copies(spec: Spec) -> Iterator[Finding]:
    if not any(settings.checks for settings in spec.replicate.values()):
        return
    known = replicated(spec)
    known.columns.update(dict.fromkeys(spec.marts, ()))
    for name, settings in spec.replicate.items():
        columns = tuple(known.columns[name])
        for finding in check_findings(name, settings.checks, columns, known, known.families.get(name)):
            if finding.rule != "unknown-column":  # the rules of replicated tables tell
                yield _placed(("replicate", name), finding)


RULES: tuple[Rule, ...] = (Rule("mart", _marts), Rule("copy-check", _copies))
"""What they find has the rule ids of the findings."""


def replicated(spec: Spec) -> Tables:
    """The replicated tables as marts see them; nothing is known of those whose source is not declared."""
    tables = Tables()
    for copy in copies(spec):
        long = (name.lower() for name, native in (copy.types or {}).items() if native.startswith("LONG"))
        tables.long[copy.name] = frozenset(long)
    for name in spec.replicate:
        mapping = mappings(spec).get(name)
        if mapping is None:
            tables.columns[name], tables.keys[name] = (), None
            continue
        marked = (DELETED_AT,) if mapping.marks_deletes else ()
        tables.columns[name], tables.keys[name] = (*mapping.names, *marked), mapping.key
        families = {column.name.lower(): family_of(column.type.kind) for column in mapping.columns}
        tables.families[name] = {column: family for column, family in families.items() if family is not None}
    return tables


def _placed(root: tuple[str, ...], finding: SqlFinding) -> Finding:
    within = (finding.line, finding.column) if finding.line and finding.column else None
    return Finding(
        (*root, *finding.key),
        finding.message,
        finding.suggestion,
        on_key=not finding.key or (len(finding.key) == _COLUMN_OF_CHECK and finding.key[2] in _BY_COLUMN),
        within=within,
        rule=finding.rule,
        severity=finding.severity,
    )


_BY_COLUMN = ("between", "accepted", "relationship")
_COLUMN_OF_CHECK = 4
"""Steps of the path to a column that such a check names by a key."""

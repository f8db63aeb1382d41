"""Problems as SARIF 2.1.0 (OASIS), which GitHub's code scanning and many editors read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from framework import __version__
from framework.diagnostics import Problem, Related, Severity
from framework.outputs.listing import told

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.HINT: "note"}


def as_sarif(problems: Sequence[Problem], rules: Sequence[tuple[str, str, Severity, str]]) -> str:
    """A log of one run. ``rules`` are those of the tool: id, summary, severity and story (Markdown)."""
    places = {id_: place for place, (id_, *_) in enumerate(rules)}
    driver = {
        "name": "vitrina",
        "semanticVersion": __version__,
        "rules": [_rule(*rule) for rule in rules],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem, places.get(problem.rule)) for problem in problems],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def _rule(id_: str, summary: str, severity: Severity, story: str) -> dict[str, Any]:
    return {
        "id": id_,
        "shortDescription": {"text": summary},
        "help": {"text": story, "markdown": story},
        "defaultConfiguration": {"level": _LEVELS[severity]},
    }


def _result(problem: Problem, place: int | None) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": problem.rule,
        "level": _LEVELS[problem.severity],
        "message": {"text": told(problem)},
        "locations": [_location(problem)],
    }
    if place is not None:
        result["ruleIndex"] = place
    if problem.related:
        result["relatedLocations"] = [
            {**_location(related), "id": number, "message": {"text": related.message}}
            for number, related in enumerate(problem.related, start=1)
        ]
    return result


def _location(at: Problem | Related) -> dict[str, Any]:
    line, column = at.position.line, at.position.column
    region = {"startLine": line, "startColumn": column, "endLine": line, "endColumn": column + at.length}
    return {"physicalLocation": {"artifactLocation": {"uri": _uri(at.path)}, "region": region}}


def _uri(path: Path) -> str:
    """Relative to where the command runs, if the file is below; code scanning knows only such files."""
    absolute = path.resolve()
    if absolute.is_relative_to(Path.cwd()):
        return quote(absolute.relative_to(Path.cwd()).as_posix())
    return absolute.as_uri()

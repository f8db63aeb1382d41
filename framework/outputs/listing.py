"""Problems as JSON, as GitHub's workflow commands, and as JUnit's XML."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from framework.diagnostics import Problem, Related, Severity

FORMAT = 1
"""Version of the JSON; it grows when a reader of the one before would not understand it."""
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that XML 1.0 has no place for."""
_GITHUB = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.HINT: "notice"}


def as_json(files: Sequence[Path], problems: Sequence[Problem], switched_off: int) -> str:
    """One object: ``files``, ``problems`` and ``switched_off``."""
    data = {
        "format": FORMAT,
        "files": [str(file) for file in files],
        "problems": [_as_data(problem) for problem in problems],
        "switched_off": switched_off,
    }
    return json.dumps(data, indent=2, ensure_ascii=False)


def _as_data(problem: Problem) -> dict[str, Any]:
    return {
        **_place(problem),
        "severity": problem.severity.value,
        "rule": problem.rule,
        "message": problem.message,
        "suggestion": problem.suggestion,
        "related": [{**_place(related), "message": related.message} for related in problem.related],
    }


def _place(at: Problem | Related) -> dict[str, Any]:
    return {
        "path": str(at.path),
        "line": at.position.line,
        "column": at.position.column,
        "length": at.length,
    }


def as_github(problems: Sequence[Problem]) -> str:
    """Lines that GitHub Actions shows at the lines of a pull request (docs.github.com, "Workflow commands")."""
    return "\n".join(_workflow_command(problem) for problem in problems)


def _workflow_command(problem: Problem) -> str:
    line, column = problem.position.line, problem.position.column
    properties = {
        "file": problem.path.as_posix(),
        "line": str(line),
        "endLine": str(line),
        "col": str(column),
        "endColumn": str(column + problem.length),
        "title": problem.rule,
    }
    shown = ",".join(f"{key}={_escaped(value, ':,')}" for key, value in properties.items())
    return f"::{_GITHUB[problem.severity]} {shown}::{_escaped(told(problem))}"


def _escaped(text: str, more: str = "") -> str:
    for char in "%\r\n" + more:
        text = text.replace(char, f"%{ord(char):02X}")
    return text


def told(problem: Problem) -> str:
    """What is wrong, and what to do."""
    return f"{problem.message}; {problem.suggestion}" if problem.suggestion else problem.message


def as_junit(files: Sequence[Path], problems: Sequence[Problem], failing: Sequence[Problem]) -> str:
    """A suite a file: each problem of ``failing`` is a failed case, each other one a case that was skipped."""
    root = ET.Element("testsuites", name="vitrina validate", tests="0")
    paths = dict.fromkeys([*files, *(problem.path for problem in problems)])
    for path in paths:
        own = [problem for problem in problems if problem.path == path]
        failed = [problem for problem in own if problem in failing]
        suite = ET.SubElement(
            root,
            "testsuite",
            name=str(path),
            tests=str(max(1, len(own))),
            failures=str(len(failed)),
            skipped=str(len(own) - len(failed)),
        )
        for problem in own:
            name = f"{problem.rule} at {problem.position.line}:{problem.position.column}"
            case = ET.SubElement(suite, "testcase", classname=str(path), name=name, file=str(path))
            kind = "failure" if problem in failed else "skipped"
            ET.SubElement(case, kind, message=_xml(told(problem)), type=problem.severity.value)
        if not own:
            ET.SubElement(suite, "testcase", classname=str(path), name="no problems", file=str(path))
    for total in ("tests", "failures"):
        root.set(total, str(sum(int(suite.get(total, 0)) for suite in root)))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True)


def _xml(text: str) -> str:
    return _NOT_XML.sub("?", text)

"""`vitrina doctor`, and what `vitrina validate --online` asks the databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from framework.diagnostics import Problem, Severity
from framework.doctor.examine import examine
from framework.doctor.remarks import Remark
from framework.spec.load import Loaded
from framework.validation.check import placed
from framework.workspace import Workspace, open_workspace

_MARKS = {None: "[green]ok[/]", Severity.ERROR: "[bold red]error[/]", Severity.WARNING: "[yellow]warning[/]"}
_HINT = "[cyan]hint[/]"
_WIDTH = 9
"""Columns of the longest mark, and a space on either side."""


def doctor(path: Path, environment: str) -> bool:
    """Examine the databases of a spec and print what was seen; whether the spec can run on them."""
    workspace = open_workspace(path, environment)
    remarks = examine(workspace)
    console = Console(highlight=False, soft_wrap=True, emoji=False)
    for subject, name in (("source", workspace.spec.source), ("target", workspace.spec.target)):
        console.print(f"[bold]{subject} {escape(name)}[/]")
        for remark in (each for each in remarks if each.subject == subject):
            _show(console, remark)
    return all(remark.severity is not Severity.ERROR for remark in remarks)


def problems_of(loaded: Loaded, environment: str) -> Iterator[Problem]:
    """What is wrong with the databases of a spec, at the places that speak of them."""
    assert loaded.spec is not None
    workspace: Workspace = open_workspace(loaded.document.path, environment)
    for remark in examine(workspace):
        if remark.severity is not None:
            yield placed(remark.finding(), remark.rule, remark.severity, loaded.document)


def _show(console: Console, remark: Remark) -> None:
    mark = _HINT if remark.severity is Severity.HINT else _MARKS[remark.severity]
    pad = " " * (_WIDTH - len("ok" if remark.severity is None else remark.severity.value))
    rule = f" [dim]\\[{remark.rule}][/]" if remark.rule else ""
    console.print(f"  {mark}{pad}{escape(remark.fact)}{rule}")
    if remark.fix:
        console.print(f"  {' ' * _WIDTH}fix: {escape(remark.fix)}")

"""What the steps of a run would do, as text or JSON."""

from __future__ import annotations

import json
from pathlib import Path

import click

from framework.explain import Explained, explain
from framework.plan import compile_plan
from framework.workspace import open_workspace


def plan(spec: Path, environment: str, ticks: int, form: str, *, offline: bool) -> bool:
    """Print the plan; whether each of its steps could run."""
    workspace = open_workspace(spec, environment)
    compiled = compile_plan(workspace.spec, ticks)
    if offline:
        steps = explain(compiled, workspace.spec, None, None, workspace.pools)
    else:
        with workspace.source() as source, workspace.target() as target:
            steps = explain(compiled, workspace.spec, source, target, workspace.pools)
    if form == "json":
        click.echo(json.dumps({"pipeline": compiled.pipeline, "steps": [step.as_json() for step in steps]}, indent=2))
    else:
        for step in steps:
            _print(step)
    return not any(step.fails for step in steps)


def _print(step: Explained) -> None:
    after = f"  (after {', '.join(step.needs)})" if step.needs else ""
    action, *further = step.action.splitlines()
    click.echo(f"{step.name}: {action}{after}")
    for line in further:
        click.echo(f"  {line}")
    for change in (*step.changes, *step.advice):
        click.echo(f"  - {change}")
    for line in step.sql.strip().splitlines():
        click.echo(f"    {line}")

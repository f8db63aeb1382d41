"""Draws what a spec needs of Faker, and keeps it in the lock file beside it."""

from __future__ import annotations

from pathlib import Path

import click

from framework import units
from framework.errors import UsageError
from framework.generate.columns.scalars import microseconds
from framework.generate.rules import drawn
from framework.generate.rules.dataset import compile_table, reference_order, row_count
from framework.plan import Kind, compile_plan
from framework.spec.entities import GenerateTask
from framework.workspace import open_workspace


def lock(path: Path, environment: str) -> None:
    """Write the lock file; what it has already stays as it is."""
    workspace = open_workspace(path, environment)
    plan = compile_plan(workspace.spec).only({Kind.GENERATE})
    if not plan.steps:
        raise UsageError(f"pipeline {plan.pipeline!r} generates nothing", "give an entity `rows:`")
    task = GenerateTask.model_validate(plan.steps[0].arguments["task"])
    pools = drawn.Pools.of(workspace.pools, lambda notice: click.echo(notice, err=True))
    counts: dict[str, int] = {}
    for name in reference_order(task.entities):
        if task.entities[name].rows is not None:
            counts[name] = row_count(task.entities[name], counts)
            compile_table(task, name, counts[name], microseconds(units.parse_datetime(task.now)), pools)
    written, left_out = drawn.write(workspace.pools, pools)
    click.echo(f"{workspace.pools}: {written} list{'s' * (written != 1)} of values")
    for provider in left_out:
        click.echo(f"note: values of {provider} cannot be kept as JSON; they are drawn each time", err=True)

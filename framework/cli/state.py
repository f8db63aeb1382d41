"""Commands that show what is there."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from framework.cli import options


@click.command()
@options.spec
@options.environment
def status(spec: Path, environment: str) -> None:
    """Show the last runs, and how fresh each table is.

    Exit code 1 if a table is stale or was never filled.

    \b
    Example:
      vitrina status specs/shop.yaml
    """
    from framework.commands.pipeline import status as run

    if not run(spec, environment):
        sys.exit(1)


@click.command()
@options.spec
@click.argument("table")
@options.environment
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Rows to show.")
def show(spec: Path, table: str, environment: str, limit: int) -> None:
    """Print the first rows of a mart or of a replicated table.

    \b
    Example:
      vitrina show specs/shop.yaml revenue_by_month --limit 12
    """
    from framework.commands.pipeline import show as run

    run(spec, environment, table, limit)

"""Commands about a spec: checked, drafted, shown as a plan, its drawn values kept."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from framework.cli import options


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif", "github", "junit"]),
    default="text",
    show_default=True,
    help="github: workflow commands of GitHub Actions.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "hint"]),
    default="error",
    show_default=True,
    help="The mildest problem that makes the exit code 1.",
)
@click.option("--watch", is_flag=True, help="Check again whenever a file changes.")
@click.option("--online", is_flag=True, help="Examine the specs' databases, too.")
@options.environment
def validate(paths: tuple[Path, ...], form: str, fail_on: str, watch: bool, online: bool, environment: str) -> None:
    """Check specs without a database.

    Tells every problem of every file, with line, column and what to do. A problem is switched off by a comment in its
    line: # vitrina: ignore[rule] reason

    Exit code 0: no errors; 1: errors, or what --fail-on names; 2: a path is missing.

    \b
    Example:
      vitrina validate specs/
      vitrina validate specs/shop.yaml --watch
      vitrina validate specs/ --fail-on warning --format sarif > vitrina.sarif
    """
    from framework.commands import validate as command
    from framework.diagnostics import Severity

    if watch:
        if form != "text":
            raise click.UsageError("--watch prints text; leave --format out")
        command.watch(paths, Severity(fail_on))
    elif not command.check(paths, form, Severity(fail_on), environment if online else None):
        sys.exit(1)


@click.command()
@click.option("--source", required=True, metavar="CONNECTION", help="The PostgreSQL database that is drafted.")
@click.option("--target", required=True, metavar="CONNECTION", help="Where its copy will be; it is not connected to.")
@click.option("--schema", "schemas", multiple=True, help="Only this schema; may be repeated.")
@click.option("--tables", multiple=True, help="Only these: TABLE or SCHEMA.TABLE, joined by commas or repeated.")
@click.option("--views", is_flag=True, help="Views, materialized views and foreign tables, too.")
@click.option("--no-scan", is_flag=True, help="Do not look at the data for values that MySQL has no place for.")
@options.environment
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="SPEC", help="The file; else it is printed.")
@click.option("--force", is_flag=True, help="Overwrite the file.")
def draft(
    source: str,
    target: str,
    schemas: tuple[str, ...],
    tables: tuple[str, ...],
    views: bool,
    no_scan: bool,
    environment: str,
    output: Path | None,
    force: bool,
) -> None:
    """Write a spec from a PostgreSQL database.

    With every table, key, index, type and comment; with what cannot go over as it is, and the choices; with cursors and
    fake data proposed as comments. It validates and runs as it is. Reads only.

    \b
    Example:
      vitrina draft --source shop_postgres --target shop_mysql -o shop.yaml
      vitrina run shop.yaml
    """
    from framework.commands.draft import draft as run
    from framework.draft.choose import Choice

    run(source, target, Choice(schemas, tables, views), environment, output, look=not no_scan, force=force)


@click.command()
@options.spec
@options.environment
def doctor(spec: Path, environment: str) -> None:
    """Examine the databases of a spec.

    Versions, settings, privileges, and whether the tables are as the spec says. Reads only.

    Exit code 1 if something keeps the spec from running.

    \b
    Example:
      vitrina doctor specs/shop.yaml --env production
    """
    from framework.commands.doctor import doctor as run

    if not run(spec, environment):
        sys.exit(1)


@click.command()
@click.argument("rule", required=False)
def explain(rule: str | None) -> None:
    """Tell what a rule of `validate` is about, with an example.

    Without RULE, lists all rules.

    \b
    Example:
      vitrina explain sql-not-grouped
    """
    from framework.commands.validate import explain as run

    run(rule)


@click.command()
@options.spec
@options.environment
@click.option("--tick", "ticks", type=click.IntRange(0), default=0, help="Show the plan with this many ticks.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--offline", is_flag=True, help="Connect to nothing; show what the spec alone says.")
def plan(spec: Path, environment: str, ticks: int, form: str, offline: bool) -> None:
    """Show the steps of a run and their SQL.

    Reads only. Exit code 1 if a step would fail.

    \b
    Example:
      vitrina plan specs/shop.yaml
      vitrina plan specs/shop.yaml --offline --format json
    """
    from framework.commands.plan import plan as run

    if not run(spec, environment, ticks, form, offline=offline):
        sys.exit(1)


@click.command()
@options.spec
@options.environment
def lock(spec: Path, environment: str) -> None:
    """Keep the values that Faker draws in a file beside the spec.

    Faker makes other values in other versions. With the file, SPEC.pools.json, data stay the same for ever, and filling
    begins seconds earlier: commit it. Connects to nothing.

    \b
    Example:
      vitrina lock specs/shop.yaml
    """
    from framework.commands.lock import lock as run

    run(spec, environment)

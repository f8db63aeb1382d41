"""The command `vitrina`. Thin: it opens what a command needs, calls the engine, and turns errors into exit codes."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from framework import __version__
from framework.commands import arguments
from framework.errors import SpecInvalid, VitrinaError

Command = TypeVar("Command", bound=Callable[..., Any])

SPEC = click.argument("spec", type=click.Path(path_type=Path))


def _env_option(command: Command) -> Command:
    return click.option(
        "--env",
        "environment",
        default="default",
        envvar="VITRINA_ENV",
        show_default=True,
        show_envvar=True,
        help="Environment of connections.yaml.",
    )(command)


def _workers_option(command: Command) -> Command:
    return click.option(
        "--workers", type=click.IntRange(1, 64), default=4, show_default=True, help="Steps that run at once."
    )(command)


def _seed_option(command: Command) -> Command:
    return click.option("--seed", type=int, help="Seed of the fake data, in place of the spec's.")(command)


class _Group(click.Group):
    """Lists commands in the order of their work, not of the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self.commands)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="vitrina")
def cli() -> None:
    """Replicate PostgreSQL to MySQL from one YAML spec: fill it, copy it, prove it, build marts on it.

    \b
    Example:
      vitrina validate specs/
      vitrina run specs/shop.yaml
      vitrina run specs/shop.yaml --tick 3
    """


@cli.command()
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
@_env_option
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


@cli.command()
@click.option("--source", required=True, metavar="CONNECTION", help="The PostgreSQL database that is drafted.")
@click.option("--target", required=True, metavar="CONNECTION", help="Where its copy will be; it is not connected to.")
@click.option("--schema", "schemas", multiple=True, help="Only this schema; may be repeated.")
@click.option("--tables", multiple=True, help="Only these: TABLE or SCHEMA.TABLE, joined by commas or repeated.")
@click.option("--views", is_flag=True, help="Views, materialized views and foreign tables, too.")
@click.option("--no-scan", is_flag=True, help="Do not look at the data for values that MySQL has no place for.")
@_env_option
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


@cli.command()
@SPEC
@_env_option
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


@cli.command()
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


@cli.command()
@SPEC
@_env_option
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
    from framework.explain import explain
    from framework.plan import compile_plan
    from framework.workspace import open_workspace

    workspace = open_workspace(spec, environment)
    compiled = compile_plan(workspace.spec, ticks)
    if offline:
        steps = explain(compiled, workspace.spec, None, None, workspace.pools)
    else:
        with workspace.source() as source, workspace.target() as target:
            steps = explain(compiled, workspace.spec, source, target, workspace.pools)
    if form == "json":
        click.echo(json.dumps({"pipeline": compiled.pipeline, "steps": [step.as_json() for step in steps]}, indent=2))
    for step in steps if form == "text" else ():
        after = f"  (after {', '.join(step.needs)})" if step.needs else ""
        action, *further = step.action.splitlines()
        click.echo(f"{step.name}: {action}{after}")
        for line in further:
            click.echo(f"  {line}")
        for change in step.changes:
            click.echo(f"  - {change}")
        for line in step.sql.strip().splitlines():
            click.echo(f"    {line}")
    if any(step.fails for step in steps):
        sys.exit(1)


@cli.command()
@SPEC
@_env_option
@click.option("--tick", "ticks", type=click.IntRange(1), help="Perform so many ticks of `changes` instead of filling.")
@click.option("--live", is_flag=True, help="Perform ticks at a steady rate, until Ctrl-C or for the time of --for.")
@click.option(
    "--rate", metavar="N/s", callback=arguments.rate, help="Changes a second (or N/min, N/h) of --live, in all tables."
)
@click.option(
    "--for", "lasting", metavar="TIME", callback=arguments.seconds, help="How long --live goes on: 30s, 10min, 8h."
)
@click.option("--recreate", is_flag=True, help="Drop the tables that Vitrina filled, and fill them anew.")
@_seed_option
def generate(
    spec: Path,
    environment: str,
    ticks: int | None,
    *,
    live: bool,
    rate: float | None,
    lasting: float | None,
    recreate: bool,
    seed: int | None,
) -> None:
    """Create the source's tables and fill them with fake data.

    The data are the same for the same seed.

    The connection must say `generate: allow` in connections.yaml.

    \b
    Example:
      vitrina generate specs/shop.yaml
      vitrina generate specs/shop.yaml --tick 5
      vitrina generate specs/shop.yaml --live --rate 2000/s --for 10min
    """
    from framework.commands import pipeline as command

    if not live:
        if rate is not None or lasting is not None:
            raise click.UsageError("--rate and --for go with --live")
        command.generate(spec, environment, ticks, recreate=recreate, seed=seed)
        return
    if rate is None:
        raise click.UsageError("--live needs --rate, such as --rate 2000/s")
    if ticks is not None or recreate:
        raise click.UsageError("--live goes with neither --tick nor --recreate")
    command.generate_live(spec, environment, rate, lasting, seed)


@cli.command()
@SPEC
@_env_option
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


@cli.command()
@SPEC
@_env_option
@_workers_option
@click.option("--table", "tables", multiple=True, help="Only this target table; may be repeated.")
@click.option("--full-refresh", is_flag=True, help="Fill the copies anew, whatever has been copied before.")
@click.option("--take-over", is_flag=True, help="Go on with copies that another pipeline has made.")
def replicate(
    spec: Path, environment: str, workers: int, tables: tuple[str, ...], full_refresh: bool, take_over: bool
) -> None:
    """Copy the source's tables to the target.

    Anew, or what changed since the last run, as the spec says.

    \b
    Example:
      vitrina replicate specs/shop.yaml
      vitrina replicate specs/shop.yaml --table fact_orders --full-refresh
    """
    from framework.commands.pipeline import replicate as run

    run(spec, environment, workers, tables, full_refresh=full_refresh, take_over=take_over)


@cli.command()
@SPEC
@_env_option
@click.option("--table", required=True, help="The target table.")
@click.option("--where", metavar="SQL", help="A condition in the source's SQL; without it, the whole table is read.")
def resync(spec: Path, environment: str, table: str, where: str | None) -> None:
    """Read a part of a table again.

    Rows of the source for which --where holds replace those of the copy that have their keys. Rows that the copy
    lacks, and rows that the source has not any more, are found in the whole table. The next `replicate` goes on
    where it would have gone on.

    \b
    Example:
      vitrina resync specs/shop.yaml --table fact_orders --where "created_at >= '2026-01-01'"
      vitrina resync specs/shop.yaml --table fact_orders
    """
    from framework.commands.pipeline import resync as run

    run(spec, environment, table, where)


@cli.command()
@SPEC
@_env_option
@click.option("--table", "tables", multiple=True, help="Only this target table; may be repeated.")
@click.option("--repair", is_flag=True, help="Copy the rows that differ again.")
@click.option(
    "--sample",
    metavar="N%",
    callback=arguments.fraction,
    help="Compare a part of the rows, another one each time.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def verify(
    spec: Path, environment: str, tables: tuple[str, ...], repair: bool, sample: float | None, form: str
) -> None:
    """Compare the copies with their sources, row by row.

    Both databases add up checksums; only rows of parts that differ are fetched. Rows that changed in the source since
    they were copied are no differences. Values of masked columns are compared, and never shown.

    Exit code 0: equal; 1: there are differences.

    \b
    Example:
      vitrina verify specs/shop.yaml
      vitrina verify specs/shop.yaml --table fact_orders --repair
      vitrina verify specs/shop.yaml --sample 5% --format json
    """
    from framework.commands.verify import verify as run

    if not run(spec, environment, tables, sample, repair=repair, form=form):
        sys.exit(1)


@cli.command()
@SPEC
@_env_option
@_workers_option
@click.option("--full-refresh", is_flag=True, help="Build incremental marts anew.")
def mart(spec: Path, environment: str, workers: int, full_refresh: bool) -> None:
    """Build the marts on the copy, and check them.

    Their order comes from their SQL.

    \b
    Example:
      vitrina mart specs/shop.yaml
    """
    from framework.commands.pipeline import mart as run

    run(spec, environment, workers, full_refresh=full_refresh)


@cli.command("run")
@SPEC
@_env_option
@_workers_option
@click.option("--tick", "ticks", type=click.IntRange(0), default=0, help="Perform so many ticks of `changes` first.")
@click.option("--full-refresh", is_flag=True, help="Fill the copies anew, build the marts anew.")
@_seed_option
def run_(spec: Path, environment: str, workers: int, ticks: int, full_refresh: bool, seed: int | None) -> None:
    """Do it all: generate, replicate, build the marts.

    Only what has not been filled is generated.

    \b
    Example:
      vitrina run specs/shop.yaml
      vitrina run specs/shop.yaml --tick 3 --env staging
    """
    from framework.commands.pipeline import run

    run(spec, environment, workers, ticks, full_refresh=full_refresh, seed=seed)


@cli.command()
@SPEC
@_env_option
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


@cli.command()
@SPEC
@click.argument("table")
@_env_option
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Rows to show.")
def show(spec: Path, table: str, environment: str, limit: int) -> None:
    """Print the first rows of a mart or of a replicated table.

    \b
    Example:
      vitrina show specs/shop.yaml revenue_by_month --limit 12
    """
    from framework.commands.pipeline import show as run

    run(spec, environment, table, limit)


def _report(error: VitrinaError) -> None:
    if isinstance(error, SpecInvalid):
        from framework.outputs.text import render_all

        for text in render_all(error.problems):
            click.echo(text, err=True)
    click.echo(f"error: {error}", err=True)


def main() -> None:
    """Run the command; never end in a traceback for a user's mistake. Being told to stop is Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is not None and signal.getsignal(hangup) is not signal.SIG_IGN:  # nohup
        signal.signal(hangup, signal.default_int_handler)
    try:
        cli.main(prog_name="vitrina", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("cancelled", err=True)
        sys.exit(130)
    except VitrinaError as error:
        _report(error)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # Whoever read our output has gone; nothing more can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)

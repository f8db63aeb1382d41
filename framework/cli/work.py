"""Commands that do what a spec says."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from framework.cli import options


@click.command()
@options.spec
@options.environment
@click.option("--tick", "ticks", type=click.IntRange(1), help="Perform so many ticks of `changes` instead of filling.")
@click.option("--live", is_flag=True, help="Perform ticks at a steady rate, until Ctrl-C or for the time of --for.")
@click.option(
    "--rate", metavar="N/s", callback=options.rate, help="Changes a second (or N/min, N/h) of --live, in all tables."
)
@click.option(
    "--for", "lasting", metavar="TIME", callback=options.seconds, help="How long --live goes on: 30s, 10min, 8h."
)
@click.option("--recreate", is_flag=True, help="Drop the tables that Vitrina filled, and fill them anew.")
@options.seed
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


@click.command()
@options.spec
@options.environment
@options.workers
@options.streams
@click.option("--table", "tables", multiple=True, help="Only this target table; may be repeated.")
@click.option("--full-refresh", is_flag=True, help="Fill the copies anew, whatever has been copied before.")
@click.option("--take-over", is_flag=True, help="Go on with copies that another pipeline has made.")
def replicate(
    spec: Path,
    environment: str,
    workers: int,
    streams: int,
    tables: tuple[str, ...],
    full_refresh: bool,
    take_over: bool,
) -> None:
    """Copy the source's tables to the target.

    Anew, or what changed since the last run, as the spec says.

    \b
    Example:
      vitrina replicate specs/shop.yaml
      vitrina replicate specs/shop.yaml --table fact_orders --full-refresh
    """
    from framework.commands.pipeline import Parallel
    from framework.commands.pipeline import replicate as run

    run(spec, environment, Parallel(workers, streams), tables, full_refresh=full_refresh, take_over=take_over)


@click.command()
@options.spec
@options.environment
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


@click.command()
@options.spec
@options.environment
@click.option("--table", "tables", multiple=True, help="Only this target table; may be repeated.")
@click.option("--repair", is_flag=True, help="Copy the rows that differ again.")
@click.option(
    "--sample",
    metavar="N%",
    callback=options.fraction,
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


@click.command()
@options.spec
@options.environment
@options.workers
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


@click.command("run")
@options.spec
@options.environment
@options.workers
@options.streams
@click.option("--tick", "ticks", type=click.IntRange(0), default=0, help="Perform so many ticks of `changes` first.")
@click.option("--full-refresh", is_flag=True, help="Fill the copies anew, build the marts anew.")
@options.seed
def run_(
    spec: Path, environment: str, workers: int, streams: int, ticks: int, full_refresh: bool, seed: int | None
) -> None:
    """Do it all: generate, replicate, build the marts.

    Only what has not been filled is generated.

    \b
    Example:
      vitrina run specs/shop.yaml
      vitrina run specs/shop.yaml --tick 3 --env staging
    """
    from framework.commands.pipeline import Parallel, run

    run(spec, environment, Parallel(workers, streams), ticks, full_refresh=full_refresh, seed=seed)

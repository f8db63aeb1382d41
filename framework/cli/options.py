"""What several commands take, and amounts on the command line: rates, times, shares."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from framework import units

Command = TypeVar("Command", bound=Callable[..., Any])

spec = click.argument("spec", type=click.Path(path_type=Path))


def environment(command: Command) -> Command:
    """``--env``, as the parameter ``environment``."""
    return click.option(
        "--env",
        "environment",
        default="default",
        envvar="VITRINA_ENV",
        show_default=True,
        show_envvar=True,
        help="Environment of connections.yaml.",
    )(command)


def workers(command: Command) -> Command:
    """``--workers``."""
    return click.option(
        "--workers", type=click.IntRange(1, 64), default=4, show_default=True, help="Steps that run at once."
    )(command)


def streams(command: Command) -> Command:
    """``--streams``: by default as many as the machine has cores, but two at least and eight at most."""
    return click.option(
        "--streams",
        type=click.IntRange(1, 64),
        default=lambda: max(2, min(os.cpu_count() or 2, 8)),
        show_default="cores of this machine, 2 to 8",
        help="Parts of one large table that are copied at once.",
    )(command)


def seed(command: Command) -> Command:
    """``--seed``."""
    return click.option("--seed", type=int, help="Seed of the fake data, in place of the spec's.")(command)


def rate(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """``2000/s`` as changes a second."""
    if value is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(?:/(s|min|h))?", value)
    if match is None or not float(match[1]):
        raise click.BadParameter(f"{value!r} is no rate such as 2000/s, 50/min", ctx, param)
    return float(match[1]) / {"s": 1, "min": 60, "h": 3600}[match[2] or "s"]


def seconds(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """``10min`` as seconds."""
    if value is None:
        return None
    if not re.match(units.DURATION, value):
        raise click.BadParameter(f"{value!r} is no time such as 30s, 10min, 8h", ctx, param)
    return units.duration(value).total_seconds()


def fraction(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """``5%`` as a fraction."""
    if value is None:
        return None
    if not re.match(units.PERCENT, value) or not 0 < units.fraction(value) <= 1:
        raise click.BadParameter(f"{value!r} is no percentage above 0% and up to 100%, such as 5%", ctx, param)
    return units.fraction(value)

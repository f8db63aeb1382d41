"""The command `vitrina`, and how it ends. Thin: errors become exit codes here."""

from __future__ import annotations

import os
import signal
import sys

import click

from framework import __version__
from framework.cli import specs, state, work
from framework.errors import SpecInvalid, VitrinaError


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


for command in (
    *(specs.validate, specs.draft, specs.doctor, specs.explain, specs.plan),
    *(work.generate, specs.lock, work.replicate, work.resync, work.verify, work.mart, work.run_),
    *(state.status, state.show),
):
    cli.add_command(command)


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

"""`vitrina draft`: a spec from a database that is there."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import click
from sqlalchemy.engine import make_url

from framework.connections import EMBEDDED, Connection
from framework.databases.embedded import home
from framework.databases.opening import SOURCES, TARGETS, open_source
from framework.draft import names
from framework.draft.choose import Choice
from framework.draft.draft import Draft, Request
from framework.draft.draft import draft as make
from framework.errors import UsageError
from framework.spec import connections

SPEC = "SPEC.yaml"
"""What a spec is called that is written to the standard output."""


def draft(
    source: str, target: str, choice: Choice, environment: str, output: Path | None, *, look: bool, force: bool
) -> None:
    """Draft a spec and write it to ``output``, or print it."""
    where = output.parent if output is not None else Path()
    _require_room(output, force=force)
    connection = connections.resolve(source, environment, where)
    _require_target(connections.resolve(target, environment, where), source)
    request = Request(
        source=source,
        target=target,
        file=shlex.quote(str(output)) if output is not None else SPEC,
        server=_server(connection),
        pipeline=lambda database: names.pipeline(output.stem if output is not None else database),
        choice=choice,
        options=f" --env {environment}" if environment != "default" else "",
        look=look,
    )
    with open_source(connection, home()) as opened:
        made = make(opened, request, _progress)
    if output is None:
        click.echo(made.text, nl=False)
    else:
        _write(output, made.text, force=force)
        _closing(made, output, f"vitrina run {request.file}{request.options}")


def _require_room(output: Path | None, *, force: bool) -> None:
    if output is None:
        return
    if output.name == connections.FILE:
        raise UsageError(f"{str(output)!r} is the name of the connections file", "write the spec to another file")
    if output.is_dir() or not output.parent.is_dir():
        fact = "is a directory" if output.is_dir() else "is in a directory that is not there"
        raise UsageError(f"{str(output)!r} {fact}", "name a file, such as shop.yaml")
    if output.exists() and not force:
        raise UsageError(f"{str(output)!r} is there already", "name another file, or overwrite it with --force")


def _require_target(target: Connection, source: str) -> None:
    """The target is not connected to: it may not be there yet."""
    if target.name == source:
        raise UsageError(f"source and target are both {source!r}", "name the connection of the other database")
    if target.url.startswith(("postgresql", EMBEDDED[0])):
        raise UsageError(f"connection {target.name!r} is PostgreSQL, which is no target", TARGETS)


def _server(connection: Connection) -> str:
    """Where a database is, for readers: no user, no password, no option."""
    if connection.url in EMBEDDED:
        return f"the connection {connection.name}, {connection.url}"
    try:
        url = make_url(connection.url)
    except ValueError as error:
        raise UsageError(f"the URL of connection {connection.name!r} cannot be read", SOURCES) from error
    place = "".join((f" at {url.host}" if url.host else "", f":{url.port}" if url.host and url.port else ""))
    return f"the connection {connection.name}, database {url.database or 'of the default name'}{place}"


def _write(output: Path, text: str, *, force: bool) -> None:
    """The whole file or nothing; a file that has come in the meantime stays."""
    try:
        if not force:
            with output.open("x", encoding="utf-8") as file:
                file.write(text)
            return
        beside = output.with_name(f".{output.name}.draft")
        beside.write_text(text, encoding="utf-8")
        os.replace(beside, output)  # noqa: PTH105 - atomic, whatever was there
    except OSError as error:
        raise UsageError(f"{str(output)!r} cannot be written: {error.strerror}", "check its directory") from error


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        end = "\r\033[K" if done == total else ""
        click.echo(f"\r\033[Klooking at the data: {done} of {total}{end}", err=True, nl=False)


def _closing(made: Draft, output: Path, command: str) -> None:
    notes = (
        f"; {made.notes} notes to read in it" if made.notes > 1 else "; one note to read in it" if made.notes else ""
    )
    click.echo(f"{output}: {made.tables} table{'s' if made.tables != 1 else ''}{notes}", err=True)
    if made.left_out:
        tables = f"{made.left_out} table{'s are' if made.left_out != 1 else ' is'}"
        click.echo(f"warning: {tables} not in it; it says why where it says `# left out`", err=True)
    click.echo(f"next: {command}", err=True)

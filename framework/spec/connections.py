"""Names of connections become URLs: from ``VITRINA_CONN_<NAME>``, else from connections.yaml beside the specs.

An entry's variables are filled in only when that entry is asked for, so that one environment does not need another's.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from collections.abc import Mapping as Environment
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from framework.connections import Connection, demanding, normalised
from framework.diagnostics import Problem, did_you_mean
from framework.errors import SpecInvalid, UnknownConnection, UsageError
from framework.spec.document import Document
from framework.spec.explained import explain
from framework.spec.load import open_document
from framework.spec.nodes import find
from framework.spec.shapes import Model, Name, Names, OneOf
from framework.spec.values import Values

FILE = "connections.yaml"
MASK_KEY = "VITRINA_MASK_KEY"


class Entry(Model):
    """Where a connection leads in one environment."""

    url: Name = Field(
        description="an SQLAlchemy URL of PostgreSQL, MySQL, MariaDB or DuckDB, or embedded:postgres, embedded:duckdb; "
        "the variable VITRINA_CONN_<NAME> counts before it",
        examples=["${SHOP_POSTGRES:-embedded:postgres}", "mysql://vitrina:${SHOP_PASSWORD}@warehouse.example/shop"],
    )
    generate: Literal["allow"] | None = Field(
        None, description="allow: fake data and ticks may be written there; by default they are refused"
    )
    tls: Literal["require", "verify"] | None = Field(
        None,
        description="the least that is accepted of a server, also where VITRINA_CONN_<NAME> gives the URL. require: an "
        "encrypted connection; verify: also a certificate for the host in the URL, signed by the authority of "
        "`sslrootcert` (PostgreSQL) or `ssl_ca` (MySQL) in the URL, else by one that the system knows",
        examples=["verify"],
    )
    parallelism: Annotated[int, Field(ge=1)] | None = Field(
        None,
        description="tasks of all pipelines that use it at once in Airflow, kept by the pool vitrina_<name>; of "
        "several environments the smallest number counts; by default there is no limit",
        examples=[8],
    )


class Email(Model):
    """Mail through an Airflow connection of type SMTP."""

    to: Names = Field(description="addresses of those who get the mail", examples=[["accounting@example.com"]])
    sender: Name | None = Field(
        None,
        alias="from",
        description="the sender's address; by default the one of the SMTP connection",
        examples=["vitrina@example.com"],
    )
    connection: Name = Field(
        "smtp_default", description="the Airflow connection of the mail server", examples=["smtp_default"]
    )


class Notify(OneOf):
    """Where news of a failure go: a webhook or a mailbox."""

    webhook: Name | None = Field(
        None,
        description="an http or https URL that takes JSON by POST; chat systems show its `text`",
        examples=["${OPS_WEBHOOK}", "https://chat.example.com/hooks/${OPS_HOOK}"],
    )
    email: Email | None = Field(
        None,
        description="mail through an Airflow connection of type SMTP",
        examples=[{"to": ["accounting@example.com"], "connection": "smtp_default"}],
    )


class Connections(Model):
    """The file connections.yaml beside the specs: where their connections lead, and who hears of failures."""

    environments: dict[Name, dict[Name, Entry]] = Field(
        description="for each environment (`--env`, VITRINA_ENV; by default it is `default`), its connections by the "
        "names that specs use",
        examples=[{"default": {"shop_mysql": {"url": "${SHOP_MYSQL:-embedded:duckdb}"}}}],
    )
    notify: dict[Name, Notify] = Field(
        {},
        description="who is told of failures, by the name that `on_failure` of specs uses",
        examples=[{"ops": {"webhook": "${OPS_WEBHOOK}"}}],
    )
    mask_key: Name | None = Field(
        None,
        description="the key of masked columns, if VITRINA_MASK_KEY is not set; whoever knows it can test guesses",
        examples=["${VITRINA_MASK_KEY}"],
    )


@dataclass(frozen=True)
class ConnectionsFile:
    """A connections file. In ``content`` variables stand as they are written; it is None if there are problems."""

    document: Document
    content: Connections | None
    problems: tuple[Problem, ...]

    @property
    def names(self) -> frozenset[str]:
        """The connections of all environments."""
        environments = self.content.environments.values() if self.content else ()
        return frozenset(name for entries in environments for name in entries)


def load_connections(path: Path) -> ConnectionsFile:
    """Read a connections file. Raises UsageError if it cannot be opened."""
    document = open_document(path)
    if document.root is None:
        return ConnectionsFile(document, None, document.problems)
    values = Values(document, environ=None)
    try:
        content, found = Connections.model_validate(values.of(document.root)), []
    except ValidationError as error:
        found = explain(error, document, Connections, document.problems)
        content, found = None, [_without_secret(problem, document) for problem in found]
    problems = (*document.problems, *values.problems, *found)
    return ConnectionsFile(document, None if problems else content, problems)


def check_connections(file: ConnectionsFile, environ: Environment[str, str] = os.environ) -> tuple[Problem, ...]:
    """All problems of a connections file. Entries whose variables are not set here are not judged."""
    if file.content is None:
        return file.problems
    return tuple(problem for path in _urls(file.content) for problem in _url_problems(file.document, path, environ))


def resolve(name: str, environment: str, where: Path, environ: Environment[str, str] = os.environ) -> Connection:
    """The connection called ``name``; ``where`` is the connections file or its directory.

    A URL from the environment never brings the permission to generate: that stands in the file's entry alone. Nor does
    it do away with the TLS that the entry demands.

    Raises:
        UnknownConnection: nothing gives it a URL.
        SpecInvalid: the connections file has problems, or a variable of the entry is not set.
        UsageError: the URL of the environment variable is none.
    """
    file = _file_at(where)
    entry = file.content.environments.get(environment, {}).get(name) if file and file.content else None
    may_generate = entry is not None and entry.generate == "allow"
    tls = entry.tls if entry is not None else None
    variable = variable_of(name)
    if environ.get(variable):
        url = demanding(_from_variable(variable, environ[variable]), tls)
        return Connection(name, url, may_generate, environment)
    if file is None or entry is None:
        raise UnknownConnection(name, environment, _advice(name, environment, variable, where, file))
    url = _text(file.document, ("environments", environment, name, "url"), environ)
    return Connection(name, demanding(url, tls), may_generate, environment)


def mask_key(where: Path, environ: Environment[str, str] = os.environ) -> bytes | None:
    """The key of masked columns: ``VITRINA_MASK_KEY``, else ``mask_key`` of the connections file, else None.

    Raises:
        SpecInvalid: the connections file has problems, or a variable of ``mask_key`` is not set.
    """
    if environ.get(MASK_KEY):
        return environ[MASK_KEY].encode()
    file = _file_at(where)
    if file is None or file.content is None or file.content.mask_key is None:
        return None
    return _value(file.document, ("mask_key",), environ).encode()


def webhook(name: str, where: Path, environ: Environment[str, str] = os.environ) -> str:
    """The URL of the webhook ``name``, its variables filled in.

    Raises:
        SpecInvalid: the connections file has problems, or a variable of the URL is not set.
        UsageError: there is no such webhook.
    """
    file = _file_at(where)
    if file is None or file.content is None or name not in file.content.notify:
        raise UsageError(f"nothing is known of {name!r}", f"add it to `notify` in {where / FILE}")
    return _value(file.document, ("notify", name, "webhook"), environ)


def variable_of(name: str) -> str:
    """The environment variable that holds the URL of a connection."""
    return "VITRINA_CONN_" + re.sub(r"\W", "_", name.upper(), flags=re.ASCII)


def _file_at(where: Path) -> ConnectionsFile | None:
    path = where / FILE if where.is_dir() else where
    if not path.exists():
        return None
    file = load_connections(path)
    if file.problems:
        raise SpecInvalid(file.problems)
    return file


def _without_secret(problem: Problem, document: Document) -> Problem:
    """A problem with the value of ``mask_key`` must not quote it."""
    assert document.root is not None
    place = find(document.root, ("mask_key",))
    if not place.ended or problem.position != place.node.span.position:
        return problem
    return replace(problem, message="the mask key is a text", suggestion="quote it")


def _from_variable(variable: str, url: str) -> str:
    try:
        return normalised(url)
    except ValueError as error:
        raise UsageError(f"the environment variable {variable} holds no usable URL: {error}", "correct it") from None


def _value(document: Document, path: tuple[str, ...], environ: Environment[str, str]) -> str:
    assert document.root is not None
    values = Values(document, environ)
    value = values.of(find(document.root, path).node)
    if values.problems:
        raise SpecInvalid(values.problems)
    return "" if value is None else str(value)


def _text(document: Document, path: tuple[str, ...], environ: Environment[str, str]) -> str:
    """The URL at ``path``, its variables filled in. Raises SpecInvalid."""
    assert document.root is not None
    try:
        return normalised(_value(document, path, environ))
    except ValueError as error:
        span = find(document.root, path).node.span
        raise SpecInvalid(
            [document.problem(span, "bad-url", f"this URL cannot be used: {error}", "correct it")]
        ) from None


def _urls(content: Connections) -> Iterator[tuple[str, ...]]:
    for environment, entries in content.environments.items():
        for name in entries:
            yield "environments", environment, name, "url"


def _url_problems(document: Document, path: tuple[str, ...], environ: Environment[str, str]) -> tuple[Problem, ...]:
    try:
        _text(document, path, environ)
    except SpecInvalid as error:
        return tuple(problem for problem in error.problems if problem.rule != "unset-variable")
    return ()


def _advice(name: str, environment: str, variable: str, where: Path, file: ConnectionsFile | None) -> str:
    place = str(where / FILE if where.is_dir() else where)
    if file is None or file.content is None:
        return f"set {variable}, or write {place}"
    environments = file.content.environments
    if environment not in environments:
        return f"{place} has no environment {environment!r}: {did_you_mean(environment, environments)}"
    known = did_you_mean(name, environments[environment])
    return f"set {variable}, or add {name!r} to {place}" + (f"; {known}" if known else "")

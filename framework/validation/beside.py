"""Connections files: what is wrong with them, and with the specs that name their entries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Mapping as Environment
from pathlib import Path

from framework.diagnostics import Problem, Severity, did_you_mean
from framework.errors import SpecInvalid, UnknownConnection, UsageError
from framework.spec import connections
from framework.spec.connections import ConnectionsFile
from framework.spec.document import Document
from framework.spec.models import Spec
from framework.validation.places import problem_at
from framework.validation.secrets import secrets

_BACKENDS = {
    "source": ("PostgreSQL", "a source", ("postgresql", "embedded:postgres")),
    "target": ("MySQL", "a target", ("mysql", "duckdb", "embedded:duckdb")),
}
_PRODUCTION = re.compile(r"prod", re.IGNORECASE)


class Beside:
    """The connections files beside the specs, each read once."""

    def __init__(self, environ: Environment[str, str]) -> None:
        self._environ = environ
        self._read: dict[Path, ConnectionsFile | None] = {}

    def problems_of_spec(self, spec: Spec, document: Document, *, connections_elsewhere: bool) -> Iterator[Problem]:
        """What a spec names and the file beside it does not have.

        With ``connections_elsewhere``, connections may be known to others than the connections file.
        """
        file = self._file(document.path.parent / connections.FILE)
        if file is None:
            return
        yield from _unknown_notify(spec, document, file)
        if not connections_elsewhere:
            yield from _unknown_connections(spec, document, file, self._environ)
            yield from _wrong_databases(spec, document, file, self._environ)

    def problems_of_file(self, path: Path) -> Iterator[Problem]:
        """What is wrong with a connections file."""
        file = self._file(path)
        assert file is not None
        yield from connections.check_connections(file, self._environ)
        yield from secrets(file.document)
        if file.content is not None:
            yield from _generated_production(file)

    def document(self, path: Path) -> Document:
        """A connections file as it was read."""
        file = self._file(path)
        assert file is not None
        return file.document

    def _file(self, path: Path) -> ConnectionsFile | None:
        if path not in self._read:
            self._read[path] = connections.load_connections(path) if path.is_file() else None
        return self._read[path]


def _unknown_connections(
    spec: Spec, document: Document, file: ConnectionsFile, environ: Environment[str, str]
) -> Iterator[Problem]:
    """Names that neither the connections file beside the spec nor the environment knows."""
    names = file.names
    for key, name in (("source", spec.source), ("target", spec.target)):
        if names and name not in names and connections.variable_of(name) not in environ:
            message = f"{connections.FILE} has no connection {name!r}"
            yield problem_at(document, (key,), "unknown-connection", message, did_you_mean(name, sorted(names)))


def _unknown_notify(spec: Spec, document: Document, file: ConnectionsFile) -> Iterator[Problem]:
    """Who is to be told of failures must be known to the connections file beside the spec."""
    content = file.content
    if spec.on_failure is None or content is None or spec.on_failure.notify in content.notify:
        return
    name = spec.on_failure.notify
    advice = did_you_mean(name, sorted(content.notify)) or f"add `notify: {{{name}: {{webhook: ...}}}}` to it"
    message = f"{connections.FILE} does not know {name!r}"
    yield problem_at(document, ("on_failure", "notify"), "unknown-notify", message, advice)


def _wrong_databases(
    spec: Spec, document: Document, file: ConnectionsFile, environ: Environment[str, str]
) -> Iterator[Problem]:
    """A source is PostgreSQL, a target is not."""
    for key, name in (("source", spec.source), ("target", spec.target)):
        wanted, role, backends = _BACKENDS[key]
        for environment in file.content.environments if file.content else ():
            url = _url(name, environment, file, environ)
            if url is not None and not url.startswith(backends):
                message = f"{name!r} is {role}, and its URL of the environment {environment!r} is not of {wanted}"
                advice = f"name a connection of {wanted}, or correct the URL in {file.document.path}"
                yield problem_at(document, (key,), "wrong-database", message, advice)


def _url(name: str, environment: str, file: ConnectionsFile, environ: Environment[str, str]) -> str | None:
    try:
        return connections.resolve(name, environment, file.document.path, environ).url
    except (SpecInvalid, UnknownConnection, UsageError):
        return None  # other rules tell, or it is not known here


def _generated_production(file: ConnectionsFile) -> Iterator[Problem]:
    """Fake data have no place in production."""
    assert file.content is not None
    for environment, entries in file.content.environments.items():
        for name, entry in entries.items():
            if entry.generate is not None and _PRODUCTION.search(environment):
                loc = ("environments", environment, name, "generate")
                message = f"the environment {environment!r} allows fake data in {name!r}"
                yield problem_at(
                    file.document,
                    loc,
                    "generate-in-production",
                    message,
                    "remove `generate`",
                    severity=Severity.WARNING,
                )

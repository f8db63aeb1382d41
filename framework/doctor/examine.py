"""Both databases of a spec, asked one after the other. Nothing is written anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager

from framework.databases.base import Target
from framework.databases.postgres.source import PostgresSource
from framework.diagnostics import Severity
from framework.doctor import live
from framework.doctor import source as of_source
from framework.doctor import target as of_target
from framework.doctor.remarks import Remark
from framework.errors import VitrinaError
from framework.spec.models import Spec
from framework.workspace import Workspace


def examine(workspace: Workspace) -> tuple[Remark, ...]:
    """All that is to be said of the databases. One that cannot be asked is an error, and does not hide the other."""
    spec = workspace.spec
    return (
        *_asked("source", workspace.source, lambda source: _of_source(spec, source)),
        *_asked("target", workspace.target, lambda target: of_target.examine(spec, target)),
    )


def _of_source(spec: Spec, source: PostgresSource) -> Iterator[Remark]:
    yield from of_source.examine(spec, source)
    with source.session() as session:
        yield from live.findings(spec, session)


def _asked(
    subject: str,
    opened: Callable[[], AbstractContextManager[PostgresSource]] | Callable[[], AbstractContextManager[Target]],
    ask: Callable[..., Iterable[Remark]],
) -> Iterator[Remark]:
    try:
        with opened() as database:
            yield from ask(database)
    except VitrinaError as error:
        yield Remark(subject, error.fact, Severity.ERROR, error.fix, "no-connection")

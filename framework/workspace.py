"""A spec with its databases: what every command but `validate` begins with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from framework.connections import Connection
from framework.databases.base import Target
from framework.databases.embedded import home
from framework.databases.opening import open_source, open_target
from framework.databases.postgres.source import PostgresSource
from framework.errors import SpecInvalid
from framework.generate.lock import lock_file
from framework.replicate import mask
from framework.replicate.mapping import no_mask_key
from framework.spec.connections import mask_key, resolve
from framework.spec.models import Spec
from framework.validation.validate import load_sound

Finder = Callable[[str, str, Path], Connection]


@dataclass(frozen=True)
class Workspace:
    """A checked spec, and where its connections are looked up.

    Attributes:
        environment: which environment of connections.yaml counts.
        home: the directory of the embedded databases.
        find: finds a connection by its name, the environment, and the directory of the connections file.
    """

    path: Path
    spec: Spec
    environment: str
    home: Path
    find: Finder = resolve

    @contextmanager
    def source(self) -> Iterator[PostgresSource]:
        """The source, open."""
        with open_source(self.find(self.spec.source, self.environment, self.path.parent), self.home) as source:
            with suppress(SpecInvalid):  # who needs the key asks for it, and tells what is wrong
                if self._masked and (key := mask_key(self.path.parent)) is not None:
                    source.settings = mask.settings(key)
            yield source

    @contextmanager
    def target(self) -> Iterator[Target]:
        """The target, open."""
        with open_target(self.find(self.spec.target, self.environment, self.path.parent), self.home) as target:
            yield target

    @property
    def pools(self) -> Path:
        """The lock file of values drawn from Faker, which need not be there."""
        return lock_file(self.path)

    def mask_key(self) -> bytes | None:
        """The key of masked columns; None where nothing is masked and none is set. Raises UsageError."""
        key = mask_key(self.path.parent)
        if self._masked and key is None:
            raise no_mask_key(self._masked[0])
        return key

    @property
    def _masked(self) -> tuple[str, ...]:
        """The tables that have masked columns."""
        tables = self.spec.replicate.items()
        return tuple(table for table, settings in tables if any(column.mask for column in settings.columns.values()))


def open_workspace(path: Path, environment: str, find: Finder = resolve) -> Workspace:
    """Load and check a spec; ``find`` finds its connections.

    Raises:
        SpecInvalid: it has problems.
    """
    spec = load_sound(path, connections_elsewhere=find is not resolve)
    return Workspace(path, spec, environment, home(), find)

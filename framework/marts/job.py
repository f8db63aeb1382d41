"""What building one mart needs, whatever its kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from framework.checks import CheckResults, require
from framework.databases.base import Session, Target, reserved_name
from framework.errors import VitrinaError
from framework.events import Reporter, Stats
from framework.marts.query import without_semicolon
from framework.spec.marts import MartTask
from framework.tables import Index, Table

Guard = Callable[[Session], None]
"""Called in every transaction that changes a mart; raises if this run may not write any more."""


@dataclass(frozen=True)
class Job:
    """One mart on its way."""

    target: Target
    session: Session
    task: MartTask
    reporter: Reporter
    guard: Guard

    @property
    def name(self) -> str:
        """The mart's name."""
        return self.task.name

    @property
    def query(self) -> str:
        """The mart's query in the target's SQL. It may end with a comment: what follows begins a line."""
        return self.target.dialect.translate(without_semicolon(self.task.mart.query))

    def quote(self, name: str) -> str:
        """A name, quoted for the target."""
        return self.target.dialect.quote(name)

    @property
    def fresh(self) -> str:
        """The name of the table in which new rows of the mart are made."""
        return reserved_name("build", self.name)

    @property
    def draft(self) -> str:
        """The name of the view that shows the mart as it is about to be."""
        return reserved_name("draft", self.name)

    @property
    def seen(self) -> str:
        """The name of the table of touched partitions that this build takes care of."""
        return reserved_name("seen", self.name)

    @property
    def parts(self) -> str:
        """The name of the table of the touched partitions' values."""
        return reserved_name("parts", self.name)

    def count(self, table: str) -> int:
        """How many rows there are."""
        return int(self.session.query(f"SELECT COUNT(*) FROM {self.quote(table)}")[0][0])

    def checked(self, relation: str) -> CheckResults:
        """Run the mart's checks on a table or view that is to become the mart. Raises CheckFailed."""
        self.reporter.progress("check", 0)
        return require(self.session, self.target.dialect, relation, self.name, self.task.mart.checks)

    def rebuild(self, marker: str) -> Stats:
        """Make the mart's table anew, check it, and put it in the place of the one before. Raises CheckFailed."""
        self.reporter.progress("build", 0)
        self.session.create_table_as(self.fresh, self.query, marker)
        indexes = tuple(Index(names) for names in self.task.mart.indexes)
        self.session.create_indexes(Table(self.fresh, (), indexes=indexes))
        results = self.checked(self.fresh)
        rows = self.count(self.fresh)
        with self.session.transaction():
            self.guard(self.session)
        self.session.drop_view(self.name)
        self.session.swap(self.fresh, self.name)
        return Stats(rows_written=rows, checks=results.passed, warnings=results.warnings)

    @contextmanager
    def tidy(self) -> Iterator[None]:
        """Drop what a run that died left beside the mart, and at the end what this one made."""
        self._clear()
        try:
            yield
        finally:
            # Where the connection is gone, the next run does it.
            with suppress(VitrinaError):
                self._clear()

    def _clear(self) -> None:
        self.session.drop_view(self.draft)
        # The one that was replaced, too: who died behind the exchange left it, and there may not be another exchange.
        self.session.drop_tables(self.fresh, self.seen, self.parts, reserved_name("old", self.name))

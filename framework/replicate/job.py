"""What the steps of one table's replication share."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping as AnyMapping
from contextlib import suppress
from dataclasses import dataclass

from framework.databases.base import Extract, Session, Target, reserved_name
from framework.databases.postgres.snapshot import Extracted
from framework.databases.postgres.source import PostgresSession, PostgresSource
from framework.errors import VitrinaError
from framework.events import Reporter
from framework.lease import Lease
from framework.replicate import mask, state
from framework.replicate.journal import Journal
from framework.replicate.mapping import Mapping
from framework.replicate.options import Options
from framework.replicate.schema.structure import Structure
from framework.types import PLAIN_KINDS

AUXILIARY = "vitrina auxiliary "
"""Markers of auxiliary tables: this, the token of the lease, and the table they are beside."""


@dataclass(frozen=True)
class Job:
    """One table on its way from the source to the target, under a lease.

    Attributes:
        structure: what a copy would be made of now.
    """

    source: PostgresSource
    target: Target
    mapping: Mapping
    structure: Structure
    options: Options
    reporter: Reporter
    lease: Lease

    @property
    def journal(self) -> Journal:
        """What the parts of this run have done."""
        return Journal(self.target, self.table, self.lease.token)

    @property
    def table(self) -> str:
        """The target table's name."""
        return self.mapping.task.table

    def quote(self, name: str) -> str:
        """A name, quoted for the target."""
        return self.target.dialect.quote(name)

    def list(self, names: tuple[str, ...], alias: str = "") -> str:
        """Column names, quoted for the target, with commas."""
        return ", ".join(f"{alias}{self.quote(name)}" for name in names)

    def same_row(self) -> str:
        """The condition that rows ``t`` and ``o`` agree in all columns that come from the source; NULL is like NULL."""
        identical, quote = self.target.dialect.identical, self.quote
        return " AND ".join(
            identical(f"t.{quote(column.name)}", f"o.{quote(column.name)}", column.type)
            for column in self.mapping.columns
        )

    def same_key(self) -> str:
        """The condition that rows ``t`` and ``o`` have one key; keys are never NULL."""
        return " AND ".join(f"t.{self.quote(name)} = o.{self.quote(name)}" for name in self.mapping.key)

    def extract(self, session: PostgresSession, condition: str = "", names: tuple[str, ...] = ()) -> Extract:
        """The source's rows (in the session's snapshot) for which ``condition`` holds, all columns or some."""
        self.prepare_masks(session)
        columns = [column for column in self.mapping.columns if not names or column.name in names]
        plain = {column.name for column in columns if column.type.kind in PLAIN_KINDS}
        return Extracted(session, self.mapping.query(condition, names), [column.name for column in columns], plain)

    def prepare_masks(self, session: PostgresSession) -> None:
        """See that a session of the source can compute the masks of the table, if it has some."""
        if self.mapping.is_masked and self.options.mask_key is not None:
            mask.install(session, self.options.mask_key)

    def beside(self, purpose: str) -> str:
        """The name of a table that the holder of this lease's token, and nobody else, makes beside the copy."""
        return reserved_name(f"{purpose}_{self.lease.token}", self.table)

    def clear_leftovers(self, session: Session, present: AnyMapping[str, str]) -> None:
        """Drop what those who had the lease before left beside this table; never what a later holder makes.

        Args:
            session: of the target.
            present: the markers of Vitrina's tables, by name.
        """
        owners = {name: owner for name, mark in present.items() if (owner := owner_of(mark)) is not None}
        left = [name for name, (table, token) in owners.items() if table == self.table and token < self.lease.token]
        if left:
            session.drop_tables(*left)

    def discard(self, session: Session, *purposes: str) -> None:
        """Drop tables of this run that are not needed any more; where the connection is gone, the next run does it."""
        with suppress(VitrinaError):
            session.drop_tables(*map(self.beside, purposes))

    @property
    def aux_marker(self) -> str:
        """The marker of tables that a run makes beside this one and needs for a while."""
        return f"{AUXILIARY}{self.lease.token} of {self.table}"


def owner_of(mark: str) -> tuple[str, int] | None:
    """The table that a marker speaks of and the token of its maker; None if it is no copy's and no auxiliary's."""
    if not mark.startswith((AUXILIARY, state.MARK)):
        return None
    head, _, table = mark.removeprefix(AUXILIARY).removeprefix(state.MARK).partition(" of ")
    token = head.partition(".")[0]
    return table, int(token) if token.isdigit() else 0


class Counter:
    """Adds up rows of several threads and reports ten times a second at most."""

    def __init__(self, reporter: Reporter, phase: str, total: int | None) -> None:
        self._reporter = reporter
        self._phase = phase
        self._total = total
        self._done = 0
        self._told = 0.0
        self._lock = threading.Lock()

    def __call__(self, rows: int) -> None:
        """Count ``rows`` more."""
        with self._lock:
            self._done += rows
            if time.monotonic() - self._told < 0.1:
                return
            self._told = time.monotonic()
            self._reporter.progress(self._phase, self._done, self._total)

"""What the engine asks of a target, and what a target is given to load.

SQL that the engine writes uses ``%s`` for bound values in every dialect. Names go through `Dialect.quote`, always.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, Protocol

from framework.databases.canonical import Canonical
from framework.tables import Index, Table
from framework.types import LogicalType

Row = tuple[Any, ...]
Progress = Callable[[int], None]
"""Is told how many more rows have gone by."""

PREFIX = "_vitrina_"
"""Every table that Vitrina keeps for itself begins with this."""

NAME_LENGTH = 64
"""Characters of the longest name a MySQL table may have."""


def reserved_name(purpose: str, table: str) -> str:
    """The name of a table that Vitrina keeps beside ``table``; never longer than the 64 characters MySQL allows."""
    name = f"{PREFIX}{purpose}_{table}"
    if len(name) <= NAME_LENGTH:
        return name
    digest = hashlib.sha256(table.encode()).hexdigest()[:12]
    return f"{name[: NAME_LENGTH - 13]}_{digest}"


CONSTRAINT_PREFIX = "vitrina_"
"""Every foreign key that Vitrina declares begins with this, and ends with a digest of what it says."""

_OURS = re.compile(f"{CONSTRAINT_PREFIX}.*_[0-9a-f]{{12}}")


@dataclass(frozen=True)
class Constraint:
    """A foreign key of a target: ``columns`` of ``table`` point at ``referred_columns`` of ``referred_table``."""

    table: str
    columns: tuple[str, ...]
    referred_table: str
    referred_columns: tuple[str, ...]
    on_delete: str = "no action"
    on_update: str = "no action"
    name: str = ""

    def __str__(self) -> str:
        return f"{self.table} ({', '.join(self.columns)}) -> {self.referred_table} ({', '.join(self.referred_columns)})"

    @property
    def is_ours(self) -> bool:
        """Whether Vitrina declared it."""
        return _OURS.fullmatch(self.name) is not None

    def named(self) -> Constraint:
        """The same with the one name that Vitrina gives it: unique in the database, and always the same."""
        digest = hashlib.sha256(str(self).encode()).hexdigest()[:12]
        readable = re.sub(r"[^A-Za-z0-9_]+", "_", f"{self.table}_{'_'.join(self.columns)}")
        room = NAME_LENGTH - len(CONSTRAINT_PREFIX) - len(digest) - 1
        return replace(self, name=f"{CONSTRAINT_PREFIX}{readable[:room]}_{digest}")


class Extract(Protocol):
    """Rows of the source on their way to a target, each value in its wire form (see `framework.types`)."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The target's columns, in the order of the values."""

    def copy_to(self, sink: BinaryIO) -> int:
        """Write all rows as CSV (texts always quoted, a bare NULL for NULL) and return how many there were."""

    def batches(self, size: int) -> Iterator[Sequence[tuple[str | None, ...]]]:
        """The rows in lists of at most ``size``."""


@dataclass(frozen=True)
class Capabilities:
    """What a target can do.

    Attributes:
        lane: how rows are loaded, for reports: ``LOAD DATA``, ``INSERT``, ``CSV``.
        single_writer: one process and one connection own the database; nothing is gained by parallel loads.
        foreign_keys: tables that are there can be given foreign keys.
        hides_columns: a column may be there without being part of `SELECT *`.
        longest_row: bytes of the longest row that can be loaded; None if rows may be of any length.
        doubled: the characters that count as two then.
    """

    lane: str
    single_writer: bool
    foreign_keys: bool = True
    hides_columns: bool = False
    longest_row: int | None = None
    doubled: str = ""


@dataclass(frozen=True)
class Alteration:
    """How a table that is there becomes another one. What is done already is left out, so it may be made again.

    Attributes:
        renamed: columns, by their old names and their new ones.
        dropped: columns that go. One that is added, too, goes with its values and comes without.
        added: columns that come, after the others.
        changed: columns that get another type, or may be NULL, or may not be NULL any more.
        hidden: what is added is not part of `SELECT *` until it is `changed`; for targets that know such columns.
        unindexed: indexes that go, by the new names of their columns.
    """

    renamed: tuple[tuple[str, str], ...] = ()
    dropped: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    hidden: bool = False
    unindexed: tuple[Index, ...] = ()


class Dialect(Protocol):
    """How a target writes what SQL dialects write differently."""

    name: str
    """The dialect's name in sqlglot."""

    utc_now: str
    """An expression: the server's clock as a UTC DATETIME(6)."""

    def quote(self, identifier: str) -> str:
        """The identifier, quoted."""

    def same(self, left: str, right: str) -> str:
        """A condition: both are equal, or both are NULL."""

    def identical(self, left: str, right: str, type_: LogicalType) -> str:
        """A condition: both are the same value of ``type_``, or both are NULL; 0 and -0 are not the same."""

    def later(self, seconds: int) -> str:
        """An expression: the server's clock, so many seconds from now."""

    def has_key(self, table: str, condition: str) -> str:
        """A condition: a large table (alias ``o``) has a row; its primary key is in ``condition``."""

    def delete_matching(self, table: str, other: str, condition: str, by_key: str = "") -> str:
        """A statement: delete the rows of ``table`` (alias ``t``) that ``other`` (alias ``o``) has a match for.

        ``by_key`` is the alias of the one whose rows are looked for by its primary key, where the condition has it.
        """

    def update_matching(self, table: str, other: str, condition: str, assignment: str, where: str) -> str:
        """A statement: update the rows of ``table`` (``t``) if ``where`` holds and ``other`` (``o``) has a match.

        ``assignment`` begins with a column of the table, whose primary key is in the condition.
        """

    def column_type(self, type_: LogicalType, indexed: bool) -> str | None:
        """The native type for ``type_``, or None. ``indexed``: whole values are part of a key."""

    def translate(self, query: str) -> str:
        """A query of MySQL in the target's own SQL."""


class Session(Protocol):
    """One connection to a target. Outside of `transaction` every statement commits by itself; DDL always does."""

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run a statement; the number of rows it matched."""

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Run a query; all its rows."""

    def query_shared(self, sql: str) -> list[Row]:
        """Run a SELECT in the open transaction; the rows it reads stay as they are until the transaction ends.

        Waits for transactions that are about to change them.
        """

    def query_uncommitted(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Run a query that also sees what other sessions have not committed, where that can be seen."""

    @property
    def tag(self) -> str:
        """What tells this session from others, for `end`; empty where no other process has sessions."""

    def end(self, tag: str) -> None:
        """End another session of this account, and with it its transaction; nothing if it may not, or is gone."""

    def transaction(self) -> AbstractContextManager[None]:
        """Commits at the end, rolls back on an exception. Not nested. READ COMMITTED or stricter."""

    def unreferenced(self) -> AbstractContextManager[None]:
        """Within the context the server neither checks foreign keys nor cascades; who writes must see to them."""

    def create_table(
        self, table: Table, marker: str = "", *, if_missing: bool = False, indexed: bool = False
    ) -> tuple[str, ...]:
        """Create a table with its primary key.

        Args:
            table: as it is to be.
            marker: is kept with the table.
            if_missing: leave one of that name as it is.
            indexed: make those of its other indexes, too, that are not unique: for a table that gets few rows.

        Returns:
            What the user should know of it, in sentences.

        Raises:
            UnsupportedType: a column's type has no exact home here.
        """

    def create_table_as(self, name: str, query: str, marker: str) -> None:
        """Create a table from a query of this dialect."""

    def create_view(self, name: str, query: str) -> None:
        """Create a view, or replace it atomically."""

    def create_indexes(self, table: Table) -> None:
        """Create the secondary indexes of ``table`` that are not there yet."""

    def alter_table(self, table: Table, alteration: Alteration) -> None:
        """Change a table, in one statement or one transaction. ``table``: what is added and changed, as it is to be.

        Raises:
            UnsupportedType: a column's type has no exact home here.
        """

    def analyze(self, name: str) -> None:
        """See that the database knows how many rows a table has, and which values: its plans are made of it.

        Commits the open transaction.
        """

    def drop_tables(self, *names: str) -> None:
        """Drop tables, as far as they are there."""

    def rename_table(self, name: str, table: Table, marker: str) -> None:
        """Give the table ``name`` the name and the comment of ``table``, and a marker, all at once.

        Waits for transactions that have worked on it; whoever comes later finds no such table.
        """

    def drop_view(self, name: str) -> None:
        """Drop a view if it is there."""

    def swap(self, fresh: str, live: str) -> None:
        """Make table ``fresh`` visible as ``live``, atomically, and drop what was there before.

        Our foreign keys from and to ``live`` are dropped before.

        Raises:
            ConstraintNotOurs: somebody else's foreign key leads to ``live``; nothing was changed.
        """

    def foreign_keys(self, table: str) -> tuple[Constraint, ...]:
        """The foreign keys of a table, and those that lead to it, whoever declared them."""

    def fitted(self, constraint: Constraint) -> Constraint:
        """The foreign key as this database can have it, with its name.

        Raises:
            ForeignKeyImpossible: it cannot.
        """

    def add_foreign_key(self, constraint: Constraint) -> None:
        """Declare a foreign key. The rows are not looked at: that they agree is the caller's care."""

    def drop_foreign_keys(self, constraints: Iterable[Constraint]) -> None:
        """Drop foreign keys, as far as they are there."""

    def relation(self, name: str) -> str | None:
        """``table``, ``view``, or None where nothing has this name."""

    def marker(self, name: str) -> str | None:
        """The marker of a table, an empty text if it has none, None if there is no such table."""

    def described(self, name: str) -> tuple[str, str] | None:
        """`relation` and, of a table, `marker`, both at one moment; None where nothing has this name."""

    def tables(self, prefix: str) -> dict[str, str]:
        """The markers of all tables whose names begin with ``prefix``, by name."""

    def columns(self, name: str) -> tuple[str, ...]:
        """The columns of a table or view, in order; empty if there is none."""

    def can_overwrite(self, name: str) -> bool:
        """Whether `overwrite` works on a table: nothing but its primary key may stand against a row."""

    def overwrite(
        self, name: str, other: str, columns: Sequence[str], key: Sequence[str], emptied: Sequence[str] = ()
    ) -> int:
        """Rows of table ``other`` replace those of table ``name`` that have their key, or are added, by one statement.

        Args:
            name: of the table; see `can_overwrite`.
            other: of a table with some of its columns.
            columns: those that both have.
            key: the primary key.
            emptied: further columns, which become NULL.

        Returns:
            How many rows of ``other`` there are, those that change a row that was there counted twice.
        """

    def load(self, table: Table, extract: Extract, progress: Progress) -> int:
        """Append all rows of ``extract`` to ``table`` in the open transaction; how many.

        Raises:
            LoadRefused: a value would have been altered, or a row got lost. The transaction must not be committed.
        """


class Target(Protocol):
    """A database that is written to."""

    @property
    def name(self) -> str:
        """The connection's name, for messages."""

    @property
    def url(self) -> str:
        """Its URL, masked."""

    @property
    def dialect(self) -> Dialect:
        """How it writes SQL."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do; may connect to find out."""

    @property
    def canonical(self) -> Canonical:
        """How it writes canonical forms; may connect to find out."""

    def session(self) -> AbstractContextManager[Session]:
        """A connection of its own, given back at the end; an open transaction is rolled back.

        Raises:
            ConnectionFailed: the server cannot be reached, or refuses the login.
        """

    def version(self) -> str:
        """The server's product and version."""

    def cancel(self) -> None:
        """End the statements that other threads are running; they fail."""

    def close(self) -> None:
        """Give back everything."""

"""One connection to a DuckDB database, in UTC."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any

import duckdb

from framework.databases.base import Alteration, Constraint, Extract, Progress, Row
from framework.databases.duckdb.alter import statements
from framework.databases.duckdb.dialect import DuckDBDialect, literal
from framework.databases.duckdb.errors import translated
from framework.databases.duckdb.load import load
from framework.errors import ForeignKeyImpossible, UnsupportedType
from framework.tables import Column, Table

_PLACEHOLDER = re.compile(r"%([s%])")

RELATION = """
SELECT 'table' FROM duckdb_tables()
WHERE database_name = current_database() AND schema_name = 'main' AND lower(table_name) = lower(%s)
UNION ALL
SELECT 'view' FROM duckdb_views()
WHERE database_name = current_database() AND schema_name = 'main' AND lower(view_name) = lower(%s)
"""

MARKER = """
SELECT coalesce(comment, '') FROM duckdb_tables()
WHERE database_name = current_database() AND schema_name = 'main' AND lower(table_name) = lower(%s)
"""

TABLES = """
SELECT table_name, coalesce(comment, '') FROM duckdb_tables()
WHERE database_name = current_database() AND schema_name = 'main' AND starts_with(table_name, %s)
ORDER BY table_name
"""

COLUMNS = """
SELECT column_name FROM duckdb_columns()
WHERE database_name = current_database() AND schema_name = 'main' AND lower(table_name) = lower(%s)
ORDER BY column_index
"""


class DuckDBSession:
    """Implements `framework.databases.base.Session`.

    Writers of one process take turns by ``writing``: DuckDB would rather fail the second of two transactions that touch
    the same rows than let it wait. Loads do not: nobody else writes the table that is being loaded.
    """

    def __init__(self, name: str, cursor: duckdb.DuckDBPyConnection, writing: threading.RLock) -> None:
        self._name = name
        self._cursor = cursor
        self._writing = writing
        self._dialect = DuckDBDialect()
        self._within = False

    def pin(self) -> None:
        """Apply the setting every statement relies on."""
        self.execute("SET TimeZone = 'UTC'")

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run a statement; the number of rows it matched."""
        with self._writing:
            rows, counted = self._run(sql, parameters)
        return (int(rows[0][0]) if rows else 0) if counted else len(rows)

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Run a query; all its rows."""
        return self._run(sql, parameters)[0]

    def query_shared(self, sql: str) -> list[Row]:
        """Run a query: writers take turns anyway."""
        return self.query(sql)

    def query_uncommitted(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Run a query: what others have not committed is nowhere to be seen."""
        return self.query(sql, parameters)

    @property
    def tag(self) -> str:
        """None: a database has one process."""
        return ""

    def end(self, tag: str) -> None:
        """Nothing: sessions end with their process."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commits at the end, rolls back on an exception."""
        with self._writing, self._transaction():
            yield

    def unreferenced(self) -> AbstractContextManager[None]:
        """There are no foreign keys."""
        return nullcontext()

    def create_table(
        self,
        table: Table,
        marker: str = "",
        *,
        if_missing: bool = False,
        indexed: bool = False,  # noqa: ARG002 - as `create_indexes`
    ) -> tuple[str, ...]:
        """Create a table. Its keys are NOT NULL; that they are unique is seen to by `load`.

        A PRIMARY KEY would keep an index of every key in memory, and make loads three and merges eight times slower.
        """
        if if_missing and self.relation(table.name):
            return ()
        lines = [
            f"{self._dialect.quote(column.name)} {self._native(table, column)}"
            + ("" if column.nullable and column.name not in table.primary_key else " NOT NULL")
            for column in table.columns
        ]
        with self.transaction():
            body = ",\n  ".join(lines)
            self.execute(
                f"CREATE TABLE {'IF NOT EXISTS ' if if_missing else ''}{self._dialect.quote(table.name)} (\n  {body}\n)"
            )
            self._mark(table.name, marker)
        return ()

    def create_table_as(self, name: str, query: str, marker: str) -> None:
        """Create a table from a query of DuckDB."""
        with self.transaction():
            self.execute(f"CREATE TABLE {self._dialect.quote(name)} AS {query}")
            self._mark(name, marker)

    def create_view(self, name: str, query: str) -> None:
        """Create a view, or replace it atomically."""
        self.execute(f"CREATE OR REPLACE VIEW {self._dialect.quote(name)} AS {query}")

    def create_indexes(self, table: Table) -> None:
        """Nothing: a columnar table is scanned as quickly without, and an index would forbid the rename of `swap`."""

    def alter_table(self, table: Table, alteration: Alteration) -> None:
        """Change a table, in the open transaction or in one of its own; nothing is ever hidden."""
        with nullcontext() if self._within else self.transaction():
            for change in statements(table, alteration, self.columns(table.name)):
                self.execute(f"ALTER TABLE {self._dialect.quote(table.name)} {change}")

    def drop_tables(self, *names: str) -> None:
        """Drop tables, as far as they are there."""
        with self._writing:
            for name in names:
                if self.relation(name) == "table":
                    self.execute(f"DROP TABLE {self._dialect.quote(name)}")

    def rename_table(self, name: str, table: Table, marker: str) -> None:
        """Give a table another name and another marker, in one transaction."""
        with self.transaction():
            self.execute(f"ALTER TABLE {self._dialect.quote(name)} RENAME TO {self._dialect.quote(table.name)}")
            self._mark(table.name, marker)

    def drop_view(self, name: str) -> None:
        """Drop a view if it is there."""
        with self._writing:
            if self.relation(name) == "view":
                self.execute(f"DROP VIEW {self._dialect.quote(name)}")

    def swap(self, fresh: str, live: str) -> None:
        """Drop ``live`` and rename ``fresh`` in one transaction."""
        with self.transaction():
            self.drop_tables(live)
            self.execute(f"ALTER TABLE {self._dialect.quote(fresh)} RENAME TO {self._dialect.quote(live)}")

    def foreign_keys(self, table: str) -> tuple[Constraint, ...]:  # noqa: ARG002 - as the protocol says
        """None: DuckDB cannot give a table foreign keys once it is there."""
        return ()

    def fitted(self, constraint: Constraint) -> Constraint:
        """Raises ForeignKeyImpossible."""
        fact = f"DuckDB cannot give {constraint.table} a foreign key once it is there"
        raise ForeignKeyImpossible(fact, "check the same with `checks: [{relationship: ...}]`")

    def add_foreign_key(self, constraint: Constraint) -> None:
        """Raises ForeignKeyImpossible."""
        self.fitted(constraint)

    def drop_foreign_keys(self, declared: Iterable[Constraint]) -> None:
        """Nothing: there are none."""

    def analyze(self, name: str) -> None:
        """Nothing: the database knows at once."""

    def relation(self, name: str) -> str | None:
        """``table``, ``view`` or None. DuckDB does not tell upper from lower case in names."""
        found = self.query(RELATION, (name, name))
        return str(found[0][0]) if found else None

    def marker(self, name: str) -> str | None:
        """The table's comment."""
        found = self.query(MARKER, (name,))
        return str(found[0][0]) if found else None

    def described(self, name: str) -> tuple[str, str] | None:
        """`relation` and, of a table, `marker`."""
        relation = self.relation(name)
        return (relation, self.marker(name) or "") if relation is not None else None

    def tables(self, prefix: str) -> dict[str, str]:
        """The markers of all tables whose names begin with ``prefix``, by name."""
        return {str(name): str(comment) for name, comment in self.query(TABLES, (prefix,))}

    def columns(self, name: str) -> tuple[str, ...]:
        """The columns of a table or view, in order."""
        return tuple(str(row[0]) for row in self.query(COLUMNS, (name,)))

    def can_overwrite(self, name: str) -> bool:  # noqa: ARG002
        """No: the database does not tell how many rows change."""
        return False

    def overwrite(
        self, name: str, other: str, columns: Sequence[str], key: Sequence[str], emptied: Sequence[str] = ()
    ) -> int:
        """See `can_overwrite`."""
        raise NotImplementedError

    def load(self, table: Table, extract: Extract, progress: Progress) -> int:
        """Append all rows of ``extract`` in the open transaction; how many. Raises LoadRefused."""
        return load(self._name, self._cursor, table, extract, progress)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._run("BEGIN")
        self._within = True
        try:
            yield
        except BaseException:
            self.rollback()
            raise
        finally:
            self._within = False
        self._run("COMMIT")

    def rollback(self) -> None:
        """End an open transaction, if there is one, without its changes."""
        # Without a transaction, or in a database that is broken, there is nothing to undo.
        with suppress(duckdb.Error):
            self._cursor.rollback()

    def _run(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[list[Row], bool]:
        """All rows, and whether they are one number of rows instead."""
        if parameters:
            sql = _PLACEHOLDER.sub(lambda match: "?" if match[1] == "s" else "%", sql)
        with translated(self._name):
            cursor = self._cursor.execute(sql, list(parameters) or None)
            description = cursor.description or []
            return cursor.fetchall(), [column[0] for column in description] == ["Count"]

    def _mark(self, table: str, marker: str) -> None:
        self.execute(f"COMMENT ON TABLE {self._dialect.quote(table)} IS {literal(marker)}")

    def _native(self, table: Table, column: Column) -> str:
        native = self._dialect.column_type(column.type, indexed=column.name in table.primary_key)
        if native is None:
            raise UnsupportedType(table.name, column.name, str(column.type))
        return native

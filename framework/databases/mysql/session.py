"""One connection to MySQL, with pinned settings: UTC, strict mode, utf8mb4, READ COMMITTED."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import groupby
from operator import itemgetter
from typing import Any

from framework.databases.base import Alteration, Constraint, Extract, Progress, Row, reserved_name
from framework.databases.mysql import alter, comments, constraints
from framework.databases.mysql.columns import index_parts, native_types, promoted
from framework.databases.mysql.connection import PACKET, StreamingConnection
from framework.databases.mysql.defaults import default_of
from framework.databases.mysql.dialect import MySQLDialect
from framework.databases.mysql.errors import translated
from framework.databases.mysql.load import load_batches, load_stream
from framework.errors import PrivilegeMissing, StatementFailed, VitrinaError
from framework.tables import Column, Index, Table

ROW_TOO_LARGE = 1118
NO_SUCH_TABLE = 1146

MERGE_SECONDS = 600
"""Seconds that a transaction may wait for one that changes rows which it refers to."""

# MariaDB leaves out what is meant for MySQL 8.0.27. With the usual megabyte an index takes a quarter more to be built.
SETTINGS = (
    "SET NAMES utf8mb4 COLLATE {collation}",
    """SET SESSION time_zone = '+00:00', lock_wait_timeout = 30, innodb_lock_wait_timeout = 30,
    net_read_timeout = {patience}, net_write_timeout = {patience}, wait_timeout = {patience},
    group_concat_max_len = 1073741824, /*!80027 innodb_ddl_buffer_size = 16777216, */
    sql_notes = 1, sql_safe_updates = 0, foreign_key_checks = 1,
    sql_mode = 'STRICT_ALL_TABLES,ONLY_FULL_GROUP_BY,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,\
NO_ENGINE_SUBSTITUTION'""",
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
)


class MySQLSession:
    """Implements `framework.databases.base.Session`."""

    def __init__(self, name: str, connection: StreamingConnection, collation: str, fast: bool) -> None:
        self._name = name
        self._connection = connection
        self._collation = collation
        self._fast = fast
        self._dialect = MySQLDialect()

    def pin(self) -> None:
        """Apply the settings every statement relies on, where the connection does not have them from an earlier use."""
        if not self._connection.unsettled:
            return
        for statement in SETTINGS:
            self.execute(statement.format(collation=self._collation, patience=self._connection.patience))
        self._connection.unsettled = frozenset()
        if self._connection.origin is None:
            query = "SELECT HOST FROM information_schema.PROCESSLIST WHERE ID = CONNECTION_ID()"
            ((host, longest),) = self.query(f"SELECT ({query}), @@max_allowed_packet")
            self._connection.origin = str(host or "")
            self._connection.packet = min(PACKET, int(longest) // 2)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run a statement; the number of rows it matched."""
        with translated(self._name), self._connection.cursor() as cursor:
            return int(cursor.execute(sql, tuple(parameters) or None))

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Run a query; all its rows."""
        with translated(self._name), self._connection.cursor() as cursor:
            cursor.execute(sql, tuple(parameters) or None)
            return list(cursor.fetchall())

    def query_shared(self, sql: str) -> list[Row]:
        """Run a SELECT that locks the rows it reads; it waits for a merge of another table as long as that takes."""
        with self.setting("innodb_lock_wait_timeout", str(MERGE_SECONDS), "30"):
            return self.query(f"{sql} LOCK IN SHARE MODE")

    def query_uncommitted(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Run a query that also sees what other sessions have not committed."""
        self.execute("SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED")  # of the next one only
        return self.query(sql, parameters)

    @property
    def tag(self) -> str:
        """The server's number of this session."""
        return str(int(self._connection.thread_id()))  # type: ignore[no-untyped-call]

    def end(self, tag: str) -> None:
        """End another session; an account may end its own."""
        with suppress(StatementFailed, PrivilegeMissing):
            self.execute(f"KILL {int(tag)}")

    @contextmanager
    def unreferenced(self) -> Iterator[None]:
        """Within the context the server neither checks foreign keys nor cascades."""
        with self.setting("foreign_key_checks", "0", "1"):
            yield

    @contextmanager
    def setting(self, name: str, value: str, usual: str) -> Iterator[None]:
        """Within the context a setting has another value. What cannot be set back is before the session's next use."""
        before = self._connection.unsettled
        self._connection.unsettled = before | {name}
        self.execute(f"SET SESSION {name} = {value}")
        try:
            yield
        finally:
            # Where the connection is gone, so is the setting.
            with suppress(VitrinaError):
                self.execute(f"SET SESSION {name} = {usual}")
                self._connection.unsettled -= {name} - before

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commits at the end, rolls back on an exception."""
        self.execute("START TRANSACTION")
        try:
            yield
        except BaseException:
            # A connection that is gone has nothing to roll back; the error that ended it tells more.
            with suppress(VitrinaError):
                if self._connection.open:
                    self.execute("ROLLBACK")
            raise
        self.execute("COMMIT")

    def create_table(
        self, table: Table, marker: str = "", *, if_missing: bool = False, indexed: bool = False
    ) -> tuple[str, ...]:
        """Create a table with its primary key. The widest VARCHARs become LONGTEXT where a row would be too long."""
        types = native_types(table)
        lines = [self._column(column, types[column.name]) for column in table.columns]
        if table.primary_key:
            lines.append(f"PRIMARY KEY ({self._list(table.primary_key)})")
        if indexed:
            lines += [f"INDEX ({self._parts(types, index)})" for index in table.indexes if not index.unique]
        self._create(
            f"CREATE TABLE {'IF NOT EXISTS ' if if_missing else ''}{self._dialect.quote(table.name)} (\n  "
            + ",\n  ".join(lines)
            + f"\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE={self._collation} "
            + f"COMMENT={self._connection.escape(comments.marked(table.comment, marker))}"
        )
        wide = promoted(table, types)
        return (f"a row would be too long for MySQL, so {', '.join(wide)} became LONGTEXT",) if wide else ()

    def _create(self, statement: str) -> None:
        """Create a table; where InnoDB fears that rows are too wide for a page, it may be told to wait and see."""
        try:
            self.execute(statement)
        except StatementFailed as error:
            if error.code != ROW_TOO_LARGE:
                raise
            try:
                self.execute("SET SESSION innodb_strict_mode = OFF")
            except PrivilegeMissing as missing:
                fact = "so many columns may not fit into a page of InnoDB, and the account may not try"
                fix = "GRANT SESSION_VARIABLES_ADMIN to it, or copy fewer columns: `only:` or `except:`"
                raise PrivilegeMissing(self._name, fact, fix) from missing
            try:
                self.execute(statement)
            finally:
                self.execute("SET SESSION innodb_strict_mode = ON")

    def _column(self, column: Column, native: str) -> str:
        default = default_of(column.default, column.type)
        parts = [self._dialect.quote(column.name), native]
        if not column.nullable:
            parts.append("NOT NULL")
        if default is not None:
            parts.append(f"DEFAULT ({default})")
        if column.comment:
            parts.append(f"COMMENT {self._connection.escape(comments.shortened(column.comment, comments.COLUMN))}")
        return " ".join(parts)

    def create_table_as(self, name: str, query: str, marker: str) -> None:
        """Create a table from a query."""
        comment = self._connection.escape(marker)
        self.execute(
            f"CREATE TABLE {self._dialect.quote(name)} ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 "
            f"COLLATE={self._collation} COMMENT={comment} AS {query}"
        )

    def create_view(self, name: str, query: str) -> None:
        """Create a view, or replace it atomically."""
        self.execute(f"CREATE OR REPLACE VIEW {self._dialect.quote(name)} AS {query}")

    def create_indexes(self, table: Table) -> None:
        """Create the secondary indexes that are missing, in one pass over the table."""
        indexes = self._indexes(table.name).values() if table.indexes else ()
        present = {Index(tuple(column for column, _ in parts), unique) for unique, parts in indexes}
        present |= {Index(index.columns) for index in present}
        missing = [index for index in table.indexes if index not in present]
        if missing:
            types = self._types(table.name)
            clauses = (
                f"ADD {'UNIQUE ' if index.unique else ''}INDEX ({self._parts(types, index)})" for index in missing
            )
            self.execute(f"ALTER TABLE {self._dialect.quote(table.name)} {', '.join(clauses)}")

    def alter_table(self, table: Table, alteration: Alteration) -> None:
        """Change a table, in one statement. Readers go on meanwhile; they wait while the new form replaces the old."""
        present = alter.Present(self._types(table.name), self._indexes(table.name))
        if changes := alter.clauses(table, alteration, present, self._column):
            if any(not change.startswith("ADD ") for change in changes):
                constraints.drop_ours(self, table.name)
            self._create(f"ALTER TABLE {self._dialect.quote(table.name)} {', '.join(changes)}")

    def analyze(self, name: str) -> None:
        """Milliseconds, whatever the size. By itself the server would do it some seconds later."""
        self.query(f"ANALYZE NO_WRITE_TO_BINLOG TABLE {self._dialect.quote(name)}")

    def drop_tables(self, *names: str) -> None:
        """Drop tables, as far as they are there, in one statement."""
        if doomed := self._present(*names):
            self.execute(f"DROP TABLE {self._list(doomed)}")

    def _present(self, *names: str) -> list[str]:
        """The tables among these names."""
        found = self.query(
            "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() "
            f"AND TABLE_NAME IN ({', '.join(['%s'] * len(names))}) AND TABLE_TYPE <> 'VIEW'",
            names,
        )
        # Servers that fold names give back others than they were asked for.
        folded = {str(name).lower() for (name,) in found}
        return [name for name in names if name.lower() in folded]

    def rename_table(self, name: str, table: Table, marker: str) -> None:
        """Give a table another name and another comment: one statement, which changes the catalog only."""
        comment = self._connection.escape(comments.marked(table.comment, marker))
        self.execute(
            f"ALTER TABLE {self._dialect.quote(name)} COMMENT = {comment}, RENAME TO {self._dialect.quote(table.name)}"
        )

    def drop_view(self, name: str) -> None:
        """Drop a view if it is there."""
        if self.relation(name) == "view":
            self.execute(f"DROP VIEW {self._dialect.quote(name)}")

    def swap(self, fresh: str, live: str) -> None:
        """Rename ``fresh`` to ``live``, and ``live`` out of the way, in one atomic statement; then drop the old one."""
        old = reserved_name("old", live)
        quoted_fresh, quoted_live, quoted_old = map(self._dialect.quote, (fresh, live, old))
        present = self._present(old, live)
        if old in present:
            self.execute(f"DROP TABLE {quoted_old}")
        if live not in present:
            self.execute(f"RENAME TABLE {quoted_fresh} TO {quoted_live}")
            return
        constraints.release(self, live)
        self.execute(f"RENAME TABLE {quoted_live} TO {quoted_old}, {quoted_fresh} TO {quoted_live}")
        self.execute(f"DROP TABLE {quoted_old}")

    def foreign_keys(self, table: str) -> tuple[Constraint, ...]:
        """The foreign keys of a table, and those that lead to it."""
        return constraints.of(self, table)

    def fitted(self, constraint: Constraint) -> Constraint:
        """The foreign key as this database can have it. Raises ForeignKeyImpossible."""
        return constraints.fitted(self, constraint)

    def add_foreign_key(self, constraint: Constraint) -> None:
        """Declare a foreign key, whatever the rows are."""
        constraints.add(self, constraint)

    def drop_foreign_keys(self, declared: Iterable[Constraint]) -> None:
        """Drop foreign keys, as far as they are there."""
        constraints.drop(self, declared)

    def relation(self, name: str) -> str | None:
        """``table``, ``view`` or None."""
        found = self.query(
            "SELECT TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s",
            (name,),
        )
        return None if not found else "view" if found[0][0] == "VIEW" else "table"

    def marker(self, name: str) -> str | None:
        """What `create_table` was given as the marker."""
        found = self.query(
            "SELECT TABLE_COMMENT FROM information_schema.TABLES "
            "WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s AND TABLE_TYPE <> 'VIEW'",
            (name,),
        )
        return comments.marker_of(str(found[0][0])) if found else None

    def described(self, name: str) -> tuple[str, str] | None:
        """`relation` and, of a table, `marker`."""
        found = self.query(
            "SELECT TABLE_TYPE, TABLE_COMMENT FROM information_schema.TABLES "
            "WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s",
            (name,),
        )
        if not found:
            return None
        return ("view", "") if found[0][0] == "VIEW" else ("table", comments.marker_of(str(found[0][1])))

    def tables(self, prefix: str) -> dict[str, str]:
        """The markers of all tables whose names begin with ``prefix``, by name."""
        found = self.query(
            "SELECT TABLE_NAME, TABLE_COMMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() "
            "AND LEFT(TABLE_NAME, CHAR_LENGTH(%s)) = %s AND TABLE_TYPE <> 'VIEW' ORDER BY TABLE_NAME",
            (prefix, prefix),
        )
        return {str(name): comments.marker_of(str(comment)) for name, comment in found}

    def columns(self, name: str) -> tuple[str, ...]:
        """The columns of a table or view, in order."""
        if not (found := self._columns(name)):
            # Within a transaction MariaDB leaves out a table that another session is just altering.
            try:
                self.query(f"SELECT 1 FROM {self._dialect.quote(name)} LIMIT 0")
            except StatementFailed as error:
                if error.code != NO_SUCH_TABLE:
                    raise
                return ()
            found = self._columns(name)
        return found

    def _columns(self, name: str) -> tuple[str, ...]:
        found = self.query(
            "SELECT COLUMN_NAME FROM information_schema.COLUMNS "
            "WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s ORDER BY ORDINAL_POSITION",
            (name,),
        )
        return tuple(str(row[0]) for row in found)

    def can_overwrite(self, name: str) -> bool:
        """Whether the primary key is the only unique one: ON DUPLICATE KEY would go through the others, too."""
        return not any(unique for unique, _ in self._indexes(name).values())

    def overwrite(
        self, name: str, other: str, columns: Sequence[str], key: Sequence[str], emptied: Sequence[str] = ()
    ) -> int:
        """Rows of ``other`` replace those of ``name`` that have their key, or are added."""
        quote = self._dialect.quote
        table = quote(name)
        # A row with nothing but a key still needs something to be said.
        changed = [f"{table}.{quote(column)} = o.{quote(column)}" for column in columns if column not in key]
        changed = [*changed, *(f"{table}.{quote(column)} = NULL" for column in emptied)]
        return self.execute(
            f"INSERT INTO {table} ({self._list(columns)}) SELECT {', '.join(f'o.{quote(each)}' for each in columns)} "
            f"FROM {quote(other)} AS o ORDER BY {', '.join(f'o.{quote(each)}' for each in key)} "
            f"ON DUPLICATE KEY UPDATE {', '.join(changed) or f'{table}.{quote(key[0])} = o.{quote(key[0])}'}"
        )

    def load(self, table: Table, extract: Extract, progress: Progress) -> int:
        """Append all rows of ``extract`` in the open transaction; how many. Raises LoadRefused."""
        lane = load_stream if self._fast else load_batches
        return lane(self._connection, table, extract, progress)

    def _indexes(self, name: str) -> dict[str, tuple[bool, tuple[tuple[str, int | None], ...]]]:
        """The secondary indexes of a table: whether they are unique, and how much of each column they hold."""
        found = self.query(
            "SELECT INDEX_NAME, NON_UNIQUE = 0, COLUMN_NAME, SUB_PART FROM information_schema.STATISTICS "
            "WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s AND INDEX_NAME <> 'PRIMARY' "
            "ORDER BY INDEX_NAME, SEQ_IN_INDEX",
            (name,),
        )
        return {
            str(index): (bool(unique), tuple((str(column), length and int(length)) for *_, column, length in rows))
            for (index, unique), rows in groupby(found, itemgetter(0, 1))
        }

    def _parts(self, types: Mapping[str, str], index: Index) -> str:
        parts = ((name, None) for name in index.columns) if index.unique else index_parts(types, index.columns)
        return ", ".join(self._dialect.quote(name) + (f"({prefix})" if prefix else "") for name, prefix in parts)

    def _types(self, name: str) -> dict[str, str]:
        """The types of a table's columns, as `native_types` writes them."""
        found = self.query(
            "SELECT COLUMN_NAME, UPPER(COLUMN_TYPE), CHARACTER_SET_NAME FROM information_schema.COLUMNS "
            "WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s",
            (name,),
        )
        return {str(column): f"{type_} ascii" if charset == "ascii" else str(type_) for column, type_, charset in found}

    def _list(self, names: Sequence[str]) -> str:
        return ", ".join(map(self._dialect.quote, names))

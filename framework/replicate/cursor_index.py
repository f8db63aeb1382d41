"""Whether PostgreSQL finds an increment's rows by an index, or reads the whole table each time."""

from __future__ import annotations

from dataclasses import dataclass

from framework.databases.postgres.catalog import relation_kind
from framework.databases.postgres.names import qualified, quote
from framework.databases.postgres.source import PostgresSession
from framework.spec.replication import ReplicateTask
from framework.tables import Table
from framework.types import Kind

# A partitioned table cannot get its index while others write to it; views and foreign tables have none of their own.
_STATEMENTS = {"r": "CREATE INDEX CONCURRENTLY", "m": "CREATE INDEX CONCURRENTLY", "p": "CREATE INDEX"}


@dataclass(frozen=True)
class Missing:
    """A cursor without an index.

    Attributes:
        fact: what is so, in a sentence.
        ddl: the statement that mends it.
    """

    fact: str
    ddl: str


def missing(session: PostgresSession, task: ReplicateTask, table: Table) -> Missing | None:
    """What is to be said of the cursor of a source table; None if there is nothing to say."""
    column = table.column(task.cursor) if task.cursor and task.mode == "incremental" else None
    if column is None or column.type.kind is Kind.UNKNOWN or _leads(table, column.name):
        return None
    statement = _STATEMENTS.get(relation_kind(session, task.source_schema, task.source_table))
    if statement is None:
        return None
    name = qualified(task.source_schema, task.source_table)
    return Missing(
        f"the cursor {column.name!r} of {name} has no index in the database: each increment reads the whole table",
        f"{statement} ON {name} ({quote(column.name)})",
    )


def _leads(table: Table, column: str) -> bool:
    """Whether a key or an index begins with the column."""
    return any(names[:1] == (column,) for names in (table.primary_key, *(index.columns for index in table.indexes)))

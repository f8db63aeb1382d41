"""Making tables in the source. Constraints and indexes get the names PostgreSQL gives them."""

from __future__ import annotations

from collections.abc import Iterable

from framework.databases.postgres.names import literal, qualified, quote, type_name
from framework.databases.postgres.source import PostgresSession
from framework.tables import Column, ForeignKey, Table


def create_schema(session: PostgresSession, schema: str) -> None:
    """Create a schema unless it is there; asking first needs no privilege."""
    if not session.query("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,)):
        session.execute(f"CREATE SCHEMA {quote(schema)}")


def create_table(session: PostgresSession, table: Table) -> None:
    """Create a table with its columns and comments only: keys and indexes are cheaper after the load."""
    columns = ", ".join(_column(column) for column in table.columns)
    name = qualified(table.schema, table.name)
    session.execute(f"CREATE TABLE {name} ({columns})")
    if table.comment:
        session.execute(f"COMMENT ON TABLE {name} IS {literal(table.comment)}")
    for column in table.columns:
        if column.comment:
            session.execute(f"COMMENT ON COLUMN {name}.{quote(column.name)} IS {literal(column.comment)}")


def create_keys(session: PostgresSession, table: Table) -> None:
    """Create the primary key, the unique constraints and the indexes."""
    name = qualified(table.schema, table.name)
    if table.primary_key:
        session.execute(f"ALTER TABLE {name} ADD PRIMARY KEY ({_names(table.primary_key)})")
    for index in dict.fromkeys(table.indexes):
        if index.columns == table.primary_key:
            continue
        if index.unique:
            session.execute(f"ALTER TABLE {name} ADD UNIQUE ({_names(index.columns)})")
        else:
            session.execute(f"CREATE INDEX ON {name} ({_names(index.columns)})")


def create_foreign_key(session: PostgresSession, table: Table, key: ForeignKey, referred_schema: str | None) -> None:
    """Create a foreign key to a table of ``referred_schema``."""
    session.execute(
        f"ALTER TABLE {qualified(table.schema, table.name)} ADD FOREIGN KEY ({_names(key.columns)}) "
        f"REFERENCES {qualified(referred_schema, key.referred_table)} ({_names(key.referred_columns)}) "
        f"ON DELETE {key.on_delete.upper()}"
    )


def drop_table(session: PostgresSession, table: Table) -> None:
    """Drop a table if it is there; one that others refer to is not dropped."""
    session.execute(f"DROP TABLE IF EXISTS {qualified(table.schema, table.name)}")


def _column(column: Column) -> str:
    # The type's name has been read by parse_type: it is a known name with numbers in parentheses, or quoted.
    return f"{quote(column.name)} {type_name(column.type)}{'' if column.nullable else ' NOT NULL'}"


def _names(columns: Iterable[str]) -> str:
    return ", ".join(quote(column) for column in columns)

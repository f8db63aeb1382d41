"""The limit of a fill: rows that were prepared before, sent by binary COPY, with the same keys behind them."""

from __future__ import annotations

from pathlib import Path

from benchmarks import shop
from framework.databases.postgres import ddl
from framework.databases.postgres.names import qualified
from framework.databases.postgres.source import PostgresSession, PostgresSource
from framework.spec.declared import table_of
from framework.tables import Table


def prepare(url: str, folder: Path) -> None:
    """Writes the rows of a filled database, a file for each table."""
    source = PostgresSource("source", url)
    with source.session() as session:
        for name in shop.TABLES:
            with (folder / name).open("wb") as file:
                session.copy_out(f"COPY {qualified('public', name)} TO STDOUT (FORMAT binary)", file)
    source.close()


def load(url: str, folder: str, orders: int) -> int:
    """Makes the tables of prepared rows: the rows, keys and indexes behind them, foreign keys at the end."""
    source = PostgresSource("source", url)
    tables = {name: table_of(name, entity) for name, entity in shop.task(orders).entities.items()}
    with source.session() as session:
        rows = sum(_table(session, table, Path(folder) / name) for name, table in tables.items())
        for table in tables.values():
            for key in table.foreign_keys:
                ddl.create_foreign_key(session, table, key, "public")
    source.close()
    return rows


def _table(session: PostgresSession, table: Table, file: Path) -> int:
    name = qualified(table.schema, table.name)
    with session.transaction(), file.open("rb") as rows:
        ddl.create_table(session, table)
        written = session.copy_in(f"COPY {name} FROM STDIN (FORMAT binary, FREEZE)", rows)
        ddl.create_keys(session, table)
        session.execute(f"ANALYZE {name}")
    return written

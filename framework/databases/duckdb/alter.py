"""A change of a table as ends of ALTER TABLE, each a statement, for one transaction."""

from __future__ import annotations

from framework.databases.base import Alteration
from framework.databases.duckdb.dialect import DuckDBDialect
from framework.errors import UnsupportedType
from framework.tables import Table


def statements(table: Table, alteration: Alteration, present: tuple[str, ...]) -> list[str]:
    """What is to be done to a table that has the columns ``present``, in order. Raises UnsupportedType."""
    quote = DuckDBDialect().quote
    renamed = {old: new for old, new in alteration.renamed if old in present}
    in_the_way = {*alteration.dropped, *alteration.added, *renamed.values()}
    gone = [name for name in present if name in in_the_way and name not in renamed]
    return [
        *(f"DROP COLUMN {quote(name)}" for name in gone),
        *(f"RENAME COLUMN {quote(old)} TO {quote(new)}" for old, new in renamed.items()),
        *_columns(table, alteration),
    ]


def _columns(table: Table, alteration: Alteration) -> list[str]:
    dialect, made = DuckDBDialect(), []
    for column in table.columns:
        native = dialect.column_type(column.type, indexed=column.name in table.primary_key)
        if native is None:
            raise UnsupportedType(table.name, column.name, str(column.type))
        name = dialect.quote(column.name)
        if column.name in alteration.added:
            made.append(f"ADD COLUMN {name} {native}")
        elif column.name in alteration.changed:
            made.append(f"ALTER COLUMN {name} TYPE {native}")
            made.append(f"ALTER COLUMN {name} {'DROP' if column.nullable else 'SET'} NOT NULL")
    return made

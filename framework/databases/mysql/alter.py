"""A change of a table as clauses of one ALTER TABLE, which the server makes as a whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from framework.databases.base import Alteration
from framework.databases.mysql.columns import holds_more, native_types
from framework.databases.mysql.dialect import MySQLDialect
from framework.tables import Column, Table

Describe = Callable[[Column, str], str]
"""The definition of a column of some native type."""


def clauses(table: Table, alteration: Alteration, present: Mapping[str, str], describe: Describe) -> Iterator[str]:
    """What is to be done to a table. Texts that have too little room in it, next to what comes, get more.

    Args:
        table: what is added and changed, and what else is known of the table, as it is to be.
        alteration: what changes.
        present: the types of the columns that are there.
        describe: writes a column with its default and its comment.

    Raises:
        UnsupportedType: a column's type has no home.
    """
    quote, types = MySQLDialect().quote, native_types(table)
    renamed = {old: new for old, new in alteration.renamed if old in present}
    before = {new: old for old, new in renamed.items()}
    for old, new in renamed.items():
        if new not in alteration.changed:
            yield f"RENAME COLUMN {quote(old)} TO {quote(new)}"
    in_the_way = {*alteration.dropped, *alteration.added, *before}
    for name in (name for name in present if name in in_the_way and name not in renamed):
        yield f"DROP COLUMN {quote(name)}"
    for column in table.columns:
        native = types[column.name]
        if column.name in alteration.added:
            # A default would be given to the rows that are there.
            plain = Column(column.name, column.type, comment=column.comment)
            yield f"ADD COLUMN {describe(plain, native)}{' INVISIBLE' if alteration.hidden else ''}"
        elif column.name in alteration.changed:
            yield f"CHANGE COLUMN {quote(before.get(column.name, column.name))} {describe(column, native)}"
        elif column.name in present and column.name not in before and holds_more(native, present[column.name]):
            yield f"MODIFY COLUMN {describe(column, native)}"

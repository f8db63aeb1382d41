"""A change of a table as clauses of one ALTER TABLE, which the server makes as a whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from framework.databases.base import Alteration
from framework.databases.mysql.columns import holds_more, index_parts, native_types
from framework.databases.mysql.dialect import MySQLDialect
from framework.tables import Column, Index, Table

Describe = Callable[[Column, str], str]
"""The definition of a column of some native type."""


@dataclass(frozen=True)
class Present:
    """What there is of a table.

    Attributes:
        types: of its columns.
        indexes: its secondary indexes by name, each column with how much of it is indexed; None for all.
    """

    types: Mapping[str, str]
    indexes: Mapping[str, tuple[bool, tuple[tuple[str, int | None], ...]]]


def clauses(table: Table, alteration: Alteration, present: Present, describe: Describe) -> list[str]:
    """What is to be done to a table. Texts that have too little room in it, next to what comes, get more.

    Args:
        table: what is added and changed, and what else is known of the table, as it is to be.
        alteration: what changes.
        present: what is there.
        describe: writes a column with its default and its comment.

    Raises:
        UnsupportedType: a column's type has no home.
    """
    return list(_Altering(table, alteration, present, describe).clauses())


class _Altering:
    def __init__(self, table: Table, alteration: Alteration, present: Present, describe: Describe) -> None:
        self._table, self._alteration, self._present, self._describe = table, alteration, present, describe
        self._types = native_types(table)
        self._renamed = {old: new for old, new in alteration.renamed if old in present.types}
        self._before = {new: old for old, new in self._renamed.items()}
        self._quote = MySQLDialect().quote

    def clauses(self) -> Iterator[str]:
        quote, changed = self._quote, self._alteration.changed
        for old, new in self._renamed.items():
            if new not in changed:
                yield f"RENAME COLUMN {quote(old)} TO {quote(new)}"
        in_the_way = {*self._alteration.dropped, *self._alteration.added, *self._before}
        for name in self._present.types:
            if name in in_the_way and name not in self._renamed:
                yield f"DROP COLUMN {quote(name)}"
        for column in self._table.columns:
            yield from self._column(column)
        yield from self._indexes()

    def _column(self, column: Column) -> Iterator[str]:
        name, native = column.name, self._types[column.name]
        if name in self._alteration.added:
            # A default would be given to the rows that are there.
            plain = Column(name, column.type, comment=column.comment)
            yield f"ADD COLUMN {self._describe(plain, native)}{' INVISIBLE' if self._alteration.hidden else ''}"
        elif name in self._alteration.changed:
            yield f"CHANGE COLUMN {self._quote(self._before.get(name, name))} {self._describe(column, native)}"
        elif self._is_too_short(column):
            yield f"MODIFY COLUMN {self._describe(column, native)}"

    def _is_too_short(self, column: Column) -> bool:
        present = self._present.types.get(column.name)
        return present is not None and column.name not in self._before and holds_more(self._types[column.name], present)

    def _indexes(self) -> Iterator[str]:
        """Indexes that go, and those that must hold another part of a column than they do."""
        after = self._types_after()
        for name, (unique, parts) in self._present.indexes.items():
            columns = tuple(self._renamed.get(column, column) for column, _ in parts)
            if Index(columns, unique) in self._alteration.unindexed:
                yield f"DROP INDEX {self._quote(name)}"
            elif not unique and all(column in after for column in columns):
                wanted = index_parts(after, columns)
                if any(self._is_changed(column) for column in columns) and wanted != tuple(
                    (column, length) for column, (_, length) in zip(columns, parts, strict=True)
                ):
                    yield f"DROP INDEX {self._quote(name)}"
                    yield f"ADD INDEX {self._quote(name)} ({', '.join(map(self._part, wanted))})"

    def _types_after(self) -> dict[str, str]:
        kept = {self._renamed.get(name, name): type_ for name, type_ in self._present.types.items()}
        moved = {c.name: self._types[c.name] for c in self._table.columns if self._is_changed(c.name)}
        return kept | moved

    def _is_changed(self, name: str) -> bool:
        column = self._table.column(name)
        return column is not None and (name in self._alteration.changed or self._is_too_short(column))

    def _part(self, part: tuple[str, int | None]) -> str:
        return self._quote(part[0]) + (f"({part[1]})" if part[1] else "")

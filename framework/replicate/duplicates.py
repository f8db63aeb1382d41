"""Values of a unique index that two rows of a copy would have: which they are, whose, and why."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from framework.databases.base import Session
from framework.errors import NotUnique, StatementFailed
from framework.replicate.job import Job
from framework.tables import Index

REPEATED = frozenset({1062, 1586, 1859})
"""MySQL's numbers of a value that a unique index has already; DuckDB's copies have no such indexes."""

SHOWN = 3
"""Values that are shown."""

LENGTH = 40
"""Characters of a value that are shown."""


@contextmanager
def named(job: Job, session: Session, table: str, rows: str = "") -> Iterator[None]:
    """Turn a refusal of a unique index into one that names the rows.

    Args:
        job: the table's.
        session: of the target; its transaction may be open.
        table: that has the unique indexes.
        rows: the table of the rows that are inserted; without it, the table has them all.

    Raises:
        NotUnique: with the values, and the keys of their rows.
    """
    try:
        yield
    except StatementFailed as error:
        if error.code not in REPEATED:
            raise
        look = _Look(job, session, table)
        for index in job.mapping.table(table).indexes:
            if index.unique and (found := look.against(index, rows) if rows else ()):
                raise NotUnique(job.table, index.columns, found, _fix_of_stale(job)) from error
            if index.unique and (found := look.within(index, rows or table)):
                fix = "correct the rows in the source, or make it one of `indexes:`"
                raise NotUnique(job.table, index.columns, found, fix) from error
        raise


def _fix_of_stale(job: Job) -> str:
    if job.mapping.task.deletes.policy != "remove":
        return "make it one of `indexes:`, or say `deletes: remove`: rows that are kept keep their values"
    cursor = job.mapping.task.cursor
    return (
        f"see why {cursor!r} does not grow when the source changes such a row, then refill with "
        f"`vitrina replicate SPEC --full-refresh --table {job.table}`"
    )


class _Look:
    def __init__(self, job: Job, session: Session, table: str) -> None:
        self._job = job
        self._session = session
        self._table = table

    def against(self, index: Index, rows: str) -> tuple[str, ...]:
        """Rows that are to come, with a value that another row of the table has."""
        job, quote = self._job, self._job.quote
        same = " AND ".join(f"t.{quote(name)} = o.{quote(name)}" for name in index.columns)
        shown = ", ".join(
            [f"o.{quote(name)}" for name in (*index.columns, *job.mapping.key)]
            + [f"t.{quote(name)}" for name in job.mapping.key]
        )
        order = job.list(job.mapping.key, "o.")
        found = self._session.query(
            f"SELECT {shown} FROM {quote(rows)} AS o JOIN {quote(self._table)} AS t ON {same} "
            f"WHERE NOT ({job.same_key()}) ORDER BY {order} LIMIT {SHOWN}"
        )
        own, keys = len(index.columns), len(job.mapping.key)
        return tuple(
            f"{_values(row[:own])} of the row with {self._key(row[own : own + keys])} is still that of the row with "
            f"{self._key(row[own + keys :])} in the copy"
            for row in found
        )

    def within(self, index: Index, rows: str) -> tuple[str, ...]:
        """Values that several of the rows have."""
        job, quote = self._job, self._job.quote
        columns = job.list(index.columns)
        known = " AND ".join(f"{quote(name)} IS NOT NULL" for name in index.columns)
        found = self._session.query(
            f"SELECT {columns} FROM {quote(rows)} WHERE {known} GROUP BY {columns} HAVING COUNT(*) > 1 "
            f"ORDER BY {columns} LIMIT {SHOWN}"
        )
        return tuple(f"{_values(row)} is the value of {self._holders(index, rows, row)}" for row in found)

    def _holders(self, index: Index, rows: str, values: tuple[object, ...]) -> str:
        """The first rows that have one value."""
        same = " AND ".join(f"{self._beside_values(name)} = %s" for name in index.columns)
        having = f"FROM {self._beside_values(rows)} WHERE {same}"
        key = self._job.mapping.key
        if not key:
            return f"{self._session.query(f'SELECT COUNT(*) {having}', values)[0][0]} rows"
        keys = ", ".join(map(self._beside_values, key))
        found = self._session.query(f"SELECT {keys} {having} ORDER BY {keys} LIMIT {SHOWN}", values)
        return "the rows with " + " and ".join(map(self._key, found))

    def _beside_values(self, name: str) -> str:
        """A name in a statement that has values bound to it."""
        return self._job.quote(name).replace("%", "%%")

    def _key(self, values: tuple[object, ...]) -> str:
        return ", ".join(
            f"{name} = {str(value)[:LENGTH]}" for name, value in zip(self._job.mapping.key, values, strict=True)
        )


def _values(values: tuple[object, ...]) -> str:
    shown = ", ".join(_value(value) for value in values)
    return shown if len(values) == 1 else f"({shown})"


def _value(value: object) -> str:
    text = repr(value) if isinstance(value, str | bytes) else str(value)
    return text if len(text) <= LENGTH else f"{text[:LENGTH]}..."

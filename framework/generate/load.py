"""Rows into a table: chunks are drawn and encoded ahead while the server takes the one before."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO, cast

from framework.databases.postgres.names import qualified, quote
from framework.databases.postgres.source import PostgresSession
from framework.errors import StatementFailed
from framework.generate.columns.encode import HEADER, TRAILER, records
from framework.generate.columns.values import Vector
from framework.tables import Table

Chunk = tuple[int, memoryview]
"""The rows of a chunk and their records."""


class _Records(io.RawIOBase):
    """A file of the binary COPY format, made while it is read."""

    def __init__(self, chunks: Iterable[Chunk], loaded: Callable[[int], None]) -> None:
        self._parts = self._all(chunks, loaded)
        self._rest = memoryview(b"")
        self.error: BaseException | None = None

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while not self._rest:
            part = self._next()
            if part is None:
                return b""
            self._rest = part
        taken = self._rest if size < 0 else self._rest[:size]
        self._rest = self._rest[len(taken) :]
        return bytes(taken)

    def _next(self) -> memoryview | None:
        try:
            return next(self._parts, None)
        except BaseException as error:
            # psycopg2 ends the COPY and raises an error of its own, which knows this one's text only.
            self.error = error
            raise

    def _all(self, chunks: Iterable[Chunk], loaded: Callable[[int], None]) -> Iterator[memoryview]:
        yield memoryview(HEADER)
        for rows, data in chunks:
            yield data
            loaded(rows)
        yield memoryview(TRAILER)


def copy(
    session: PostgresSession,
    table: Table,
    chunks: Iterable[Chunk],
    *,
    freeze: bool = False,
    loaded: Callable[[int], None] = lambda _: None,
) -> int:
    """Append chunks to a table by one COPY; the number of rows.

    ``freeze`` says that the table was created or emptied in this transaction: rows are written as if they had aged
    already. ``loaded`` is told the rows of each chunk that the server has taken.
    """
    columns = ", ".join(quote(name) for name in table.column_names)
    options = "FORMAT binary, FREEZE" if freeze else "FORMAT binary"
    statement = f"COPY {qualified(table.schema, table.name)} ({columns}) FROM STDIN ({options})"
    data = _Records(chunks, loaded)
    try:
        return session.copy_in(statement, cast("BinaryIO", data))
    except StatementFailed:
        if data.error is not None:
            raise data.error from None
        raise


def encoded(table: Table, columns: list[Vector]) -> Chunk:
    """Columns, in the order of the table's, as a chunk."""
    return len(columns[0]), records([column.type for column in table.columns], columns)


def ahead(make: Callable[[int, int], Chunk], ranges: Iterable[tuple[int, int]]) -> Iterator[Chunk]:
    """The chunks of row ranges, the next one being made in a second thread."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="vitrina-generate") as pool:
        waiting = None
        for first, last in ranges:
            following = pool.submit(make, first, last)
            if waiting is not None:
                yield waiting.result()
            waiting = following
        if waiting is not None:
            yield waiting.result()

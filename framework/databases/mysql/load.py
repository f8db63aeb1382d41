"""Loading rows: LOAD DATA LOCAL of a stream (the fast lane), or INSERT where the server forbids it (the safe lane).

In both, a warning is an error: LOAD DATA LOCAL turns every data error into one, even in strict mode, and a rounded
DECIMAL is no more than a note.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, BinaryIO

import pymysql.err
from pymysql.cursors import Cursor

from framework.databases.base import Extract, Progress
from framework.databases.mysql.connection import StreamingConnection
from framework.databases.mysql.dialect import MySQLDialect
from framework.databases.mysql.errors import as_ours, code, reason
from framework.errors import KeyNotUnique, LoadRefused
from framework.tables import Table
from framework.types import Kind

BATCH_BYTES = 1 << 20
BATCH_ROWS = 1000
SHOWN = 3
FIX = "correct the rows in the source, or map the column with `sql:` to a value and type that the target can hold"
PACKET_FIX = "raise max_allowed_packet of the server and its sessions, or turn on local_infile"
REPEATED = frozenset({1062, 1586})
"""A key is there already. Tables that are being loaded have no other unique index than that of their key."""
ROW_TOO_LARGE = 1118
TOO_LARGE = frozenset({1153, 2006, 2013, 2020})
ESCAPED = "\n\r\x1a\"'\\"
"""Characters that the driver writes as two."""

_quote = MySQLDialect().quote


def load_stream(connection: StreamingConnection, table: Table, extract: Extract, progress: Progress) -> int:
    """LOAD DATA LOCAL of all rows of ``extract``, in the open transaction; how many. Raises LoadRefused.

    One thread reads the source and writes to the server: who is slower makes the other wait, through the sockets.
    """
    feed = _Feed(extract)
    try:
        with connection.sending(feed, lambda block: progress(block.count(b"\n"))), connection.cursor() as cursor:
            loaded = int(cursor.execute(_load_statement(table, extract.columns)))
            warnings = _warnings(cursor)
    except pymysql.err.MySQLError as error:
        raise feed.error or _refused(table, error) from error
    if feed.error is not None:
        raise feed.error
    if warnings:
        raise _warned(table, warnings)
    if loaded != feed.rows:
        raise LoadRefused(table.name, [f"{feed.rows} rows were sent, {loaded} arrived"], FIX)
    return loaded


def load_batches(connection: StreamingConnection, table: Table, extract: Extract, progress: Progress) -> int:
    """INSERT of all rows of ``extract`` in statements of about 1 MB, in the open transaction; how many."""
    head = f"INSERT INTO {_quote(table.name)} ({', '.join(map(_quote, extract.columns))}) VALUES "
    slots = "(" + ", ".join("UNHEX(%s)" if _is_hex(table, name) else "%s" for name in extract.columns) + ")"
    loaded = 0
    with connection.cursor() as cursor:
        longest = _longest_statement(cursor)
        for rows in extract.batches(BATCH_ROWS):
            for statement in _statements(head, [cursor.mogrify(slots, row) for row in rows]):
                if len(statement.encode()) > longest:
                    raise LoadRefused(
                        table.name, [f"a row is longer than max_allowed_packet ({longest} bytes)"], PACKET_FIX
                    )
                try:
                    inserted = cursor.execute(statement)
                except pymysql.err.MySQLError as error:
                    raise _refused(table, error) from error
                if warnings := _warnings(cursor):
                    raise _warned(table, warnings)
                loaded += inserted
                progress(inserted)
    return loaded


class _Feed:
    """Writes an extract. Where that fails the server is given an end; whoever loads then finds the error here."""

    def __init__(self, extract: Extract) -> None:
        self._extract = extract
        self.rows = 0
        self.error: Exception | None = None

    def __call__(self, sink: BinaryIO) -> None:
        try:
            self.rows = self._extract.copy_to(sink)
        except pymysql.err.MySQLError:
            raise
        except Exception as error:  # noqa: BLE001 - raised again by `load_stream`
            self.error = error


def _load_statement(table: Table, columns: Sequence[str]) -> str:
    quoted = {name: _quote(name) for name in columns}
    fields = [f"@v{place}" if _is_hex(table, name) else quoted[name] for place, name in enumerate(columns)]
    assigned = [f"{quoted[name]} = UNHEX(@v{place})" for place, name in enumerate(columns) if _is_hex(table, name)]
    return (
        f"LOAD DATA LOCAL INFILE 'vitrina' INTO TABLE {_quote(table.name)} CHARACTER SET utf8mb4 "
        "FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' ESCAPED BY '' LINES TERMINATED BY '\\n' "
        f"({', '.join(fields)})" + (f" SET {', '.join(assigned)}" if assigned else "")
    )


def _is_hex(table: Table, name: str) -> bool:
    column = table.column(name)
    return column is not None and column.type.kind is Kind.BYTES


def _statements(head: str, rows: Sequence[str]) -> list[str]:
    statements: list[str] = []
    chosen: list[str] = []
    size = 0
    for row in rows:
        if chosen and size + len(row) > BATCH_BYTES:
            statements.append(head + ",".join(chosen))
            chosen, size = [], 0
        chosen.append(row)
        size += len(row)
    return [*statements, head + ",".join(chosen)] if chosen else statements


def _longest_statement(cursor: Cursor) -> int:
    cursor.execute("SELECT @@max_allowed_packet")
    rows: Sequence[Any] = cursor.fetchall()
    return longest_statement(int(rows[0][0]))


def longest_statement(packet: int) -> int:
    """Bytes of the longest statement that a packet of so many takes."""
    return packet - 1024  # bytes of the protocol around it


def _warnings(cursor: Cursor) -> list[tuple[int, str]]:
    """The first warnings, each with the server's number of it."""
    if not cursor.warning_count:
        return []
    cursor.execute(f"SHOW WARNINGS LIMIT {SHOWN}")
    rows: Sequence[Any] = cursor.fetchall()
    return [(int(number), str(text)) for _, number, text in rows] or [
        (0, "the server warned, and does not say of what")
    ]


def _warned(table: Table, warnings: Sequence[tuple[int, str]]) -> LoadRefused:
    texts = [text for _, text in warnings]
    repeated = any(number in REPEATED for number, _ in warnings)
    return KeyNotUnique(table.name, texts) if repeated else LoadRefused(table.name, texts, FIX)


def _refused(table: Table, error: pymysql.err.MySQLError) -> Exception:
    if code(error) in REPEATED:
        return KeyNotUnique(table.name, [reason(error)])
    if code(error) == ROW_TOO_LARGE:
        fact = f"a row of {len(table.columns)} columns is too long for a page of InnoDB"
        return LoadRefused(table.name, [fact], "copy fewer columns: `only:` or `except:`")
    data_error = isinstance(error, (pymysql.err.DataError, pymysql.err.IntegrityError))
    if data_error or code(error) in (1153, 1265, 1366, 1406, 1264, 1292):
        return LoadRefused(table.name, [reason(error)], FIX)
    return as_ours(table.name, error)

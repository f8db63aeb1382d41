"""Loading rows: DuckDB reads the CSV of an extract from a pipe, while a thread writes it.

Every field is read as text and converted by an expression of the dialect, which fails where the value would change.
"""

from __future__ import annotations

import io
import os
import threading
from typing import Any

import duckdb

from framework.databases.base import Extract, Progress
from framework.databases.duckdb.dialect import ALTERED, DuckDBDialect, literal
from framework.databases.duckdb.errors import reason
from framework.errors import KeyNotUnique, LoadRefused, StatementFailed
from framework.tables import Table

LINE_BYTES = 32 << 20
"""Bytes of the longest row. DuckDB allocates buffers of that size, whatever the rows need."""

CSV = (
    "auto_detect = false, header = false, delim = ',', quote = '\"', escape = '\"', new_line = '\\n', "
    "nullstr = 'NULL', allow_quoted_nulls = false, strict_mode = true, parallel = false, "
    f"max_line_size = {LINE_BYTES}, buffer_size = {LINE_BYTES}"
)
SHOWN = 3
FIX = "correct the rows in the source, or map the column with `sql:` to a value and type that the target can hold"

_dialect = DuckDBDialect()
_quote = _dialect.quote


def load(name: str, cursor: duckdb.DuckDBPyConnection, table: Table, extract: Extract, progress: Progress) -> int:
    """Append all rows of ``extract`` in the open transaction; how many.

    Raises:
        LoadRefused: a value would have been altered, a row got lost, or two rows have one key.
    """
    reading, writing = os.pipe()
    writer = _Writer(extract, writing, progress)
    writer.start()
    failure: duckdb.Error | None = None
    loaded = 0
    try:
        loaded = cursor.execute(_statement(table, extract.columns, reading)).fetchall()[0][0]
    except duckdb.Error as error:
        failure = error
    finally:
        # A writer that nobody reads from any more ends with EPIPE.
        os.close(reading)
        writer.join()
    if failure is not None and (writer.error is None or isinstance(writer.error, BrokenPipeError)):
        raise _refused(name, table, failure) from failure
    if writer.error is not None:
        raise writer.error
    if loaded != writer.rows:
        raise LoadRefused(table.name, [f"{writer.rows} rows were sent, {loaded} arrived"], FIX)
    _require_unique(cursor, table)
    return int(loaded)


class _Writer(threading.Thread):
    """Writes an extract into a pipe; closes it at the end, whatever happens."""

    def __init__(self, extract: Extract, descriptor: int, progress: Progress) -> None:
        super().__init__(name="vitrina-extract", daemon=True)
        self._extract = extract
        self._pipe = _Pipe(descriptor, progress)
        self.rows = 0
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            with io.BufferedWriter(self._pipe, 1 << 20) as sink:
                self.rows = self._extract.copy_to(sink)
        except BaseException as error:  # noqa: BLE001 - raised again in the loading thread
            self.error = error
        finally:
            self._pipe.close()


class _Pipe(io.FileIO):
    """The writing end of a pipe; tells how many lines went by."""

    def __init__(self, descriptor: int, progress: Progress) -> None:
        super().__init__(descriptor, "wb")
        self._progress = progress

    def write(self, block: Any, /) -> int:
        written = super().write(block)
        self._progress(bytes(block[:written]).count(b"\n"))
        return written


def _statement(table: Table, columns: tuple[str, ...], descriptor: int) -> str:
    types = {column.name: column.type for column in table.columns}
    names = ", ".join(map(_quote, columns))
    values = ", ".join(_dialect.from_wire(name, types[name]) for name in columns)
    fields = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in columns)
    return (
        f"INSERT INTO {_quote(table.name)} ({names}) SELECT {values} "
        f"FROM read_csv('/dev/fd/{descriptor}', columns = {{{fields}}}, {CSV})"
    )


def _require_unique(cursor: duckdb.DuckDBPyConnection, table: Table) -> None:
    if not table.primary_key:
        return
    key = ", ".join(map(_quote, table.primary_key))
    doubled = cursor.execute(
        f"SELECT {key} FROM {_quote(table.name)} GROUP BY ALL HAVING count(*) > 1 LIMIT {SHOWN}"
    ).fetchall()
    if doubled:
        names = ", ".join(table.primary_key)
        rows = [f"key ({names}) = ({', '.join(map(str, row))}) occurs more than once" for row in doubled]
        raise KeyNotUnique(table.name, rows)


def _refused(name: str, table: Table, error: duckdb.Error) -> Exception:
    text = str(error)
    if ALTERED in text:
        return LoadRefused(table.name, [reason(error).partition(ALTERED)[2]], FIX)
    if "Maximum line size" in text:
        fact = (
            f"a row is longer than {LINE_BYTES >> 20} MB (of bytes two digits each), the longest that DuckDB is given"
        )
        return LoadRefused(table.name, [fact], "leave the long column out with `except:`; MySQL takes such rows")
    if "CSV Error" in text:
        what = [line for line in text.splitlines() if line and not line.startswith(("Original Line", "Possible"))]
        return LoadRefused(table.name, [" ".join([reason(error), *what[1:2]])], FIX)
    if isinstance(error, (duckdb.DataError, duckdb.ConstraintException, duckdb.InvalidInputException)):
        return LoadRefused(table.name, [reason(error)], FIX)
    return StatementFailed(name, reason(error))

"""Reading a source and its copy without the engine, and telling where the copy is not what the forms promise.

PostgreSQL is read through psycopg2, MySQL and MariaDB through PyMySQL with no conversion of its own, DuckDB through
its own package. What both say is brought to one meaning by the form of the column: a number, the bits of a float,
microseconds since 1970 in UTC, bytes, a text.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

import duckdb
import psycopg2
import pymysql
from pymysql import converters
from sqlalchemy.engine import make_url

NO_DECODERS: Any = converters.encoders
"""PyMySQL converts nothing of what it reads."""

Rows = dict[Any, tuple[Any, ...]]
"""Meanings by key."""

SESSION = """
SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; SET extra_float_digits = 1;
SET bytea_output = 'hex'; SET quote_all_identifiers = off; SET statement_timeout = 0
"""


@dataclass(frozen=True)
class Form:
    """How values of a kind arrive.

    Attributes:
        shown: PostgreSQL's expression of the value as a text.
        sent: what that text means.
        arrived: what the target's value means: a text, or what DuckDB's package makes of it.
    """

    shown: str
    sent: Callable[[str], Any]
    arrived: Callable[[Any], Any]


def _as_is(value: Any) -> Any:
    return value


def _bits(value: Any) -> bytes:
    """A float with the sign of its zero."""
    return struct.pack(">d", float(value))


def _number(value: str) -> Decimal | str:
    """A number; NaN is a text, since it equals nothing."""
    return value if value == "NaN" else Decimal(value)


def _without_sign(value: Any) -> bytes:
    """A float; both zeros are one."""
    return _bits(float(value) + 0.0)


def _truth(value: Any) -> bool:
    return {"1": True, "true": True, "0": False, "false": False}[str(value)]


def _day_time(value: str) -> int:
    """Microseconds since midnight."""
    clock, _, fraction = value.partition(".")
    hours, minutes, seconds = map(int, clock.split(":"))
    return ((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + int(fraction.ljust(6, "0") or 0)


def _moment(value: str) -> int:
    """Microseconds since 1970."""
    span = datetime.fromisoformat(value.partition(".")[0]) - datetime(1970, 1, 1)
    return (span.days * 86_400 + span.seconds) * 1_000_000 + int(value.partition(".")[2].ljust(6, "0") or 0)


def _json(value: str) -> Any:
    return json.loads(value, parse_float=Decimal, parse_int=Decimal)


class OneOf(frozenset[str]):
    """Texts of which one must have arrived."""


def _one_of(text: str) -> OneOf:
    return OneOf(json.loads(text))


# A document, or the text of the value as a JSON string: of arrays whose bounds do not begin at 1, always.
_TEXT = "to_json({0}::text)::text"
_DOCUMENT = f"json_build_array(to_json({{0}})::text, {_TEXT})::text"
_ARRAY = f"CASE WHEN left({{0}}::text, 1) = '[' THEN json_build_array({_TEXT})::text ELSE {_DOCUMENT} END"

# What a client is shown: a cast to text strips the padding of char, and adds an encoding to xml.
_OUTPUT = "CASE WHEN num_nulls({0}) = 0 THEN format('%s', {0}) END"

FORMS: Mapping[str, Form] = {
    "boolean": Form("{0}::text", lambda text: text == "true", _truth),
    "integer": Form("{0}::text", int, int),
    "decimal": Form("{0}::text", _number, _number),
    "money": Form("{0}::numeric::text", _number, _number),
    "float": Form("{0}::text", _bits, _bits),
    "float, one zero": Form("{0}::text", _without_sign, _without_sign),
    "text": Form(_OUTPUT, _as_is, str),
    "bytes": Form("encode({0}, 'hex')", bytes.fromhex, bytes),
    "date": Form("{0}::text", _as_is, str),
    "time": Form("{0}::text", _day_time, _day_time),
    "moment": Form("(extract(epoch FROM {0}) * 1000000)::bigint::text", int, _moment),
    "array": Form(f"CASE WHEN num_nulls({{0}}) = 0 THEN {_ARRAY} END", _one_of, str),
    "composite": Form(f"CASE WHEN num_nulls({{0}}) = 0 THEN {_DOCUMENT} END", _one_of, str),
    "dictionary": Form(
        "CASE WHEN {0} IS NOT NULL THEN "
        "(SELECT coalesce(json_object_agg(key, value), '{{}}')::text FROM each({0})) END",
        _json,
        _json,
    ),
}


class Source:
    """A PostgreSQL database as a client sees it."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)

    def read(self, table: str, key: Sequence[str], columns: Mapping[str, str], where: str = "true") -> Rows:
        """The meanings of ``columns`` (name: form) by key. Names and ``table`` are quoted already."""
        shown = [*(_OUTPUT.format(name) for name in key), *(FORMS[form].shown.format(c) for c, form in columns.items())]
        with self._connection.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(shown)} FROM {table} WHERE {where}")
            return _by_key(cursor.fetchall(), len(key), [FORMS[form].sent for form in columns.values()])

    def close(self) -> None:
        self._connection.close()

    @cached_property
    def _connection(self) -> Any:
        connection = psycopg2.connect(self._url)
        connection.autocommit = True
        connection.set_client_encoding("UTF8")
        with connection.cursor() as cursor:
            cursor.execute(SESSION)
        return connection


class MySQLCopy:
    """A MySQL or MariaDB database, every value as the server writes it."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)

    def read(self, table: str, key: Sequence[str], columns: Mapping[str, str], where: str = "1 = 1") -> Rows:
        """The meanings of ``columns`` (name: form) by key. Names and ``table`` are not quoted."""
        names = ", ".join(map(_backticks, (*key, *columns)))
        with self._connection.cursor() as cursor:
            cursor.execute(f"SELECT {names} FROM {_backticks(table)} WHERE {where}")
            rows = list(cursor.fetchall())
        return _by_key(rows, len(key), [FORMS[form].arrived for form in columns.values()])

    def columns(self, table: str) -> list[str]:
        """The names of the table's columns, in their order."""
        names = "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s"
        with self._connection.cursor() as cursor:
            cursor.execute(f"{names} ORDER BY ordinal_position", (self._url.database, table))
            return [name for (name,) in cursor.fetchall()]

    def close(self) -> None:
        self._connection.close()

    @cached_property
    def _connection(self) -> Any:
        url = self._url
        return pymysql.connect(
            host=str(url.host), port=int(url.port or 3306), user=str(url.username), password=str(url.password),
            database=url.database, charset="utf8mb4", conv=NO_DECODERS, autocommit=True,
            max_allowed_packet=1 << 30,
        )  # fmt: skip


class DuckDBCopy:
    """A DuckDB file; ``connect`` gives a connection of the process that has it open."""

    def __init__(self, connect: Callable[[], duckdb.DuckDBPyConnection]) -> None:
        self._connect = connect

    def read(self, table: str, key: Sequence[str], columns: Mapping[str, str], where: str = "1 = 1") -> Rows:
        """The meanings of ``columns`` (name: form) by key. Names and ``table`` are not quoted."""
        types = "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ?"
        with self._connect() as database:
            native = {name for name, type_ in database.execute(types, [table]).fetchall() if type_ in _NATIVE}
            shown = [_double(c) if c in native else f"CAST({_double(c)} AS VARCHAR)" for c in (*key, *columns)]
            rows = database.execute(f"SELECT {', '.join(shown)} FROM {_double(table)} WHERE {where}").fetchall()
        return _by_key(rows, len(key), [FORMS[form].arrived for form in columns.values()])

    def columns(self, table: str) -> list[str]:
        """The names of the table's columns, in their order."""
        names = "SELECT column_name FROM duckdb_columns() WHERE table_name = ? ORDER BY column_index"
        with self._connect() as database:
            return [name for (name,) in database.execute(names, [table]).fetchall()]

    def close(self) -> None:
        """Nothing is kept open."""


_NATIVE = ("BLOB", "DOUBLE")
"""What DuckDB's package gives exactly, and its text does not; of all else the text is read."""


def _backticks(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _double(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _by_key(rows: Sequence[tuple[Any, ...]], keys: int, meanings: Sequence[Callable[[Any], Any]]) -> Rows:
    found: Rows = {}
    for number, row in enumerate(rows):
        key = (number,) if not keys else tuple(None if value is None else str(value) for value in row[:keys])
        assert key not in found, f"key {key} comes twice"
        values = zip(meanings, row[keys:], strict=True)
        found[key] = tuple(None if value is None else meaning(value) for meaning, value in values)
    return found


def differences(sent: Rows, arrived: Rows) -> list[str]:
    """Where the copy is not what was sent, cell by cell, shortened; empty if it is exact."""
    found = [f"row {key} is missing" for key in sent.keys() - arrived.keys()]
    found += [f"row {key} is nobody's" for key in arrived.keys() - sent.keys()]
    for key in sent.keys() & arrived.keys():
        found += [
            f"row {key}, column {number}: sent {_short(one)}, arrived {_short(other)}"
            for number, (one, other) in enumerate(zip(sent[key], arrived[key], strict=True))
            if not _same(one, other)
        ]
    return found


def strangers(sent: Rows, arrived: Rows) -> list[str]:
    """Rows of either side that the other has not, whatever their keys and their order; empty if there are none."""
    left = list(arrived.values())
    found = []
    for row in sent.values():
        place = next((n for n, other in enumerate(left) if all(map(_same, row, other))), None)
        if place is None:
            found.append(f"sent and not arrived: {_short(row)}")
        else:
            del left[place]
    return found + [f"arrived and never sent: {_short(row)}" for row in left]


def _same(sent: Any, arrived: Any) -> bool:
    if isinstance(sent, OneOf):
        return arrived in sent
    return type(sent) is type(arrived) and bool(sent == arrived)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:160]}... ({len(text)})"

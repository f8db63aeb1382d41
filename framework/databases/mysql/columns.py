"""The native types of a table's columns, and what MySQL's limits leave of them. Without a connection.

Limits: MySQL Reference Manual, "Limits on Table Column Count and Row Size", "InnoDB Limits", "Data Type Storage
Requirements".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from framework.databases.mysql.dialect import MySQLDialect
from framework.errors import UnsupportedType
from framework.tables import Table

ROW_BYTES = 65_535
"""Bytes that a row may have; of a TEXT or a BLOB only the pointer counts."""

PAGE_BYTES = 8_126
"""Bytes of a row that InnoDB must be able to keep in a page of 16 KB, long values aside."""

KEY_BYTES = 3072
"""Bytes of the longest index key."""

KEY_COLUMNS = 16
"""Columns of the widest index."""

COLUMNS = 1017
"""Columns of the widest InnoDB table."""

INDEXES = 64
"""Indexes of a table, its primary key among them."""

_FIXED_IN_KEYS = 64
"""More than any column takes that is no text."""
_OUTSIDE = 41
"""Bytes of a longer value that stay in the page, its length included (ROW_FORMAT=DYNAMIC)."""

_SHORT = 256
"""Bytes of the longest text, with its length, that InnoDB always keeps in the page (255 bytes and one)."""

_MOVABLE = 256
"""Characters, or bytes, of a text that InnoDB may move out of the page, in every character set."""

_LONG = frozenset(f"{size}{kind}" for size in ("TINY", "", "MEDIUM", "LONG") for kind in ("TEXT", "BLOB"))
PREFIX_CHARACTERS = 255
"""Characters of a long text that an index holds; the undo log has no room for a row with several longer ones."""

_LENGTH = re.compile(r"VAR(CHAR|BINARY)\((\d+)\)")
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")
_DIGITS = (0, 1, 1, 2, 2, 3, 3, 4, 4)
"""Bytes of the digits that are left when a DECIMAL's are packed by nine."""
_BYTES = {
    "TINYINT(1)": 1,
    "SMALLINT": 2,
    "INT": 4,
    "BIGINT": 8,
    "DOUBLE": 8,
    "DATE": 3,
    "TIME(6)": 6,
    "DATETIME(6)": 8,
    "LONGTEXT": 12,
    "LONGBLOB": 12,
}


def native_types(table: Table) -> dict[str, str]:
    """The type of each column: texts of keys share a key's bytes, and the widest texts leave a row that is too long.

    Keys that must hold whole values are the primary key, unique indexes, and those of foreign keys; other indexes hold
    beginnings.

    Raises:
        UnsupportedType: a column's type has no exact home.
    """
    dialect = MySQLDialect()
    keys = (table.primary_key, *(index.columns for index in table.indexes if index.unique or index.whole))
    indexed = {name for columns in keys for name in columns}
    types = {}
    for column in table.columns:
        native = dialect.column_type(column.type, indexed=column.name in indexed)
        if native is None:
            raise UnsupportedType(table.name, column.name, str(column.type))
        types[column.name] = native
    for names in keys:
        _shorten_key(types, names)
    _promote(types, indexed)
    return types


def promoted(table: Table, types: Mapping[str, str]) -> tuple[str, ...]:
    """The columns that would be a VARCHAR if rows could be longer."""
    dialect = MySQLDialect()
    return tuple(
        column.name
        for column in table.columns
        if types[column.name] == "LONGTEXT" and dialect.column_type(column.type, indexed=False) != "LONGTEXT"
    )


def holds_more(native: str, present: str) -> bool:
    """Whether a type of texts or bytes has room for more than another one."""
    was, is_ = _LENGTH.match(present), _LENGTH.match(native)
    if was is None:
        return False
    return native in _LONG or (is_ is not None and int(is_[2]) > int(was[2]))


def index_parts(types: Mapping[str, str], names: Sequence[str]) -> tuple[tuple[str, int | None], ...]:
    """The columns of a plain index, each with how much of its values is part of it; None for all.

    Args:
        types: of these columns at least, in upper case.
        names: the index's columns.
    """
    texts = [name for name in names if types[name] in _LONG or _LENGTH.match(types[name])]
    room = KEY_BYTES - _FIXED_IN_KEYS * (len(names) - len(texts))
    if not any(types[name] in _LONG for name in texts) and key_bytes(types, texts) <= room:
        return tuple((name, None) for name in names)
    return tuple((name, _prefix(types[name], room // len(texts)) if name in texts else None) for name in names)


def _prefix(native: str, share: int) -> int | None:
    """Characters (bytes of a BLOB) that fit into a share of the key; None if all do."""
    room = share if "BLOB" in native or "BINARY" in native or "ascii" in native else share // 4
    room = min(room, PREFIX_CHARACTERS)
    length = _LENGTH.match(native)
    return room if length is None or int(length[2]) > room else None


def room_of(native: str) -> int | None:
    """Characters (of bytes: bytes) that a value of a VARCHAR or VARBINARY may have; None for other types."""
    length = _LENGTH.match(native)
    return int(length[2]) if length is not None else None


def row_bytes(types: Mapping[str, str]) -> int:
    """Bytes of the longest row, as the server reckons against `ROW_BYTES`."""
    return sum(map(_bytes, types.values())) + len(types) // 8 + 1


def page_bytes(types: Mapping[str, str]) -> int:
    """Bytes of a row that stay in its page, as InnoDB reckons against `PAGE_BYTES`."""
    return sum(_inline(native) for native in types.values()) + (len(types) + 7) // 8 + 25


def key_bytes(types: Mapping[str, str], names: Iterable[str]) -> int:
    """Bytes of an index key; the lengths of texts are no part of it."""
    return sum(_key_bytes(types[name]) for name in names if name in types)


def _shorten_key(types: dict[str, str], names: tuple[str, ...]) -> None:
    """Let the texts of a key share its bytes; a value longer than its share is refused when it is loaded."""
    widths = {name: found for name in names if (found := _LENGTH.fullmatch(types[name]))}
    room = KEY_BYTES - _FIXED_IN_KEYS * (len(names) - len(widths))
    if sum(_text_bytes(found) for found in widths.values()) > room:
        for name, found in widths.items():
            longest = room // len(widths) // (4 if found[1] == "CHAR" else 1)
            types[name] = f"VAR{found[1]}({min(int(found[2]), longest)})"


def _promote(types: dict[str, str], indexed: set[str]) -> None:
    """Let texts leave the page, or the row, until a row fits into both; the widest first."""
    widths = {name: _bytes(native) for name, native in types.items() if _LENGTH.match(native) and name not in indexed}
    widest = sorted(widths, key=lambda name: (-widths[name], name))
    for name in widest:
        if page_bytes(types) <= PAGE_BYTES:
            break
        if _inline(types[name]) > _OUTSIDE:
            types[name] = f"VARCHAR({_MOVABLE}) {types[name].partition(' ')[2]}".rstrip()
    for name in widest:
        if row_bytes(types) <= ROW_BYTES:
            break
        if "ascii" not in types[name] and "BINARY" not in types[name]:
            types[name] = "LONGTEXT"


def _text_bytes(length: re.Match[str]) -> int:
    return int(length[2]) * (4 if length[1] == "CHAR" else 1)


def _key_bytes(native: str) -> int:
    length = _LENGTH.match(native)
    if length is None:
        return _bytes(native)
    return int(length[2]) if "ascii" in native else _text_bytes(length)


def _bytes(native: str) -> int:
    if (length := _LENGTH.match(native)) is not None:
        size = int(length[2]) if "ascii" in native else _text_bytes(length)
        return size + (2 if size > 255 else 1)
    if (decimal := _DECIMAL.fullmatch(native)) is not None:
        precision, scale = int(decimal[1]), int(decimal[2])
        return sum(digits // 9 * 4 + _DIGITS[digits % 9] for digits in (precision - scale, scale))
    return 36 if native.startswith("CHAR(36)") else _BYTES[native]


def _inline(native: str) -> int:
    """Bytes of a value that may have to stay in the page: short texts never leave it."""
    length = _LENGTH.match(native)
    leaves = native in _LONG or (length is not None and _bytes(native) > _SHORT)
    return _OUTSIDE if leaves else _bytes(native)

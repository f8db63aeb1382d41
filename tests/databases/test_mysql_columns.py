"""MySQL's limits, known without it: what is reckoned here is what the server says."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pymysql
import pytest

from framework.databases.mysql.columns import (
    COLUMNS,
    KEY_BYTES,
    PAGE_BYTES,
    ROW_BYTES,
    key_bytes,
    native_types,
    page_bytes,
    row_bytes,
)
from framework.tables import Column, Index, Table
from framework.types import parse_type
from tests.services import Server
from tests.services.databases import TargetDatabase

KINDS = (
    *("VARCHAR(9)", "VARCHAR(10)", "VARCHAR(30)", "VARCHAR(100)", "LONGTEXT", "LONGBLOB", "DECIMAL(65,30)"),
    *("DECIMAL(12,2)", "BIGINT", "INT", "SMALLINT", "DATETIME(6)", "TIME(6)", "DATE", "DOUBLE", "TINYINT(1)"),
    "CHAR(36) CHARACTER SET ascii COLLATE ascii_bin",
    "VARCHAR(43) CHARACTER SET ascii COLLATE ascii_bin",
)


@pytest.fixture(scope="module")
def mysql(mysql_server: Server) -> Iterator[TargetDatabase]:
    database = TargetDatabase(mysql_server)
    try:
        yield database
    finally:
        database.drop()


def takes(database: TargetDatabase, types: list[str], key: str = "") -> bool:
    """Whether the server makes such a table, and takes a row with the longest texts."""
    columns = ", ".join(f"c{place} {native}" for place, native in enumerate(types))
    values = [longest(native) for native in types]
    try:
        database.execute(f"CREATE TABLE t ({columns}{key}) ENGINE=InnoDB DEFAULT CHARSET utf8mb4 ROW_FORMAT=DYNAMIC")
        if not key:
            database.execute(f"INSERT INTO t VALUES ({', '.join(['%s'] * len(types))})", *values)
    except pymysql.MySQLError:
        return False
    finally:
        database.execute("DROP TABLE IF EXISTS t")
    return True


def longest(native: str) -> str | None:
    length = re.match(r"VARCHAR\((\d+)\)", native)
    return None if length is None else ("x" if "ascii" in native else "😀") * int(length[1])


def fits(types: list[str]) -> bool:
    named = dict(enumerate(types))
    sizes = {str(name): native for name, native in named.items()}
    return len(types) <= COLUMNS and row_bytes(sizes) <= ROW_BYTES and page_bytes(sizes) <= PAGE_BYTES


@pytest.mark.parametrize("native", KINDS)
def test_the_longest_row(mysql: TargetDatabase, native: str):
    low, high = 1, COLUMNS + 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits([native] * middle) else (low, middle - 1)
    assert takes(mysql, [native] * low)
    assert not takes(mysql, [native] * (low + 1))


def test_a_row_of_everything(mysql: TargetDatabase):
    types = list(KINDS) * 10
    assert fits(types) == takes(mysql, types)


@pytest.mark.parametrize(("types", "columns"), [(["VARCHAR(768)"], "c0"), (["VARCHAR(700)", "BIGINT"], "c0, c1")])
def test_the_longest_key(mysql: TargetDatabase, types: list[str], columns: str):
    sizes = {f"c{place}": native for place, native in enumerate(types)}
    assert key_bytes(sizes, sizes) <= KEY_BYTES
    assert takes(mysql, types, f", PRIMARY KEY ({columns})")


def test_texts_of_a_key_share_it_and_wide_texts_leave_the_row():
    def column(name: str, type_name: str) -> Column:
        type_ = parse_type(type_name)
        assert type_ is not None
        return Column(name, type_, nullable=False)

    keyed = Table("t", (column("a", "text"), column("b", "varchar(20)")), ("a",), (Index(("a", "b"), unique=True),))
    assert native_types(keyed) == {"a": "VARCHAR(384)", "b": "VARCHAR(20)"}
    wide = Table("t", tuple(column(f"c{place}", f"varchar({4000 + place})") for place in range(6)))
    assert sorted(native_types(wide).values()).count("LONGTEXT") == 2
    assert row_bytes(native_types(wide)) <= ROW_BYTES

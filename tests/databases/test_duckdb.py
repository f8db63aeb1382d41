"""DuckDB as a target."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest

from framework.connections import Connection
from framework.databases.base import Session, Target
from framework.databases.duckdb import DuckDBTarget
from framework.databases.duckdb.dialect import DuckDBDialect
from framework.databases.opening import open_target
from framework.errors import ConnectionFailed, LoadRefused, UsageError
from framework.tables import Index
from framework.types import Kind, LogicalType, type_names
from tests.databases.conformance import Rows, TargetConformance, load, load_rows, logical, table


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "with space" / "warehouse.duckdb"


@pytest.fixture
def target(file: Path) -> Iterator[DuckDBTarget]:
    target = DuckDBTarget("warehouse", file)
    yield target
    target.close()


@pytest.fixture
def session(target: DuckDBTarget) -> Iterator[Session]:
    with target.session() as session:
        yield session


class TestConformance(TargetConformance):
    @pytest.fixture
    def subject(self, target: DuckDBTarget) -> Target:
        return target


def test_every_kind_but_the_unknown_has_a_type() -> None:
    dialect = DuckDBDialect()
    assert all(dialect.column_type(logical(name), indexed=True) for name in type_names())
    missing = [kind for kind in Kind if dialect.column_type(LogicalType(kind, kind.value), indexed=False) is None]
    assert missing == [Kind.UNKNOWN]


@pytest.mark.parametrize(
    ("name", "native"),
    [
        ("numeric(12,2)", "DECIMAL(12,2)"),
        ("numeric(38)", "DECIMAL(38,0)"),
        ("numeric(39)", "VARCHAR"),
        ("numeric(38,38)", "VARCHAR"),
        ("numeric", "VARCHAR"),
        ("numeric(2,4)", "DECIMAL(5,4)"),
    ],
)
def test_numerics_have_a_decimal_or_keep_their_text(name: str, native: str) -> None:
    assert DuckDBDialect().column_type(logical(name), indexed=False) == native


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("date", "0001-01-01"),
        ("date", "9999-12-31"),
        ("date", "5874897-12-31"),
        ("timestamp", "294247-01-10 04:00:54.775806"),
        ("timestamp", "12024-01-01 00:00:00"),
        ("time", "24:00:00"),
        ("time", "23:59:59.999999"),
        ("uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        ("numeric", "1" * 60 + ".10"),
        ("numeric(1000,500)", "0.1"),
        ("numeric(4,4)", "-0.0001"),
        ("json", '{"a":  "\\ud800"}'),
    ],
)
def test_a_value_reads_back_as_the_text_it_was(session: Session, type_: str, value: str) -> None:
    into = table("t", f"v {type_}")
    session.create_table(into)
    load(session, into, (value,))
    assert session.query("SELECT CAST(v AS VARCHAR) FROM t") == [(value,)]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "-0", "5e-324", "1e-400", "0.30000000000000004"])
def test_doubles_are_the_nearest_to_their_text(session: Session, value: str) -> None:
    into = table("t", "v double precision")
    session.create_table(into)
    load(session, into, (value,))
    assert repr(session.query("SELECT v FROM t")[0][0]) == repr(float(value))


@pytest.mark.parametrize(
    ("type_", "value"), [("integer", "1.5"), ("integer", " 1"), ("time", "1:2:3"), ("uuid", "0" * 32), ("boolean", "t")]
)
def test_a_text_that_is_not_the_wire_form_is_refused(session: Session, type_: str, value: str) -> None:
    into = table("t", f"v {type_}")
    session.create_table(into)
    with pytest.raises(LoadRefused):
        load(session, into, (value,))


def test_a_refusal_names_column_and_value(session: Session) -> None:
    into = table("t", "id bigint", "born's date")
    session.create_table(into)
    with pytest.raises(LoadRefused) as refused:
        load(session, into, ("1", "infinity"))
    assert refused.value.warnings == ("column born's has no exact DATE for infinity",)


def test_a_doubled_key_is_named(session: Session) -> None:
    into = table("t", "a bigint", "b text", key=("a", "b"))
    session.create_table(into)
    with pytest.raises(LoadRefused, match=r"key \(a, b\) = \(1, x\) occurs more than once"):
        load(session, into, ("1", "x"), ("1", "x"))


def test_a_row_longer_than_the_limit_is_refused(session: Session) -> None:
    into = table("t", "v text")
    session.create_table(into)
    load(session, into, ("x" * (31 << 20),))
    with pytest.raises(LoadRefused):
        load(session, into, ("x" * (33 << 20),))
    assert session.query("SELECT COUNT(*) FROM t") == [(1,)]


def test_a_truncated_extract_is_refused(session: Session) -> None:
    class Truncated(Rows):
        def copy_to(self, sink: object) -> int:
            sink.write(b'"1"\n"2')  # type: ignore[attr-defined]
            return 2

    into = table("t", "v text")
    session.create_table(into)
    with pytest.raises(LoadRefused):
        load_rows(session, into, Truncated(("v",), []))
    assert session.query("SELECT COUNT(*) FROM t") == [(0,)]


def test_settings_are_pinned(session: Session) -> None:
    wanted = ("TimeZone", "autoinstall_known_extensions", "autoload_known_extensions", "preserve_insertion_order")
    found = session.query("SELECT " + ", ".join(f"current_setting('{name}')" for name in wanted))[0]
    assert [str(value).lower() for value in found] == ["utc", "false", "false", "true"]


def test_what_is_needed_is_built_in(session: Session) -> None:
    assert session.query("SELECT json_extract_string('{\"a\": \"x\"}', '$.a')") == [("x",)]


def test_indexes_are_left_out(session: Session) -> None:
    made = table("t", "id bigint", "n bigint", key=("id",), indexes=(Index(("n",)),))
    session.create_table(made)
    session.create_indexes(made)
    assert session.query("SELECT * FROM duckdb_indexes()") == []


def test_names_do_not_differ_by_case_alone(session: Session) -> None:
    session.create_table(table("Orders", "id bigint"), marker="m")
    assert (session.relation("orders"), session.marker("ORDERS")) == ("table", "m")


def test_a_reader_keeps_its_tables_through_a_swap(target: DuckDBTarget, session: Session) -> None:
    session.create_table_as("live", "SELECT 1 AS n", marker="")
    session.create_table_as("fresh", "SELECT 2 AS n", marker="")
    with target.session() as reader:
        reader.execute("BEGIN")
        assert reader.query("SELECT n FROM live") == [(1,)]
        session.swap("fresh", "live")
        assert reader.query("SELECT n FROM live") == [(1,)]
    assert session.query("SELECT n FROM live") == [(2,)]


def test_a_view_survives_a_swap_to_other_types(session: Session) -> None:
    session.create_table_as("live", "SELECT 1 AS n", marker="")
    session.create_view("v", "SELECT n FROM live")
    session.create_table_as("fresh", "SELECT 'x' AS n, 2 AS more", marker="")
    session.swap("fresh", "live")
    assert session.query("SELECT n FROM v") == [("x",)]


# Translation

ROWS = """
CREATE TABLE o AS SELECT * FROM (VALUES
  (1, 3, TRUE, 'é', TIMESTAMP '2024-03-15 10:11:12.5', DATE '2024-03-15'),
  (2, 4, FALSE, NULL, TIMESTAMP '2024-04-01 00:00:00', DATE '2024-03-31')) AS v(id, qty, paid, s, made, d)
"""


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("UNIX_TIMESTAMP(made)", [1710497472.5, 1711929600]),
        ("UNIX_TIMESTAMP('2024-01-01')", [1704067200, 1704067200]),
        ("FROM_UNIXTIME(86400)", [datetime(1970, 1, 2), datetime(1970, 1, 2)]),
        ("WEEKDAY(d)", [4, 6]),
        ("DAYOFWEEK(d)", [6, 1]),
        ("WEEK(d)", [10, 13]),
        ("WEEK(d, 3)", [11, 13]),
        ("TIMESTAMPDIFF(HOUR, made, '2024-03-16 09:00:00')", [22, -375]),
        ("TIMESTAMPDIFF(MINUTE, made, FROM_UNIXTIME(UNIX_TIMESTAMP(made) + 119))", [1, 1]),
        ("DATEDIFF('2024-05-01', made)", [47, 30]),
        ("LENGTH(s)", [2, None]),
        ("CHAR_LENGTH(s)", [1, None]),
        ("DATE_FORMAT(made, '%Y-%m-01')", ["2024-03-01", "2024-04-01"]),
        ("DATE(made)", [date(2024, 3, 15), date(2024, 4, 1)]),
        ("IFNULL(s, '-')", ["é", "-"]),
        ("qty / 0", [None, None]),
        ("qty / 2", [1.5, 2]),
        ("IF(paid = 1, qty, 0)", [3, 0]),
        ("s <=> NULL", [False, True]),
        ("ROW_NUMBER() OVER (ORDER BY s)", [2, 1]),
    ],
)
def test_mysql_expressions_mean_the_same(session: Session, expression: str, values: list[object]) -> None:
    session.execute(ROWS)
    query = DuckDBDialect().translate(f"SELECT {expression} AS `r` FROM `o` ORDER BY id")
    assert [row[0] for row in session.query(query)] == values


@pytest.mark.parametrize(
    "clock", ["NOW()", "NOW(6)", "CURRENT_TIMESTAMP", "UTC_TIMESTAMP(6)", "LOCALTIME()", "SYSDATE()"]
)
def test_mysql_clocks_have_no_time_zone(session: Session, clock: str) -> None:
    session.create_table_as("t", DuckDBDialect().translate(f"SELECT {clock} AS made, UNIX_TIMESTAMP() AS u"), marker="")
    made, unix = session.query("SELECT made, epoch(made) - u FROM t")[0]
    assert made.tzinfo is None
    assert abs(unix) < 2


def test_aggregates_translate(session: Session) -> None:
    session.execute(ROWS)
    query = "SELECT SUM(paid), GROUP_CONCAT(id ORDER BY id DESC SEPARATOR '|'), COUNT(DISTINCT qty, id) FROM o"
    assert session.query(DuckDBDialect().translate(query)) == [(1, "2|1", 2)]


@pytest.mark.parametrize("query", ["SELECT FROM WHERE", "SELECT WEEK(d, 1) FROM o"])
def test_what_cannot_be_translated_is_said(query: str) -> None:
    with pytest.raises(UsageError, match="from MySQL to DuckDB"):
        DuckDBDialect().translate(query)


# One process at a time

HOLD = """
import sys, time
from pathlib import Path
from framework.databases.duckdb import DuckDBTarget
target = DuckDBTarget("other", Path(sys.argv[1]))
with target.session() as session:
    session.create_table_as("made_by_other", "SELECT 1 AS n", marker="")
    print("open", flush=True)
    time.sleep(float(sys.argv[2]))
target.close()
print("closed", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other_process(file: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the file open for a second and then lives on."""
    command = [sys.executable, "-c", HOLD, str(file), "1"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process
        process.kill()


def test_who_comes_second_waits(other_process: subprocess.Popen[str], target: DuckDBTarget) -> None:
    began = time.monotonic()
    with target.session() as session:
        assert session.query("SELECT n FROM made_by_other") == [(1,)]
    assert time.monotonic() - began > 0.3
    assert other_process.poll() is None


def test_who_waits_too_long_is_told_for_whom(other_process: subprocess.Popen[str], file: Path) -> None:
    impatient = DuckDBTarget("warehouse", file, wait=0)
    with pytest.raises(ConnectionFailed, match=rf"'warehouse'.*process {other_process.pid} has the database file open"):
        impatient.session().__enter__()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no database " * 1000)
    with pytest.raises(ConnectionFailed, match="not a valid DuckDB database"):
        DuckDBTarget("warehouse", path).session().__enter__()


@pytest.mark.parametrize("url", ["embedded:duckdb", "duckdb:///{home}/warehouse.duckdb"])
def test_opening_by_connection(tmp_path: Path, url: str) -> None:
    home = tmp_path / "home"
    connection = Connection("warehouse", url.format(home=home))
    for _ in range(2):
        with open_target(connection, home) as target, target.session() as session:
            session.create_table_as("t", "SELECT 1 AS n", marker="") if session.relation("t") is None else None
    assert (home / "warehouse.duckdb").stat().st_size > 0


@pytest.mark.parametrize("url", ["postgresql+psycopg2://u:secret@h/d", "embedded:postgres", "duckdb://", "sqlite:///x"])
def test_what_is_no_target_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(UsageError, match="cannot be a target") as refused, open_target(Connection("w", url), tmp_path):
        pass
    assert "secret" not in str(refused.value)


def test_an_unreadable_url_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"), open_target(Connection("w", "warehouse"), tmp_path):
        pass

"""What every target must do. A product's test subclasses `TargetConformance` and gives it `subject`."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any, BinaryIO

import pytest

from framework.databases.base import Alteration, Progress, Session, Target
from framework.errors import LoadRefused, StatementFailed, UnsupportedType
from framework.tables import Column, Index, Table
from framework.types import Kind, LogicalType, parse_type

HARD_TEXTS = (
    "",
    " ",
    "NULL",
    "null",
    "\\N",
    "\\",
    "\\\\",
    '"',
    '""',
    '","',
    "'",
    "''",
    "%s",
    "?",
    "#no comment",
    "--",
    "a\nb",
    "a\r\nb",
    "\n",
    "\r",
    "\t",
    "".join(map(chr, range(1, 32))) + "\x7f",
    "\ufeffbom",
    "\u2028 \u00a0 \u200b",
    "é e\u0301",
    "😀 🏳️‍🌈 漢字",
    " both ",
    "trailing ",
    "x" * 1_000_000,
    "\n".join(['"quoted", and more'] * 20_000),
)


class Rows:
    """An extract of rows in memory (implements `framework.databases.base.Extract`)."""

    def __init__(self, columns: Sequence[str], rows: Sequence[tuple[str | None, ...]], fail_after: int = -1) -> None:
        self.columns = tuple(columns)
        self._rows = rows
        self._fail_after = fail_after

    def copy_to(self, sink: BinaryIO) -> int:
        for number, row in enumerate(self._rows):
            if number == self._fail_after:
                raise ExtractBroke
            sink.write((",".join(map(_field, row)) + "\n").encode())
        return len(self._rows)

    def batches(self, size: int) -> Iterator[Sequence[tuple[str | None, ...]]]:
        for start in range(0, len(self._rows), size):
            if 0 <= self._fail_after < start + size:
                raise ExtractBroke
            yield self._rows[start : start + size]


class ExtractBroke(Exception):
    """The source failed while rows were read from it."""


def _field(value: str | None) -> str:
    return "NULL" if value is None else '"' + value.replace('"', '""') + '"'


def table(name: str, *columns: str, key: tuple[str, ...] = (), indexes: tuple[Index, ...] = ()) -> Table:
    """A table of columns such as ``id bigint`` or ``note text``; keys are not nullable."""
    split = [column.split(" ", 1) for column in columns]
    return Table(name, tuple(Column(n, logical(type_), n not in key) for n, type_ in split), key, indexes)


def logical(name: str) -> LogicalType:
    """A logical type by its PostgreSQL name, which must be known."""
    found = parse_type(name)
    assert found is not None
    return found


def ignore(rows: int) -> None:
    """The progress that nobody watches."""


def load(session: Session, into: Table, *rows: tuple[str | None, ...]) -> int:
    """Load rows given in the order of the table's columns."""
    return load_rows(session, into, Rows(into.column_names, rows))


def load_rows(session: Session, into: Table, rows: Rows, progress: Progress = ignore) -> int:
    """Load in a transaction of its own."""
    with session.transaction():
        return session.load(into, rows, progress)


class TargetConformance:
    """Subclasses define the fixture ``subject``: a target on an empty database."""

    @pytest.fixture
    def subject(self) -> Target:
        raise NotImplementedError

    @pytest.fixture
    def session(self, subject: Target) -> Iterator[Session]:
        with subject.session() as session:
            yield session

    # Statements and transactions

    def test_a_statement_returns_the_number_of_rows_it_matched(self, session: Session) -> None:
        session.create_table(table("t", "id bigint", "note text", key=("id",)))
        assert session.execute("INSERT INTO t VALUES (%s, %s), (%s, %s)", (1, "a", 2, "a")) == 2
        assert session.execute("UPDATE t SET note = %s", ("a",)) == 2
        assert session.execute("DELETE FROM t WHERE id = %s", (3,)) == 0
        assert session.execute("DELETE FROM t") == 2

    def test_bound_values_arrive_as_they_are(self, session: Session) -> None:
        values = ('it\'s 100% \\ "quoted" ? %s', 7, None)
        assert session.query("SELECT %s, %s, %s", values) == [values]

    def test_percent_signs_are_doubled_only_beside_bound_values(self, session: Session) -> None:
        assert session.query("SELECT 'a%b%%c'") == [("a%b%%c",)]
        assert session.query("SELECT 'a%%b', %s", (1,)) == [("a%b", 1)]

    def test_a_transaction_commits_or_leaves_nothing(self, subject: Target, session: Session) -> None:
        session.create_table(table("t", "id bigint", key=("id",)))
        with session.transaction():
            session.execute("INSERT INTO t VALUES (1)")
        with pytest.raises(ExtractBroke), session.transaction():  # noqa: PT012
            session.execute("INSERT INTO t VALUES (2)")
            raise ExtractBroke
        with subject.session() as other:
            assert other.query("SELECT id FROM t") == [(1,)]

    def test_a_failed_statement_leaves_the_session_usable(self, session: Session) -> None:
        session.create_table(table("t", "id bigint", key=("id",)))
        with pytest.raises(StatementFailed), session.transaction():  # noqa: PT012
            session.execute("INSERT INTO t VALUES (1)")
            session.execute("INSERT INTO missing VALUES (1)")
        assert session.query("SELECT COUNT(*) FROM t") == [(0,)]

    def test_a_session_that_ends_within_a_transaction_rolls_back(self, subject: Target, session: Session) -> None:
        session.create_table(table("t", "id bigint", key=("id",)))
        with subject.session() as other:
            other.execute("BEGIN")
            other.execute("INSERT INTO t VALUES (1)")
        assert session.query("SELECT COUNT(*) FROM t") == [(0,)]

    def test_others_see_what_is_committed_and_nothing_else(self, subject: Target, session: Session) -> None:
        session.create_table(table("t", "id bigint", key=("id",)))
        with subject.session() as other:
            with session.transaction():
                session.execute("INSERT INTO t VALUES (1)")
                assert other.query("SELECT COUNT(*) FROM t") == [(0,)]
            assert other.query("SELECT COUNT(*) FROM t") == [(1,)]

    def test_transactions_of_several_threads_on_their_own_tables(self, subject: Target) -> None:
        def work(number: int) -> int:
            mine = table(f"t{number}", "id bigint", "n bigint", key=("id",))
            with subject.session() as session:
                session.create_table(mine)
                load(session, mine, ("1", "0"))
                for _ in range(10):
                    with session.transaction():
                        session.execute(f"UPDATE t{number} SET n = n + 1")
                return int(session.query(f"SELECT n FROM t{number}")[0][0])

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(work, range(4))) == [10] * 4

    def test_no_update_of_several_threads_gets_lost(self, subject: Target, session: Session) -> None:
        session.create_table(table("t", "id bigint", "n bigint", key=("id",)))
        session.execute("INSERT INTO t VALUES (1, 0)")

        def work(_: int) -> None:
            with subject.session() as session:
                for _ in range(10):
                    with session.transaction():
                        session.execute("UPDATE t SET n = n + 1 WHERE id = 1")

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(4)))
        assert session.query("SELECT n FROM t") == [(40,)]

    # Tables and views

    def test_a_table_is_found_with_its_marker_and_columns(self, session: Session) -> None:
        assert (session.relation("t"), session.marker("t"), session.columns("t")) == (None, None, ())
        session.create_table(table("t", "id bigint", "select text", 'q"`u text', key=("id",)), marker="it's mine")
        session.create_table(table("plain", "id bigint"))
        assert session.relation("t") == "table"
        assert (session.marker("t"), session.marker("plain")) == ("it's mine", "")
        assert session.columns("t") == ("id", "select", 'q"`u')

    def test_create_if_missing_keeps_what_is_there(self, session: Session) -> None:
        session.create_table(table("t", "id bigint"), marker="first")
        session.execute("INSERT INTO t VALUES (1)")
        session.create_table(table("t", "other bigint"), marker="second", if_missing=True)
        assert (session.marker("t"), session.query("SELECT id FROM t")) == ("first", [(1,)])
        with pytest.raises(StatementFailed):
            session.create_table(table("t", "id bigint"))

    def test_tables_by_prefix(self, session: Session) -> None:
        for name in ("_x_b", "_x_a", "axxa", "_y"):
            session.create_table(table(name, "id bigint"), marker=f"of {name}")
        session.create_view("_x_view", "SELECT 1 AS a")
        assert list(session.tables("_x_").items()) == [("_x_a", "of _x_a"), ("_x_b", "of _x_b")]
        assert session.described("_x_a") == ("table", "of _x_a")
        assert (session.described("_x_view"), session.described("_x")) == (("view", ""), None)

    def test_dropping_what_is_not_there_or_of_the_other_kind_does_nothing(self, session: Session) -> None:
        session.create_table(table("t", "id bigint"))
        session.create_view("v", "SELECT 1 AS a")
        session.drop_tables("missing", "v")
        for name in ("missing", "t"):
            session.drop_view(name)
        assert (session.relation("t"), session.relation("v")) == ("table", "view")
        session.drop_tables("t")
        session.drop_view("v")
        assert (session.relation("t"), session.relation("v")) == (None, None)

    def test_a_view_is_replaced(self, session: Session) -> None:
        session.create_view("v", "SELECT 1 AS a")
        session.create_view("v", "SELECT 2 AS a, 3 AS b")
        assert (session.query("SELECT * FROM v"), session.columns("v")) == ([(2, 3)], ("a", "b"))

    def test_a_table_is_made_from_a_query(self, session: Session) -> None:
        session.create_table_as("t", "SELECT 1 AS a, 'x%' AS b", marker="it's 100% mine")
        assert (session.query("SELECT * FROM t"), session.marker("t")) == ([(1, "x%")], "it's 100% mine")

    def test_a_type_without_a_home_is_refused_by_name(self, session: Session) -> None:
        strange = Table("t", (Column("shape", LogicalType(Kind.UNKNOWN, "polygon")),))
        with pytest.raises(UnsupportedType, match=r"t\.shape is of type polygon"):
            session.create_table(strange)

    # Altering

    def test_a_table_is_altered_and_keeps_its_rows_and_marker(self, session: Session) -> None:
        session.create_table(table("t", "id bigint", "old integer", "gone text", "wide smallint", key=("id",)), "mine")
        session.execute("INSERT INTO t VALUES (1, 2, 'x', 3)")
        altered = table("t", "id bigint", "new bigint", "wide bigint", "more varchar(5)", key=("id",))
        how = Alteration((("old", "new"),), dropped=("gone",), added=("more",), changed=("new", "wide"))
        for _ in range(2):  # what was done is found done
            session.alter_table(altered, how)
            assert session.query("SELECT id, new, wide, more FROM t") == [(1, 2, 3, None)]
        session.execute("UPDATE t SET new = 4000000000, wide = 5000000000, more = 'a%b'")
        assert session.query("SELECT id, new, wide, more FROM t") == [(1, 4000000000, 5000000000, "a%b")]
        assert (sorted(session.columns("t")), session.marker("t")) == (["id", "more", "new", "wide"], "mine")
        session.alter_table(altered, Alteration())

    def test_an_added_column_is_empty_whatever_had_its_name(self, session: Session) -> None:
        session.create_table(table("t", "id bigint", "kept integer", "other integer", key=("id",)))
        session.execute("INSERT INTO t VALUES (1, 2, 3)")
        altered = table("t", "id bigint", "kept varchar(5)", key=("id",))
        session.alter_table(altered, Alteration(added=("kept",)))
        assert session.query("SELECT kept FROM t") == [(None,)]
        session.alter_table(altered, Alteration((("other", "kept"),)))
        assert session.query("SELECT * FROM t") == [(1, 3)]

    def test_a_column_learns_to_be_null_and_forgets_it(self, session: Session) -> None:
        made = table("t", "id bigint", "n integer", key=("id",))
        session.create_table(made)
        session.execute("INSERT INTO t VALUES (1, 1)")
        never = Table("t", tuple(Column(c.name, c.type, nullable=False) for c in made.columns), made.primary_key)
        session.alter_table(never, Alteration(changed=("n",)))
        with pytest.raises(StatementFailed):
            session.execute("INSERT INTO t VALUES (2, NULL)")
        session.alter_table(made, Alteration(changed=("n",)))
        session.execute("INSERT INTO t VALUES (2, NULL)")
        assert session.query("SELECT n FROM t ORDER BY id") == [(1,), (None,)]

    def test_altering_to_a_type_without_a_home_is_refused_and_changes_nothing(self, session: Session) -> None:
        session.create_table(table("t", "id bigint"))
        strange = Table("t", (Column("shape", LogicalType(Kind.UNKNOWN, "polygon")),))
        with pytest.raises(UnsupportedType, match=r"t\.shape is of type polygon"):
            session.alter_table(strange, Alteration(dropped=("id",), added=("shape",)))
        assert session.columns("t") == ("id",)

    def test_readers_of_a_table_that_is_altered_see_no_error(self, subject: Target, session: Session) -> None:
        session.create_table(table("t", "id bigint", "n smallint", key=("id",)))
        session.execute("INSERT INTO t VALUES (1, 7)")
        stop, seen = threading.Event(), []

        def read() -> None:
            with subject.session() as reading:
                while not stop.is_set():
                    seen.append(reading.query("SELECT id, n FROM t")[0])

        with ThreadPoolExecutor(1) as pool:
            reader = pool.submit(read)
            try:
                for number in range(10):
                    session.alter_table(table("t", "id bigint", "x text"), Alteration(added=("x",), hidden=True))
                    wide = "integer" if number % 2 else "bigint"
                    session.alter_table(table("t", f"n {wide}", "x text"), Alteration(changed=("n", "x")))
                    session.alter_table(table("t"), Alteration(dropped=("x",)))
            finally:
                stop.set()
            reader.result()
        assert set(seen) == {(1, 7)}

    # Swapping

    def test_a_swap_replaces_a_table_with_everything_it_has(self, session: Session) -> None:
        for name, value in (("fresh", 2), ("live", 1)):
            made = table(name, "id bigint", "n bigint", key=("id",), indexes=(Index(("n",)),))
            session.create_table(made, marker=f"was {name}")
            session.create_indexes(made)
            session.execute(f"INSERT INTO {name} VALUES (%s, 0)", (value,))
        session.swap("fresh", "live")
        assert (session.query("SELECT id FROM live"), session.marker("live")) == ([(2,)], "was fresh")
        assert list(session.tables("")) == ["live"]

    def test_a_swap_into_an_empty_place(self, session: Session) -> None:
        session.create_table(table("fresh", "id bigint"))
        session.swap("fresh", "live")
        assert list(session.tables("")) == ["live"]

    def test_readers_never_miss_a_table_that_is_swapped(self, subject: Target, session: Session) -> None:
        session.create_table_as("live", "SELECT 0 AS n", marker="")
        session.create_view("seen", "SELECT n FROM live")
        stop, counts = threading.Event(), []

        def read() -> None:
            with subject.session() as reading:
                while not stop.is_set():
                    counts.append(reading.query("SELECT COUNT(*) FROM live")[0][0])
                    counts.append(reading.query("SELECT COUNT(*) FROM seen")[0][0])

        with ThreadPoolExecutor(1) as pool:
            reader = pool.submit(read)
            try:
                for number in range(20):
                    session.create_table_as("fresh", f"SELECT {number} AS n", marker="")
                    session.swap("fresh", "live")
            finally:
                stop.set()
            reader.result()
        assert counts
        assert set(counts) == {1}

    # Loading

    def test_hard_texts_arrive_unchanged(self, session: Session) -> None:
        into = table("t", "id integer", "value text", "more text", key=("id",))
        session.create_table(into)
        texts = (*HARD_TEXTS, None)
        rows = [(str(number), text, None if number % 2 else text) for number, text in enumerate(texts)]
        assert load(session, into, *rows) == len(rows)
        got = session.query("SELECT id, value, more FROM t ORDER BY id")
        assert [(str(number), value, more) for number, value, more in got] == rows

    def test_a_single_column_of_hard_texts(self, session: Session) -> None:
        into = table("t", "value text")
        session.create_table(into)
        assert load(session, into, ("",), (None,), ("NULL",), ("\n",)) == 4
        assert sorted(map(repr, session.query("SELECT value FROM t"))) == sorted(
            map(repr, [("",), (None,), ("NULL",), ("\n",)])
        )

    def test_values_arrive_by_type(self, session: Session) -> None:
        values: dict[str, tuple[str, Any]] = {
            "boolean": ("1", 1),
            "smallint": ("-32768", -32768),
            "integer": ("2147483647", 2147483647),
            "bigint": ("-9223372036854775808", -9223372036854775808),
            "double precision": ("1.7976931348623157e+308", 1.7976931348623157e308),
            "real": ("0.1", 0.1),
            "bytea": ("00ff0a22", b'\x00\xff\n"'),
            "timestamp": ("2024-02-29 23:59:59.999999", datetime(2024, 2, 29, 23, 59, 59, 999999)),
            "timestamptz": ("2038-01-20 00:00:00.5", datetime(2038, 1, 20, 0, 0, 0, 500000)),
            "varchar(3)": ("a😀", "a😀"),
            "jsonb": ('{"a": 1.50, "a": null}', '{"a": 1.50, "a": null}'),
            "interval": ("1 mon -3 days 04:05:06", "1 mon -3 days 04:05:06"),
            "inet": ("10.0.0.1/8", "10.0.0.1/8"),
            "integer[]": ("[1,null]", "[1,null]"),
        }
        columns = [f"c{number} {type_}" for number, type_ in enumerate(values)]
        into = table("t", "id integer", *columns, key=("id",))
        session.create_table(into)
        load(session, into, ("1", *(text for text, _ in values.values())), ("2", *[None] * len(values)))
        assert session.query("SELECT * FROM t ORDER BY id") == [
            (1, *(value for _, value in values.values())),
            (2, *[None] * len(values)),
        ]

    def test_numbers_arrive_with_every_digit(self, session: Session) -> None:
        into = table("t", "a numeric(38,10)", "b numeric(5,5)", "c numeric(3,-2)")
        session.create_table(into)
        load(session, into, ("-1234567890123456789012345678.0123456789", "0.00123", "12300"))
        found = session.query("SELECT a, b, c FROM t")[0]
        assert tuple(map(str, found)) == ("-1234567890123456789012345678.0123456789", "0.00123", "12300")

    def test_keys_compare_by_bytes(self, session: Session) -> None:
        into = table("t", "id varchar(10)", key=("id",))
        session.create_table(into)
        assert load(session, into, *[(text,) for text in ("a", "A", "á", "a ", "ß", "ss")]) == 6
        assert session.query("SELECT COUNT(*) FROM t WHERE id = %s", ("a",)) == [(1,)]

    def test_loads_append_and_tell_their_progress(self, session: Session) -> None:
        into = table("t", "id bigint", "note text", key=("id",))
        session.create_table(into)
        seen: list[int] = []
        for start in (0, 20_000):
            rows = [(str(number), "x" * 100) for number in range(start, start + 20_000)]
            assert load_rows(session, into, Rows(into.column_names, rows), seen.append) == 20_000
        assert session.query("SELECT COUNT(*), MAX(id) FROM t") == [(40_000, 39_999)]
        assert sum(seen) == 40_000

    def test_a_load_of_nothing(self, session: Session) -> None:
        into = table("t", "id bigint", key=("id",))
        session.create_table(into)
        assert load(session, into) == 0

    def test_columns_are_loaded_by_name(self, session: Session) -> None:
        into = table("t", "a bigint", "b bigint", "c bigint")
        session.create_table(into)
        load_rows(session, into, Rows(("c", "a"), [("3", "1")]))
        assert session.query("SELECT a, b, c FROM t") == [(1, None, 3)]

    @pytest.mark.parametrize(
        ("type_", "value"),
        [
            ("smallint", "32768"),
            ("bigint", "x"),
            ("numeric(5,2)", "1.005"),
            ("numeric(5,2)", "1000.00"),
            ("numeric(5,2)", "NaN"),
            ("timestamp", "infinity"),
            ("timestamp", "0044-03-15 12:00:00 BC"),
            ("timestamptz", "294277-01-01 00:00:00"),
            ("date", "-infinity"),
            ("date", "0044-03-15 BC"),
        ],
    )
    def test_a_value_that_would_change_is_refused(self, session: Session, type_: str, value: str) -> None:
        into = table("t", "id bigint", f"v {type_}", key=("id",))
        session.create_table(into)
        rows = [(str(number), None) for number in range(2000)]
        with pytest.raises(LoadRefused) as refused:
            load(session, into, *rows, ("2000", value))
        assert refused.value.warnings
        assert session.query("SELECT COUNT(*) FROM t") == [(0,)]

    def test_a_null_in_a_key_is_refused(self, session: Session) -> None:
        into = table("t", "id bigint", key=("id",))
        session.create_table(into)
        with pytest.raises(LoadRefused):
            load(session, into, ("1",), (None,))
        assert session.query("SELECT COUNT(*) FROM t") == [(0,)]

    def test_a_key_that_comes_twice_is_refused(self, session: Session) -> None:
        into = table("t", "a bigint", "b bigint", key=("a", "b"))
        session.create_table(into)
        load(session, into, ("1", "1"), ("1", "2"))
        with pytest.raises(LoadRefused):
            load(session, into, ("2", "1"), ("1", "2"))
        assert session.query("SELECT COUNT(*) FROM t") == [(2,)]

    def test_nothing_stays_of_an_extract_that_breaks(self, session: Session) -> None:
        into = table("t", "id bigint", "note text", key=("id",))
        session.create_table(into)
        rows = [(str(number), "x" * 1000) for number in range(20_000)]
        with pytest.raises(ExtractBroke):
            load_rows(session, into, Rows(into.column_names, rows, fail_after=15_000))

    def test_a_refusal_in_the_middle_of_much_data_does_not_hang(self, session: Session) -> None:
        into = table("t", "id bigint", "note text", key=("id",))
        session.create_table(into)
        rows = [(str(number), "x" * 1000) for number in range(20_000)]
        rows[100] = ("x", "")
        with pytest.raises(LoadRefused):
            load(session, into, *rows)
        assert session.query("SELECT COUNT(*) FROM t") == [(0,)]

    # The dialect

    def test_a_merge_by_key(self, subject: Target, session: Session) -> None:
        dialect = subject.dialect
        copy, staged = (table(name, "id bigint", "note text", key=("id",)) for name in ("copy", "staged"))
        for each in (copy, staged):
            session.create_table(each)
        load(session, copy, ("1", None), ("2", "b"), ("3", "c"), ("4", "d"))
        load(session, staged, ("1", None), ("2", "changed"), ("5", "e"))
        same_key = f"t.{dialect.quote('id')} = o.{dialect.quote('id')}"
        equal = f"{same_key} AND {dialect.same('t.note', 'o.note')}"
        with session.transaction():
            assert session.execute(dialect.delete_matching("staged", "copy", equal)) == 1
            for _ in range(2):
                session.execute(dialect.delete_matching("copy", "staged", same_key))
                assert session.execute("INSERT INTO copy SELECT * FROM staged") == 2
        assert session.query("SELECT * FROM copy ORDER BY id") == [
            (1, None), (2, "changed"), (3, "c"), (4, "d"), (5, "e"),
        ]  # fmt: skip
        statement = dialect.update_matching("copy", "staged", same_key, "note = 'gone'", "t.id <> 2")
        assert session.execute(statement) == 1
        assert session.query("SELECT * FROM copy WHERE note = 'gone'") == [(5, "gone")]

    def test_the_clock_is_utc_with_microseconds(self, subject: Target, session: Session) -> None:
        dialect = subject.dialect
        readings = [session.query(f"SELECT {dialect.utc_now}, {dialect.later(90)}")[0] for _ in range(20)]
        now = datetime.now(timezone.utc).replace(tzinfo=None)
        assert all(abs(now - read) < timedelta(seconds=20) for read, _ in readings)
        assert all(later - read == timedelta(seconds=90) for read, later in readings)
        assert any(read.microsecond % 1000 for read, _ in readings)
        session.create_table(table("t", "made timestamptz"))
        session.execute(f"INSERT INTO t VALUES ({dialect.utc_now})")
        assert session.query(f"SELECT COUNT(*) FROM t WHERE made <= {dialect.later(1)}") == [(1,)]

    def test_names_are_quoted(self, subject: Target, session: Session) -> None:
        name = 'or"der`s; --'
        session.create_table(table(name, "group bigint", "WHERE text", key=("group",)))
        quoted = subject.dialect.quote(name)
        session.execute(f"INSERT INTO {quoted} ({subject.dialect.quote('group')}) VALUES (1)")
        assert session.query(f"SELECT COUNT(*) FROM {quoted}") == [(1,)]

    def test_same_knows_null(self, subject: Target, session: Session) -> None:
        same = subject.dialect.same
        pairs = (("NULL", "NULL"), ("NULL", "1"), ("1", "1"), ("1", "2"))
        expressions = ", ".join(f"CASE WHEN {same(left, right)} THEN 1 ELSE 0 END" for left, right in pairs)
        assert session.query(f"SELECT {expressions}") == [(1, 0, 1, 0)]

    def test_the_version_names_the_product(self, subject: Target) -> None:
        product, _, number = subject.version().partition(" ")
        assert product in ("MySQL", "MariaDB", "DuckDB")
        assert number[0].isdigit()

"""MySQL and MariaDB as targets, in both lanes: with LOAD DATA LOCAL and without."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from framework.databases.base import Target
from framework.databases.mysql.dialect import MySQLDialect
from framework.databases.mysql.target import MySQLTarget
from framework.errors import ConnectionFailed, StatementFailed
from framework.types import Kind, LogicalType, parse_type
from tests.databases.conformance import TargetConformance, load, table
from tests.databases.lanes import take_safe_lane
from tests.services.databases import TargetDatabase


class TestFastLane(TargetConformance):
    @pytest.fixture
    def subject(self, target: TargetDatabase) -> Iterator[Target]:
        mysql = MySQLTarget("shop_mysql", target.url)
        assert mysql.capabilities.lane == "LOAD DATA"
        yield mysql
        mysql.close()


class TestSafeLane(TargetConformance):
    @pytest.fixture
    def subject(self, target: TargetDatabase) -> Iterator[Target]:
        mysql = MySQLTarget("shop_mysql", target.url)
        take_safe_lane(mysql)
        assert mysql.capabilities.lane == "INSERT"
        yield mysql
        mysql.close()


@pytest.fixture
def mysql(target: TargetDatabase) -> Iterator[MySQLTarget]:
    opened = MySQLTarget("shop_mysql", target.url)
    yield opened
    opened.close()


def test_every_kind_but_the_unknown_has_a_type() -> None:
    for kind in Kind:
        native = MySQLDialect().column_type(LogicalType(kind, kind.value), indexed=False)
        assert (native is None) == (kind is Kind.UNKNOWN)


@pytest.mark.parametrize(
    ("name", "native"),
    [
        ("numeric", "DECIMAL(65,30)"),
        ("numeric(12,2)", "DECIMAL(12,2)"),
        ("numeric(3,5)", "DECIMAL(5,5)"),
        ("numeric(5,-2)", "DECIMAL(7,0)"),
        ("numeric(65,30)", "DECIMAL(65,30)"),
        ("numeric(66,2)", "DECIMAL(65,2)"),
        ("numeric(40,31)", "DECIMAL(39,30)"),
        ("varchar(120)", "VARCHAR(120)"),
        ("varchar(20000)", "LONGTEXT"),
        ("varchar", "LONGTEXT"),
    ],
)
def test_lengths_and_digits(name: str, native: str | None) -> None:
    type_ = parse_type(name)
    assert type_ is not None
    assert MySQLDialect().column_type(type_, indexed=False) == native


def test_columns_are_seen_while_others_alter_the_table(mysql: MySQLTarget, target: TargetDatabase) -> None:
    for statement in ("CREATE TABLE p (id int PRIMARY KEY)", "CREATE TABLE c (id int PRIMARY KEY, p int)"):
        target.execute(statement)
    stop = threading.Event()

    def alter() -> None:
        with closing(target.connect(autocommit=True)) as connection, connection.cursor() as cursor:
            while not stop.is_set():
                cursor.execute("ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p (id)")
                cursor.execute("ALTER TABLE c DROP FOREIGN KEY k")

    altering = threading.Thread(target=alter)
    altering.start()
    try:
        for _ in range(25):
            # Who holds locks is not made to wait by MariaDB's catalog, but told less.
            with mysql.session() as session, session.transaction():
                session.execute("INSERT INTO p SELECT COUNT(*) FROM p")
                assert session.columns("c") == ("id", "p")
                assert session.columns("unknown") == ()
    finally:
        stop.set()
        altering.join()


def test_rows_too_long_for_the_server_get_text_columns(mysql: MySQLTarget) -> None:
    wide = table("wide", "id int", "a varchar(9000)", "b varchar(9000)", "c varchar(100)", key=("id",))
    with mysql.session() as session:
        session.create_table(wide)
        load(session, wide, ("1", "a" * 9000, "b" * 9000, "c"))
        assert session.query("SELECT CHAR_LENGTH(a), CHAR_LENGTH(b), c FROM wide") == [(9000, 9000, "c")]
        types = {row[0]: row[1] for row in session.query("SHOW COLUMNS FROM wide")}
    assert types["c"] == "varchar(100)"
    assert "longtext" in {types["a"], types["b"]}


def test_a_hostile_server_gets_no_file_of_the_client(mysql: MySQLTarget, tmp_path: object) -> None:
    secret = f"{tmp_path}/secret"
    with open(secret, "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write("secret\n")
    with mysql.session() as session:
        session.execute("CREATE TABLE stolen (line text)")
        # The server names the file that the client is to send; this is what a hostile one would do unasked.
        with pytest.raises(StatementFailed, match="asked for a file"):
            session.execute(f"LOAD DATA LOCAL INFILE '{secret}' INTO TABLE stolen")
    with mysql.session() as session:
        assert session.query("SELECT * FROM stolen") == []


def test_sessions_are_pinned(mysql: MySQLTarget) -> None:
    with mysql.session() as session:
        assert session.query("SELECT @@time_zone, @@character_set_client") == [("+00:00", "utf8mb4")]
        assert "STRICT_ALL_TABLES" in session.query("SELECT @@sql_mode")[0][0]


def test_a_wrong_password_is_not_repeated(target: TargetDatabase) -> None:
    wrong = MySQLTarget("shop_mysql", target.url.replace(f"{target.user}:", f"{target.user}:wrong"))
    with pytest.raises(ConnectionFailed, match="shop_mysql") as failed, wrong.session():
        pass
    assert "correct user and password" in failed.value.fix
    assert "wrong" not in str(failed.value)
    wrong.close()

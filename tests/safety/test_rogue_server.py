"""A hostile server gets neither files of this machine nor the password as it is."""

from __future__ import annotations

from pathlib import Path

import pymysql
import pytest

from framework.databases.mysql.connection import ASKED
from framework.databases.mysql.target import MySQLTarget
from framework.errors import ConnectionFailed, RunError
from tests.command import Command
from tests.safety.rogue import OK, Hijacking, Rogue
from tests.services.databases import SourceDatabase, TargetDatabase

SECRET = "what this file holds is nobody's business"


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "passwd"
    path.write_text(SECRET * 10, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("patience", range(3))
def test_a_file_is_asked_for_in_answer_to_any_command(file: str, patience: int):
    """The first commands are the driver's own, then come ours."""
    rogue = Rogue(file, patience)
    target = MySQLTarget("there", rogue.url)
    try:
        with pytest.raises((RunError, LookupError)), target.session() as session:
            session.query("SELECT 1")
    finally:
        target.close()
        rogue.close()
    assert rogue.asked or patience == 2  # it has met "SELECT VERSION()" with OK, which is no answer
    assert SECRET.encode() not in rogue.heard


def test_a_file_is_asked_for_by_way_of_a_statement(file: str):
    rogue = Rogue(file, 1)
    connection = MySQLTarget("there", rogue.url)._connect()
    with pytest.raises(Exception, match=ASKED), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert not connection.open
    rogue.close()
    assert rogue.asked == 1
    assert SECRET.encode() not in rogue.heard


@pytest.mark.parametrize("greets", [True, False])
def test_a_file_is_asked_for_during_login(file: str, greets: bool):
    rogue = Rogue(file, 0, b"\xfb" + file.encode(), greets=greets)
    target = MySQLTarget("there", rogue.url + "?connect_timeout=2")
    try:
        with pytest.raises((ConnectionFailed, LookupError)), target.session():
            pass
    finally:
        target.close()
        rogue.close()
    assert SECRET.encode() not in rogue.heard


@pytest.mark.parametrize("way", [b"mysql_clear_password\0", b"dialog\0\4Password: "])
def test_the_password_as_it_is_is_asked_for_without_tls(file: str, way: bytes):
    rogue = Rogue(file, 0, b"\xfe" + way)
    target = MySQLTarget("there", rogue.url)
    try:
        with pytest.raises(ConnectionFailed, match="asks for the password") as refused, target.session():
            pass
    finally:
        target.close()
        rogue.close()
    assert not refused.value.transient
    assert b"sesame" not in rogue.heard


def test_the_rogue_is_one_that_works(file: str):
    """A client that does what the server says would have sent the file."""
    rogue = Rogue(file, 2, OK)
    client = pymysql.connect(host="127.0.0.1", port=rogue.port, user="u", password="p", local_infile=True)
    with pytest.raises(pymysql.err.MySQLError):
        client.cursor().execute("SELECT 1")
    client.close()
    rogue.close()
    assert SECRET.encode() in rogue.heard


def test_another_file_is_asked_for_while_rows_are_loaded(
    source: SourceDatabase, target: TargetDatabase, file: str, tmp_path: Path
):
    source.execute("CREATE TABLE t (id bigint PRIMARY KEY, v text)")
    source.execute("INSERT INTO t SELECT g, repeat('row', 10) FROM generate_series(1, 500) g")
    spec = tmp_path / "spec.yaml"
    spec.write_text("version: 1\npipeline: p\nsource: pg\ntarget: my\nreplicate: {t: {mode: full}}\n", encoding="utf-8")
    hijacking = Hijacking(target.url, file)
    command = Command(tmp_path, VITRINA_CONN_PG=source.url, VITRINA_CONN_MY=hijacking.url)
    try:
        done = command("replicate", "spec.yaml", code=1)
    finally:
        hijacking.close()
    assert hijacking.asked >= 2
    assert b"rowrowrow" in hijacking.heard
    assert SECRET.encode() not in hijacking.heard
    assert "500" not in done.stdout or "failed" in done.stdout

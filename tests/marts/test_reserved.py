"""Words that are no names: what is said without a server is what the servers say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pymysql
import pytest

from framework.diagnostics import Severity
from framework.marts.functions import MARIADB, reserved, reserved_names
from framework.marts.query import QueryInvalid, parse
from tests.services import Server
from tests.services.login import connect

PLACES = {
    "column": "SELECT a, {0} FROM (SELECT 1 AS a, 1 AS `{0}`) t",
    "condition": "SELECT 1 FROM (SELECT 1 AS `{0}`) t WHERE {0} = 1",
    "joined": "SELECT 1 FROM (SELECT 1 AS `{0}`) a JOIN (SELECT 1 AS `{0}`) b USING ({0})",
    "alias": "SELECT 1 AS {0}",
    "table": "WITH `{0}` AS (SELECT 1 AS a) SELECT 1 FROM {0}",
    "table's alias": "SELECT 1 FROM (SELECT 1 AS a) {0}",
    "with": "WITH {0} AS (SELECT 1 AS a) SELECT 1 FROM `{0}`",
    "its column": "WITH x({0}) AS (SELECT 1) SELECT 1 FROM x",
    "star": "SELECT {0}.* FROM (SELECT 1 AS a) `{0}`",
    "behind a dot": "SELECT t.{0} FROM (SELECT 1 AS `{0}`) t",
}
_VALUES = ("FALSE", "NULL", "TRUE", "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "CURRENT_USER")
_MORE = ("LOCALTIME", "LOCALTIMESTAMP")
UNSEEN = {
    *(("table's alias", word) for word in ("AS", "FETCH", "TABLESAMPLE")),
    *((place, word) for word in (*_VALUES, *_MORE) for place in ("joined", "star")),
    *(("column", word) for word in ("AS", "EXCEPT", "FETCH", "FROM", "INTERSECT", "INTO", "JOIN", "LATERAL", "UNION")),
    ("table", "SELECT"),
}
"""Words that the parser takes for syntax, and the server for nonsense."""


@pytest.fixture(scope="module")
def cursors(mysql_server: Server, mariadb_server: Server) -> Iterator[dict[str, Any]]:
    with closing(connect(mysql_server.url)) as mysql, closing(connect(mariadb_server.url)) as mariadb:
        yield {"mysql": mysql.cursor(), "mariadb": mariadb.cursor()}


def test_the_list_is_the_server_s(cursors: dict[str, Any]) -> None:
    cursors["mysql"].execute("SELECT word FROM information_schema.keywords WHERE reserved = 1")
    assert {str(word) for (word,) in cursors["mysql"].fetchall()} == reserved()


def test_mariadb_keeps_no_other_words_for_itself(cursors: dict[str, Any]) -> None:
    cursors["mariadb"].execute("SELECT word FROM information_schema.keywords")
    words = {str(word).upper() for (word,) in cursors["mariadb"].fetchall() if str(word).replace("_", "").isalnum()}
    assert {word for word in words - reserved() if _refused(cursors["mariadb"], PLACES["alias"], word)} == MARIADB


@pytest.mark.parametrize("place", PLACES)
def test_what_the_servers_refuse_is_said_before(cursors: dict[str, Any], place: str) -> None:
    wrong = {word for word in reserved() | MARIADB if _found(PLACES[place], word) is not Severity.ERROR}
    assert {(place, word) for word in wrong if _refused(cursors["mysql"], PLACES[place], word)} <= UNSEEN
    unsaid = {word for word in MARIADB if _found(PLACES[place], word) is None}
    assert {word for word in unsaid if _refused(cursors["mariadb"], PLACES[place], word)} == set()


@pytest.mark.parametrize("place", PLACES)
def test_names_that_are_words_are_taken_where_the_server_takes_them(cursors: dict[str, Any], place: str) -> None:
    said = {word for word in reserved() | {"STATUS", "DATE", "NAME"} if _found(PLACES[place], word, parsed=True)}
    assert {word for word in said if not _refused(cursors["mysql"], PLACES[place], word)} == set()


def _found(query: str, word: str, *, parsed: bool = False) -> Severity | None:
    """The worst that is said of it; with `parsed`, nothing of what is no SQL for the parser."""
    text = query.format(word.lower())
    try:
        return max((each.severity for each in reserved_names(parse(text), text, ())), default=None, key=_WORSE.index)
    except QueryInvalid:
        return None if parsed else Severity.ERROR


_WORSE = [Severity.HINT, Severity.WARNING, Severity.ERROR]


def _refused(cursor: Any, query: str, word: str) -> bool:
    try:
        cursor.execute(query.format(word.lower()))
    except pymysql.MySQLError:
        return True
    cursor.fetchall()
    return False

"""ONLY_FULL_GROUP_BY and the functions of MySQL: what is said without a server is what the server says."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pymysql
import pytest

from framework.diagnostics import Severity
from framework.marts.analysis import Tables, analyse
from framework.marts.functions import GONE, known
from framework.spec.marts import Mart
from tests.services import Server
from tests.services.databases import TargetDatabase

KNOWN = Tables(
    columns={
        "orders": ("id", "customer_id", "status", "amount", "created_at"),
        "customers": ("id", "country", "name"),
        "lines": ("order_id", "place", "price"),
        "loose": ("a", "b"),
    },
    keys={"orders": ("id",), "customers": ("id",), "lines": ("order_id", "place"), "loose": ()},
)
TABLES = (
    "CREATE TABLE orders (id BIGINT PRIMARY KEY, customer_id BIGINT, status VARCHAR(9), amount INT, created_at DATE)",
    "CREATE TABLE customers (id BIGINT PRIMARY KEY, country CHAR(2), name VARCHAR(40))",
    "CREATE TABLE lines_ (order_id BIGINT, place INT, price DECIMAL(9,2), PRIMARY KEY (order_id, place))",
    "CREATE TABLE loose (a INT, b INT)",
)
RIGHT = (
    "SELECT DATE(o.created_at) AS day, COUNT(*) AS n FROM orders o GROUP BY DATE(created_at)",
    "SELECT date(Created_At) AS day, COUNT(*) AS n FROM orders GROUP BY DATE(created_at)",
    "SELECT YEAR(o.created_at) AS y FROM orders o GROUP BY YEAR(o.created_at) ORDER BY YEAR(created_at) LIMIT 4",
    "SELECT id, LAST_VALUE(status) RESPECT NULLS OVER (ORDER BY id) AS s FROM orders",
    "SELECT UTC_TIMESTAMP AS at, id FROM orders",
    "SELECT CAST(amount AS SIGNED) AS a, CAST(id AS CHAR(20)) AS b, CAST(amount AS DECIMAL(9,2)) AS c FROM orders",
    "SELECT status, COUNT(*) AS n FROM orders GROUP BY status",
    "SELECT status AS s, COUNT(*) AS n FROM orders GROUP BY s",
    "SELECT DATE(created_at) AS day, SUM(amount) AS x FROM orders GROUP BY 1",
    "SELECT DATE(created_at) AS day, SUM(amount) AS x FROM orders GROUP BY DATE(created_at)",
    "SELECT id, status, amount FROM orders GROUP BY id",
    "SELECT o.id, o.status, COUNT(*) AS n FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY o.id",
    "SELECT o.id, c.country FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY o.id",
    "SELECT o.id, c.country FROM orders o LEFT JOIN customers c ON c.id = o.customer_id GROUP BY o.id",
    "SELECT c.name, COUNT(*) AS n FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY c.id",
    "SELECT c.name, COUNT(*) AS n FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY o.customer_id",
    "SELECT status, COUNT(*) AS n FROM orders WHERE status = 'new'",
    "SELECT status, COUNT(*) AS n, customer_id FROM orders WHERE status = 'new' GROUP BY customer_id",
    "SELECT COUNT(*) AS n FROM orders",
    "SELECT COUNT(*) AS n FROM orders HAVING n > 1",
    "SELECT status FROM orders GROUP BY status HAVING COUNT(*) > 1 ORDER BY COUNT(*) DESC",
    "SELECT status, ANY_VALUE(amount) AS a FROM orders GROUP BY status",
    "SELECT status, GROUP_CONCAT(id) AS a FROM orders GROUP BY status",
    "SELECT status, JSON_ARRAYAGG(id) AS a FROM orders GROUP BY status",
    "SELECT UPPER(status) AS u, COUNT(*) AS n FROM orders GROUP BY status",
    "SELECT status, SUM(SUM(amount)) OVER () AS total FROM orders GROUP BY status",
    "SELECT id, ROW_NUMBER() OVER (ORDER BY amount) AS place FROM orders",
    "SELECT id, SUM(amount) OVER (PARTITION BY status) AS s FROM orders",
    "SELECT status, (SELECT COUNT(*) FROM customers) AS c FROM orders GROUP BY status",
    "SELECT q.status, COUNT(*) AS n FROM (SELECT status FROM orders) q GROUP BY q.status",
    "WITH d AS (SELECT customer_id AS c, SUM(amount) AS x FROM orders GROUP BY customer_id) SELECT SUM(x) AS x FROM d",
    "SELECT DISTINCT status FROM orders",
    "SELECT l.price, COUNT(*) AS n FROM lines_ l GROUP BY l.order_id, l.place",
    "SELECT status, COUNT(*) AS n FROM orders GROUP BY status WITH ROLLUP",
    "SELECT 1 AS one, COUNT(*) AS n FROM orders",
    "SELECT CASE WHEN status = 'new' THEN 1 ELSE 0 END AS is_new, COUNT(*) AS n FROM orders GROUP BY status",
    "SELECT CASE WHEN status = 'new' THEN 1 ELSE 0 END AS is_new, COUNT(*) AS n FROM orders GROUP BY is_new",
    "SELECT YEAR(created_at) AS y, COUNT(*) AS n FROM orders GROUP BY YEAR(created_at) ORDER BY YEAR(created_at)",
)
WRONG = (
    "SELECT id, amount AS rank FROM orders",
    "SELECT id, amount AS `rank`, status AS system FROM orders",
    "SELECT groups.id FROM orders groups",
    "SELECT id FROM orders WHERE id IN (SELECT id FROM customers ORDER BY id LIMIT 5)",
    "SELECT YEAR(created_at) * 100 + MONTH(created_at) AS m FROM orders GROUP BY YEAR(created_at), MONTH(created_at)",
    "SELECT id, status FROM orders GROUP BY id, customer_id WITH ROLLUP",
    "SELECT CAST(amount AS INT) AS a FROM orders",
    "SELECT CAST(id AS VARCHAR(20)) AS a FROM orders",
    "SELECT o.id FROM orders o FULL JOIN customers c ON c.id = o.customer_id",
    "SELECT o.id FROM orders o LEFT JOIN customers c",
    "SELECT id FROM (SELECT id FROM orders)",
    "SELECT id FROM orders UNION SELECT id, name FROM customers",
    "SELECT id FROM orders ORDER BY 4",
    "SELECT id FROM orders FETCH FIRST 5 ROWS ONLY",
    "SELECT id::int AS i FROM orders",
    "SELECT id FROM orders WHERE status ILIKE 'n%'",
    "SELECT status, amount, COUNT(*) AS n FROM orders GROUP BY status",
    "SELECT status, COUNT(*) AS n FROM orders",
    "SELECT created_at, COUNT(*) AS n FROM orders GROUP BY DATE(created_at)",
    "SELECT HOUR(created_at) AS h, COUNT(*) AS n FROM orders GROUP BY DATE(created_at)",
    "SELECT o.status, c.name, COUNT(*) AS n FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY o.status",
    "SELECT c.country, c.name, COUNT(*) AS n FROM customers c GROUP BY c.country",
    "SELECT status FROM orders GROUP BY status HAVING amount > 1",
    "SELECT status FROM orders GROUP BY status ORDER BY amount",
    "SELECT l.price, COUNT(*) AS n FROM lines_ l GROUP BY l.order_id",
    "SELECT a, b FROM loose GROUP BY a",
    "SELECT status, amount + COUNT(*) AS x FROM orders GROUP BY status",
    "SELECT status, SUM(amount) OVER () AS total FROM orders GROUP BY status",
    "SELECT q.a, q.b FROM (SELECT a, b FROM loose) q GROUP BY q.a",
    "SELECT id FROM orders WHERE SUM(amount) > 5",
    "SELECT o.id FROM orders o JOIN customers c ON COUNT(*) = c.id",
    "SELECT status, NVL(amount, 0) AS x FROM orders",
    "SELECT DATE_TRUNC('month', created_at) AS m FROM orders",
    "SELECT STRING_AGG(status, ',') AS s FROM orders",
    "SELECT o.id, c.id FROM orders o JOIN customers c ON c.id = o.customer_id",
    "SELECT id FROM orders o JOIN customers c ON c.id = o.customer_id",
    "SELECT nope FROM orders",
    "SELECT id FROM nowhere",
    "SELECT id FROM orders; SELECT 1",
    "DELETE FROM orders",
    "SELECT id FROM orders WHERE",
)
MORE_CAREFUL = "SELECT q.a, q.b FROM (SELECT a, b FROM loose) q GROUP BY q.a"
"""What follows from the columns of an inner query is left to the server."""


def errors(query: str) -> list[str]:
    tables = Tables(
        columns={**KNOWN.columns, "lines_": KNOWN.columns["lines"]}, keys={**KNOWN.keys, "lines_": KNOWN.keys["lines"]}
    )
    findings = analyse("m", Mart.model_validate({"query": query}), tables).findings
    return [finding.message for finding in findings if finding.severity is Severity.ERROR]


@pytest.fixture(scope="module")
def mysql(mysql_server: Server) -> Any:
    """A database with the tables, and the settings of our sessions."""
    database = TargetDatabase(mysql_server)
    try:
        for statement in TABLES:
            database.execute(statement)
        yield database
    finally:
        database.drop()


def refusal(database: TargetDatabase, query: str) -> str | None:
    """What the server says against a query as a mart; None if it takes it."""
    with closing(database.connect()) as connection, connection.cursor() as cursor:
        try:
            cursor.execute(f"CREATE TABLE m AS {query}")
        except pymysql.MySQLError as error:
            return str(error)
        finally:
            cursor.execute("DROP TABLE IF EXISTS m")
    return None


@pytest.mark.parametrize("query", RIGHT)
def test_the_server_takes_what_is_right(mysql: TargetDatabase, query: str):
    assert errors(query) == []
    assert refusal(mysql, query) is None


@pytest.mark.parametrize("query", WRONG)
def test_the_server_refuses_what_is_wrong(mysql: TargetDatabase, query: str):
    if query != MORE_CAREFUL:
        assert errors(query) != []
    assert refusal(mysql, query) is not None


def test_every_function_of_the_list_is_one(mysql: TargetDatabase):
    unknown = [name for name in sorted(known()) if "1305" in str(refusal_of_function(mysql, name))]
    assert set(unknown) <= GONE


def test_every_function_of_the_manual_is_in_the_list(mysql: TargetDatabase, mysql_server: Server):
    topics = mysql.rows("SELECT name FROM mysql.help_topic") if _may_read_help(mysql) else []
    names = {str(name).upper().removesuffix("()") for (name,) in topics if str(name).replace("_", "").isalnum()}
    missing = [name for name in sorted(names - known()) if "1582" in str(refusal_of_function(mysql, name))]
    assert [name for name in missing if not name.startswith(("INTERNAL_", "CAN_ACCESS_", "GET_DD_"))] == []


def refusal_of_function(database: TargetDatabase, name: str) -> str | None:
    with closing(database.connect()) as connection, connection.cursor() as cursor:
        try:
            cursor.execute(f"SELECT {name}()")
        except pymysql.MySQLError as error:
            return str(error)
    return None


def _may_read_help(database: TargetDatabase) -> bool:
    try:
        return bool(database.rows("SELECT 1 FROM mysql.help_topic LIMIT 1"))
    except pymysql.MySQLError:
        return False

"""Mistakes in marts that are found without a database."""

from __future__ import annotations

from typing import Any

import pytest

from framework.diagnostics import Severity
from framework.marts.analysis import Tables, analyse, analyse_all
from framework.marts.query import Finding
from framework.spec.marts import Mart

KNOWN = Tables(
    columns={
        "orders": ("id", "customer_id", "amount", "created_at"),
        "customers": ("id", "country"),
        "dark": (),
    },
    keys={"orders": ("id",), "customers": ("id",), "dark": None},
    families={"orders": {"id": "number", "amount": "number", "created_at": "moment"}, "customers": {"country": "text"}},
    marts=frozenset({"earlier"}),
)


def findings(query: str, name: str = "mart", **said: Any) -> list[Finding]:
    """The mistakes; hints are left out."""
    found = analyse(name, Mart.model_validate({"query": query, **said}), KNOWN).findings
    return [finding for finding in found if finding.severity is not Severity.HINT]


def incremental(query: str, partition: str = "day") -> list[Finding]:
    return findings(query, materialize={"incremental": {"partition": partition}})


def refers_to(table: str, column: str) -> dict[str, Any]:
    return {"relationship": {"id": {"table": table, "column": column}}}


@pytest.mark.parametrize(
    "query",
    [
        "SELECT o.id, country, AMOUNT AS a FROM orders o JOIN customers c ON c.id = o.customer_id ORDER BY a, o.amount",
        "SELECT country AS k, COUNT(*) AS n FROM customers GROUP BY k HAVING n > 1 ORDER BY n DESC, k",
        "SELECT anything, d.more FROM orders o JOIN dark d ON d.x = o.id",
        "SELECT id, country FROM orders JOIN customers USING (id)",
        "WITH t AS (SELECT id AS x FROM orders) SELECT x, (SELECT COUNT(*) FROM customers WHERE id = x) AS n FROM t",
        "SELECT q.p FROM (SELECT id AS p FROM orders) q WHERE EXISTS (SELECT 1 FROM customers c WHERE c.id = q.p)",
        "WITH t (a, b) AS (SELECT id, amount FROM orders) SELECT a + b AS c FROM t",
        "SELECT * FROM orders",
        "SELECT id FROM orders UNION ALL SELECT id FROM customers",
        "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 9) SELECT i FROM n",
        "SELECT id, ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY amount) AS place FROM orders",
        "SELECT t.id FROM orders t JOIN JSON_TABLE('[1]', '$[*]' COLUMNS (v INT PATH '$')) j ON j.v = t.id",
        "SELECT o.id FROM orders o, LATERAL (SELECT MAX(c.id) AS m FROM customers c WHERE c.id = o.customer_id) x",
    ],
)
def test_nothing_wrong(query: str) -> None:
    assert findings(query) == []


WRONG = [
    ("SELECT\n  o.amuont AS a FROM orders o", "sql-unknown-column", "table 'orders' has no column 'amuont'", (2, 5)),
    ("SELECT nope AS a\nFROM orders", "sql-unknown-column", "no table of this query has a column 'nope'", (1, 8)),
    ("SELECT o.id FROM order_s o", "sql-unknown-table", "there is no replicated table and no mart 'order_s'", (1, 18)),
    ("SELECT z.id AS a FROM orders o", "sql-unknown-table", "'z' is no table of this query", (1, 8)),
    ("SELECT id FROM orders JOIN customers ON TRUE", "sql-ambiguous-column", "orders and customers have it", (1, 8)),
    ("SELECT t.y FROM (SELECT id AS x FROM orders) t", "sql-unknown-column", "'t' has no column 'y'", (1, 10)),
    ("SELECT id FROM orders WHERE id IN (SELECT zz FROM customers c)", "sql-unknown-column", "'zz'", (1, 43)),
    ("SELECT id FROM orders UNION SELECT nope FROM customers", "sql-unknown-column", "'nope'", (1, 36)),
    ("SELECT COUNT(*) FROM orders", "mart-columns", "column 1 of the result has no name", (1, 8)),
    ("SELECT id, amount AS ID FROM orders", "mart-columns", "two columns of the result are called 'ID'", (1, 12)),
    ("SELECT * FROM orders o JOIN customers c ON c.id = o.id", "mart-columns", "are called 'id'", (1, 1)),
    ("SELECT * FROM mart", "mart-circle", "the mart 'mart' reads itself", (1, 15)),
    ("SELECT o.id FROM shop.orders o", "sql-unknown-table", "'shop.orders'", (1, 18)),
]


@pytest.mark.parametrize(("query", "rule", "message", "place"), WRONG)
def test_mistakes_in_the_query(query: str, rule: str, message: str, place: tuple[int, int]) -> None:
    (found,) = findings(query)
    assert (found.rule, found.key) == (rule, ("query",))
    assert message in found.message
    assert (found.line, found.column) == place


def test_suggestions_name_what_was_meant() -> None:
    assert findings("SELECT o.amuont AS a FROM orders o")[0].suggestion == "did you mean 'amount'?"
    assert findings("SELECT 1 AS a FROM order_s")[0].suggestion == "did you mean 'orders'?"
    assert findings("SELECT nope FROM customers")[0].suggestion == "use one of: country, id"


@pytest.mark.parametrize(
    ("checks", "key", "message"),
    [
        ({"unique": ["id", "idd"]}, ("checks", 0, "unique", 1), "the query has no column 'idd'"),
        ({"between": {"n": {"min": 1}, "m": {"min": 1}}}, ("checks", 0, "between", "m"), "no column 'm'"),
        ({"accepted": {"m": [1]}}, ("checks", 0, "accepted", "m"), "no column 'm'"),
        ({"empty": "SELECT nn FROM mart"}, ("checks", 0, "empty"), "'nn'"),
        ({"empty": "DELETE FROM mart"}, ("checks", 0, "empty"), "DELETE is no query"),
    ],
)
def test_mistakes_in_checks(checks: object, key: tuple[object, ...], message: str) -> None:
    (found,) = findings("SELECT id, COUNT(*) AS n FROM orders GROUP BY 1", checks=[checks])
    assert found.key == key
    assert message in found.message


def test_checks_on_the_mart_itself_are_fine() -> None:
    checks = [
        {"empty": "SELECT n FROM mart WHERE id IN (SELECT id FROM orders)"},
        {"relationship": {"id": {"table": "mart", "column": "n"}}},
    ]
    assert findings("SELECT id, COUNT(*) AS n FROM orders GROUP BY 1", checks=checks) == []


def test_mistakes_in_indexes() -> None:
    (found,) = findings("SELECT id FROM orders", indexes=[["id"], ["idd"]])
    assert found.key == ("indexes", 1, 0)
    (found,) = findings("SELECT id FROM orders", indexes=[["id"]], materialize="view")
    assert found.message == "a view has no indexes"


@pytest.mark.parametrize(
    "query",
    [
        "SELECT DATE(created_at) AS day, COUNT(*) AS n FROM orders GROUP BY 1",
        "SELECT DATE(created_at) AS day, COUNT(*) AS n FROM orders GROUP BY day ORDER BY n",
        "SELECT DATE(o.x) AS day, c.id, COUNT(*) AS n FROM dark o LEFT JOIN customers c ON c.id = o.y GROUP BY 2, 1",
        "SELECT id, DATE(created_at) AS day FROM orders WHERE amount > 1",
        "SELECT id, DATE(created_at) AS day, SUM(amount) OVER (PARTITION BY DATE(created_at), id) AS s FROM orders",
        "SELECT DISTINCT created_at AS day FROM orders",
        "SELECT DATE(created_at) AS Day, UNIX_TIMESTAMP(MAX(created_at)) AS u FROM orders GROUP BY day",
    ],
)
def test_what_may_be_incremental(query: str) -> None:
    assert incremental(query) == []


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("WITH t AS (SELECT created_at FROM orders) SELECT created_at AS day FROM t", "one SELECT over tables"),
        ("SELECT created_at AS day FROM orders UNION SELECT created_at FROM orders", "one SELECT over tables"),
        ("SELECT created_at AS day FROM (SELECT created_at FROM orders) t", "by subqueries"),
        ("SELECT created_at AS day FROM orders WHERE id IN (SELECT id FROM customers)", "by subqueries"),
        ("SELECT created_at AS day FROM orders LIMIT 5", "cannot have LIMIT"),
        ("SELECT created_at AS day FROM orders WHERE created_at > NOW()", "NOW() changes the mart"),
        ("SELECT created_at AS day FROM orders WHERE created_at > CURDATE()", "changes the mart"),
        ("SELECT created_at AS day, UNIX_TIMESTAMP() AS u FROM orders", "changes the mart"),
        ("SELECT created_at AS day, RAND() AS u FROM orders", "changes the mart"),
        ("SELECT o.created_at AS day FROM customers c RIGHT JOIN orders o ON c.id = o.id", "JOIN or LEFT JOIN only"),
        ("SELECT o.created_at AS day FROM customers c JOIN orders o ON c.id = o.id", "the first table of FROM, 'c'"),
        ("SELECT o.created_at AS day FROM orders o JOIN customers c USING (id)", "does not say how its rows belong"),
        ("SELECT o.created_at AS day FROM orders o, customers c WHERE c.id = o.id", "does not say how its rows belong"),
        ("SELECT created_at AS day FROM orders o JOIN customers c ON c.id = o.id", "must say whose it is"),
        ("SELECT o.created_at AS day FROM orders o JOIN customers c ON c.id = customer_id", "must say whose it is"),
        ("SELECT CONCAT(o.id, c.country) AS day FROM orders o JOIN customers c ON c.id = o.id", "from the first table"),
        ("SELECT 1 AS day, id FROM orders", "computed from columns of one row"),
        ("SELECT MAX(created_at) AS day FROM orders", "computed from columns of one row"),
        ("SELECT id FROM orders", "the query has no column 'day'"),
        ("SELECT DATE(created_at) AS day, customer_id FROM orders GROUP BY customer_id", "must be among GROUP BY"),
        ("SELECT DATE(created_at) AS day, COUNT(*) AS n FROM orders", "must be among GROUP BY"),
        ("SELECT DATE(created_at) AS day, COUNT(*) AS n FROM orders GROUP BY day WITH ROLLUP", "ROLLUP"),
        ("SELECT created_at AS day, ROW_NUMBER() OVER (ORDER BY id) AS n FROM orders", "must not span partitions"),
    ],
)
def test_what_may_not_be_incremental(query: str, message: str) -> None:
    found = incremental(query)
    assert any(message in finding.message for finding in found), found


def test_marts_hand_their_columns_on() -> None:
    queries = {
        "last": "SELECT month, revenu FROM monthly",
        "monthly": "SELECT DATE_FORMAT(created_at, '%Y-%m') AS month, SUM(amount) AS revenue FROM orders GROUP BY 1",
        "broken": "SELECT FROM",
        "after": "SELECT anything FROM broken",
        "a": "SELECT x FROM b",
        "b": "SELECT x FROM a",
        "by_month": "SELECT m.month FROM monthly m",
    }
    marts = {name: Mart.model_validate({"query": query}) for name, query in queries.items()}
    marts["by_month"] = Mart.model_validate(
        {"query": queries["by_month"], "materialize": {"incremental": {"partition": "month"}}}
    )
    found = analyse_all(marts, KNOWN)
    rules = {name: [finding.rule for finding in some] for name, some in found.items()}
    assert rules.pop("a", []) + rules.pop("b", []) == ["mart-circle"]
    assert rules == {"last": ["sql-unknown-column"], "broken": ["sql-syntax"], "by_month": ["mart-partition"]}
    assert found["last"][0].suggestion == "did you mean 'revenue'?"


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("SELECT id, note FROM noted", True),
        ("SELECT n.note FROM (SELECT note FROM noted) n", True),
        ("SELECT GROUP_CONCAT(id) AS note FROM noted", True),
        ("SELECT LEFT(note, 9) AS note FROM noted", False),
        ("SELECT id AS note FROM noted", False),
    ],
)
def test_long_texts_in_indexes(query: str, told: bool) -> None:
    known = Tables(columns={"noted": ("id", "note")}, keys={"noted": ("id",)}, long={"noted": frozenset({"note"})})
    mart = Mart.model_validate({"query": query, "indexes": [["note"]]})
    rules = [finding.rule for finding in analyse("m", mart, known).findings]
    assert ("mart-indexes" in rules) == told

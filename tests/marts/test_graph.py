"""What the SQL of marts says about tables and order."""

from __future__ import annotations

import pytest

from framework.errors import UsageError
from framework.marts import graph
from framework.marts.query import QueryInvalid, without_semicolon
from framework.spec.marts import Mart


def marts(**queries: str) -> dict[str, Mart]:
    return {name: Mart.model_validate({"query": query}) for name, query in queries.items()}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT 1 AS x", ()),
        ("SELECT * FROM b JOIN a ON a.id = b.id JOIN b b2 ON TRUE", ("b", "a")),
        ("WITH x AS (SELECT * FROM a), y AS (SELECT * FROM x) SELECT * FROM y", ("a",)),
        ("WITH a AS (SELECT * FROM a) SELECT * FROM a", ("a",)),
        (
            "SELECT * FROM (SELECT * FROM a) t WHERE EXISTS (SELECT 1 FROM b WHERE b.x = (SELECT MAX(y) FROM c))",
            ("a", "b", "c"),
        ),
        ("SELECT x FROM a UNION ALL SELECT x FROM `b c` ORDER BY 1", ("a", "b c")),
        ("SELECT * FROM other.a", ("other.a",)),
        ("(SELECT * FROM a);  -- done", ("a",)),
    ],
)
def test_reads(query: str, expected: tuple[str, ...]) -> None:
    assert graph.reads(query) == expected


def test_order_comes_from_the_queries() -> None:
    found = marts(
        c="SELECT * FROM b JOIN t ON TRUE",
        b="WITH x AS (SELECT * FROM a) SELECT * FROM x",
        a="SELECT * FROM t",
        z="SELECT 1",
    )
    order = graph.ordered(found)
    assert sorted(order) == ["a", "b", "c", "z"]
    assert order.index("a") < order.index("b") < order.index("c")


def test_a_circle_has_no_order() -> None:
    with pytest.raises(UsageError, match=r"circle: (a -> b -> c -> a|b -> c -> a -> b|c -> a -> b -> c)"):
        graph.ordered(marts(a="SELECT * FROM b", b="SELECT * FROM c", c="SELECT * FROM a"))


@pytest.mark.parametrize(
    ("query", "message", "place"),
    [
        ("SELECT a,\n b FROM t WHERE (", "something is missing behind", (2, 17)),
        ("SELECT a\nFRM b c d", "'b' is not expected here", (2, 5)),
        ("SELECT FROM", "Expected table name", (1, 8)),
        ("DELETE FROM t", "DELETE is no query", (1, 1)),
        ("SELECT 1; SELECT 2", "one query is needed here, not 2", (1, 1)),
        ("", "one query is needed here, not 0", (1, 1)),
        ("SELECT 'x", "is not closed", (1, 8)),
    ],
)
def test_what_is_no_query(query: str, message: str, place: tuple[int, int]) -> None:
    with pytest.raises(QueryInvalid, match=message) as error:
        graph.reads(query)
    assert (error.value.finding.line, error.value.finding.column) == place
    assert "Token" not in error.value.fact


def test_a_query_without_its_semicolon() -> None:
    assert without_semicolon("SELECT ';' AS a -- x;\n ; -- end\n") == "SELECT ';' AS a -- x;"
    assert without_semicolon("SELECT 1\n") == "SELECT 1"

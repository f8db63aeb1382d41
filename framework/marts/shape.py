"""What a query says that its author can hardly mean, or that MySQL refuses whatever the tables are."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot import TokenType, exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from framework.diagnostics import Severity
from framework.marts.aggregates import is_aggregate, within_query
from framework.marts.query import Finding, line_and_column, position, tokens_of

Key = tuple[str | int, ...]


def shape_findings(query: exp.Query, text: str, key: Key) -> Iterator[Finding]:
    """Aggregates where none may stand, joins of everything with everything, limits without an order."""
    yield from _foreign_syntax(text, key)
    yield from _foreign_casts(query, text, key)
    yield from _unfit_parts(query, text, key)
    for scope in traverse_scope(query):
        if isinstance(scope.expression, exp.Select):
            yield from _aggregates_in_rows(scope.expression, text, key)
            yield from _cartesian_joins(scope, text, key)
        yield from _limit_without_order(scope.expression, text, key)


def _foreign_syntax(text: str, key: Key) -> Iterator[Finding]:
    """What other databases write, and the parser reads, too."""
    tokens = tokens_of(text)
    for token, behind in zip(tokens, [*tokens[1:], None], strict=True):
        said = _FOREIGN.get(token.token_type)
        if token.token_type is TokenType.DISTINCT and behind is not None and behind.token_type is TokenType.ON:
            said = "use ROW_NUMBER() OVER (PARTITION BY ...) and keep the first"
        if said is not None:
            line, column = line_and_column(text, token.start)
            severity = Severity.WARNING if token.token_type is TokenType.DPIPE else Severity.ERROR
            means = "means OR in MySQL" if severity is Severity.WARNING else "is not known to MySQL"
            word = "DISTINCT ON" if token.token_type is TokenType.DISTINCT else token.text.upper()
            yield Finding("sql-foreign-syntax", f"`{word}` {means}", said, key, line, column, severity)


def _foreign_casts(query: exp.Query, text: str, key: Key) -> Iterator[Finding]:
    """Types that CAST of MySQL does not take."""
    for match in _CAST.finditer(_without_strings(text)):
        word = match["type"].upper()
        if word in _CAST_TYPES:
            line, column = line_and_column(text, match.start("type"))
            fact = f"CAST of MySQL knows no type {word}"
            yield Finding("sql-foreign-syntax", fact, f"write {_CAST_TYPES[word]}", key, line, column)
    for join in query.find_all(exp.Join):
        if join.side.upper() == "FULL":
            fact, advice = "FULL JOIN is not known to MySQL", "write a LEFT JOIN and a RIGHT JOIN with UNION"
            yield _finding("sql-foreign-syntax", fact, advice, text, join.this, key)


_CAST = re.compile(r"\bAS\s+(?P<type>[A-Za-z]+)\s*(?:\(\s*\d+(?:\s*,\s*\d+)?\s*\))?\s*\)", re.IGNORECASE)
_CAST_TYPES = {
    **dict.fromkeys(("INT", "INTEGER", "BIGINT", "SMALLINT", "INT4", "INT8"), "SIGNED"),
    **dict.fromkeys(("VARCHAR", "TEXT", "STRING"), "CHAR"),
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMPTZ"), "DATETIME"),
    **dict.fromkeys(("BOOLEAN", "BOOL"), "SIGNED"),
    "NUMERIC": "DECIMAL",
}
"""Types of other databases, and what CAST calls them."""


def _without_strings(text: str) -> str:
    """The text with blanks in place of what stands in quotes."""
    return re.sub(r"'(?:[^'\\]|\\.|'')*'|\"[^\"]*\"", lambda match: " " * len(match[0]), text)


def _unfit_parts(query: exp.Query, text: str, key: Key) -> Iterator[Finding]:
    """Parts of a query that do not go together."""
    for union in query.find_all(exp.SetOperation):
        left, right = (_width(side) for side in (union.this, union.expression))
        if left is not None and right is not None and left != right:
            fact = f"the parts of a UNION have {left} and {right} columns"
            yield _finding("sql-syntax", fact, "give them the same columns", text, union.expression, key)
    for derived in query.find_all(exp.Subquery):
        if isinstance(derived.parent, exp.From | exp.Join) and not derived.alias:
            fact, advice = "an inner query in FROM needs a name in MySQL", "write (SELECT ...) AS name"
            yield _finding("sql-syntax", fact, advice, text, derived, key)
    for within in query.find_all(exp.In):
        inner = within.args.get("query")
        inner = inner.unnest() if isinstance(inner, exp.Subquery) else inner
        if isinstance(inner, exp.Query) and inner.args.get("limit") is not None:
            fact, advice = "MySQL takes no LIMIT within IN (SELECT ...)", "join with the inner query instead"
            yield _finding("sql-syntax", fact, advice, text, inner, key)
    for order in query.find_all(exp.Order):
        owner = order.parent
        count = _width(owner) if isinstance(owner, exp.Query) else None
        for item in order.expressions:
            place = item.this if isinstance(item, exp.Ordered) else item
            if count is not None and isinstance(place, exp.Literal) and place.is_int and int(place.name) > count:
                fact = f"ORDER BY {place.name} means column {place.name}, and there are {count}"
                yield _finding("sql-syntax", fact, "name a column of the result", text, place, key)


def _width(query: exp.Expr) -> int | None:
    """How many columns a query has; None if a star hides it."""
    if isinstance(query, exp.SetOperation):
        return _width(query.this)
    query = query.unnest() if isinstance(query, exp.Subquery) else query
    if not isinstance(query, exp.Select) or any(item.is_star for item in query.selects):
        return None
    return len(query.selects)


_FOREIGN = {
    TokenType.DCOLON: "write CAST(value AS type)",
    TokenType.ILIKE: "write LOWER(a) LIKE LOWER(b)",
    TokenType.QUALIFY: "filter in a query around this one",
    TokenType.DPIPE: "write CONCAT(a, b)",
}
"""Tokens that MySQL has not, or means otherwise, and what to write."""


def useless_order(query: exp.Query, text: str, key: Key) -> Iterator[Finding]:
    """A table has no order: ORDER BY without LIMIT is for whoever reads it."""
    order = query.args.get("order")
    if order is not None and query.args.get("limit") is None:
        fact = "the rows of a table have no order, whatever ORDER BY says"
        advice = "remove it, and order where the mart is read"
        yield _finding("useless-order", fact, advice, text, order, key, Severity.HINT)


def _aggregates_in_rows(select: exp.Select, text: str, key: Key) -> Iterator[Finding]:
    conditions = [select.args.get("where"), *(join.args.get("on") for join in select.args.get("joins") or ())]
    for condition in filter(None, conditions):
        for node in within_query(condition):
            if is_aggregate(node) or isinstance(node, exp.Window):
                fact = f"{node.sql('mysql')} looks at many rows, and WHERE and ON at single ones"
                advice = "filter in a query around this one" if isinstance(node, exp.Window) else "use HAVING"
                yield _finding("sql-aggregate", fact, advice, text, node, key)
                break
    for item in select.selects:
        for node in within_query(item):
            inner = (each for each in within_query(node) if each is not node) if is_aggregate(node) else ()
            if any(is_aggregate(each) for each in inner):
                fact = f"{node.sql('mysql')} is an aggregate of an aggregate"
                yield _finding("sql-aggregate", fact, "compute the inner one in an inner query", text, node, key)
                break


def _cartesian_joins(scope: Scope, text: str, key: Key) -> Iterator[Finding]:
    """Joins without a condition, where no other condition ties the table to the others."""
    select = scope.expression
    where = select.args.get("where")
    for join in select.args.get("joins") or ():
        conditioned = join.args.get("on") or join.args.get("using") or join.method == "NATURAL"
        if not conditioned and join.side:
            fact = f"{join.side} JOIN needs ON in MySQL"
            yield _finding("sql-syntax", fact, "add ON", text, join.this, key)
            continue
        is_table = isinstance(join.this, exp.Table) and isinstance(join.this.this, exp.Identifier)
        alias = join.this.alias_or_name
        if conditioned or join.kind.upper() == "CROSS" or not is_table or _has_one_row(scope.sources.get(alias)):
            continue
        columns = list(where.find_all(exp.Column)) if where is not None else []
        if all(column.table for column in columns) and all(column.table != alias for column in columns):
            fact = f"every row of {alias!r} is joined with every other row"
            advice = "add ON, or write CROSS JOIN if that is meant"
            yield _finding("cartesian-join", fact, advice, text, join.this, key, Severity.WARNING)


def _has_one_row(source: object) -> bool:
    return isinstance(source, Scope) and _is_one_row(source.expression)


def _limit_without_order(query: exp.Expr, text: str, key: Key) -> Iterator[Finding]:
    limit = query.args.get("limit")
    if limit is None or query.args.get("order") is not None or _is_one_row(query) or not _is_read(query):
        return
    if isinstance(limit, exp.Fetch):
        fact = "`FETCH FIRST` is not known to MySQL"
        yield _finding("sql-foreign-syntax", fact, "write LIMIT", text, limit, key)
    elif limit.expression.name != "0" and key[:1] != ("checks",):
        fact = "LIMIT without ORDER BY keeps other rows each time"
        yield _finding("limit-without-order", fact, "add ORDER BY", text, limit, key, Severity.WARNING)


def _is_one_row(query: exp.Expr) -> bool:
    if not isinstance(query, exp.Select) or query.args.get("group") is not None:
        return False
    aggregated = any(is_aggregate(node) for item in query.selects for node in within_query(item))
    return query.args.get("from_") is None or aggregated


def _is_read(query: exp.Expr) -> bool:
    """Whether a query is the whole, or read as a table; recursive ones need their limit."""
    parent = query.parent
    if isinstance(parent, exp.CTE):
        return not (isinstance(parent.parent, exp.With) and parent.parent.recursive)
    return parent is None or (isinstance(parent, exp.Subquery) and isinstance(parent.parent, exp.From | exp.Join))


def _finding(
    rule: str, fact: str, advice: str, text: str, node: exp.Expr, key: Key, severity: Severity = Severity.ERROR
) -> Finding:
    line, column = position(text, node)
    return Finding(rule, fact, advice, key, line or 1, column or 1, severity)

"""What an incremental mart must look like, so that the partitions a changed row touches can be told from the row.

The mart's rows come from a root table (the first in FROM) and from tables joined to it. The partition of a row is told
by its root row alone. So whoever changes root rows knows their partitions without any join, and whoever changes rows of
a joined table finds them through that table's path to the root, which leads through tables that stand before it only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from framework.marts.query import Finding, position, table_name

KEY = ("materialize", "incremental", "partition")

_MOODS = (
    *(exp.CurrentDate, exp.CurrentTime, exp.CurrentTimestamp, exp.Localtime, exp.Localtimestamp),
    *(exp.UtcDate, exp.UtcTime, exp.UtcTimestamp, exp.Rand, exp.Uuid),
)
_MOODY_NAMES = frozenset({"NOW", "SYSDATE", "UUID_SHORT", "CONNECTION_ID"})


@dataclass(frozen=True)
class Path:
    """How one mention of a table leads to the root.

    Attributes:
        alias: the mention's name in the query.
        origin: what stands behind FROM to get from the root to it; the root alone for the root.
    """

    table: str
    alias: str
    origin: str


@dataclass(frozen=True)
class Partitioned:
    """An incremental mart's query, understood.

    Attributes:
        expression: the partition of a row, over the root's columns.
        paths: one a mention of a table; the root's is the first.
    """

    expression: str
    paths: tuple[Path, ...]


def partitioned(query: exp.Query, partition: str) -> Partitioned:
    """The query, understood; it must have no `problems`."""
    assert isinstance(query, exp.Select)
    selected = _projection(query, partition)
    assert selected is not None
    return Partitioned(selected.unalias().sql("mysql"), tuple(_paths(query)))


def problems(query: exp.Query, partition: str, text: str) -> Iterator[Finding]:
    """Why the query cannot be computed partition by partition."""
    if not isinstance(query, exp.Select) or query.args.get("with_"):
        yield _finding(text, query, "an incremental mart is one SELECT over tables, without WITH or UNION")
        return
    yield from _shape_problems(query, text)
    yield from _join_problems(query, text)
    selected = _projection(query, partition)
    if selected is None:
        names = ", ".join(name for name in query.named_selects if name)
        yield Finding("unknown-column", f"the query has no column {partition!r}", f"use one of: {names}", KEY)
        return
    yield from _expression_problems(query, selected.unalias(), text)
    yield from _grouping_problems(query, selected, partition, text)


def _shape_problems(query: exp.Select, text: str) -> Iterator[Finding]:
    nested = next((node for node in query.find_all(exp.Select, exp.SetOperation) if node is not query), None)
    if nested is not None:
        yield _finding(text, nested, "an incremental mart reads tables by joins only, not by subqueries", "use a JOIN")
    for part in ("limit", "offset"):
        if query.args.get(part):
            yield _finding(text, query.args[part], "an incremental mart cannot have LIMIT: it spans partitions")
            break
    for node in query.find_all(exp.Func):
        if _is_moody(node):
            fact = f"{node.sql('mysql')} changes the mart without any row changing; an incremental mart cannot notice"
            yield _finding(text, node, fact, "use `materialize: table`, or a view on the mart")


def _join_problems(query: exp.Select, text: str) -> Iterator[Finding]:
    origin = query.args.get("from_")
    if origin is None or not _is_table(origin.this):
        yield _finding(text, query, "an incremental mart must begin with a table: FROM table")
        return
    for join in query.args.get("joins") or ():
        if not _is_table(join.this):
            yield _finding(text, join, "an incremental mart joins tables only")
        elif join.side.upper() not in ("", "LEFT") or join.kind.upper() not in ("", "INNER", "OUTER") or join.method:
            fact = "an incremental mart joins its tables with JOIN or LEFT JOIN only"
            yield _finding(text, join, fact, "begin FROM with the table that tells the partition")
        elif join.args.get("on") is None:
            fact = f"the join of {join.this.name!r} does not say how its rows belong to the others"
            yield _finding(text, join, fact, "write JOIN ... ON")
        elif len(_mentions(query)) > 1:
            yield from _unqualified(join.args["on"], text)


def _expression_problems(query: exp.Select, expression: exp.Expr, text: str) -> Iterator[Finding]:
    mentions = _mentions(query)
    columns = list(expression.find_all(exp.Column))
    if expression.find(exp.AggFunc, exp.Window) is not None or not columns:
        fact = "the partition must be computed from columns of one row, without aggregates and windows"
        yield Finding("mart-partition", fact, "", KEY)
        return
    if len(mentions) > 1:
        unqualified = list(_unqualified(expression, text))
        yield from unqualified
        root = mentions[0].alias_or_name
        strangers = [column for column in columns if column.table and column.table != root]
        if strangers and not unqualified:
            other = strangers[0].table
            fact = f"the partition must be computed from the first table of FROM, {root!r}, not from {other!r}"
            yield _finding(text, strangers[0], fact, f"begin FROM with {other!r}")


def _grouping_problems(query: exp.Select, selected: exp.Expr, partition: str, text: str) -> Iterator[Finding]:
    group = query.args.get("group")
    expression = selected.unalias()
    if group is not None and any(group.args.get(part) for part in ("rollup", "cube", "grouping_sets", "totals")):
        yield _finding(text, group, "an incremental mart cannot have totals over partitions (ROLLUP)")
    elif group is not None:
        place = query.selects.index(selected) + 1
        if not any(_names(item, place, partition, expression) for item in group.expressions):
            yield _finding(text, group, f"the partition {partition!r} must be among GROUP BY", f"add {partition}")
    elif any(not _in_window(node) for item in query.selects for node in item.find_all(exp.AggFunc)):
        yield _finding(text, query, f"the partition {partition!r} must be among GROUP BY", f"add GROUP BY {partition}")
    for window in query.find_all(exp.Window):
        if not any(_plain(item) == _plain(expression) for item in window.args.get("partition_by") or ()):
            fact = "a window of an incremental mart must not span partitions"
            yield _finding(text, window, fact, f"add PARTITION BY {expression.sql('mysql')}")


def _paths(query: exp.Select) -> Iterator[Path]:
    root, *joined = _mentions(query)
    joins = {join.this.alias_or_name: join for join in query.args.get("joins") or ()}
    yield Path(table_name(root), root.alias_or_name, root.sql("mysql"))
    for mention in joined:
        needed = _needed(mention.alias_or_name, joins)
        steps = [join.sql("mysql").strip() for alias, join in joins.items() if alias in needed]
        yield Path(table_name(mention), mention.alias_or_name, " ".join([root.sql("mysql"), *steps]))


def _needed(alias: str, joins: dict[str, exp.Join]) -> set[str]:
    """The joined tables between the root and ``alias``, itself included."""
    needed: set[str] = set()
    open_ = [alias]
    while open_:
        name = open_.pop()
        if name in joins and name not in needed:
            needed.add(name)
            open_ += [column.table for column in joins[name].args["on"].find_all(exp.Column)]
    return needed


def _mentions(query: exp.Select) -> list[exp.Table]:
    origin = query.args.get("from_")
    joined = [join.this for join in query.args.get("joins") or ()]
    return [table for table in ([origin.this] if origin else []) + joined if isinstance(table, exp.Table)]


def _projection(query: exp.Select, name: str) -> exp.Expr | None:
    return next((item for item in query.selects if item.alias_or_name.lower() == name.lower()), None)


def _names(item: exp.Expr, place: int, partition: str, expression: exp.Expr) -> bool:
    """Whether an item of GROUP BY means the partition: by position, by name or by expression."""
    if isinstance(item, exp.Literal):
        return item.name == str(place)
    if isinstance(item, exp.Column) and not item.table and item.name.lower() == partition.lower():
        return True
    return _plain(item) == _plain(expression)


def _plain(expression: exp.Expr) -> exp.Expr:
    """Without the tables of columns, for comparison: in the partition there is only one."""
    copy = expression.copy()
    for column in copy.find_all(exp.Column):
        column.set("table", None)
    return copy


def _is_moody(node: exp.Func) -> bool:
    """Whether a function's result depends on the clock, on chance or on the session."""
    if isinstance(node, exp.Anonymous):
        name = str(node.this).upper()
        return name in _MOODY_NAMES or (name == "UNIX_TIMESTAMP" and not node.expressions)
    return isinstance(node, _MOODS)


def _in_window(node: exp.Expr) -> bool:
    return isinstance(node.parent, exp.Window) and node.arg_key == "this"


def _unqualified(expression: exp.Expr, text: str) -> Iterator[Finding]:
    for column in expression.find_all(exp.Column):
        if not column.table:
            fact = f"column {column.name!r} must say whose it is, because the mart is incremental"
            yield _finding(text, column, fact, f"write alias.{column.name}")


def _is_table(node: exp.Expr) -> bool:
    return isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier)


def _finding(text: str, node: exp.Expr, message: str, suggestion: str = "") -> Finding:
    line, column = position(text, node)
    return Finding("mart-partition", message, suggestion, ("query",), line, column)

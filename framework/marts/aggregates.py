"""Which nodes of a query are aggregates."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

_UNMODELLED = frozenset(
    {"JSON_ARRAYAGG", "JSON_OBJECTAGG", "STD", "STDDEV", "VAR_POP", "VAR_SAMP", "VARIANCE", "BIT_XOR", "ST_COLLECT"}
)
"""Aggregates that the parser may not know as such."""


def is_aggregate(node: exp.Expr) -> bool:
    """Whether a node aggregates the rows of a group, and not those of a window."""
    owner = node.parent
    while isinstance(owner, exp.RespectNulls | exp.IgnoreNulls):
        owner = owner.parent
    if isinstance(owner, exp.Window) and not any(part is node for part in owner.args.get("partition_by") or ()):
        return False
    if isinstance(node, exp.Anonymous):
        return str(node.this).upper() in _UNMODELLED
    # To MySQL, ANY_VALUE is a function of one row that nobody asks about.
    return isinstance(node, exp.AggFunc | exp.JSONArrayAgg | exp.JSONObjectAgg) and not isinstance(node, exp.AnyValue)


def within_query(part: exp.Expr) -> Iterator[exp.Expr]:
    """The nodes of a part of a query, inner queries aside."""
    return part.walk(prune=lambda node: isinstance(node, exp.Query | exp.Subquery))

"""What the columns of a query hold, as far as the query itself and the types of the tables it reads tell."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from framework.marts.columns import holds
from framework.marts.query import table_name
from framework.types import INTEGER_KINDS, TEXT_KINDS, Kind

Families = Mapping[str, str]
"""The family of each column of a table, by its name in lower case: ``number``, ``text`` or ``moment``."""

_OF_KINDS: Mapping[Kind, str] = {
    **dict.fromkeys(
        (*INTEGER_KINDS, Kind.BOOLEAN, Kind.NUMERIC, Kind.REAL, Kind.DOUBLE, Kind.MONEY, Kind.NUMBER), "number"
    ),
    **dict.fromkeys((*TEXT_KINDS, Kind.UUID, Kind.ENUM, Kind.NETWORK, Kind.TEXTUAL, Kind.TIMETZ), "text"),
    **dict.fromkeys((Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ), "moment"),
}
_NUMBERS = (
    *(exp.Count, exp.Sum, exp.Avg, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg, exp.Round, exp.Abs),
    *(exp.Floor, exp.Ceil, exp.Length, exp.Year, exp.Month, exp.Day, exp.DateDiff, exp.RowNumber, exp.Extract),
)
_TEXTS = (exp.Concat, exp.ConcatWs, exp.Upper, exp.Lower, exp.TimeToStr, exp.GroupConcat, exp.Substring, exp.Trim)
_MOMENTS = (exp.Date, exp.CurrentDate, exp.CurrentTimestamp, exp.TsOrDsToDate)
_SAME = (exp.Min, exp.Max, exp.Coalesce, exp.AnyValue, exp.Paren, exp.Alias, exp.Nullif)


def family_of(kind: Kind) -> str | None:
    """The family of a kind; None for those that are compared with nothing."""
    return _OF_KINDS.get(kind)


def output_families(query: exp.Query, known: Mapping[str, Families]) -> Families:
    """The families of the result's columns; those that cannot be told are missing."""
    return _of_scope(traverse_scope(query)[-1], known)


def long_outputs(query: exp.Query, long: Mapping[str, Collection[str]]) -> frozenset[str]:
    """The columns of the result, in lower case, that are long texts for sure."""
    return _long_of_scope(traverse_scope(query)[-1], long)


def _long_of_scope(scope: Scope, long: Mapping[str, Collection[str]]) -> frozenset[str]:
    query = scope.expression
    if isinstance(query, exp.SetOperation):
        return _long_of_scope(scope.set_operation_scopes[0], long)
    found = set()
    for item in query.selects if isinstance(query, exp.Query) else ():
        value = item.unalias()
        if isinstance(value, exp.GroupConcat) or (isinstance(value, exp.Column) and _is_long(value, scope, long)):
            found.add(item.output_name.lower())
    return frozenset(found)


def _is_long(column: exp.Column, scope: Scope, long: Mapping[str, Collection[str]]) -> bool:
    for alias, (_, source) in scope.selected_sources.items():
        if column.table in ("", alias):
            names = _long_of_scope(source, long) if isinstance(source, Scope) else long.get(table_name(source), ())
            if column.name.lower() in names:
                return True
    return False


def _of_scope(scope: Scope, known: Mapping[str, Families]) -> Families:
    query = scope.expression
    if isinstance(query, exp.SetOperation):
        return _of_scope(scope.set_operation_scopes[0], known)
    found = {}
    for item in query.selects if isinstance(query, exp.Query) else ():
        family = _of(item, scope, known)
        if family is not None and item.output_name:
            found[item.output_name.lower()] = family
    return found


def _of(node: exp.Expr, scope: Scope, known: Mapping[str, Families]) -> str | None:
    if isinstance(node, exp.Column):
        return _of_column(node, scope, known)
    if isinstance(node, exp.Literal):
        return "text" if node.is_string else "number"
    if isinstance(node, _SAME):
        return _of(node.this, scope, known)
    for classes, family in ((_NUMBERS, "number"), (_TEXTS, "text"), (_MOMENTS, "moment")):
        # Interval arithmetic gives a moment, whatever the operator.
        if isinstance(node, classes) and not node.find(exp.Interval):
            return family
    return None


def _of_column(column: exp.Column, scope: Scope, known: Mapping[str, Families]) -> str | None:
    for alias, (_, source) in scope.selected_sources.items():
        if column.table and column.table != alias:
            continue
        families = _of_scope(source, known) if isinstance(source, Scope) else known.get(table_name(source), {})
        if holds(families, column.name):
            return families[column.name.lower()]
    return None

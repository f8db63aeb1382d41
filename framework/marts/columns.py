"""Which columns the tables of a query have, and which of the columns it names nobody has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from framework.diagnostics import did_you_mean
from framework.marts.query import Finding, position, table_name

Columns = Mapping[str, Iterable[str]]
"""The columns of tables by name; none where they are not known."""


def unknown_columns(query: exp.Query, known: Columns, text: str, key: tuple[str | int, ...]) -> Iterator[Finding]:
    """Columns that no table has, and columns that more than one has. Where a table's columns are not known, silence."""
    for scope in traverse_scope(query):
        for column in scope.find_all(exp.Column):
            if column.table:
                yield from _qualified(scope, column, known, text, key)
            elif not _is_alias(scope, column):
                yield from _bare(scope, column, known, text, key)


def output_names(query: exp.Query, known: Columns) -> tuple[str, ...]:
    """The names of the result's columns as they are written; empty if they cannot be told."""
    return _outputs(traverse_scope(query)[-1], known)


def closest(name: str, names: Iterable[str]) -> str:
    """The suggestion to use the name that is meant, as far as it can be guessed."""
    return did_you_mean(name, sorted(set(names)))


def _qualified(
    scope: Scope, column: exp.Column, known: Columns, text: str, key: tuple[str | int, ...]
) -> Iterator[Finding]:
    visible = {
        str(alias): source for level in reversed(list(_levels(scope))) for alias, source in level.sources.items()
    }
    source = visible.get(column.table)
    if source is None:
        fact = f"{column.table!r} is no table of this query"
        yield _finding("sql-unknown-table", fact, closest(column.table, visible), text, column, key)
        return
    names = list(columns_of(source, known))
    if names and column.name != "*" and not holds(names, column.name):
        fact = f"{_describe(source, column.table)} has no column {column.name!r}"
        yield _finding("sql-unknown-column", fact, closest(column.name, names), text, column.this, key)


_KEYWORDS = frozenset({"UTC_TIMESTAMP", "UTC_DATE", "UTC_TIME"})
"""Functions that MySQL calls without brackets, too."""


def _bare(scope: Scope, column: exp.Column, known: Columns, text: str, key: tuple[str | int, ...]) -> Iterator[Finding]:
    if column.name.upper() in _KEYWORDS or _is_format(column):
        return
    offered: list[str] = []
    for level in _levels(scope):
        sources = {alias: list(columns_of(source, known)) for alias, (_, source) in level.selected_sources.items()}
        if not all(sources.values()):
            return
        owners = [alias for alias, names in sources.items() if holds(names, column.name)]
        if len(owners) > 1 and not _is_joined_using(level, column.name):
            fact = f"column {column.name!r} is ambiguous: {' and '.join(owners)} have it"
            suggestion = f"write {owners[0]}.{column.name}"
            yield _finding("sql-ambiguous-column", fact, suggestion, text, column, key)
        if owners:
            return
        offered += [name for names in sources.values() for name in names]
    if offered:
        fact = f"no table of this query has a column {column.name!r}"
        yield _finding("sql-unknown-column", fact, closest(column.name, offered), text, column, key)


def _is_format(column: exp.Column) -> bool:
    """Whether a word is the first argument of GET_FORMAT."""
    parent = column.parent
    return isinstance(parent, exp.Anonymous) and str(parent.this).upper() == "GET_FORMAT"


def _levels(scope: Scope) -> Iterator[Scope]:
    """The query and those around it, whose tables it may refer to, too."""
    level: Scope | None = scope
    while level is not None:
        yield level
        level = None if level.is_cte else level.parent


def _outputs(scope: Scope, known: Columns) -> tuple[str, ...]:
    query = scope.expression
    if isinstance(query, exp.SetOperation):
        return _outputs(scope.set_operation_scopes[0], known)
    names: list[str] = []
    for item in query.selects if isinstance(query, exp.Query) else ():
        if not item.is_star:
            names.append(item.output_name)
            continue
        starred = item.table if isinstance(item, exp.Column) else ""
        sources = [source for alias, (_, source) in scope.selected_sources.items() if starred in ("", alias)]
        expanded = [list(columns_of(source, known)) for source in sources]
        if not expanded or not all(expanded):
            return ()
        names += [name for columns in expanded for name in columns]
    return tuple(names)


def columns_of(source: exp.Expr | Scope, known: Columns) -> Iterable[str]:
    """The columns of a table or an inner query; none where they are not known."""
    if isinstance(source, Scope):
        outer = source.expression.parent
        while isinstance(outer, exp.SetOperation):  # a part of a recursive one has the names of the whole
            outer = outer.parent
        renamed = outer.alias_column_names if isinstance(outer, exp.Subquery | exp.CTE) else []
        return renamed or _outputs(source, known)
    if isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier):
        return known.get(table_name(source), ())
    return ()


def _is_alias(scope: Scope, column: exp.Column) -> bool:
    """Whether a bare name may mean a result column: in GROUP BY, HAVING and ORDER BY."""
    clause = column.find_ancestor(exp.Group, exp.Having, exp.Order, exp.Select)
    if not isinstance(clause, exp.Group | exp.Having | exp.Order) or not isinstance(scope.expression, exp.Query):
        return False
    return holds(scope.expression.named_selects, column.name)


def _is_joined_using(scope: Scope, name: str) -> bool:
    joins = scope.expression.args.get("joins") or ()
    return any(
        join.method == "NATURAL" or holds([c.name for c in join.args.get("using") or ()], name) for join in joins
    )


def _describe(source: exp.Expr | Scope, alias: str) -> str:
    return f"table {table_name(source)!r}" if isinstance(source, exp.Table) else repr(alias)


def holds(names: Iterable[str], name: str) -> bool:
    """Whether a name is among others, whatever its case."""
    # MySQL and DuckDB tell tables apart by case, never columns.
    return name.lower() in {each.lower() for each in names}


def _finding(
    rule: str, message: str, suggestion: str, text: str, node: exp.Expr, key: tuple[str | int, ...]
) -> Finding:
    line, column = position(text, node)
    return Finding(rule, message, suggestion, key, line, column)

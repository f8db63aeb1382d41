"""What ONLY_FULL_GROUP_BY refuses: columns of a grouped query that have no single value in a group.

A column has one if it is in GROUP BY, or follows from those that are: an equality in WHERE or ON ties it to one of them
or to a constant, or the key of its table is known (MySQL Reference Manual, "MySQL Handling of GROUP BY"). Where a
table's columns or keys are not known, nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from framework.marts.aggregates import is_aggregate, within_query
from framework.marts.columns import Columns, columns_of, holds
from framework.marts.query import Finding, position, table_name

Keys = Mapping[str, tuple[str, ...] | None]
"""The key of each table: no columns where it has none, None where that is not known."""
Named = tuple[str, str]
"""The alias of a table and a column of it, in lower case."""


def not_grouped(
    query: exp.Query, known: Columns, keys: Keys, text: str, key: tuple[str | int, ...]
) -> Iterator[Finding]:
    """Columns that are neither grouped nor aggregated."""
    for scope in traverse_scope(query):
        if isinstance(scope.expression, exp.Select):
            yield from _Grouped(scope.expression, scope, known, keys).findings(text, key)


@dataclass
class _Grouped:
    """One SELECT and what it knows of its tables."""

    select: exp.Select
    scope: Scope
    known: Columns
    keys: Keys

    def findings(self, text: str, key: tuple[str | int, ...]) -> Iterator[Finding]:
        select = self.select
        group = select.args.get("group")
        parts = [*select.selects, *(select.args[part] for part in ("having", "order") if select.args.get(part))]
        if group is None:
            if not any(_aggregates(part) for part in parts):
                return
            # The order of a single row is no matter.
            parts = [part for part in parts if not isinstance(part, exp.Order)]
        grouped = [self._meant(item) for item in group.expressions] if group is not None else []
        fixed = self._fixed(grouped)
        shapes = {self._shape(item) for item in grouped if not isinstance(item, exp.Column)}
        aliases = {name.lower() for name in select.named_selects}
        for part in parts:
            is_item = part.arg_key == "expressions"
            if is_item and part.is_star and (loose := self._loose_in_star(part, fixed)) is not None:
                yield _finding(part, loose, text, key, is_grouped=group is not None)
                continue
            for column in self._loose(part, shapes):
                if not is_item and not column.table and column.name.lower() in aliases:
                    continue
                name = self._named(column)
                if name is not None and name not in fixed:
                    shown = column.sql("mysql").replace("`", "")
                    yield _finding(column, shown, text, key, is_grouped=group is not None)
                    break

    def _loose_in_star(self, item: exp.Expr, fixed: set[Named]) -> str | None:
        """A column that ``*`` stands for and that has no single value in a group."""
        wanted = item.table.lower() if isinstance(item, exp.Column) else ""
        names = (name for alias in self._sources() if wanted in ("", alias) for name in self._all(alias))
        return next((".".join(name) for name in names if name not in fixed), None)

    def _loose(self, part: exp.Expr, shapes: set[str]) -> Iterator[exp.Column]:
        """The columns of a part that stand outside of aggregates and inner queries, if it is not itself grouped."""
        items = part.expressions if isinstance(part, exp.Order) else [part]
        for item in items:
            whole = item.this if isinstance(item, exp.Ordered | exp.Having) else item.unalias()
            if shapes and self._shape(whole) in shapes:
                continue
            for node in item.walk(prune=_is_closed):
                if isinstance(node, exp.Column) and not isinstance(node.this, exp.Star):
                    yield node

    def _shape(self, node: exp.Expr) -> str:
        """An expression as text, with every column as its table and its name in lower case."""
        copied = node.copy()
        for column in list(copied.find_all(exp.Column)):
            name = self._named(column)
            if name is not None and column is not copied:
                column.replace(exp.column(name[1], table=name[0]))
        return copied.sql()

    def _meant(self, item: exp.Expr) -> exp.Expr:
        """What an item of GROUP BY stands for: a column of the tables, else a result column by number or by name."""
        selects = self.select.selects
        if isinstance(item, exp.Literal) and item.is_int and 1 <= int(item.name) <= len(selects):
            return selects[int(item.name) - 1].unalias()
        if isinstance(item, exp.Column) and not item.table and self._owner(item) is None:
            found = next((each for each in selects if each.alias.lower() == item.name.lower()), None)
            return found.unalias() if found is not None else item
        return item

    def _fixed(self, grouped: Iterable[exp.Expr]) -> set[Named]:
        """The columns that have one value in a group."""
        columns = [item for item in grouped if isinstance(item, exp.Column)]
        columns += [
            column
            for item in grouped
            if isinstance(item, exp.Rollup | exp.Cube)
            for column in item.find_all(exp.Column)
        ]
        fixed = {name for column in columns if (name := self._named(column)) is not None}
        tied = list(self._equalities(fixed))
        if group_of(self.select, "rollup", "cube", "grouping_sets"):
            return fixed  # in rows of totals a key tells nothing
        while True:
            more = {b for a, b in tied if a in fixed} | {a for a, b in tied if b in fixed}
            more |= {name for alias in self._sources() if self._is_told(alias, fixed) for name in self._all(alias)}
            if more <= fixed:
                return fixed
            fixed |= more

    def _equalities(self, fixed: set[Named]) -> Iterator[tuple[Named, Named]]:
        """Pairs of columns that are equal; those that equal a constant are ``fixed``."""
        select = self.select
        conditions = [select.args["where"].this] if select.args.get("where") else []
        conditions += [join.args["on"] for join in select.args.get("joins") or () if join.args.get("on")]
        for condition in conditions:
            for part in condition.flatten() if isinstance(condition, exp.And) else (condition,):
                equal = part.unnest()
                if not isinstance(equal, exp.EQ):
                    continue
                sides = [
                    self._named(side) if isinstance(side, exp.Column) else None for side in (equal.left, equal.right)
                ]
                first, second = sides
                if first is not None and second is not None:
                    yield first, second
                elif first is not None and not equal.right.find(exp.Column):
                    fixed.add(first)
                elif second is not None and not equal.left.find(exp.Column):
                    fixed.add(second)

    def _is_told(self, alias: str, fixed: set[Named]) -> bool:
        """Whether a row of the table follows from the columns that are fixed; yes, where that is not known."""
        source = self._sources()[alias]
        if isinstance(source, exp.Table):
            key = self.keys.get(table_name(source))
            return key is None or (bool(key) and all((alias, name.lower()) in fixed for name in key))
        # What a derived table's rows follow from is the server's to find out.
        return any(owner == alias for owner, _ in fixed)

    def _sources(self) -> dict[str, exp.Expr | Scope]:
        return {str(alias).lower(): source for alias, (_, source) in self.scope.selected_sources.items()}

    def _all(self, alias: str) -> Iterator[Named]:
        return ((alias, name.lower()) for name in columns_of(self._sources()[alias], self.known))

    def _named(self, column: exp.Column) -> Named | None:
        """A column with its table; None where it cannot be told, or belongs to a query around this one."""
        owner = column.table.lower() or self._owner(column)
        if owner is None or owner not in self._sources():
            return None
        names = list(columns_of(self._sources()[owner], self.known))
        return (owner, column.name.lower()) if holds(names, column.name) else None

    def _owner(self, column: exp.Column) -> str | None:
        for alias, source in self._sources().items():
            if holds(columns_of(source, self.known), column.name):
                return alias
        return None


def _is_closed(node: exp.Expr) -> bool:
    return isinstance(node, exp.Query | exp.Subquery | exp.AnyValue | exp.Column) or is_aggregate(node)


def _aggregates(part: exp.Expr) -> bool:
    """Whether a part of a query aggregates, windows and inner queries aside."""
    return any(is_aggregate(node) for node in within_query(part))


def group_of(select: exp.Select, *parts: str) -> bool:
    """Whether GROUP BY has one of these parts."""
    group = select.args.get("group")
    if group is None:
        return False
    totals = any(isinstance(item, exp.Rollup | exp.Cube) for item in group.expressions)
    return totals or any(group.args.get(part) for part in parts)


def _finding(node: exp.Expr, name: str, text: str, key: tuple[str | int, ...], *, is_grouped: bool) -> Finding:
    line, place = position(text, node)
    if is_grouped:
        fact = f"{name} has no single value in a group: it is neither in GROUP BY nor in an aggregate"
        advice = f"add it to GROUP BY, or write MAX({name}); MySQL, not MariaDB, has ANY_VALUE({name}), too"
        return Finding("sql-not-grouped", fact, advice, key, line, place)
    fact = f"{name} stands beside an aggregate, and there is no GROUP BY"
    return Finding("sql-not-grouped", fact, f"add GROUP BY {name}", key, line, place)

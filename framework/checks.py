"""Checks: statements about a table that must hold before the table becomes visible.

A check that does not hold is told in one sentence: which check, how many rows, and the first of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.scope import traverse_scope

from framework.databases.base import Dialect, Row, Session
from framework.errors import CheckFailed
from framework.spec.checks import Bounds, Check

SHOWN_ROWS = 3
SHOWN_COLUMNS = 8
SHOWN_CHARACTERS = 40


@dataclass(frozen=True)
class CheckResults:
    """What a table's checks said.

    Attributes:
        passed: checks that held.
        failures: one sentence a check of severity ``error`` that did not hold.
        warnings: the same for severity ``warn``.
    """

    passed: int = 0
    failures: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def run_checks(
    session: Session, dialect: Dialect, relation: str, shown_name: str, checks: Sequence[Check]
) -> CheckResults:
    """Run ``checks`` on the table or view ``relation``, which messages and the checks' own SQL call ``shown_name``."""
    checked = _Checked(session, dialect, relation, shown_name)
    passed = 0
    said: dict[str, list[str]] = {"error": [], "warn": []}
    for check in checks:
        sentences = list(_CHECKS[check.kind](checked, check.value))
        said[check.severity] += sentences
        passed += not sentences
    return CheckResults(passed, tuple(said["error"]), tuple(said["warn"]))


def require(
    session: Session, dialect: Dialect, relation: str, shown_name: str, checks: Sequence[Check]
) -> CheckResults:
    """Run checks as `run_checks` does. Raises CheckFailed if one of severity ``error`` does not hold."""
    results = run_checks(session, dialect, relation, shown_name, checks)
    if results.failures:
        raise CheckFailed(shown_name, results.failures)
    return results


@dataclass(frozen=True)
class _Checked:
    """The table that is checked, and how to ask it."""

    session: Session
    dialect: Dialect
    relation: str
    shown_name: str

    def quote(self, name: str) -> str:
        return self.dialect.quote(name)

    def quote_beside_values(self, name: str) -> str:
        """A name, quoted, in a statement with bound values, where a percent sign means one of them."""
        return self.quote(name).replace("%", "%%")

    def bad_rows(self, title: str, fact: str, condition: str, parameters: Sequence[Any] = ()) -> Iterator[str]:
        """A sentence if rows (alias ``t``) meet ``condition``."""
        names = self.session.columns(self.relation)[:SHOWN_COLUMNS]
        quote = self.quote_beside_values if parameters else self.quote
        columns = ", ".join(f"t.{quote(name)}" for name in names)
        found = f"FROM {quote(self.relation)} AS t WHERE {condition}"
        first = self.session.query(f"SELECT {columns} {found} ORDER BY {columns} LIMIT {SHOWN_ROWS}", parameters)
        if first:
            count = self.session.query(f"SELECT COUNT(*) {found}", parameters)[0][0]
            rows = ", ".join(_shown(names, row) for row in first)
            yield f"{title}: {count} row{'s' if count != 1 else ''} {fact}, first: {rows}"


def _unique(checked: _Checked, columns: Sequence[str]) -> Iterator[str]:
    names = ", ".join(map(checked.quote, columns))
    relation = checked.quote(checked.relation)
    repeated = f"SELECT {names}, COUNT(*) AS n FROM {relation} GROUP BY {names} HAVING COUNT(*) > 1"
    first = checked.session.query(f"{repeated} ORDER BY {names} LIMIT {SHOWN_ROWS}")
    if first:
        count = checked.session.query(f"SELECT COUNT(*) FROM ({repeated}) AS repeated")[0][0]
        keys = ", ".join(f"{_shown(columns, row[:-1])} {row[-1]} times" for row in first)
        yield f"unique {_list(columns)}: {count} value{'s' if count != 1 else ''} repeated, first: {keys}"


def _not_null(checked: _Checked, columns: Sequence[str]) -> Iterator[str]:
    condition = " OR ".join(f"t.{checked.quote(name)} IS NULL" for name in columns)
    return checked.bad_rows(f"not_null {_list(columns)}", "with NULL", condition)


def _between(checked: _Checked, rule: dict[str, Bounds]) -> Iterator[str]:
    for name, bounds in rule.items():
        column = f"t.{checked.quote_beside_values(name)}"
        sides = [(f"{column} < %s", bounds.min), (f"{column} > %s", bounds.max)]
        conditions = [(condition, _exact(bound)) for condition, bound in sides if bound is not None]
        if conditions:
            yield from checked.bad_rows(
                f"between {name}",
                f"not {_span(bounds)}",
                " OR ".join(condition for condition, _ in conditions),
                [bound for _, bound in conditions],
            )


def _accepted(checked: _Checked, rule: dict[str, Sequence[Any]]) -> Iterator[str]:
    for name, values in rule.items():
        column = f"t.{checked.quote_beside_values(name)}"
        condition, parameters = _one_of(column, values, numeric=_holds_numbers(checked, name))
        yield from checked.bad_rows(
            f"accepted {name}",
            f"with none of {_list([str(value) for value in values])}",
            f"{column} IS NOT NULL AND NOT ({condition})",
            parameters,
        )


def _holds_numbers(checked: _Checked, name: str) -> bool:
    column = checked.quote(name)
    found = checked.session.query(
        f"SELECT {column} FROM {checked.quote(checked.relation)} WHERE {column} IS NOT NULL LIMIT 1"
    )
    return bool(found) and isinstance(found[0][0], int | float | Decimal)


def _one_of(column: str, values: Sequence[Any], *, numeric: bool) -> tuple[str, list[Any]]:
    # Numbers and texts are never compared with each other: to MySQL 'abc' = 0 is true.
    texts = [str(value) for value in values if isinstance(value, str) or not numeric]
    numbers = [_exact(value) for value in values if not isinstance(value, str) and numeric]
    parts = []
    if texts:
        parts.append(f"CAST({column} AS CHAR) IN ({', '.join(['%s'] * len(texts))})")
    if numbers:
        parts.append(f"{column} IN ({', '.join(['%s'] * len(numbers))})")
    return " OR ".join(parts), [*texts, *numbers]


def _relationship(checked: _Checked, rule: dict[str, Any]) -> Iterator[str]:
    for name, referred in rule.items():
        table = checked.relation if referred.table == checked.shown_name else referred.table
        if not checked.session.columns(table):
            yield f"relationship {name}: there is no table {referred.table} yet"
            continue
        column = f"t.{checked.quote(name)}"
        parent = f"SELECT 1 FROM {checked.quote(table)} AS o WHERE o.{checked.quote(referred.column)} = {column}"
        yield from checked.bad_rows(
            f"relationship {name}",
            f"without a match in {referred.table}.{referred.column}",
            f"{column} IS NOT NULL AND NOT EXISTS ({parent})",
        )


def _rows(checked: _Checked, bounds: Bounds) -> Iterator[str]:
    count = checked.session.query(f"SELECT COUNT(*) FROM {checked.quote(checked.relation)}")[0][0]
    if (bounds.min is not None and count < bounds.min) or (bounds.max is not None and count > bounds.max):
        yield f"rows: there {'are' if count != 1 else 'is'} {count}, not {_span(bounds)}"


def _empty(checked: _Checked, query: str) -> Iterator[str]:
    found = checked.session.query(checked.dialect.translate(_on(query, checked.shown_name, checked.relation)))
    if found:
        rows = ", ".join(_values(row) for row in found[:SHOWN_ROWS])
        more = " and more" if len(found) > SHOWN_ROWS else ""
        yield f"empty: `{' '.join(query.split())}` returns rows: {rows}{more}"


def _on(query: str, name: str, relation: str) -> str:
    """The query with ``relation`` in place of the table ``name``, and no more rows than are needed."""
    # The first statement: a comment behind a semicolon counts as another.
    tree = next(tree for tree in sqlglot.parse(query, read="mysql") if tree is not None)
    for scope in traverse_scope(tree):
        for source in scope.sources.values():
            if isinstance(source, exp.Table) and source.name == name and not source.db:
                if not source.alias:
                    source.set("alias", exp.TableAlias(this=exp.to_identifier(name, quoted=True)))
                source.set("this", exp.to_identifier(relation, quoted=True))
    if isinstance(tree, exp.Query) and tree.args.get("limit") is None:
        tree = tree.limit(SHOWN_ROWS + 1)
    return tree.sql("mysql")


_CHECKS: dict[str, Callable[[_Checked, Any], Iterator[str]]] = {
    "unique": _unique,
    "not_null": _not_null,
    "between": _between,
    "accepted": _accepted,
    "relationship": _relationship,
    "rows": _rows,
    "empty": _empty,
}


def _exact(number: Any) -> Any:
    """A float as the decimal number that was written; anything else as it is."""
    return Decimal(str(number)) if isinstance(number, float) else number


def _span(bounds: Bounds) -> str:
    if bounds.min is not None and bounds.max is not None:
        return f"between {bounds.min} and {bounds.max}"
    return f"at least {bounds.min}" if bounds.max is None else f"at most {bounds.max}"


def _list(names: Sequence[str]) -> str:
    return f"[{', '.join(names)}]"


def _shown(names: Sequence[str], row: Row) -> str:
    return f"({', '.join(f'{name}={_value(value)}' for name, value in zip(names, row, strict=True))})"


def _values(row: Row) -> str:
    return f"({', '.join(map(_value, row))})"


def _value(value: Any) -> str:
    if value is None:
        return "NULL"
    text = repr(value) if isinstance(value, str | bytes) else str(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 3]}..."

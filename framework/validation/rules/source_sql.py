"""Rules about the source's SQL in a spec: `where` and `sql`, which are PostgreSQL's, over the columns of one table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import sqlglot
from sqlglot import TokenType, exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types

from framework.databases.postgres.lexing import ONE_EXPRESSION, is_enclosed
from framework.diagnostics import did_you_mean
from framework.marts.aggregates import is_aggregate, within_query
from framework.marts.families import family_of
from framework.marts.query import TOO_DEEP, line_and_column, position, unreadable
from framework.spec.entities import Entity
from framework.spec.models import Spec
from framework.types import INTEGER_KINDS, TEXT_KINDS, Kind, parse_type
from framework.validation.rules.base import WARNING, Finding, Loc, Rule, rule
from framework.validation.rules.lookup import source_of

_SYSTEM = frozenset({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"})
"""Columns that every table of PostgreSQL has."""
_NUMBERS = frozenset({"int", "bigint", "smallint", "tinyint", "decimal", "float", "double", "bigdecimal"})
_TEXTS = frozenset({"text", "varchar", "char", "nchar", "nvarchar"})
_MOMENTS = frozenset({"date", "timestamp", "timestamptz", "timestampntz", "timestampltz", "datetime"})


@dataclass(frozen=True)
class _Sql:
    """One expression: where it stands, and the table whose columns it may name (None if it is not declared)."""

    loc: Loc
    text: str
    table: str
    entity: Entity | None
    type: str | None
    """The type that its author gives it; None for a condition."""


def _expressions(spec: Spec) -> Iterator[_Sql]:
    for table, settings in spec.replicate.items():
        found = source_of(spec, table)
        name, entity = found if found else (settings.from_ or table, None)
        if settings.where is not None:
            yield _Sql(("replicate", table, "where"), settings.where, name, entity, None)
        for column, mapped in settings.columns.items():
            if mapped.sql is not None:
                loc: Loc = ("replicate", table, "columns", column, "sql")
                yield _Sql(loc, mapped.sql, name, entity, mapped.type or "")


@lru_cache(maxsize=256)
def _read(text: str) -> exp.Expr | SqlglotError | RecursionError:
    """The expression, which is shared: nobody may change it; or why it cannot be read."""
    try:
        return sqlglot.parse_one(text, read="postgres", into=exp.Condition)
    except (SqlglotError, RecursionError) as error:
        return error.with_traceback(None)


def _parsed(sql: _Sql) -> exp.Expr | None:
    """The expression; None if it cannot be read."""
    found = _read(sql.text)
    return found if isinstance(found, exp.Expr) else None


@rule("source-sql-syntax")
def source_sql_syntax(spec: Spec) -> Iterator[Finding]:
    """An expression is one that PostgreSQL can read."""
    for sql in _expressions(spec):
        word = sql.text.split(maxsplit=1)[0].upper() if sql.text.split() else ""
        if word in ("SELECT", "WHERE", "WITH"):
            yield _at(sql, f"{word} begins a query, and an expression is needed", "write the expression alone", (1, 1))
            continue
        read = _read(sql.text)
        if isinstance(read, RecursionError):
            yield _at(sql, TOO_DEEP, "write it in another way", (1, 1))
        elif isinstance(read, SqlglotError):
            found = unreadable(read, sql.text, "source-sql-syntax", (), "write one expression of PostgreSQL")
            yield _at(sql, found.message, found.suggestion, (found.line, found.column))
        elif not is_enclosed(sql.text):
            yield _at(sql, "this may be more than one expression", ONE_EXPRESSION, (1, 1))
        else:
            yield from _not_postgres(sql, read)


def _not_postgres(sql: _Sql, tree: exp.Expr) -> Iterator[Finding]:
    """What the parser reads, and PostgreSQL does not."""
    for token in sqlglot.tokenize(sql.text, read="postgres"):
        advice = _NO_TOKENS.get(token.text)
        if advice is not None and token.token_type not in (TokenType.STRING, TokenType.IDENTIFIER):
            place = line_and_column(sql.text, token.start)
            yield _at(sql, f"`{token.text}` is not known to PostgreSQL here", advice, place)
            return
    is_star = isinstance(tree, exp.Star) or (isinstance(tree, exp.Column) and isinstance(tree.this, exp.Star))
    if is_star or (isinstance(tree, exp.Tuple) and not tree.expressions):
        yield _at(sql, "this is no single value", "write an expression over columns", (1, 1))


_NO_TOKENS = {"==": "write =", ";": "remove it", "`": 'write "name" for a quoted name', "%s": "write the value"}


@rule("sql-unknown-column")
def unknown_column(spec: Spec) -> Iterator[Finding]:
    """An expression names columns of its table."""
    for sql in _expressions(spec):
        tree = _parsed(sql)
        if tree is None or sql.entity is None:
            continue
        for column in _own_columns(tree):
            name = column.name if column.this.quoted else column.name.lower()
            if column.table and column.table.lower() != sql.table.lower():
                message = f"{column.table!r} is no table here: only columns of {sql.table!r} can be named"
                yield _at(sql, message, f"remove {column.table!r} before the point", position(sql.text, column))
            elif name not in sql.entity.columns and name not in _SYSTEM and name != sql.table:
                message = f"{sql.table!r} has no column {name!r}"
                advice = did_you_mean(name, sql.entity.columns)
                if column.this.quoted and isinstance(column.parent, exp.Binary):
                    advice = f"double quotes are for names; write '{name}' for a text"
                yield _at(sql, message, advice, position(sql.text, column.this))


def _own_columns(tree: exp.Expr) -> Iterator[exp.Column]:
    """The columns outside of inner queries, which may have tables of their own."""
    for node in within_query(tree):
        if isinstance(node, exp.Column) and isinstance(node.this, exp.Identifier):
            yield node


@rule("sql-aggregate")
def aggregate(spec: Spec) -> Iterator[Finding]:
    """An expression is computed from one row."""
    for sql in _expressions(spec):
        tree = _parsed(sql)
        for node in within_query(tree) if tree else ():
            if is_aggregate(node) or isinstance(node, exp.Window):
                message = f"{_written(sql.text, node)} needs many rows, and this is computed from one"
                yield _at(sql, message, "compute it in a mart", position(sql.text, node))
                break


def _written(text: str, node: exp.Expr) -> str:
    """How a function is written in a text: its name, and that it has arguments."""
    start = node.meta.get("start", (node.this.meta if isinstance(node.this, exp.Expr) else {}).get("start"))
    word = re.match(r"\w+", text[start:]) if start is not None else None
    return f"{word[0]}(...)" if word else node.sql("postgres")


@rule("sql-unknown-function")
def unknown_function(spec: Spec) -> Iterator[Finding]:
    """An expression calls functions of PostgreSQL, not of others."""
    for sql in _expressions(spec):
        try:
            tokens = sqlglot.tokenize(sql.text, read="postgres")
        except SqlglotError:
            continue
        for name, bracket in pairwise(tokens):
            meant = _FOREIGN.get(name.text.upper())
            if meant is not None and bracket.token_type is TokenType.L_PAREN:
                place = line_and_column(sql.text, name.start)
                yield _at(sql, f"PostgreSQL has no function {name.text}", f"write {meant}", place)


_FOREIGN = {
    "IFNULL": "coalesce(a, b)",
    "NVL": "coalesce(a, b)",
    "ISNULL": "a IS NULL",
    "IF": "CASE WHEN a THEN b ELSE c END",
    "IIF": "CASE WHEN a THEN b ELSE c END",
    "GETDATE": "now()",
    "CURDATE": "current_date",
    "DATE_FORMAT": "to_char(a, 'YYYY-MM')",
    "STR_TO_DATE": "to_date(a, 'YYYY-MM-DD')",
    "DATEDIFF": "a::date - b::date",
    "DATE_ADD": "a + interval '1 day'",
    "GROUP_CONCAT": "a mart for it",
    "LEN": "length(a)",
    "LCASE": "lower(a)",
    "UCASE": "upper(a)",
    "CHARINDEX": "strpos(a, b)",
    "RAND": "random()",
}
"""Functions of other databases, and what does the same in PostgreSQL."""


@rule("sql-type")
def result_type(spec: Spec) -> Iterator[Finding]:
    """A condition is true or false, and a computed column of the type that the spec says."""
    for sql in _expressions(spec):
        tree = _parsed(sql)
        if tree is None or sql.entity is None:
            continue
        family = _family(tree, sql.entity)
        if sql.type is None:
            if family not in ("boolean", None):
                yield _at(sql, f"a condition is true or false, and this is a {family}", "write a comparison", (1, 1))
            continue
        wanted = _wanted(sql.type)
        if family is not None and wanted is not None and family not in (wanted, "boolean", "text") and wanted != "text":
            message = f"this makes a {family}, and the column is of type {sql.type}"
            advice = f"correct the type, or write the conversion where it cannot fail: (...)::{sql.type}"
            related = (((*sql.loc[:-1], "type"), "declared here"),)
            yield Finding(sql.loc, message, advice, within=(1, 1), severity=WARNING, related=related)


def _family(tree: exp.Expr, entity: Entity) -> str | None:
    """What an expression makes: boolean, number, text or moment; None if that cannot be told."""
    if tree.is_string or tree.find(exp.Interval) is not None:
        return None  # a text may stand for a value of any type
    copied = exp.Paren(this=tree.copy())
    for column in copied.find_all(exp.Column):
        declared = entity.columns.get(column.name)
        type_ = parse_type(declared.type) if declared else None
        if type_ is None or type_.kind not in _SQL_TYPES:
            return None
        column.replace(exp.cast(exp.column(column.name), _SQL_TYPES[type_.kind]))
    try:
        found = annotate_types(copied, dialect="postgres").type
    except SqlglotError:
        return None
    moments = [node for node in copied.find_all(exp.Cast) if node.is_type("date", "timestamp", "timestamptz")]
    if moments and isinstance(tree.unnest(), exp.Add | exp.Sub | exp.Mul | exp.Div):
        return None  # a date minus a date is a number
    name = found.this.value.lower() if isinstance(found, exp.DataType) and found.this else "unknown"
    families = ((_NUMBERS, "number"), (_TEXTS, "text"), (_MOMENTS, "moment"), ({"boolean"}, "boolean"))
    return next((family for names, family in families if name in names), None)


def _wanted(name: str) -> str | None:
    type_ = parse_type(name)
    if type_ is None:
        return None
    return "boolean" if type_.kind is Kind.BOOLEAN else family_of(type_.kind)


_SQL_TYPES = {
    **dict.fromkeys(INTEGER_KINDS, "bigint"),
    **dict.fromkeys((Kind.REAL, Kind.DOUBLE), "double precision"),
    **dict.fromkeys(TEXT_KINDS, "text"),
    Kind.NUMERIC: "decimal",
    Kind.BOOLEAN: "boolean",
    Kind.DATE: "date",
    Kind.TIMESTAMP: "timestamp",
    Kind.TIMESTAMPTZ: "timestamptz",
}
"""Types of which it is known what is made of them."""


def _at(sql: _Sql, message: str, suggestion: str, place: tuple[int | None, int | None]) -> Finding:
    line, column = place
    return Finding(sql.loc, message, suggestion, within=(line or 1, column or 1))


RULES: tuple[Rule, ...] = (source_sql_syntax, unknown_column, aggregate, unknown_function, result_type)

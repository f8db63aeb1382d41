"""Queries of MySQL in DuckDB's SQL.

sqlglot does nearly all of it. What is here is what it leaves as it is and DuckDB does not know, or, worse, knows as
something else: a silent difference between two targets is the one thing a translation must not make.
"""

from __future__ import annotations

from collections.abc import Callable

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, ParseError, UnsupportedError

from framework.errors import UsageError

UTC_NOW = "CAST(CURRENT_TIMESTAMP AT TIME ZONE 'UTC' AS TIMESTAMP)"
"""A TIMESTAMP like MySQL's DATETIME; CURRENT_TIMESTAMP alone would be one with a time zone."""

WEEK_MODES = {"0": "%U", "3": "%V", "5": "%W"}
"""The modes of WEEK() that strftime can count by."""


def translate(query: str) -> str:
    """A query of MySQL in DuckDB's SQL, with every identifier quoted.

    Raises:
        UsageError: the query cannot be read, or has no equivalent.
    """
    try:
        parsed = sqlglot.parse_one(query, read="mysql")
        # From the leaves up, so that the arguments of what is replaced have had their turn.
        for node in reversed(list(parsed.walk())):
            replacement = _rewrite(node)
            if replacement is not node:
                node.replace(replacement)
        return parsed.sql("duckdb", identify=True, unsupported_level=ErrorLevel.RAISE)
    except (ParseError, UnsupportedError) as error:
        raise UsageError(
            f"the query cannot be translated from MySQL to DuckDB: {str(error).splitlines()[0]}",
            "write it in SQL that both understand",
        ) from error


def _rewrite(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Anonymous):
        rewrite = _FUNCTIONS.get(str(node.this).upper())
        return rewrite(node.expressions) if rewrite else node
    rule = _EXPRESSIONS.get(type(node))
    return rule(node) if rule else node


def _sql(template: str, *arguments: exp.Expr) -> exp.Expr:
    """DuckDB's expression ``template`` with the arguments in the places of its question marks."""
    copies = (argument.copy() for argument in arguments)
    return exp.replace_placeholders(sqlglot.parse_one(template, read="duckdb"), *copies)


def _clock(_: object) -> exp.Expr:
    return _sql(UTC_NOW)


def _unix_timestamp(arguments: list[exp.Expr]) -> exp.Expr:
    if not arguments:
        return _sql("CAST(FLOOR(EPOCH(CURRENT_TIMESTAMP)) AS BIGINT)")
    return _sql("EPOCH(CAST(? AS TIMESTAMP))", arguments[0])


def _weekday(arguments: list[exp.Expr]) -> exp.Expr:
    # MySQL counts from Monday = 0, DuckDB's own WEEKDAY from Sunday = 0.
    return _sql("(ISODOW(CAST(? AS DATE)) - 1)", arguments[0])


def _day_of_week(node: exp.Expr) -> exp.Expr:
    # MySQL counts from Sunday = 1, DuckDB from Sunday = 0.
    return _sql("(DATE_PART('dow', ?) + 1)", node.this)


def _week(node: exp.Expr) -> exp.Expr:
    mode = node.args.get("mode")
    pattern = WEEK_MODES.get(mode.name if mode is not None else "0")
    if pattern is None:
        raise UnsupportedError(f"WEEK() in mode {mode}")
    return _sql(f"CAST(STRFTIME(?, '{pattern}') AS INT)", node.this)


def _length(node: exp.Expr) -> exp.Expr:
    # MySQL's LENGTH counts bytes, its CHAR_LENGTH characters.
    return _sql("STRLEN(CAST(? AS VARCHAR))", node.this) if node.args.get("binary") else node


def _timestamp_diff(node: exp.Expr) -> exp.Expr:
    # MySQL counts whole units that went by, DATE_DIFF the boundaries that were crossed.
    ends = (exp.cast(end, exp.DataType.Type.TIMESTAMP) for end in (node.expression, node.this))
    return exp.Anonymous(this="DATESUB", expressions=[exp.Literal.string(node.text("unit")), *ends])


def _from_unixtime(node: exp.Expr) -> exp.Expr:
    if node.args.get("format") is not None:
        raise UnsupportedError("FROM_UNIXTIME() with a format")
    return _sql("MAKE_TIMESTAMP(CAST(CAST(? AS DECIMAL(20, 6)) * 1000000 AS BIGINT))", node.this)


_FUNCTIONS: dict[str, Callable[[list[exp.Expr]], exp.Expr]] = {
    "UNIX_TIMESTAMP": _unix_timestamp,
    "WEEKDAY": _weekday,
    "NOW": _clock,
    "SYSDATE": _clock,
}

_EXPRESSIONS: dict[type[exp.Expr], Callable[[exp.Expr], exp.Expr]] = {
    exp.CurrentTimestamp: _clock,
    exp.UtcTimestamp: _clock,
    exp.Localtime: _clock,
    exp.Localtimestamp: _clock,
    exp.DayOfWeek: _day_of_week,
    exp.Week: _week,
    exp.Length: _length,
    exp.TimestampDiff: _timestamp_diff,
    exp.UnixToTime: _from_unixtime,
}

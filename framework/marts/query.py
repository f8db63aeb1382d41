"""A mart's query, parsed, and what can be wrong with it."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.optimizer.scope import traverse_scope

from framework.diagnostics import Severity
from framework.errors import UsageError
from framework.spec.marts import Mart

logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # what it has to say is said as problems

TOO_DEEP = "the SQL is nested too deeply to be checked"
DIALECT = "mysql"
"""Marts are written in MySQL's SQL, whatever the target."""


@dataclass(frozen=True)
class Finding:
    """One mistake in a mart.

    Attributes:
        rule: the id of the rule that found it.
        message: what is wrong.
        suggestion: what to do about it; may be empty.
        key: where in the mart, from its top: ``("checks", 0, "unique", 1)``.
        line: line within the SQL text that stands there, from 1; None where the mistake is not in SQL.
        column: column within that line, from 1.
        severity: how bad it is.
    """

    rule: str
    message: str
    suggestion: str = ""
    key: tuple[str | int, ...] = ("query",)
    line: int | None = None
    column: int | None = None
    severity: Severity = Severity.ERROR


class QueryInvalid(UsageError):
    """A text is not one query; ``finding`` says why."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        super().__init__(finding.message, finding.suggestion)


def parse(text: str, key: tuple[str | int, ...] = ("query",)) -> exp.Query:
    """The syntax tree of one query. Raises QueryInvalid."""
    try:
        parsed = sqlglot.parse(text, read=DIALECT)
    except RecursionError:
        raise QueryInvalid(Finding("sql-syntax", TOO_DEEP, "split it into several marts", key, 1, 1)) from None
    except SqlglotError as error:
        raise QueryInvalid(unreadable(error, text, "sql-syntax", key, "write one SELECT of MySQL")) from error
    # A comment behind the last semicolon makes a statement of its own.
    statements = [tree for tree in parsed if tree is not None and not isinstance(tree, exp.Semicolon)]
    if len(statements) != 1:
        message = f"one query is needed here, not {len(statements)} statements"
        raise QueryInvalid(Finding("sql-syntax", message, "keep a single SELECT", key, 1, 1))
    (tree,) = statements
    query = tree.unnest() if isinstance(tree, exp.Subquery) else tree
    if not isinstance(query, exp.Select | exp.SetOperation):
        word = text.split(maxsplit=1)[0].upper()
        raise QueryInvalid(Finding("sql-syntax", f"{word} is no query", "write a SELECT", key, 1, 1))
    if hidden := _hidden(text):
        message = f"MySQL executes what stands in `/*{hidden}`, and it cannot be checked"
        raise QueryInvalid(
            Finding(
                "sql-syntax",
                message,
                "write it without the comment",
                key,
                *line_and_column(text, text.index(f"/*{hidden}")),
            )
        )
    if (into := query.find(exp.Into)) is not None:
        message = "INTO puts the rows elsewhere, and a mart has its own table"
        raise QueryInvalid(Finding("sql-syntax", message, "leave INTO out", key, *position(text, into)))
    return query


def _hidden(text: str) -> str | None:
    """The sign of a comment that is none to MySQL or MariaDB; None where all are."""
    comments = (comment for token in tokens_of(text) for comment in token.comments)
    signs = (sign for comment in comments for sign in ("!", "M!") if comment.startswith(sign))
    return next(signs, None)


@lru_cache(maxsize=256)
def tree_of(text: str) -> exp.Query:
    """The syntax tree of a mart's query, which is shared: nobody may change it. Raises QueryInvalid."""
    return parse(text)


@lru_cache(maxsize=256)
def tokens_of(text: str) -> tuple[sqlglot.Token, ...]:
    """The words and signs of a query that can be read."""
    return tuple(sqlglot.tokenize(text, read=DIALECT))


def unreadable(error: SqlglotError, text: str, rule: str, key: tuple[str | int, ...], suggestion: str) -> Finding:
    """Why a text is no SQL, in words for its author, and where."""
    if not isinstance(error, ParseError) or not error.errors:
        message, line, column = "a quote or a comment is not closed", *_unclosed(text)
        return Finding(rule, f"the SQL cannot be read: {message}", "close it", key, line, column)
    detail = error.errors[-1]
    line, word = int(detail["line"] or 1), str(detail["highlight"] or "")
    start = _start_of_token(text, line, int(detail["col"] or 1), word)
    message = f"the SQL cannot be read: {_brief(str(detail['description']), word)}"
    return Finding(rule, message, suggestion, key, line, start)


def _unclosed(text: str) -> tuple[int, int]:
    """Where the last quote begins that has no partner."""
    opened, mark = 0, ""
    for index, sign in enumerate(text):
        if mark:
            mark = "" if sign == mark else mark
        elif sign in "'\"`":
            opened, mark = index, sign
    return line_and_column(text, opened if mark else 0)


def without_semicolon(text: str) -> str:
    """The query as it may stand within another statement."""
    tokens = tokens_of(text)
    end = next((token.start for token in tokens if token.token_type is sqlglot.TokenType.SEMICOLON), len(text))
    return text[:end].rstrip()


def tables(query: exp.Expr) -> list[exp.Table]:
    """Every mention of a table that is read; names of common table expressions are no tables."""
    found = [
        source
        for scope in traverse_scope(query)
        for source in scope.sources.values()
        if isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier)
    ]
    # A correlated subquery has the sources of the queries around it, too.
    return list({id(table): table for table in found}.values())


def table_name(table: exp.Table) -> str:
    """The name as written; with its database, if it has one."""
    return f"{table.db}.{table.name}" if table.db else table.name


def position(text: str, node: exp.Expr) -> tuple[int | None, int | None]:
    """Line and column, from 1, where ``node`` begins in ``text``."""
    starts = [part.meta["start"] for part in node.walk() if "start" in part.meta]
    return line_and_column(text, min(starts)) if starts else (None, None)


def line_and_column(text: str, index: int) -> tuple[int, int]:
    """Line and column, from 1, of a character."""
    before = text[:index]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def is_incremental(mart: Mart) -> bool:
    """Whether only touched partitions are computed anew."""
    return mart.materialize.incremental is not None


def fingerprint(mart: Mart) -> str:
    """Changes whenever the mart's rows may be others than before."""
    partition = mart.materialize.incremental.partition if mart.materialize.incremental else None
    return hashlib.sha256(json.dumps([mart.query, partition]).encode()).hexdigest()[:32]


def _brief(description: str, word: str) -> str:
    # The parser's own words are for its authors.
    if description.startswith("Required keyword"):
        return f"something is missing behind {word!r}" if word else "something is missing here"
    if description.startswith("Expecting "):
        return f"`{description.removeprefix('Expecting ').partition(' ')[0]}` is missing before {word!r}"
    if "Unexpected token" in description and word:
        return f"{word!r} is not expected here"
    return description.partition(" but got <Token")[0].partition(". Line ")[0].partition(" for <class")[0]


def _start_of_token(text: str, line: int, last_column: int, token: str) -> int:
    lines = text.split("\n")
    width = len(lines[line - 1]) if line <= len(lines) else last_column
    return max(1, min(last_column, width) - len(token) + 1)

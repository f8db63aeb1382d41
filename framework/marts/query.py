"""A mart's query, parsed, and what can be wrong with it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.optimizer.scope import traverse_scope

from framework.errors import UsageError
from framework.spec.models import Mart

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
    """

    rule: str
    message: str
    suggestion: str = ""
    key: tuple[str | int, ...] = ("query",)
    line: int | None = None
    column: int | None = None


class QueryInvalid(UsageError):
    """A text is not one query; ``finding`` says why."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        super().__init__(finding.message, finding.suggestion)


def parse(text: str, key: tuple[str | int, ...] = ("query",)) -> exp.Query:
    """The syntax tree of one query. Raises QueryInvalid."""
    try:
        parsed = sqlglot.parse(text, read=DIALECT)
    except ParseError as error:
        detail = error.errors[0]
        message = f"the SQL cannot be read: {_brief(str(detail['description']))}"
        start = _start_of_token(text, int(detail["line"]), int(detail["col"]), str(detail["highlight"]))
        raise QueryInvalid(Finding("mart-sql", message, "", key, int(detail["line"]), start)) from error
    except SqlglotError as error:
        message = f"the SQL cannot be read: {_brief(str(error))}"
        raise QueryInvalid(Finding("mart-sql", message, "", key, 1, 1)) from error
    # A comment behind the last semicolon makes a statement of its own.
    statements = [tree for tree in parsed if tree is not None and not isinstance(tree, exp.Semicolon)]
    if len(statements) != 1:
        message = f"one query is needed here, not {len(statements)} statements"
        raise QueryInvalid(Finding("mart-sql", message, "keep a single SELECT", key, 1, 1))
    (tree,) = statements
    query = tree.unnest() if isinstance(tree, exp.Subquery) else tree
    if not isinstance(query, exp.Select | exp.SetOperation):
        word = text.split(maxsplit=1)[0].upper()
        raise QueryInvalid(Finding("mart-sql", f"{word} is no query", "write a SELECT", key, 1, 1))
    return query


def without_semicolon(text: str) -> str:
    """The query as it may stand within another statement."""
    tokens = sqlglot.tokenize(text, read=DIALECT)
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
    starts = [part.meta["start"] for part in node.find_all(exp.Identifier) if "start" in part.meta]
    if not starts:
        return None, None
    before = text[: min(starts)]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def is_incremental(mart: Mart) -> bool:
    """Whether only touched partitions are computed anew."""
    return mart.materialize.incremental is not None


def fingerprint(mart: Mart) -> str:
    """Changes whenever the mart's rows may be others than before."""
    partition = mart.materialize.incremental.partition if mart.materialize.incremental else None
    return hashlib.sha256(json.dumps([mart.query, partition]).encode()).hexdigest()[:32]


def _brief(description: str) -> str:
    # The parser's own words for a token are for its authors.
    if description.startswith("Required keyword"):
        return "something is missing here"
    return description.partition(" but got <Token")[0].partition(". Line ")[0].partition(" for <class")[0]


def _start_of_token(text: str, line: int, last_column: int, token: str) -> int:
    lines = text.split("\n")
    width = len(lines[line - 1]) if line <= len(lines) else last_column
    return max(1, min(last_column, width) - len(token) + 1)

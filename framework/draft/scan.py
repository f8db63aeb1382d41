"""A look at the data, for what their types leave open: values that MySQL has no place for, and the longest of keys.

One query a table, and only counts and lengths come back: no value is read, for it may be anybody's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from framework.databases.postgres import ranges
from framework.databases.postgres.names import qualified, quote
from framework.databases.postgres.source import PostgresSession
from framework.databases.postgres.wire import wire
from framework.draft.survey import Relation
from framework.draft.types import Declared
from framework.errors import PrivilegeMissing, StatementFailed
from framework.types import DOCUMENT_KINDS, TEXT_KINDS, Kind

_MEASURED = TEXT_KINDS | DOCUMENT_KINDS | {Kind.TEXTUAL, Kind.BYTES, Kind.UNKNOWN, Kind.NUMERIC}
"""Kinds whose values may be too long for a key; a numeric's, if its text is copied."""
_MOST = 1000
"""Questions of one query; PostgreSQL takes 1,664."""


@dataclass(frozen=True)
class Seen:
    """What the data of a relation are like.

    Attributes:
        outside: for each column that has some, the number of values that MySQL has no place for.
        longest: for each column that was measured, the characters (bytes) of its longest value.
        problem: why nothing was seen; empty if it was.
    """

    outside: Mapping[str, int] = field(default_factory=dict)
    longest: Mapping[str, int] = field(default_factory=dict)
    problem: str = ""


def measured(type_: Declared) -> bool:
    """Whether the length of a column's values is worth knowing, if the column is in a key."""
    return type_.type.kind in _MEASURED


def scan(session: PostgresSession, relation: Relation, types: Mapping[str, Declared], keys: Iterable[str]) -> Seen:
    """Look at the rows of a relation; ``keys`` are the columns of its primary key and its unique indexes."""
    asked = list(_questions(relation, types, frozenset(keys)))
    if not asked:
        return Seen()
    table = ("ONLY " if relation.has_children else "") + qualified(relation.schema, relation.name)
    answers: list[int | None] = []
    try:
        for first in range(0, len(asked), _MOST):
            selected = ", ".join(expression for _, _, expression in asked[first : first + _MOST])
            answers += session.query(f"SELECT {selected} FROM {table}")[0]
    except (StatementFailed, PrivilegeMissing) as error:
        if error.transient:
            raise
        return Seen(problem=error.fact)
    found: dict[str, dict[str, int]] = {"outside": {}, "longest": {}}
    for (what, column, _), answer in zip(asked, answers, strict=True):
        if what == "longest" or answer:
            found[what][column] = int(answer or 0)
    return Seen(found["outside"], found["longest"])


def _questions(
    relation: Relation, types: Mapping[str, Declared], keys: frozenset[str]
) -> Iterable[tuple[str, str, str]]:
    """What is asked, of which column, and the expression that answers."""
    for column in relation.columns:
        name, type_ = quote(column.name), types[column.name]
        condition = ranges.outside(name, type_.type)
        if condition is not None:
            yield "outside", column.name, f"count(*) FILTER (WHERE {condition})"
        if column.name in keys and measured(type_):
            yield "longest", column.name, f"max({_length(name, type_)})"


def _length(name: str, type_: Declared) -> str:
    if type_.type.kind is Kind.BYTES:
        return f"octet_length({name})"
    text = wire(name, type_.type) if type_.type.kind in DOCUMENT_KINDS else name
    return f"char_length(({text})::text)"

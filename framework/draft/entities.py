"""The section `entities`: the source's tables as they are, with rules that could fill them as comments."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from framework.draft import text
from framework.draft.drafted import Drafted, Verdict
from framework.draft.survey import Attribute
from framework.spec.document import parse_document
from framework.validation.secrets import secrets

_TABLE, _KEY, _COLUMN = 2, 4, 6
"""Columns of indentation."""


def lines(table: Drafted, verdict: Verdict, *, with_fakes: bool) -> Iterator[str]:
    """A declared table."""
    relation = table.relation
    yield f"{' ' * _TABLE}{text.key(relation.name)}:"
    if relation.comment and (said := description(relation.comment)):
        yield f"{' ' * _KEY}description: {text.scalar(said)}"
    if relation.schema != "public":
        yield f"{' ' * _KEY}schema: {text.scalar(relation.schema)}"
    if with_fakes and table.filling is not None:
        if table.filling.rows is not None:
            yield f"{' ' * _KEY}# rows: {table.filling.rows}"
        else:
            yield from text.comment(f"no `rows:` can be proposed: {table.filling.why_not}", _KEY)
    for refused in table.references.refused:
        yield from text.comment(
            f"note: {refused.column} refers to {refused.referred}, which is not declared: {refused.reason}", _KEY
        )
    yield f"{' ' * _KEY}columns:"
    yield from _columns(table, verdict, with_fakes=with_fakes)
    yield from _lists(table)


def _columns(table: Drafted, verdict: Verdict, *, with_fakes: bool) -> Iterator[str]:
    names = {column.name: text.key(column.name) + ":" for column in table.relation.columns}
    width = max((len(name) for name in names.values() if len(name) <= text.ALIGNED), default=0)
    for column in table.relation.columns:
        type_ = table.types[column.name]
        if type_.domain:
            yield from text.comment(f"domain {type_.domain}", _COLUMN)
        if column.generated and table.filling is not None and table.filling.rows and with_fakes:
            yield from text.comment(
                "computed by PostgreSQL: take the next line out to fill a table that is there", _COLUMN
            )
        line = f"{' ' * _COLUMN}{names[column.name]:{width}} {text.flow(_settings(table, column))}"
        switch = verdict.switch("entities", table.relation.name, column.name)
        rule = table.filling.rules.get(column.name) if table.filling is not None and table.filling.rows else None
        if switch:
            line += switch
        elif with_fakes and rule is not None:
            line += f"  # fake: {text.flow(rule)}"
        elif type_.labels:
            line += f"  # one of {text.shown(', '.join(type_.labels))}"
        yield line


def _settings(table: Drafted, column: Attribute) -> dict[str, Any]:
    key, unique, indexed = _single(table)
    settings: dict[str, Any] = {"type": table.types[column.name].text}
    if (column.name,) == key:
        settings["primary_key"] = True
    elif not column.not_null and column.name not in key:
        settings["nullable"] = True
    if column.name in unique:
        settings["unique"] = True
    if column.name in indexed:
        settings["index"] = True
    if (reference := table.references.declared.get(column.name)) is not None:
        settings["references"] = {"table": reference.table, "column": reference.column}
        if reference.on_delete:
            settings["references"]["on_delete"] = reference.on_delete
    if column.comment and (said := description(column.comment)):
        settings["description"] = said
    return settings


def _single(table: Drafted) -> tuple[tuple[str, ...], set[str], set[str]]:
    """The primary key, and the columns that are unique or have an index by themselves."""
    key = table.relation.primary_key
    plain = [index for index in table.relation.indexes if index.plain and not index.primary]
    unique = {index.plain[0] for index in plain if index.unique and len(index.plain) == 1} - set(
        key if len(key) == 1 else ()
    )
    indexed = {index.plain[0] for index in plain if not index.unique and len(index.plain) == 1}
    return key, unique, indexed - unique - set(key[:1])


def _lists(table: Drafted) -> Iterator[str]:
    """Keys and indexes of several columns."""
    key = table.relation.primary_key
    if len(key) > 1:
        yield f"{' ' * _KEY}primary_key: {text.flow(list(key))}"
    longer = [index for index in table.relation.indexes if len(index.plain) > 1 and not index.primary]
    unique = list(dict.fromkeys(index.plain for index in longer if index.unique and index.plain != key))
    if unique:
        yield f"{' ' * _KEY}unique: {text.flow([list(names) for names in unique])}"
    kept = []
    others = list(dict.fromkeys(index.plain for index in longer if not index.unique))
    for names in others:
        longer_ones = [other for other in others if len(other) > len(names)]
        if not any(other[: len(names)] == names for other in (key, *unique, *longer_ones)):
            kept.append(list(names))
    if kept:
        yield f"{' ' * _KEY}indexes: {text.flow(kept)}"


def description(comment: str) -> str:
    """A comment of the database; empty if it holds a secret, or what the checker would take for its own."""
    unfit = "vitrina:" in comment or any(secrets(parse_document(f"x: {text.scalar(comment)}", Path("draft"))))
    return "" if unfit else comment

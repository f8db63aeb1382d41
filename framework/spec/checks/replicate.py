"""Rules about replicated tables. Those whose source the spec does not declare are checked when it is read."""

from __future__ import annotations

from collections.abc import Iterator

from framework.diagnostics import did_you_mean
from framework.spec.checks.entities import type_advice
from framework.spec.checks.lookup import (
    MOMENT_KINDS,
    NUMBER_KINDS,
    checks,
    copied_columns,
    kind_of,
    source_of,
    target_columns,
)
from framework.spec.checks.rules import Finding, Loc, Rule, rule
from framework.spec.models import Check, MappedColumn, Replicate, Spec
from framework.types import TEXT_KINDS, parse_type

_ORDERED = MOMENT_KINDS | NUMBER_KINDS | TEXT_KINDS
"""Kinds of columns that can be cursors."""


@rule("unknown-column")
def unknown_source_column(spec: Spec) -> Iterator[Finding]:
    """Settings name columns of the source table."""
    for table, settings in spec.replicate.items():
        found = source_of(spec, table)
        if found is None:
            continue
        name, entity = found
        for loc, column in _source_names(spec, table, settings):
            if column not in entity.columns:
                message = f"{name!r} has no column {column!r}"
                yield Finding(loc, message, did_you_mean(column, entity.columns), on_key=len(loc) == 2)


def _source_names(spec: Spec, table: str, settings: Replicate) -> Iterator[tuple[Loc, str]]:
    loc: Loc = ("replicate", table)
    for key, names in (("only", settings.only), ("except", settings.except_), ("key", settings.key)):
        for index, name in enumerate(names or ()):
            yield (*loc, key, index), name
    for target, column in settings.columns.items():
        if column.from_ is not None:
            yield (*loc, "columns", target, "from"), column.from_
    task = spec.replicate_task(table)
    if task.cursor is not None and task.mode == "incremental":
        yield ((*loc, "cursor") if settings.cursor else loc), task.cursor


@rule("unknown-column")
def unknown_target_column(spec: Spec) -> Iterator[Finding]:
    """Indexes and checks name columns of the copy."""
    for table, settings in spec.replicate.items():
        known = target_columns(spec, table)
        if known is None:
            continue
        for index, names in enumerate(settings.indexes):
            for place, name in enumerate(names):
                if name not in known:
                    yield _no_target_column(("replicate", table, "indexes", index, place), table, name, known)
    for loc, table, check in checks(spec):
        known = target_columns(spec, table) if loc[0] == "replicate" else None
        for path, name, on_key in _checked_columns(loc, check):
            if known is not None and name not in known:
                yield _no_target_column(path, table, name, known, on_key=on_key)


def _no_target_column(loc: Loc, table: str, name: str, known: tuple[str, ...], *, on_key: bool = False) -> Finding:
    return Finding(loc, f"the copy {table!r} has no column {name!r}", did_you_mean(name, known), on_key)


def _checked_columns(loc: Loc, check: Check) -> Iterator[tuple[Loc, str, bool]]:
    for key in ("unique", "not_null"):
        for index, name in enumerate(getattr(check, key) or ()):
            yield (*loc, key, index), name, False
    for key in ("between", "accepted", "relationship"):
        for name in getattr(check, key) or ():
            yield (*loc, key, name), name, True


@rule("unknown-table")
def unknown_relationship(spec: Spec) -> Iterator[Finding]:
    """A relationship leads to a table of the target."""
    tables = (*spec.replicate, *spec.marts)
    for loc, _, check in checks(spec):
        for column, target in (check.relationship or {}).items():
            if target.table not in tables:
                place = (*loc, "relationship", column, "table")
                message = f"nothing makes a table {target.table!r} in the target"
                yield Finding(place, message, did_you_mean(target.table, tables))


@rule("unknown-column")
def unknown_relationship_column(spec: Spec) -> Iterator[Finding]:
    """A relationship leads to a column of a copy."""
    for loc, _, check in checks(spec):
        for column, target in (check.relationship or {}).items():
            known = target_columns(spec, target.table) if target.table in spec.replicate else None
            if known is not None and target.column not in known:
                place = (*loc, "relationship", column, "column")
                yield _no_target_column(place, target.table, target.column, known)


@rule("only-and-except")
def only_and_except(spec: Spec) -> Iterator[Finding]:
    """Columns are named, or left out."""
    for table, settings in spec.replicate.items():
        if settings.only is not None and settings.except_ is not None:
            message = "`only` says it all: nothing is left to except"
            yield Finding(("replicate", table, "except"), message, "remove one of the two", on_key=True)


@rule("column-settings")
def column_settings(spec: Spec) -> Iterator[Finding]:
    """Computed columns have a type, copied ones may have a mask."""
    for table, settings in spec.replicate.items():
        for name, column in settings.columns.items():
            yield from _column_settings(("replicate", table, "columns", name), column)


def _column_settings(loc: Loc, column: MappedColumn) -> Iterator[Finding]:
    if column.sql is not None and column.type is None:
        yield Finding((*loc, "sql"), "a computed column needs a type", "add `type: text`, or what it is", on_key=True)
    if column.sql is not None and column.mask is not None:
        yield Finding((*loc, "mask"), "a computed column has no mask", "mask a column with `from:`", on_key=True)
    if column.from_ is not None and column.type is not None:
        yield Finding((*loc, "type"), "a copied column keeps its type", "remove `type:`, or use `sql:`", on_key=True)


@rule("unknown-type")
def unknown_type(spec: Spec) -> Iterator[Finding]:
    """The type of a computed column is known."""
    for table, settings in spec.replicate.items():
        for name, column in settings.columns.items():
            if column.type is not None and parse_type(column.type) is None:
                loc = ("replicate", table, "columns", name, "type")
                yield Finding(loc, f"the type {column.type!r} is not known", type_advice(column.type))


@rule("no-cursor")
def no_cursor(spec: Spec) -> Iterator[Finding]:
    """What changed since the last run is told by a cursor."""
    for table, settings in spec.replicate.items():
        task = spec.replicate_task(table)
        if task.mode == "incremental" and task.cursor is None:
            loc = ("replicate", table, "mode") if settings.mode else ("replicate", table)
            advice = "add `cursor: updated_at`, or use `mode: full`"
            yield Finding(loc, f"{table!r} is incremental and has no cursor", advice, on_key=settings.mode is None)


@rule("cursor-type")
def cursor_type(spec: Spec) -> Iterator[Finding]:
    """A cursor grows, so its type has an order."""
    for table, settings in spec.replicate.items():
        task, found = spec.replicate_task(table), source_of(spec, table)
        column = found[1].columns.get(task.cursor or "") if found else None
        if column is not None and task.mode == "incremental" and kind_of(column) not in (*_ORDERED, None):
            loc = ("replicate", table, "cursor") if settings.cursor else ("replicate", table)
            message = f"the cursor {task.cursor!r} is of type {column.type}, which does not grow"
            yield Finding(loc, message, "use a column of type timestamptz", on_key=settings.cursor is None)


@rule("no-key")
def no_key(spec: Spec) -> Iterator[Finding]:
    """Rows that changed are found by a key."""
    for table in spec.replicate:
        task, found = spec.replicate_task(table), source_of(spec, table)
        if found is not None and task.mode == "incremental" and not (task.key or found[1].key):
            message = f"{table!r} is incremental, and {found[0]!r} has no primary key"
            yield Finding(("replicate", table), message, "add `key: [...]`, or use `mode: full`", on_key=True)


@rule("key-not-copied")
def key_not_copied(spec: Spec) -> Iterator[Finding]:
    """The key is part of the copy."""
    for table, settings in spec.replicate.items():
        task, found, copied = spec.replicate_task(table), source_of(spec, table), copied_columns(spec, table)
        if found is None or copied is None or not (task.mode == "incremental" or task.key):
            continue
        key = task.key or found[1].key
        missing = [name for name in key if name in found[1].columns and name not in copied.values()]
        if missing:
            loc = ("replicate", table, "key") if settings.key else ("replicate", table)
            message = f"the key column {missing[0]!r} of {found[0]!r} is not copied"
            yield Finding(loc, message, "copy it, or name other columns with `key:`", on_key=True)


@rule("no-columns")
def no_columns(spec: Spec) -> Iterator[Finding]:
    """Something is copied."""
    for table in spec.replicate:
        if copied_columns(spec, table) == {}:
            yield Finding(("replicate", table, "except"), "no column is left to copy", "leave one in", on_key=True)


RULES: tuple[Rule, ...] = (
    unknown_source_column,
    unknown_target_column,
    unknown_relationship,
    unknown_relationship_column,
    only_and_except,
    column_settings,
    unknown_type,
    no_cursor,
    cursor_type,
    no_key,
    key_not_copied,
    no_columns,
)

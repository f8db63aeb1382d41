"""Rules about replicated tables. Those whose source the spec does not declare are checked when it is read."""

from __future__ import annotations

from collections.abc import Iterator

from framework.diagnostics import did_you_mean
from framework.replicate.schema.widening import Step, step
from framework.spec.checks import Check
from framework.spec.entities import Entity
from framework.spec.models import Spec
from framework.spec.replication import MappedColumn, Replicate
from framework.types import parse_type
from framework.validation.rules.base import HINT, WARNING, Finding, Loc, Rule, rule
from framework.validation.rules.entities import type_advice
from framework.validation.rules.lookup import (
    checks,
    copied_columns,
    source_of,
    target_columns,
    task_of,
)

_LISTED = 5
"""Tables that are named in one message."""


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
    task = task_of(spec, table)
    if task.cursor is not None and task.mode == "incremental":
        yield ((*loc, "cursor") if settings.cursor else loc), task.cursor


@rule("unknown-column")
def unknown_target_column(spec: Spec) -> Iterator[Finding]:
    """Indexes and checks name columns of the copy."""
    for table, settings in spec.replicate.items():
        known = target_columns(spec, table)
        if known is None:
            continue
        for key, lists in (("unique", settings.unique), ("indexes", settings.indexes)):
            for index, names in enumerate(lists):
                for place, name in enumerate(names):
                    if name not in known:
                        yield _no_target_column(("replicate", table, key, index, place), table, name, known)
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
            message = "`only` names all columns that are copied, so `except` has nothing to leave out"
            yield Finding(("replicate", table, "except"), message, "remove one of the two", on_key=True)


@rule("column-settings")
def column_settings(spec: Spec) -> Iterator[Finding]:
    """Computed columns have a type, copied ones may have a mask."""
    for table, settings in spec.replicate.items():
        for name, column in settings.columns.items():
            loc = ("replicate", table, "columns", name)
            yield from _column_settings(loc, column)
            yield from _type_of_copied(loc, column, source_of(spec, table))


def _column_settings(loc: Loc, column: MappedColumn) -> Iterator[Finding]:
    if column.sql is not None and column.type is None:
        yield Finding(
            (*loc, "sql"), "a computed column needs a type", "add `type:`, such as bigint or text", on_key=True
        )
    if column.sql is not None and column.mask is not None:
        yield Finding((*loc, "mask"), "a computed column has no mask", "mask a column with `from:`", on_key=True)


def _type_of_copied(loc: Loc, column: MappedColumn, source: tuple[str, Entity] | None) -> Iterator[Finding]:
    """A type that a copied column is given must hold all values of its own."""
    type_ = parse_type(column.type) if column.type is not None and column.from_ is not None else None
    declared = source[1].columns.get(column.from_ or "") if source is not None else None
    own = parse_type(declared.type) if declared is not None else None
    if type_ is None:
        return
    if column.mask is not None:
        yield Finding((*loc, "type"), "a masked column is always a text", "remove `type:`", on_key=True)
    elif own is not None and step(own, type_) is Step.OTHER:
        message = f"{column.type} does not hold all values of {own} as they are"
        yield Finding((*loc, "type"), message, "use a wider type, or compute it with `sql:`", on_key=True)


@rule("null-in-key")
def null_in_key(spec: Spec) -> Iterator[Finding]:
    """What identifies a row is never NULL."""
    for table, settings in spec.replicate.items():
        found = source_of(spec, table)
        key = settings.key or (found[1].key if found else ())
        for name, column in settings.columns.items():
            if column.out_of_range == "null" and column.from_ in key:
                loc = ("replicate", table, "columns", name, "out_of_range")
                yield Finding(loc, f"{column.from_!r} is in the key, which is never NULL", "use text, or clamp")


@rule("unique-could-collide")
def unique_could_collide(spec: Spec) -> Iterator[Finding]:
    """Rows that are kept although the source has deleted them keep their values, which others may have by then."""
    for table, settings in spec.replicate.items():
        task = task_of(spec, table)
        if task.mode == "incremental" and task.deletes.policy != "remove":
            for place in range(len(settings.unique)):
                message = f"with `deletes: {task.deletes.policy}`, a new row may have the value of one that is gone"
                yield Finding(("replicate", table, "unique", place), message, "make it one of `indexes:`")


@rule("unknown-type")
def unknown_type(spec: Spec) -> Iterator[Finding]:
    """The type of a computed column is known."""
    for table, settings in spec.replicate.items():
        for name, column in settings.columns.items():
            if column.type is not None and parse_type(column.type) is None:
                loc = ("replicate", table, "columns", name, "type")
                yield Finding(loc, f"the type {column.type!r} is not known", type_advice(column.type))


@rule("no-key")
def no_key(spec: Spec) -> Iterator[Finding]:
    """Rows that changed are found by a key."""
    for table in spec.replicate:
        task, found = task_of(spec, table), source_of(spec, table)
        if found is not None and task.mode == "incremental" and not (task.key or found[1].key):
            whose = "has" if found[0] == table else f"{found[0]!r} has"
            message = f"{table!r} is incremental, and {whose} no primary key"
            yield Finding(("replicate", table), message, "add `key: [...]`, or use `mode: full`", on_key=True)


@rule("key-not-unique", WARNING)
def key_not_unique(spec: Spec) -> Iterator[Finding]:
    """A key names one row."""
    for table, settings in spec.replicate.items():
        found = source_of(spec, table)
        if settings.key is None or found is None:
            continue
        name, entity = found
        unique = [set(names) for names in (entity.key, *entity.unique) if names]
        unique += [{column} for column, own in entity.columns.items() if own.unique]
        known = all(column in entity.columns for column in settings.key)
        if known and not any(names <= set(settings.key) for names in unique):
            message = f"nothing says that {' and '.join(settings.key)} of {name!r} never repeat"
            advice = "declare it under `unique:`, or name other columns; rows of one key would stop the copy"
            yield Finding(("replicate", table, "key"), message, advice, on_key=True)


@rule("key-not-copied")
def key_not_copied(spec: Spec) -> Iterator[Finding]:
    """The key is part of the copy."""
    for table, settings in spec.replicate.items():
        task, found, copied = task_of(spec, table), source_of(spec, table), copied_columns(spec, table)
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


@rule("undeclared-table", HINT)
def undeclared_table(spec: Spec) -> Iterator[Finding]:
    """What a spec does not declare cannot be checked without the database."""
    unknown = [table for table in spec.replicate if source_of(spec, table) is None]
    for table in [*unknown]:
        entity, schema = spec.entities.get(spec.replicate[table].from_ or table), spec.replicate[table].schema_
        if entity is not None:
            unknown.remove(table)
            message = f"{table!r} is copied from the schema {schema!r}, and declared in {entity.schema_!r}"
            yield Finding(("replicate", table), message, f"add `schema: {entity.schema_}`", on_key=True)
    if unknown:
        shown = ", ".join(unknown[:_LISTED]) + (f" and {len(unknown) - _LISTED} more" if len(unknown) > _LISTED else "")
        message = f"the columns of {shown} are not declared, so what names them is not checked"
        advice = "declare the source tables under `entities:`, or use `vitrina validate --online`"
        loc: Loc = ("replicate",) if len(unknown) > 1 else ("replicate", unknown[0])
        yield Finding(loc, message, advice, on_key=True)


@rule("useless-setting", WARNING)
def useless_setting(spec: Spec) -> Iterator[Finding]:
    """Settings of increments say nothing about a table that is copied anew each time."""
    for table, settings in spec.replicate.items():
        if task_of(spec, table).mode != "full":
            continue
        for key in ("cursor", "lookback", "deletes"):
            if key in settings.model_fields_set:
                message = f"{table!r} is copied anew in each run, so `{key}` has no meaning"
                yield Finding(("replicate", table, key), message, f"remove `{key}`, or add `mode: incremental`", True)


RULES: tuple[Rule, ...] = (
    unknown_source_column,
    unknown_target_column,
    unknown_relationship,
    unknown_relationship_column,
    only_and_except,
    column_settings,
    null_in_key,
    unique_could_collide,
    unknown_type,
    no_key,
    key_not_unique,
    key_not_copied,
    no_columns,
    undeclared_table,
    useless_setting,
)

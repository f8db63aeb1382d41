"""Rules about entities: types, keys, references, numbers of rows."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from framework.diagnostics import did_you_mean
from framework.spec.checks.lookup import columns, comparable, kind_of
from framework.spec.checks.rules import Finding, Loc, Rule, rule
from framework.spec.models import Entity, RowsPer, Spec
from framework.types import Kind, parse_type, type_names

_UNFILLABLE = frozenset({Kind.INTERVAL, Kind.NETWORK})
"""Kinds no fake rule makes values of."""


@rule("unknown-type")
def unknown_type(spec: Spec) -> Iterator[Finding]:
    """A column's type is one PostgreSQL has and Vitrina knows."""
    for loc, _, _, _, column in columns(spec):
        if parse_type(column.type) is None:
            yield Finding((*loc, "type"), f"the type {column.type!r} is not known", type_advice(column.type))


def type_advice(name: str) -> str:
    """What may have been meant by a type that is not known."""
    head, bracket, arguments = name.partition("(")
    if parse_type(head) is not None:
        return f"{head} takes other arguments, or none"
    advice = did_you_mean(head, type_names())
    return advice.replace("'?", f"{bracket}{arguments}'?") if advice.endswith("'?") else advice


@rule("unfillable-type")
def unfillable_type(spec: Spec) -> Iterator[Finding]:
    """Columns of some types can be described, but not filled."""
    for loc, _, entity, _, column in columns(spec):
        if entity.rows is not None and kind_of(column) in _UNFILLABLE:
            message = f"fake values of type {column.type} cannot be made"
            yield Finding((*loc, "type"), message, "use another type, such as text")


@rule("unknown-column")
def unknown_key_columns(spec: Spec) -> Iterator[Finding]:
    """Keys and indexes are made of the entity's columns."""
    for table, entity in spec.entities.items():
        for loc, names in _column_lists(("entities", table), entity):
            for index, name in enumerate(names):
                if name not in entity.columns:
                    message = f"{table!r} has no column {name!r}"
                    yield Finding((*loc, index), message, did_you_mean(name, entity.columns))


@rule("repeated-column")
def repeated_column(spec: Spec) -> Iterator[Finding]:
    """A key or an index names a column once."""
    for table, entity in spec.entities.items():
        for loc, names in _column_lists(("entities", table), entity):
            for index, name in enumerate(names):
                if name in names[:index]:
                    yield Finding((*loc, index), f"{name!r} is here a second time", "remove it")


def _column_lists(loc: Loc, entity: Entity) -> Iterator[tuple[Loc, tuple[str, ...]]]:
    if entity.primary_key is not None:
        yield (*loc, "primary_key"), entity.primary_key
    for key, lists in (("unique", entity.unique), ("indexes", entity.indexes)):
        for index, names in enumerate(lists):
            yield (*loc, key, index), names


@rule("two-keys")
def two_keys(spec: Spec) -> Iterator[Finding]:
    """The primary key is stated in one place."""
    for loc, table, entity, name, column in columns(spec):
        if column.primary_key and entity.primary_key is not None:
            message = f"the primary key of {table!r} is stated twice: here and in its list `primary_key`"
            advice = "remove this one" if name in entity.primary_key else f"add {name!r} to the list instead"
            yield Finding((*loc, "primary_key"), message, advice)


@rule("nullable-key")
def nullable_key(spec: Spec) -> Iterator[Finding]:
    """Columns of a primary key hold no NULL."""
    for loc, _, entity, name, column in columns(spec):
        if column.may_be_null and name in entity.key:
            place = "nulls" if column.nulls is not None else "nullable"
            yield Finding((*loc, place), f"{name!r} is of the primary key, which holds no NULL", f"remove `{place}`")


@rule("nulls-not-allowed")
def nulls_not_allowed(spec: Spec) -> Iterator[Finding]:
    """A column that refuses NULL gets none."""
    for loc, _, _, _, column in columns(spec):
        if column.nulls is not None and column.nullable is False:
            yield Finding((*loc, "nulls"), "the column says `nullable: false`", "remove one of the two")


@rule("missing-fake")
def missing_fake(spec: Spec) -> Iterator[Finding]:
    """Every column of a filled table has something to be filled with."""
    for loc, _, entity, name, column in columns(spec):
        touched = entity.changes is not None and entity.changes.touch == name
        if entity.rows is None or column.may_be_null or column.fake or column.references or touched:
            continue
        message = f"nothing says how {name!r} is filled"
        yield Finding(loc, message, "add `fake:`, `references:`, or `nullable: true`", on_key=True)


@rule("two-sources")
def two_sources(spec: Spec) -> Iterator[Finding]:
    """A reference draws from the table it refers to, and from nothing else."""
    for loc, _, _, _, column in columns(spec):
        if column.references is not None and column.fake is not None:
            message = f"a reference takes its values from {column.references.table!r}"
            yield Finding((*loc, "fake"), message, "remove `fake:`", on_key=True)


@rule("unknown-reference")
def unknown_reference(spec: Spec) -> Iterator[Finding]:
    """A reference leads to a declared column."""
    for loc, _, _, _, column in columns(spec):
        if column.references is None:
            continue
        parent = spec.entities.get(column.references.table)
        if parent is None:
            message = f"there is no entity {column.references.table!r}"
            yield Finding((*loc, "references", "table"), message, did_you_mean(column.references.table, spec.entities))
        elif column.references.column not in parent.columns:
            message = f"{column.references.table!r} has no column {column.references.column!r}"
            advice = did_you_mean(column.references.column, parent.columns)
            yield Finding((*loc, "references", "column"), message, advice)


@rule("reference-not-unique")
def reference_not_unique(spec: Spec) -> Iterator[Finding]:
    """A reference leads to a column whose values never repeat."""
    for loc, _, _, _, column in columns(spec):
        parent = spec.entities.get(column.references.table) if column.references else None
        if parent is None or column.references is None or column.references.column not in parent.columns:
            continue
        name = column.references.column
        if not is_unique(parent, name):
            message = f"{column.references.table}.{name} is neither a primary key nor unique"
            yield Finding(
                (*loc, "references", "column"), message, "refer to a unique column, or make it `unique: true`"
            )


def is_unique(entity: Entity, name: str) -> bool:
    """Whether the column alone identifies a row."""
    return entity.columns[name].unique or entity.key == (name,) or (name,) in entity.unique


@rule("reference-type")
def reference_type(spec: Spec) -> Iterator[Finding]:
    """A reference and its target are of comparable types."""
    for loc, _, _, name, column in columns(spec):
        parent = spec.entities.get(column.references.table) if column.references else None
        target = parent.columns.get(column.references.column) if parent and column.references else None
        if target is None or column.references is None:
            continue
        own, other = kind_of(column), kind_of(target)
        if own and other and not comparable(own, other):
            there = f"{column.references.table}.{column.references.column}"
            message = f"{name!r} is of type {column.type}, and {there} of type {target.type}"
            yield Finding((*loc, "type"), message, f"make it {target.type}")


@rule("null-reference")
def null_reference(spec: Spec) -> Iterator[Finding]:
    """What would be set to NULL must accept it."""
    for loc, _, entity, name, column in columns(spec):
        if column.references is None:
            continue
        nullable = column.may_be_null and name not in entity.key
        if column.references.on_delete == "set null" and not nullable:
            yield Finding((*loc, "references", "on_delete"), f"{name!r} accepts no NULL", "add `nullable: true`")


@rule("self-reference")
def self_reference(spec: Spec) -> Iterator[Finding]:
    """The first row of a table has no row to refer to."""
    for loc, table, entity, name, column in columns(spec):
        if entity.rows is None or column.references is None or column.references.table != table:
            continue
        if not column.may_be_null:
            message = f"{name!r} refers to its own table, and the first row has nothing to refer to"
            yield Finding((*loc, "references"), message, "add `nulls: 5%`", on_key=True)
        elif column.unique:
            message = f"{name!r} refers to its own table, and such references repeat"
            yield Finding((*loc, "unique"), message, "remove `unique`")


@rule("reference-cycle")
def reference_cycle(spec: Spec) -> Iterator[Finding]:
    """Filled tables refer to tables filled before them."""
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for _, table, entity, _, column in columns(spec):
        parent = column.references.table if column.references else table
        if parent != table and entity.rows is not None and spec.entities.get(parent) is not None:
            sorter.add(table, parent)
    try:
        sorter.prepare()
    except CycleError as error:
        circle: list[str] = error.args[1][::-1]
        loc = _reference_to(spec, circle[0], circle[1])
        message = f"tables refer to each other in a circle: {' -> '.join(circle)}"
        yield Finding(loc, message, "remove one of the references")


def _reference_to(spec: Spec, table: str, parent: str) -> Loc:
    own = spec.entities[table].columns
    name = next(name for name, column in own.items() if column.references and column.references.table == parent)
    return ("entities", table, "columns", name, "references", "table")


@rule("rows-per")
def rows_per(spec: Spec) -> Iterator[Finding]:
    """`per` names the column that refers to the parent."""
    for table, entity in spec.entities.items():
        if not isinstance(entity.rows, RowsPer):
            continue
        loc, name = ("entities", table, "rows", "per"), entity.rows.per
        column = entity.columns.get(name)
        references = [other for other, each in entity.columns.items() if each.references]
        if column is None:
            yield Finding(loc, f"{table!r} has no column {name!r}", did_you_mean(name, references or entity.columns))
        elif column.references is None:
            yield Finding(loc, f"{name!r} refers to no table", "name a column with `references:`")
        elif column.references.table == table:
            yield Finding(loc, f"{name!r} refers to {table!r} itself", "name a column that refers to another table")


RULES: tuple[Rule, ...] = (
    unknown_type,
    unfillable_type,
    unknown_key_columns,
    repeated_column,
    two_keys,
    nullable_key,
    nulls_not_allowed,
    missing_fake,
    two_sources,
    unknown_reference,
    reference_not_unique,
    reference_type,
    null_reference,
    self_reference,
    reference_cycle,
    rows_per,
)

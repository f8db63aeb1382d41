"""Rules about entities: types, keys, references, numbers of rows."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from framework.diagnostics import did_you_mean
from framework.generate.columns.scalars import INTEGER_LIMITS
from framework.spec.entities import Entity, EntityColumn, RowsPer
from framework.spec.models import Spec
from framework.types import TEXT_KINDS, Kind, LogicalType, parse_type, type_names
from framework.validation.rules.base import HINT, WARNING, Finding, Loc, Rule, rule
from framework.validation.rules.lookup import columns, comparable, is_unique, kind_of

_UNFILLABLE = frozenset(
    {
        *(Kind.INTERVAL, Kind.NETWORK, Kind.TIMETZ, Kind.MONEY, Kind.NUMBER, Kind.COMPOSITE),
        *(Kind.DICTIONARY, Kind.TEXTUAL, Kind.UNKNOWN),
    }
)
"""Kinds no fake rule makes values of: such columns are NULL in tables that are filled."""


@rule("unknown-type")
def unknown_type(spec: Spec) -> Iterator[Finding]:
    """A column's type is one PostgreSQL has and Vitrina knows."""
    for loc, _, _, _, column in columns(spec):
        if parse_type(column.type) is None:
            yield Finding((*loc, "type"), f"the type {column.type!r} is not known", type_advice(column.type))


def type_advice(name: str) -> str:
    """What may have been meant by a type that is not known."""
    head, bracket, arguments = name.partition("(")
    if head.strip().lower() in _ALIASES:
        return f"write {_ALIASES[head.strip().lower()]}"
    if parse_type(head) is not None:
        return f"{head} takes other arguments, or none"
    advice = did_you_mean(head, type_names()) or (
        f"say what it is: `enum {name}`, `composite {name}`, `range {name}` or `extension {name}`; "
        "a domain is declared by its base type"
    )
    return advice.replace("'?", f"{bracket}{arguments}'?") if advice.endswith("'?") else advice


_ALIASES = {
    "datetime": "timestamp, or timestamptz for a point in time",
    "string": "text",
    "str": "text",
    "nvarchar": "varchar",
    "tinyint": "smallint",
    "serial": "integer, with `fake: sequence`",
    "bigserial": "bigint, with `fake: sequence`",
    "double": "double precision",
    "number": "numeric(12,2), or bigint",
    "blob": "bytea",
    "guid": "uuid",
}
"""Types of other databases, and what they are in PostgreSQL."""


@rule("unfillable-type")
def unfillable_type(spec: Spec) -> Iterator[Finding]:
    """Columns of some types can be described, but not filled."""
    for loc, _, entity, _, column in columns(spec):
        stays_null = column.may_be_null and column.nulls is None and column.fake is None
        if entity.rows is not None and not stays_null and _is_unfillable(column):
            message = f"fake values of type {column.type} cannot be made"
            yield Finding((*loc, "type"), message, "use another type, such as text")


def _is_unfillable(column: EntityColumn) -> bool:
    type_ = parse_type(column.type)
    if type_ is None:
        return False
    # In an array, values go by the number of their type, which these have of their own.
    element = type_.name.removesuffix("[]") if type_.kind is Kind.ARRAY else ""
    return type_.kind in _UNFILLABLE or element in ("citext", "name", '"char"')


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
    for loc, _, _, name, column in columns(spec):
        if column.nulls is not None and column.nullable is False:
            message = f"{name!r} gets NULLs, and says `nullable: false`"
            yield Finding((*loc, "nulls"), message, "remove `nulls` or `nullable`")


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
    for loc, _, _, name, column in columns(spec):
        if column.references is not None and column.fake is not None:
            message = f"{name!r} takes its values from {column.references.table!r}, so `fake` is never used"
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
            advice = f"refer to another column, or make {column.references.table}.{name} `unique: true`"
            yield Finding((*loc, "references", "column"), message, advice)


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
            message = f"{name!r} is of type {column.type}, and {there} of type {target.type}: they do not compare"
            related = ((("entities", column.references.table, "columns", column.references.column), "declared here"),)
            yield Finding((*loc, "type"), message, f"make it {target.type}", related=related)


@rule("null-reference")
def null_reference(spec: Spec) -> Iterator[Finding]:
    """What would be set to NULL must accept it."""
    for loc, _, entity, name, column in columns(spec):
        if column.references is None:
            continue
        nullable = column.may_be_null and name not in entity.key
        if column.references.on_delete == "set null" and not nullable:
            advice = "choose another `on_delete`" if name in entity.key else "make it `nullable: true`"
            yield Finding((*loc, "references", "on_delete"), f"{name!r} accepts no NULL", advice)


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


@rule("narrow-reference", WARNING)
def narrow_reference(spec: Spec) -> Iterator[Finding]:
    """A reference has room for all values that it may take."""
    for loc, _, _, name, column in columns(spec):
        parent = spec.entities.get(column.references.table) if column.references else None
        target = parent.columns.get(column.references.column) if parent and column.references else None
        own, other = parse_type(column.type), parse_type(target.type) if target else None
        if own is None or other is None or target is None or column.references is None:
            continue
        integers = own.kind in INTEGER_LIMITS and other.kind in INTEGER_LIMITS
        narrow = integers and INTEGER_LIMITS[own.kind] < INTEGER_LIMITS[other.kind]
        short = own.kind in TEXT_KINDS and other.kind in TEXT_KINDS and _shorter(own, other)
        if narrow or short:
            there = f"{column.references.table}.{column.references.column}"
            message = f"{name!r} is {column.type}, and {there} is {target.type}: it has no room for all its values"
            related = ((("entities", column.references.table, "columns", column.references.column), "declared here"),)
            yield Finding((*loc, "type"), message, f"make it {target.type}", related=related)


def _shorter(own: LogicalType, other: LogicalType) -> bool:
    return own.length is not None and (other.length is None or own.length < other.length)


@rule("unused-entity", WARNING)
def unused_entity(spec: Spec) -> Iterator[Finding]:
    """An entity is copied, or others refer to it."""
    if not spec.replicate:
        return
    used = {(settings.from_ or table) for table, settings in spec.replicate.items()}
    used |= {
        column.references.table
        for _, table, _, _, column in columns(spec)
        if column.references and column.references.table != table
    }
    sql = " ".join(settings.where or "" for settings in spec.replicate.values())
    for table, entity in spec.entities.items():
        # Another spec may copy what this one fills.
        if table not in used and entity.rows is None and table not in sql:
            message = f"{table!r} is neither copied nor referred to"
            yield Finding(("entities", table), message, "add it under `replicate:`, or remove it", on_key=True)


@rule("redundant-index", HINT)
def redundant_index(spec: Spec) -> Iterator[Finding]:
    """A key has an index already."""
    for table, entity in spec.entities.items():
        for name, column in entity.columns.items():
            if column.index and (column.unique or entity.key[:1] == (name,)):
                loc: Loc = ("entities", table, "columns", name, "index")
                key = "unique" if column.unique else "the first of the primary key"
                yield Finding(loc, f"{name!r} is {key}, and has an index by that", "remove `index`")
        keys = [*filter(None, [entity.key]), *entity.unique]
        keys += [(name,) for name, column in entity.columns.items() if column.unique]
        for place, names in enumerate(entity.indexes):
            longer = [other for other in entity.indexes if len(other) > len(names)]
            if any(key[: len(names)] == names for key in (*keys, *longer, *entity.indexes[:place])):
                shown = ", ".join(names)
                loc = ("entities", table, "indexes", place)
                yield Finding(loc, f"there is an index that begins with {shown} already", "remove this one")


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
    narrow_reference,
    unused_entity,
    redundant_index,
)

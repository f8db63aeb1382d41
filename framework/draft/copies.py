"""The section `replicate`: a copy for each table, and what PostgreSQL has that the copy has not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from framework.databases.limits import decimal_of, holds_all
from framework.databases.mysql.defaults import default_of
from framework.draft import names, text
from framework.draft.drafted import Drafted, Verdict
from framework.draft.survey import KINDS, PARTITIONED, ConstraintSeen, Relation
from framework.types import Kind

_TABLE, _KEY, _COLUMN = 2, 4, 6
"""Columns of indentation."""
_LONG = 100
"""Characters of a definition that is shown."""


def lines(table: Drafted, verdict: Verdict) -> Iterator[str]:
    """The copy of a relation; one that is left out as a comment."""
    name = text.key(table.target) + ":"
    if table.left_out:
        yield from text.comment(f"left out: {table.relation.shown}: {table.left_out}", _TABLE)
        return
    yield from _about(table)
    yield f"{' ' * _TABLE}{name}{verdict.switch('replicate', table.target, 'table')}"
    yield from _origin(table)
    if table.keys.stated:
        yield f"{' ' * _KEY}key: {text.flow(list(table.keys.key))}{verdict.switch('replicate', table.target, 'key')}"
    yield from _columns(table)
    yield from _cursor(table)
    for key, lists in (("unique", table.keys.unique), ("indexes", table.keys.indexes)):
        if lists:
            shown = text.flow([table.named(each) for each in lists])
            yield f"{' ' * _KEY}{key}: {shown}{verdict.switch('replicate', table.target, key)}"


def _origin(table: Drafted) -> Iterator[str]:
    relation = table.relation
    if table.target != relation.name:
        yield from text.comment(f"note: {names.why(relation, table.target)}", _KEY)
        yield f"{' ' * _KEY}from: {text.scalar(relation.name)}"
    if relation.schema != "public":
        yield f"{' ' * _KEY}schema: {text.scalar(relation.schema)}"
    if relation.has_children:
        said = "its own rows; those of tables that inherit from it are in their copies. Without this line they are here"
        yield from text.comment(f"note: {said}, too, as PostgreSQL shows them", _KEY)
        yield f"{' ' * _KEY}children: false"


def _columns(table: Drafted) -> Iterator[str]:
    """The columns that cannot go as they are."""
    outside = table.seen.outside if table.seen is not None else {}
    unknown = {column.name for column in table.relation.columns if table.types[column.name].type.kind is Kind.UNKNOWN}
    found = [column.name for column in table.relation.columns if column.name in {*table.renamed, *outside, *unknown}]
    if not found:
        return
    yield f"{' ' * _KEY}columns:"
    for name in found:
        settings: dict[str, Any] = {"from": name}
        if name in table.renamed:
            yield from text.comment(f"note: MySQL cannot hold the name {name!r} beside the others", _COLUMN)
        if name in outside:
            yield from text.comment(f"note: {_outside(table, name, outside[name])}", _COLUMN)
            settings["out_of_range"] = "text"
        elif name in unknown:
            said = f"a type of the extension {table.types[name].extension}" if table.types[name].extension else "a type"
            said = f"note: {said} that has no home in MySQL: copied as PostgreSQL's text"
            yield from text.comment(said, _COLUMN)
            settings["out_of_range"] = "text"
        value = text.flow(settings) if len(settings) > 1 else text.scalar(name)
        yield f"{' ' * _COLUMN}{text.key(table.renamed.get(name, name))}: {value}"


def _outside(table: Drafted, name: str, count: int) -> str:
    type_ = table.types[name]
    values = "values" if count != 1 else "value"
    others = "clamp, reject" if name in table.keys.key else "null, clamp, reject"
    return f"MySQL has no {type_.text} for {count:,} {values}: copied as PostgreSQL's text, exactly. Or: {others}"


def _cursor(table: Drafted) -> Iterator[str]:
    if table.cursor is None:
        return
    yield from text.comment(" ".join(table.cursor.reasons(table.relation)), _KEY)
    yield f"{' ' * _KEY}# mode: incremental"
    yield f"{' ' * _KEY}# cursor: {text.scalar(table.cursor.column)}"


# --- remarks


def _about(table: Drafted) -> Iterator[str]:
    """What is not as in the source."""
    relation = table.relation
    if not relation.stores or relation.kind == PARTITIONED:
        of = f", by {relation.partition_key}: its partitions are read with it" if relation.partition_key else ""
        yield from text.comment(f"a {KINDS[relation.kind]}{of}", _TABLE)
    if relation.parents:
        yield from text.comment(f"inherits from {', '.join(relation.parents)}", _TABLE)
    if table.seen is not None and table.seen.problem:
        yield from text.comment(f"note: its data could not be looked at: {table.seen.problem}", _TABLE)
    if table.undeclared:
        yield from text.comment(f"note: not declared above: {table.undeclared}", _TABLE)
    yield from _wide_numbers(table)
    for note in table.keys.notes:
        yield from text.comment(f"note: {note}", _TABLE)
    if behind := list(_behind(table)):
        yield from text.comment(f"stays in PostgreSQL: {'; '.join(behind)}", _TABLE)


def _wide_numbers(table: Drafted) -> Iterator[str]:
    """Numerics that may have more digits than a DECIMAL."""
    outside = table.seen.outside if table.seen is not None else {}
    for column in table.relation.columns:
        type_ = table.types[column.name]
        if type_.type.kind is Kind.NUMERIC and not holds_all(type_.type) and column.name not in outside:
            become = "DECIMAL({},{})".format(*decimal_of(type_.type))
            now = "all its values fit now" if table.seen is not None else "its values were not looked at"
            said = f"{column.name} is a {type_.text} and becomes {become}; {now}, and one that does not stops the load"
            yield from text.comment(f"note: {said}, unless `out_of_range:` says what becomes of it", _TABLE)


def _behind(table: Drafted) -> Iterator[str]:
    relation = table.relation
    numbered = [column.name for column in relation.columns if column.identity or _is_sequence(column.default)]
    if numbered:
        yield f"the numbering of {', '.join(numbered)}"
    for column in relation.columns:
        if column.generated:
            yield f"{column.name} is computed ({_short(column.default or '')}) and copied as a value"
        elif column.default and not _is_sequence(column.default) and not _goes_over(table, column.name):
            yield f"the default of {column.name} ({_short(column.default)})"
    for constraint in relation.constraints:
        yield _constraint(constraint)
    yield from (f"trigger {trigger.name}" for trigger in relation.triggers)


def _constraint(constraint: ConstraintSeen) -> str:
    shown = _short(constraint.definition)
    if constraint.kind == "f":
        return "foreign key " + shown.removeprefix("FOREIGN KEY ")
    if constraint.kind == "c":
        return f"check {constraint.name} {shown.removeprefix('CHECK ')}"
    return f"exclusion {constraint.name} {shown.removeprefix('EXCLUDE ')}"


def _is_sequence(default: str | None) -> bool:
    return default is not None and default.startswith("nextval(")


def _goes_over(table: Drafted, name: str) -> bool:
    return default_of(table.relation.column(name).default, table.types[name].type) is not None


def _short(definition: str) -> str:
    shown = " ".join(definition.split())
    return shown if len(shown) <= _LONG else shown[: _LONG - 1] + "…"


def left_out(relations: Sequence[Relation]) -> Iterator[str]:
    """Views and the like that nobody asked for."""
    if relations:
        listed = ", ".join(f"{relation.shown} ({KINDS[relation.kind]})" for relation in relations)
        yield from text.comment(f"left out, since nobody asked for them (--views, or --tables NAME): {listed}", _TABLE)


def notes_in(written: Iterable[str]) -> int:
    """How many remarks a draft has that its reader should see."""
    return sum(line.lstrip().startswith(("# note: ", "# left out: ")) for line in written)

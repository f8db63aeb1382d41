"""What rules look up in a spec."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from framework.databases.mysql.names import safe_names
from framework.replicate.mapping import goes_by_itself
from framework.spec.checks import Check
from framework.spec.entities import Entity, EntityColumn, RowsPer
from framework.spec.fake import Fake
from framework.spec.models import Spec
from framework.spec.replication import ReplicateTask
from framework.spec.scheduling import ScheduleKind, schedule_kind
from framework.types import INTEGER_KINDS, TEXT_KINDS, Kind, LogicalType, parse_type
from framework.validation.rules.base import Loc, once

NUMBER_KINDS = INTEGER_KINDS | {Kind.NUMERIC, Kind.REAL, Kind.DOUBLE}
MOMENT_KINDS = frozenset({Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ})

DELETED_AT = "_deleted_at"
"""The column that a copy gets with the policy `mark`."""


@dataclass(frozen=True)
class FakeAt:
    """A fake rule and the column it fills; rules within `json` and `array` have the column of the outermost one.

    Attributes:
        nested: whether the rule stands within another one.
        in_array: whether it makes elements of an array, which have no columns beside them.
        is_element: whether it makes the elements of the column itself.
    """

    loc: Loc
    table: str
    entity: Entity
    name: str
    column: EntityColumn
    fake: Fake
    nested: bool = False
    in_array: bool = False
    is_element: bool = False

    @property
    def type(self) -> LogicalType | None:
        """The type of the values that the rule makes; None within a JSON document, or if it is not known."""
        type_ = parse_type(self.column.type)
        if type_ is None or not self.nested:
            return type_
        return parse_type(type_.name.removesuffix("[]")) if self.is_element and type_.kind is Kind.ARRAY else None


@once
def columns(spec: Spec) -> tuple[tuple[Loc, str, Entity, str, EntityColumn], ...]:
    """Every column of every entity, with its path."""
    return tuple(
        (("entities", table, "columns", name), table, entity, name, column)
        for table, entity in spec.entities.items()
        for name, column in entity.columns.items()
    )


@once
def fakes(spec: Spec) -> tuple[FakeAt, ...]:
    """Every fake rule, those within `json` and `array` too."""
    return tuple(
        at
        for loc, table, entity, name, column in columns(spec)
        if column.fake is not None
        for at in _with_inner(FakeAt((*loc, "fake"), table, entity, name, column, column.fake))
    )


def _with_inner(at: FakeAt) -> Iterator[FakeAt]:
    yield at
    if at.fake.json_ is not None:
        for key, rule in at.fake.json_.items():
            yield from _with_inner(replace(at, loc=(*at.loc, "json", key), fake=rule, nested=True, is_element=False))
    elif at.fake.array is not None:
        loc, own = (*at.loc, "array", "of"), not at.nested
        yield from _with_inner(replace(at, loc=loc, fake=at.fake.array.of, nested=True, in_array=True, is_element=own))


def kind_of(column: EntityColumn) -> Kind | None:
    """The kind of a column's type; None for a type that is not known."""
    type_ = parse_type(column.type)
    return None if type_ is None else type_.kind


def comparable(left: Kind, right: Kind) -> bool:
    """Whether a column of one kind can refer to a column of the other."""
    return left == right or any({left, right} <= family for family in (INTEGER_KINDS, TEXT_KINDS))


@once
def _tasks(spec: Spec) -> dict[str, ReplicateTask]:
    return {table: spec.replicate_task(table) for table in spec.replicate}


def task_of(spec: Spec, table: str) -> ReplicateTask:
    """A replicated table with nothing left to default."""
    return _tasks(spec)[table]


def source_of(spec: Spec, table: str) -> tuple[str, Entity] | None:
    """The declared source table of a replicated one; None where the spec does not declare it."""
    own = spec.replicate[table]
    name = own.from_ or table
    entity = spec.entities.get(name)
    return None if entity is None or entity.schema_ != own.schema_ else (name, entity)


def copied_columns(spec: Spec, table: str) -> dict[str, str | None] | None:
    """The columns of a copy, each with the source column it is made of (None if computed); None if not known."""
    found = source_of(spec, table)
    if found is None:
        return None
    task = task_of(spec, table)
    by_itself = safe_names((name for name in found[1].columns if goes_by_itself(task, name)), task.columns)
    copied: dict[str, str | None] = {safe: name for name, safe in by_itself.items()}
    return copied | {name: rule.from_ for name, rule in task.columns.items()}


def target_columns(spec: Spec, table: str) -> tuple[str, ...] | None:
    """The names of a copy's columns, the one for marked rows among them; None if not known."""
    copied = copied_columns(spec, table)
    if copied is None:
        return None
    task = task_of(spec, table)
    marks = task.mode == "incremental" and task.deletes.policy == "mark"
    return (*copied, DELETED_AT) if marks else tuple(copied)


def checks(spec: Spec) -> Iterator[tuple[Loc, str, Check]]:
    """Every check of every replicated table and mart, with its path and its table."""
    for section, tables in (("replicate", spec.replicate), ("marts", spec.marts)):
        for table, settings in tables.items():
            for index, check in enumerate(settings.checks):
                yield (section, table, "checks", index), table, check


def times_of_runs(spec: Spec) -> Iterator[tuple[Loc, str]]:
    """Every span of time that says when and how a pipeline runs, with its path."""
    if spec.schedule is not None and schedule_kind(spec.schedule) is ScheduleKind.INTERVAL:
        yield ("schedule",), spec.schedule
    if spec.timeout is not None:
        yield ("timeout",), spec.timeout
    yield ("retries", "delay"), spec.retries.delay
    yield ("retries", "longest"), spec.retries.longest
    if spec.freshness is not None:
        for key in ("warn", "fail"):
            if (text := getattr(spec.freshness, key)) is not None:
                yield ("freshness", key), text


def row_counts(spec: Spec) -> dict[str, int | None]:
    """How many rows each entity is filled with; None where that cannot be told."""
    counts: dict[str, int | None] = {
        table: entity.rows if isinstance(entity.rows, int) else None for table, entity in spec.entities.items()
    }
    for _ in spec.entities:  # what is told by a parent's rows is known one step later
        for table, entity in spec.entities.items():
            if counts[table] is None and isinstance(entity.rows, RowsPer):
                column = entity.columns.get(entity.rows.per)
                parents = counts.get(column.references.table) if column and column.references else None
                counts[table] = None if parents is None else round(parents * entity.rows.mean)
    return counts


def is_unique(entity: Entity, name: str) -> bool:
    """Whether the column alone identifies a row."""
    return entity.columns[name].unique or entity.key == (name,) or (name,) in entity.unique

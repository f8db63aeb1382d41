"""From a source table and the spec's settings to the query that reads it and the table that holds its copy."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from framework.databases.base import PREFIX, Row
from framework.databases.postgres.names import qualified, quote
from framework.databases.postgres.wire import wire
from framework.errors import SourceMismatch, UsageError
from framework.replicate import mask
from framework.spec.models import MappedColumn, ReplicateTask
from framework.tables import Column, Index, Table
from framework.types import Kind, LogicalType, parse_type

if TYPE_CHECKING:
    from framework.databases.postgres.source import PostgresSession  # checking a spec must not import the drivers

DELETED_AT = "_deleted_at"
"""The column that says since when a row is gone from the source, with the policy ``mark``."""

PLAN_MASK_KEY = b"plan"
"""Where masks are shown and not computed, any key does."""

_MOMENT = LogicalType(Kind.TIMESTAMPTZ, "timestamptz")


@dataclass(frozen=True)
class Selected:
    """A column of the copy and the expression of the source that makes it.

    Attributes:
        origin: the source column it is a plain copy or a mask of, None if it is computed.
    """

    name: str
    expression: str
    type: LogicalType
    nullable: bool
    origin: str | None
    masked: bool = False


@dataclass(frozen=True)
class Mapping:
    """How one source table becomes one target table.

    Attributes:
        key: the target's columns that identify a row; empty if nothing does.
        fingerprint: changes whenever the copy would have to be made anew.
    """

    task: ReplicateTask
    source: Table
    columns: tuple[Selected, ...]
    key: tuple[str, ...]
    fingerprint: str

    @property
    def names(self) -> tuple[str, ...]:
        """The target's columns that come from the source."""
        return tuple(column.name for column in self.columns)

    @property
    def is_masked(self) -> bool:
        """Whether a column is masked, so that the reading session needs the key."""
        return any(column.masked for column in self.columns)

    @property
    def marks_deletes(self) -> bool:
        return self.task.deletes.policy == "mark" and self.task.mode == "incremental"

    @property
    def cursor(self) -> Column | None:
        """The source's cursor column."""
        return self.source.column(self.task.cursor) if self.task.cursor else None

    def table(self, name: str) -> Table:
        """The target table, under a name of one's choice."""
        deleted_at = (Column(DELETED_AT, _MOMENT),) if self.marks_deletes else ()
        columns = (Column(c.name, c.type, c.nullable and c.name not in self.key) for c in self.columns)
        indexes = tuple(Index(names) for names in self.task.indexes)
        return Table(name, (*columns, *deleted_at), self.key, indexes)

    def key_table(self, name: str) -> Table:
        """A table of nothing but keys."""
        by_name = {column.name: column for column in self.columns}
        return Table(name, tuple(Column(key, by_name[key].type, nullable=False) for key in self.key), self.key)

    def query(self, condition: str = "", names: tuple[str, ...] = ()) -> str:
        """The query that reads the source in wire form: all columns or those of ``names``."""
        chosen = [column for column in self.columns if not names or column.name in names]
        expressions = ", ".join(wire(column.expression, column.type) for column in chosen)
        return f"SELECT {expressions} FROM {self.origin}{self.filter(condition)}"

    def has_key(self, session: PostgresSession, keys: Sequence[Row]) -> str:
        """The source's condition that a row has one of ``keys``."""
        by_name = {column.name: column for column in self.columns}
        columns = ", ".join(by_name[name].expression for name in self.key)
        types = ["text" if by_name[name].masked else by_name[name].type.name for name in self.key]
        return f"({columns}) IN ({', '.join(session.literals(key, types) for key in keys)})"

    @property
    def origin(self) -> str:
        """The source table's qualified name."""
        return qualified(self.source.schema, self.source.name)

    def filter(self, condition: str = "") -> str:
        """The WHERE clause: the spec's filter and a further condition."""
        # The line's end keeps a comment of the author's from taking the bracket with it.
        conditions = [f"({part}\n)" for part in (self.task.where, condition) if part]
        return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def resolve(task: ReplicateTask, source: Table, mask_key: bytes | None, database: str = "") -> Mapping:
    """Match the settings with the source table as it is.

    The fingerprint holds ``database``, too: what tells the source's database from others.

    Raises:
        SourceMismatch: a column that the settings name does not exist, or there is no key where one is needed.
        UsageError: a mask has no key.
    """
    if task.table.startswith(PREFIX):
        raise UsageError(
            f"{task.table!r} begins with {PREFIX!r}, which Vitrina keeps for itself", "choose another name"
        )
    _require_columns(task, source)
    columns = _selected(task, source)
    key = _key(task, source, columns)
    if any(column.masked for column in columns) and mask_key is None:
        raise no_mask_key(task.table)
    return Mapping(task, source, columns, key, _fingerprint(task, source, columns, key, mask_key, database))


def no_mask_key(table: str) -> UsageError:
    """The error of a table with masks where no key is set."""
    return UsageError(
        f"{table!r} has masked columns and there is no key for them",
        "set VITRINA_MASK_KEY to a secret of your choice, or `mask_key` in connections.yaml",
    )


def _require_columns(task: ReplicateTask, source: Table) -> None:
    named = {
        "only": task.only or (),
        "except": task.except_ or (),
        "key": task.key or (),
        "cursor": (task.cursor,) if task.cursor and task.mode == "incremental" else (),
        "columns": tuple(rule.from_ for rule in task.columns.values() if rule.from_),
    }
    for place, names in named.items():
        for name in names:
            if source.column(name) is None:
                raise SourceMismatch(
                    source.name,
                    f"{place!r} of {task.table!r} names {name!r}, and {source.schema}.{source.name} has no such column",
                    f"use one of: {', '.join(source.column_names)}",
                    column=name,
                )


def _selected(task: ReplicateTask, source: Table) -> tuple[Selected, ...]:
    renamed: dict[str, list[str]] = {}
    for name, rule in task.columns.items():
        if rule.from_:
            renamed.setdefault(rule.from_, []).append(name)
    chosen: list[Selected] = []
    for column in source.columns:
        if column.name in renamed:
            chosen.extend(_copied(name, column, task.columns[name]) for name in renamed[column.name])
        elif _goes_by_itself(task, column.name):
            chosen.append(_copied(column.name, column, None))
    chosen.extend(_computed(name, rule) for name, rule in task.columns.items() if rule.sql)
    return tuple(chosen)


def _goes_by_itself(task: ReplicateTask, name: str) -> bool:
    if name in task.columns or (task.only is not None and name not in task.only):
        return False
    return name not in (task.except_ or ())


def _copied(name: str, column: Column, rule: MappedColumn | None) -> Selected:
    expression = quote(column.name)
    if rule is not None and rule.mask:
        masked = mask.hmac_expression(expression)
        return Selected(name, masked, mask.DIGEST, column.nullable, column.name, masked=True)
    return Selected(name, expression, column.type, column.nullable, column.name)


def _computed(name: str, rule: MappedColumn) -> Selected:
    type_name = rule.type or "text"
    type_ = parse_type(type_name) or LogicalType(Kind.UNKNOWN, type_name)
    # The line's end keeps a comment of the author's from taking the bracket with it.
    end = "\n" if "--" in str(rule.sql) else ""
    return Selected(name, f"({rule.sql}{end})::{type_.name}", type_, nullable=True, origin=None)


def _key(task: ReplicateTask, source: Table, columns: tuple[Selected, ...]) -> tuple[str, ...]:
    by_origin = {column.origin: column.name for column in columns if column.origin}
    key = task.key or source.primary_key
    missing = [name for name in key if name not in by_origin]
    if not missing and (key or task.mode == "full"):
        return tuple(by_origin[name] for name in key)
    if task.mode == "full" and not task.key:
        return ()
    fact = (
        f"the key column {missing[0]!r} of {source.name!r} is not replicated to {task.table!r}"
        if missing
        else f"{source.schema}.{source.name} has no primary key, and {task.table!r} is replicated incrementally"
    )
    raise SourceMismatch(source.name, fact, "name the columns that identify a row with `key:`, or use `mode: full`")


def _fingerprint(
    task: ReplicateTask,
    source: Table,
    columns: tuple[Selected, ...],
    key: tuple[str, ...],
    mask_key: bytes | None,
    database: str,
) -> str:
    said = {
        "source": [database, source.schema, source.name],
        "columns": [[column.name, column.expression, column.type.name, column.nullable] for column in columns],
        "indexes": task.indexes,
        "key": key,
        "where": task.where,
        "cursor": task.cursor,
        "marks": task.mode == "incremental" and task.deletes.policy == "mark",
        "mask": mask.identity(mask_key) if mask_key and any(column.masked for column in columns) else None,
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:32]

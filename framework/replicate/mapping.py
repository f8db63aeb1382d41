"""From a source table and the spec's settings to the query that reads it and the table that holds its copy."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from framework.databases.base import PREFIX, Row
from framework.databases.mysql.names import safe_names
from framework.databases.postgres import ranges
from framework.databases.postgres.lexing import ONE_EXPRESSION, is_enclosed
from framework.databases.postgres.names import qualified, quote, type_name
from framework.databases.postgres.ranges import Policy
from framework.databases.postgres.wire import wire
from framework.errors import SourceMismatch, UsageError
from framework.replicate import mask
from framework.replicate.schema.widening import Step, step
from framework.spec.replication import MappedColumn, ReplicateTask
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
        replaced: the source's condition of the values that something else takes the place of; None if nothing does.
        policy: what becomes of values that the target has no place for.
        default: PostgreSQL's default of the column, where it is a plain copy.
        comment: PostgreSQL's comment.
    """

    name: str
    expression: str
    type: LogicalType
    nullable: bool
    origin: str | None
    masked: bool = False
    replaced: str | None = None
    policy: Policy = "reject"
    default: str | None = None
    comment: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether the source finds its values as the target gives them, by an index that it may have."""
        return self.origin is not None and self.expression == quote(self.origin) and not _compares_as_text(self)


@dataclass(frozen=True)
class Mapping:
    """How one source table becomes one target table.

    Attributes:
        key: the target's columns that identify a row; empty if nothing does.
        renamed: columns whose names MySQL cannot hold, and the names they have in the copy.
        fingerprint: changes whenever the copy would have to be made anew.
        unfit: the source's condition of rows that are set aside, since the target cannot take them; empty if none are.
    """

    task: ReplicateTask
    source: Table
    columns: tuple[Selected, ...]
    key: tuple[str, ...]
    fingerprint: str
    renamed: dict[str, str] = field(default_factory=dict)
    unfit: str = ""

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
        columns = (
            Column(c.name, c.type, c.nullable and c.name not in self.key, c.default, c.comment) for c in self.columns
        )
        unique = (Index(names, unique=True) for names in self.task.unique)
        indexes = (*unique, *(Index(names) for names in self.task.indexes), *self._foreign_indexes())
        return Table(name, (*columns, *deleted_at), self.key, indexes, comment=self.source.comment)

    def _foreign_indexes(self) -> Iterator[Index]:
        """The indexes that foreign keys need, and other keys do not give them."""
        names = {column.origin: column.name for column in reversed(self.columns) if column.origin and not column.masked}
        for foreign in self.source.foreign_keys if self.task.foreign_keys else ():
            columns = tuple(names.get(name, "") for name in foreign.columns)
            given = (self.key, *self.task.unique)
            if all(columns) and all(key[: len(columns)] != columns for key in given):
                yield Index(columns, whole=True)

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
        key = [next(column for column in self.columns if column.name == name) for name in self.key]
        columns = ", ".join(_comparable(column) for column in key)
        types = ["text" if _compares_as_text(column) else column.type.name for column in key]
        return f"({columns}) IN ({', '.join(session.literals(key, types) for key in keys)})"

    @property
    def origin(self) -> str:
        """The source table as FROM names it."""
        only = "" if self.task.children else "ONLY "
        return only + qualified(self.source.schema, self.source.name)

    @property
    def wanted(self) -> str:
        """The source's condition of the rows that are copied: the spec's filter, and that they are fit; or empty."""
        fit = f"({self._unfit}) IS NOT TRUE" if self.unfit else ""
        return " AND ".join(filter(None, (self._where, fit)))

    @property
    def rejected(self) -> str:
        """The source's condition of the rows that are set aside; empty if none are."""
        return " AND ".join(filter(None, (self._where, f"({self._unfit})"))) if self.unfit else ""

    @property
    def everything(self) -> str:
        """The WHERE clause of the rows that are copied and of those that are set aside."""
        return f" WHERE {self._where}" if self._where else ""

    def filter(self, condition: str = "") -> str:
        """The WHERE clause of the rows that are copied, with a further condition."""
        conditions = [part for part in (self.wanted, f"({condition}\n)" if condition else "") if part]
        return f" WHERE {' AND '.join(conditions)}" if conditions else ""

    @property
    def _where(self) -> str:
        # The line's end keeps a comment of the author's from taking the bracket with it.
        return f"({self.task.where}\n)" if self.task.where else ""

    @property
    def _unfit(self) -> str:
        """The filter may keep away rows that expressions cannot be computed for; conditions alone have no order."""
        return f"CASE WHEN {self._where} THEN ({self.unfit}) END" if self._where else self.unfit


def resolve(task: ReplicateTask, source: Table, mask_key: bytes | None, database: str = "") -> Mapping:
    """Match the settings with the source table as it is.

    The fingerprint holds ``database``, too: what tells the source's database from others.

    Raises:
        SourceMismatch: a column that the settings name does not exist, or there is no key where one is needed.
        UsageError: a mask has no key, or SQL of the settings is more than an expression.
    """
    _require_enclosed(task)
    return match(task, source, mask_key, database)


def match(task: ReplicateTask, source: Table, mask_key: bytes | None, database: str = "") -> Mapping:
    """The same for who does not send SQL to a server: whether the author's is fit for it is not looked at."""
    if task.table.startswith(PREFIX):
        raise UsageError(
            f"{task.table!r} begins with {PREFIX!r}, which Vitrina keeps for itself", "choose another name"
        )
    _require_columns(task, source)
    renamed = _renamed(task, source)
    columns = tuple(_within_range(column, task, source) for column in _selected(task, source, renamed))
    key = _key(task, source, columns)
    if any(column.masked for column in columns) and mask_key is None:
        raise no_mask_key(task.table)
    fingerprint = _fingerprint(task, source, columns, key, mask_key, database)
    return Mapping(task, source, columns, key, fingerprint, {old: new for old, new in renamed.items() if old != new})


def _require_enclosed(task: ReplicateTask) -> None:
    """Whatever parser let it through: SQL of the spec is put into a query as an expression, and must be no more."""
    texts = [("where", task.where)]
    for name, rule in task.columns.items():
        texts += [(f"columns.{name}.sql", rule.sql), (f"columns.{name}.type", rule.type)]
    for place, text in texts:
        if text is not None and not is_enclosed(text):
            raise UsageError(f"`{place}` of {task.table!r} is not one expression of PostgreSQL", ONE_EXPRESSION)


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


def goes_by_itself(task: ReplicateTask, name: str) -> bool:
    """Whether a source column is copied although the settings give it no other name."""
    if name in task.columns or (task.only is not None and name not in task.only):
        return False
    return name not in (task.except_ or ()) and all(rule.from_ != name for rule in task.columns.values())


def _renamed(task: ReplicateTask, source: Table) -> dict[str, str]:
    """The columns that go by themselves, and the names they have in the copy."""
    return safe_names((name for name in source.column_names if goes_by_itself(task, name)), task.columns)


def _selected(task: ReplicateTask, source: Table, renamed: dict[str, str]) -> tuple[Selected, ...]:
    chosen: list[Selected] = []
    for column in source.columns:
        chosen.extend(
            _copied(name, column, rule, source.name) for name, rule in task.columns.items() if rule.from_ == column.name
        )
        if column.name in renamed:
            chosen.append(_copied(renamed[column.name], column, None, source.name))
    chosen.extend(_computed(name, rule) for name, rule in task.columns.items() if rule.sql)
    return tuple(chosen)


def _copied(name: str, column: Column, rule: MappedColumn | None, table: str) -> Selected:
    expression = quote(column.name)
    if rule is not None and rule.mask:
        masked = mask.hmac_expression(expression)
        return Selected(name, masked, mask.DIGEST, column.nullable, column.name, masked=True, comment=column.comment)
    nullable, default, comment = column.nullable, column.default, column.comment
    type_ = column.type
    if rule is not None and rule.type:
        type_ = _wider(table, column, rule.type)
        expression = f"({expression})::{type_.name}"
    return Selected(name, expression, type_, nullable, column.name, default=default, comment=comment)


def _wider(table: str, column: Column, name: str) -> LogicalType:
    """The type that the spec gives a copied column, if it holds all values of the column's own."""
    type_ = parse_type(name)
    if type_ is None or step(column.type, type_) is Step.OTHER:
        fact = f"{table}.{column.name} is {column.type}, and {name} does not hold all its values as they are"
        raise SourceMismatch(table, fact, "use a wider type, or compute it with `sql:`", column=column.name)
    return type_


def _within_range(column: Selected, task: ReplicateTask, source: Table) -> Selected:
    """The column with what becomes of values that the target has no place for."""
    rule = task.columns.get(column.name)
    policy: Policy = (rule and rule.out_of_range) or task.out_of_range
    if column.masked or policy == "reject":
        return column
    if policy == "text":
        expression, type_ = ranges.as_text(column.expression, column.type)
        return replace(column, expression=expression, type=type_, default=None, policy=policy)
    condition = ranges.outside(column.expression, column.type)
    if condition is None:
        return column
    if policy == "clamp":
        nearest = ranges.nearest(column.expression, column.type)
        return replace(column, expression=nearest, replaced=condition, policy=policy)
    if column.origin in (task.key or source.primary_key):
        if rule is None or rule.out_of_range is None:
            return column
        fact = f"{column.name!r} is in the key of {task.table!r}, and a key is never NULL"
        raise SourceMismatch(source.name, fact, "use `out_of_range: text` or clamp", column=column.name)
    expression = f"CASE WHEN NOT ({condition}) THEN {column.expression} END"
    return replace(column, expression=expression, replaced=condition, nullable=True, policy=policy)


def _compares_as_text(column: Selected) -> bool:
    """Whether a value that the target gives back is PostgreSQL's text, and no value of its type."""
    kinds = (Kind.UNKNOWN, Kind.TEXTUAL, Kind.ARRAY, Kind.COMPOSITE, Kind.DICTIONARY)
    return column.masked or column.policy == "text" or column.type.kind in kinds


def _comparable(column: Selected) -> str:
    if column.type.kind in (Kind.ARRAY, Kind.COMPOSITE, Kind.DICTIONARY, Kind.TEXTUAL):
        return f"({wire(column.expression, column.type)})::text"
    return column.expression


def _computed(name: str, rule: MappedColumn) -> Selected:
    declared = rule.type or "text"
    type_ = parse_type(declared) or LogicalType(Kind.UNKNOWN, declared)
    # The line's end keeps a comment of the author's from taking the bracket with it.
    end = "\n" if "--" in str(rule.sql) else ""
    return Selected(name, f"({rule.sql}{end})::{type_name(type_)}", type_, nullable=True, origin=None)


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
    # What the first Vitrina did not know is told only where it is said, so that its copies are known again.
    said |= {"unique": task.unique} if task.unique else {}
    said |= {} if task.children else {"children": False}
    # Parts of a run that disagree on it must not go together.
    said |= {"on_error": "quarantine"} if task.on_error.quarantines else {}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:32]

"""Rules about the foreign keys of copies, as far as entities declare those of the source."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from framework.databases.mysql.dialect import MySQLDialect
from framework.spec.entities import EntityColumn, Reference
from framework.spec.models import Spec
from framework.types import parse_type
from framework.validation.rules.base import HINT, WARNING, Finding, Loc, Rule, rule
from framework.validation.rules.lookup import copied_columns, source_of, task_of


@dataclass(frozen=True)
class _Wanted:
    """A foreign key that a copy is to have.

    Attributes:
        loc: where the spec asks for it.
        table: the copy.
        column: of its source.
        to: what that refers to.
        parents: the copies of the table referred to.
    """

    loc: Loc
    table: str
    column: str
    to: Reference
    parents: tuple[str, ...]

    @property
    def at_key(self) -> bool:
        """Whether the table is all that the spec names."""
        return len(self.loc) == 2


def _wanted(spec: Spec) -> Iterator[_Wanted]:
    for table, settings in spec.replicate.items():
        found = source_of(spec, table)
        if found is None or not task_of(spec, table).foreign_keys:
            continue
        loc: Loc = ("replicate", table, "foreign_keys") if settings.foreign_keys else ("replicate", table)
        for name, column in found[1].columns.items():
            if (to := column.references) is not None:
                copies = [own for own in spec.replicate if (source_of(spec, own) or ("",))[0] == to.table]
                # A table that refers to itself does so in its copy.
                parents = sorted(copies, key=lambda own: own != table)
                yield _Wanted(loc, table, name, to, tuple(parents))


@rule("foreign-key-left-out", HINT)
def foreign_key_left_out(spec: Spec) -> Iterator[Finding]:
    """A foreign key of the copy leads to a key of another copy."""
    for wanted in _wanted(spec):
        found = _parent(spec, wanted)
        if not isinstance(found, str):
            message = f"the foreign key of {wanted.column!r} will not be in the target: {found[0]}"
            yield Finding(wanted.loc, message, found[1], wanted.at_key)


def _parent(spec: Spec, wanted: _Wanted) -> str | tuple[str, str]:
    """The copy that a foreign key leads to; else why it leads to none, and what to do."""
    to = wanted.to
    if not wanted.parents:
        return f"{to.table!r} is not copied", f"copy {to.table!r}, too"
    if wanted.column not in _origins(spec, wanted.table):
        return f"the column is not copied to {wanted.table!r}", "copy it"
    parents = [one for one in wanted.parents if to.column in _origins(spec, one)]
    if not parents:
        return f"{to.column!r} is not copied to {wanted.parents[0]!r}", "copy it"
    against = {parent: _why_not_unique(spec, parent, to.column) or _why_unlike(spec, wanted) for parent in parents}
    return next((parent for parent, why in against.items() if why is None), against[parents[0]] or parents[0])


def _origins(spec: Spec, table: str) -> tuple[str | None, ...]:
    return tuple((copied_columns(spec, table) or {}).values())


def _why_not_unique(spec: Spec, parent: str, origin: str) -> tuple[str, str] | None:
    task, found = task_of(spec, parent), source_of(spec, parent)
    if found is None or (task.key or found[1].key) == (origin,):
        return None
    names = [name for name, own in (copied_columns(spec, parent) or {}).items() if own == origin]
    if any((name,) in task.unique for name in names):
        return None
    fact = f"{names[0]!r} of {parent!r} is neither its key nor a unique index"
    return fact, f"add `unique: [[{names[0]}]]` to {parent!r}"


def _why_unlike(spec: Spec, wanted: _Wanted) -> tuple[str, str] | None:
    own, other = source_of(spec, wanted.table), spec.entities.get(wanted.to.table)
    if own is None or other is None or wanted.to.column not in other.columns:
        return None
    column, referred = own[1].columns[wanted.column], other.columns[wanted.to.column]
    natives = [_native(one) for one in (column, referred)]
    if None in natives or natives[0] == natives[1]:
        return None
    fact = f"it is of type {column.type}, {wanted.to.table}.{wanted.to.column} of {referred.type}"
    return f"{fact}, and MySQL refers between equal types only", "give both columns one type"


def _native(column: EntityColumn) -> str | None:
    """MySQL's type of a key; of texts and bytes without their lengths, which may differ."""
    type_ = parse_type(column.type)
    native = MySQLDialect().column_type(type_, indexed=True) if type_ is not None else None
    return None if native is None else re.sub(r"^(VAR\w+)\(\d+\)", r"\1", native)


@rule("foreign-key-breaks", WARNING)
def foreign_key_breaks(spec: Spec) -> Iterator[Finding]:
    """Rows of a copy do not stay behind those that they refer to."""
    for wanted in _wanted(spec):
        parent = _parent(spec, wanted)
        if not isinstance(parent, str):
            continue
        own, other = task_of(spec, wanted.table), task_of(spec, parent)
        message = f"the foreign key of {wanted.column!r} will not hold: "
        if _keeps(spec, wanted.table) and not _keeps(spec, parent):
            message += f"rows that are gone stay in {wanted.table!r}, and not in {parent!r}"
            yield Finding(
                wanted.loc, message, f"use `deletes: {own.deletes.policy}` for {parent!r}, too", wanted.at_key
            )
        elif other.where and not own.where:
            message += f"{parent!r} leaves rows out (`where`), and {wanted.table!r} none"
            yield Finding(wanted.loc, message, "leave out the rows that refer to them, too", wanted.at_key)


def _keeps(spec: Spec, table: str) -> bool:
    """Whether rows stay in a copy when the source has them no more."""
    task = task_of(spec, table)
    return task.mode == "incremental" and task.deletes.policy != "remove"


RULES: tuple[Rule, ...] = (foreign_key_left_out, foreign_key_breaks)

"""Cursors of increments."""

from __future__ import annotations

import re
from collections.abc import Iterator

from framework.spec.entities import Entity
from framework.spec.models import Spec
from framework.spec.replication import Replicate, ReplicateTask
from framework.types import TEXT_KINDS
from framework.validation.rules.base import HINT, WARNING, Finding, Loc, Rule, rule
from framework.validation.rules.lookup import (
    MOMENT_KINDS,
    NUMBER_KINDS,
    kind_of,
    source_of,
    task_of,
)

_ORDERED = MOMENT_KINDS | NUMBER_KINDS | TEXT_KINDS
"""Kinds of columns that can be cursors."""


@rule("no-cursor")
def no_cursor(spec: Spec) -> Iterator[Finding]:
    """What changed since the last run is told by a cursor."""
    for table, settings in spec.replicate.items():
        task = task_of(spec, table)
        if task.mode == "incremental" and task.cursor is None:
            loc = ("replicate", table, "mode") if settings.mode else ("replicate", table)
            advice = "add `cursor: updated_at`, or use `mode: full`"
            yield Finding(loc, f"{table!r} is incremental and has no cursor", advice, on_key=settings.mode is None)


@rule("cursor-type")
def cursor_type(spec: Spec) -> Iterator[Finding]:
    """A cursor grows, so its type has an order."""
    for table, settings in spec.replicate.items():
        task, found = task_of(spec, table), source_of(spec, table)
        column = found[1].columns.get(task.cursor or "") if found else None
        if column is not None and task.mode == "incremental" and kind_of(column) not in (*_ORDERED, None):
            loc = ("replicate", table, "cursor") if settings.cursor else ("replicate", table)
            message = f"the cursor {task.cursor!r} is of type {column.type}, which does not grow"
            yield Finding(
                loc,
                message,
                "use a column that grows with each change, such as a timestamptz",
                on_key=settings.cursor is None,
            )


@rule("lookback-unit", WARNING)
def lookback_unit(spec: Spec) -> Iterator[Finding]:
    """A lookback is in the cursor's own unit."""
    for table, settings, task, source in _incremental(spec):
        column, lookback = source.columns.get(task.cursor or ""), settings.lookback
        kind = kind_of(column) if column is not None else None
        if lookback is None or column is None or kind is None:
            continue
        is_time = isinstance(lookback, str)
        if (kind in MOMENT_KINDS and is_time) or (kind in NUMBER_KINDS and not is_time):
            continue
        what = "a time" if is_time else "a number"
        message = f"the lookback is {what}, and the cursor {task.cursor!r} is of type {column.type}: it has no effect"
        advice = "write a time, such as 10min" if kind in MOMENT_KINDS else "write a number, such as 1000"
        if kind in TEXT_KINDS:
            advice = "remove it; texts have no distance"
        yield Finding(("replicate", table, "lookback"), message, advice)


@rule("cursor-nullable", WARNING)
def cursor_nullable(spec: Spec) -> Iterator[Finding]:
    """A row without a cursor value does not tell when it changed."""
    for table, settings, task, source in _incremental(spec):
        column = source.columns.get(task.cursor or "")
        if column is not None and column.may_be_null and not _filtered(task.cursor or "", settings.where or ""):
            loc: Loc = ("replicate", table, "cursor") if settings.cursor else ("replicate", table)
            message = f"the cursor {task.cursor!r} may be NULL; such rows are read again in every run"
            related = ((("entities", task.source_table, "columns", str(task.cursor)), "declared here"),)
            yield Finding(loc, message, "use a column that is never NULL", settings.cursor is None, related=related)


def _filtered(column: str, where: str) -> bool:
    """Whether a filter leaves out the rows in which a column is NULL."""
    return re.search(rf"\b{re.escape(column)}\b\W+is\s+not\s+null", where, re.IGNORECASE) is not None


@rule("cursor-not-indexed", HINT)
def cursor_not_indexed(spec: Spec) -> Iterator[Finding]:
    """Changed rows are found by an index."""
    for table, settings, task, source in _incremental(spec):
        name = task.cursor or ""
        column = source.columns.get(name)
        firsts = {names[0] for names in (*source.indexes, *source.unique, source.key) if names}
        if column is not None and not (column.index or column.unique or name in firsts):
            loc: Loc = ("replicate", table, "cursor") if settings.cursor else ("replicate", table)
            message = f"the cursor {name!r} has no index: every run reads all rows of {task.source_table!r}"
            advice = "give the column `index: true`"
            if source.rows is None:
                advice = "make one in the source, and declare it: `index: true`"
            yield Finding(loc, message, advice, settings.cursor is None)


def _incremental(spec: Spec) -> Iterator[tuple[str, Replicate, ReplicateTask, Entity]]:
    """The tables that are copied by a cursor from a declared source."""
    for table, settings in spec.replicate.items():
        task, found = task_of(spec, table), source_of(spec, table)
        if found is not None and task.mode == "incremental" and task.cursor is not None:
            yield table, settings, task, found[1]


RULES: tuple[Rule, ...] = (no_cursor, cursor_type, lookback_unit, cursor_nullable, cursor_not_indexed)

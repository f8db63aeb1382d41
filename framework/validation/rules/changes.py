"""Rules about ticks."""

from __future__ import annotations

from collections.abc import Iterator

from framework.diagnostics import did_you_mean
from framework.spec.entities import Changes, Entity, EntityColumn
from framework.spec.models import Spec
from framework.validation.rules.base import WARNING, Finding, Loc, Rule, rule
from framework.validation.rules.lookup import MOMENT_KINDS, kind_of, source_of, task_of


def _changed(spec: Spec) -> Iterator[tuple[Loc, str, Entity, Changes]]:
    for table, entity in spec.entities.items():
        if entity.changes is not None:
            yield ("entities", table, "changes"), table, entity, entity.changes


@rule("changes-without-rows")
def changes_without_rows(spec: Spec) -> Iterator[Finding]:
    """Only tables that Vitrina filled are changed."""
    for loc, table, entity, _ in _changed(spec):
        if entity.rows is None:
            message = f"{table!r} has no `rows`, and only filled tables are changed"
            yield Finding(loc, message, "add `rows:`, or remove `changes:`", on_key=True)


@rule("changes-without-key")
def changes_without_key(spec: Spec) -> Iterator[Finding]:
    """Rows that change are found by their key."""
    for loc, table, entity, changes in _changed(spec):
        if not entity.key and (changes.update or changes.delete):
            advice = "give a column `primary_key: true`"
            yield Finding(loc, f"{table!r} has no primary key to find its rows by", advice, on_key=True)


@rule("unknown-column")
def unknown_column(spec: Spec) -> Iterator[Finding]:
    """Ticks change columns that exist."""
    for loc, table, entity, changes in _changed(spec):
        for place, name, on_key in _named(loc, changes):
            if name not in entity.columns:
                message = f"{table!r} has no column {name!r}"
                yield Finding(place, message, did_you_mean(name, entity.columns), on_key)


def _named(loc: Loc, changes: Changes) -> Iterator[tuple[Loc, str, bool]]:
    if changes.touch is not None:
        yield (*loc, "touch"), changes.touch, False
    if changes.update is not None:
        for index, name in enumerate(changes.update.redraw):
            yield (*loc, "update", "redraw", index), name, False
        for name in changes.update.set:
            yield (*loc, "update", "set", name), name, True


@rule("touch-type")
def touch_type(spec: Spec) -> Iterator[Finding]:
    """A touched column holds the server's clock."""
    for loc, _, entity, changes in _changed(spec):
        column = entity.columns.get(changes.touch or "")
        if column is not None and kind_of(column) not in (*MOMENT_KINDS, None):
            message = f"{changes.touch!r} is of type {column.type}, which is no point in time"
            yield Finding((*loc, "touch"), message, "name a column of type timestamptz")


@rule("changed-key")
def changed_key(spec: Spec) -> Iterator[Finding]:
    """A row keeps its key."""
    for loc, _, entity, changes in _changed(spec):
        for place, name, on_key in _named(loc, changes):
            if name in entity.key:
                message = f"{name!r} is part of the primary key, which never changes"
                yield Finding(place, message, "remove it here", on_key)


@rule("changed-twice")
def changed_twice(spec: Spec) -> Iterator[Finding]:
    """A column is touched, redrawn or set: one of them."""
    for loc, _, entity, changes in _changed(spec):
        seen: dict[str, Loc] = {}
        for place, name, on_key in _named(loc, changes):
            if name in seen and name in entity.columns and name not in entity.key:
                first, second = (_way(each, len(loc)) for each in (seen[name], place))
                message = f"{name!r} is under `{first}`, and under `{second}` again"
                yield Finding(place, message, "keep one of the two", on_key)
            seen.setdefault(name, place)


def _way(place: Loc, depth: int) -> str:
    """`touch`, `redraw` or `set`: which of them names the column."""
    steps = [step for step in place[depth:] if isinstance(step, str) and step != "update"]
    return str(steps[0])


@rule("nothing-to-redraw")
def nothing_to_redraw(spec: Spec) -> Iterator[Finding]:
    """A column is drawn anew by its rule."""
    for loc, _, entity, changes in _changed(spec):
        for index, name in enumerate(changes.update.redraw if changes.update else ()):
            column = entity.columns.get(name)
            if column is not None and column.fake is None and column.references is None:
                yield Finding(
                    (*loc, "update", "redraw", index),
                    f"{name!r} has no rule to draw from",
                    "give the column `fake:`, or remove it here",
                )


@rule("no-change")
def no_change(spec: Spec) -> Iterator[Finding]:
    """An update changes something."""
    for loc, _, _, changes in _changed(spec):
        if changes.update and not (changes.touch or changes.update.redraw or changes.update.set):
            advice = "add `redraw:`, `set:`, or `touch:` beside it"
            yield Finding((*loc, "update"), "nothing says what an update changes", advice, on_key=True)


@rule("unknown-state")
def unknown_state(spec: Spec) -> Iterator[Finding]:
    """A next state follows on a value that the column can have."""
    for loc, _, entity, changes in _changed(spec):
        for name, states in (changes.update.set if changes.update else {}).items():
            drawn = _states(entity.columns.get(name))
            if drawn is None:
                continue
            known = {*drawn, *map(_as_text, states.next.values())}
            for state in states.next:
                if state not in known:
                    place = (*loc, "update", "set", name, "next", state)
                    yield Finding(
                        place, f"{name!r} is never {state!r}", did_you_mean(state, sorted(known)), on_key=True
                    )


def _states(column: EntityColumn | None) -> tuple[str, ...] | None:
    """The values a column is filled with, as text; None where they are not listed."""
    fake = column.fake if column else None
    if fake is None:
        return None
    if fake.choice is not None:
        return tuple(map(_as_text, fake.choice))
    return (_as_text(fake.constant),) if fake.constant is not None else None


def _as_text(value: object) -> str:
    """A value as PostgreSQL writes it, which is how states are compared."""
    return str(value).lower() if isinstance(value, bool) else str(value)


@rule("cursor-not-touched", WARNING)
def cursor_not_touched(spec: Spec) -> Iterator[Finding]:
    """An update moves the cursor of the tables that are copied by it."""
    for table in spec.replicate:
        task, found = task_of(spec, table), source_of(spec, table)
        changes = found[1].changes if found else None
        if task.mode != "incremental" or found is None or changes is None or changes.update is None:
            continue
        name, entity = found
        moved = {changes.touch, *changes.update.redraw, *changes.update.set}
        if task.cursor in entity.columns and task.cursor not in moved:
            loc: Loc = ("entities", name, "changes", "update")
            message = f"updates of {name!r} leave {task.cursor!r} as it is, by which {table!r} is copied"
            advice = f"add `touch: {task.cursor}`, or the copy will not see them"
            if task.cursor in entity.key:
                advice = "copy by a column that `touch` can set, such as updated_at"
            place: Loc = ("replicate", table, "cursor") if spec.replicate[table].cursor else ("replicate", table)
            yield Finding(loc, message, advice, on_key=True, related=((place, "copied here"),))


RULES: tuple[Rule, ...] = (
    changes_without_rows,
    changes_without_key,
    unknown_column,
    touch_type,
    changed_key,
    changed_twice,
    nothing_to_redraw,
    no_change,
    unknown_state,
    cursor_not_touched,
)

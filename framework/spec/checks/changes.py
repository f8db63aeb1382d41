"""Rules about ticks."""

from __future__ import annotations

from collections.abc import Iterator

from framework.diagnostics import did_you_mean
from framework.spec.checks.lookup import MOMENT_KINDS, kind_of
from framework.spec.checks.rules import Finding, Loc, Rule, rule
from framework.spec.models import Changes, Entity, EntityColumn, Spec


def _changed(spec: Spec) -> Iterator[tuple[Loc, str, Entity, Changes]]:
    for table, entity in spec.entities.items():
        if entity.changes is not None:
            yield ("entities", table, "changes"), table, entity, entity.changes


@rule("changes-without-rows")
def changes_without_rows(spec: Spec) -> Iterator[Finding]:
    """Only tables that Vitrina filled are changed."""
    for loc, table, entity, _ in _changed(spec):
        if entity.rows is None:
            yield Finding(loc, f"{table!r} is not filled, so it is not changed", "give it `rows:`", on_key=True)


@rule("changes-without-key")
def changes_without_key(spec: Spec) -> Iterator[Finding]:
    """Rows that change are found by their key."""
    for loc, table, entity, _ in _changed(spec):
        if not entity.key:
            yield Finding(loc, f"{table!r} has no primary key to find its rows by", "add one", on_key=True)


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
                yield Finding(place, f"{name!r} is of the primary key, which never changes", "remove it", on_key)


@rule("changed-twice")
def changed_twice(spec: Spec) -> Iterator[Finding]:
    """A column is touched, redrawn or set: one of them."""
    for loc, _, entity, changes in _changed(spec):
        seen: set[str] = set()
        for place, name, on_key in _named(loc, changes):
            if name in seen and name in entity.columns:
                yield Finding(place, f"{name!r} is changed in another way already", "remove one of the two", on_key)
            seen.add(name)


@rule("nothing-to-redraw")
def nothing_to_redraw(spec: Spec) -> Iterator[Finding]:
    """A column is drawn anew by its rule."""
    for loc, _, entity, changes in _changed(spec):
        for index, name in enumerate(changes.update.redraw if changes.update else ()):
            column = entity.columns.get(name)
            if column is not None and column.fake is None and column.references is None:
                yield Finding((*loc, "update", "redraw", index), f"{name!r} has no rule to draw from", "add `fake:`")


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
            known = {*drawn, *map(str, states.next.values())}
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
        return tuple(map(str, fake.choice))
    return (str(fake.constant),) if fake.constant is not None else None


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
)

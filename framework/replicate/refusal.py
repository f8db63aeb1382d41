"""Why a load was refused: the source's values that the target has no place for, by column, with their keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from framework.databases.mysql.columns import native_types, room_of
from framework.databases.mysql.dialect import MySQLDialect
from framework.databases.postgres import ranges
from framework.databases.postgres.source import PostgresSession
from framework.databases.postgres.wire import wire
from framework.errors import KeyNotUnique, LoadRefused, VitrinaError
from framework.replicate.job import Job
from framework.replicate.mapping import Mapping, Selected
from framework.types import LENGTHY_KINDS, Kind

SHOWN = 3
"""Values of a column that are shown."""

LENGTH = 40
"""Characters of a value that are shown."""

UNFORESEEN = "no condition foresees this, so no row was put into quarantine for it"
"""What is said where the settings would have rows set aside."""

_COLUMN = re.compile(r"column ['`\"](?:.*?[`'\"]\.[`'\"])?(?P<name>.+?)['`\"] (?:at row|has no exact)")


def explained(job: Job, error: LoadRefused) -> LoadRefused:
    """The error with the values that it is about, as far as the source still has them."""
    if isinstance(error, KeyNotUnique):
        return _repeated(job, error)
    found: list[str] = []
    columns: list[str] = []
    # What the server said is worth more than the reason why no more can be said.
    with suppress(VitrinaError), _reading(job) as session:
        for column, condition in _suspects(job, error):
            if values := _values(session, job.mapping, column, condition):
                found.append(values)
                columns.append(column.name)
    if not found:
        unforeseen = (UNFORESEEN,) if job.mapping.task.on_error.quarantines else ()
        return LoadRefused(job.table, (*error.warnings, *unforeseen), error.fix)
    return LoadRefused(job.table, (*error.warnings, *found), _fix(job.mapping, columns), columns=tuple(columns))


def _repeated(job: Job, error: KeyNotUnique) -> LoadRefused:
    """The keys that several rows of the source have, and what can be done; or those that are equal only when cut."""
    mapping, found = job.mapping, list(error.warnings)
    with suppress(VitrinaError), _reading(job) as session:
        if (refused := _too_long_for_the_key(job, session)) is not None:
            return refused
        key = [next(column for column in mapping.columns if column.name == name) for name in mapping.key]
        shown = ", ".join(f"left(({one.expression})::text, {LENGTH})" for one in key)
        grouped = ", ".join(one.expression for one in key)
        rows = session.query(
            f"SELECT count(*), {shown} FROM {mapping.origin}{mapping.filter()} GROUP BY {grouped} "
            f"HAVING count(*) > 1 ORDER BY {grouped} LIMIT {SHOWN}"
        )
        names = ", ".join(mapping.key)
        found = [f"{count} rows with {names} = {', '.join(map(str, values))}" for count, *values in rows] or found
    return KeyNotUnique(job.table, found, _fix_of_repeated(mapping), mapping.key)


def _too_long_for_the_key(job: Job, session: PostgresSession) -> LoadRefused | None:
    """Keys that are equal only because the target cut them."""
    for column in job.mapping.columns:
        if column.name not in job.mapping.key or _room(job, column) is None:
            continue
        if long := _values(session, job.mapping, column, _too_long(job, column)):
            fix = _fix(job.mapping, [column.name])
            return LoadRefused(job.table, [f"too long for the key: {long}"], fix, columns=(column.name,))
    return None


def _fix_of_repeated(mapping: Mapping) -> str:
    if mapping.task.key:
        return "name columns that identify a row with `key:`, or correct the rows in the source"
    if mapping.task.children:
        return (
            "tables that inherit from this one have keys of their own: leave their rows out with `children: false`, or "
            "name columns that identify a row among all with `key:`"
        )
    return "name columns that identify a row with `key:`"


@contextmanager
def _reading(job: Job) -> Iterator[PostgresSession]:
    """The source, with what masks need."""
    with job.source.session() as session:
        job.prepare_masks(session)
        yield session


def _suspects(job: Job, error: LoadRefused) -> Iterator[tuple[Selected, str]]:
    """Columns, each with the condition of the values that the target refuses."""
    named = {match["name"] for warning in error.warnings for match in _COLUMN.finditer(warning)}
    for column in job.mapping.columns:
        check = ranges.endless if column.policy == "clamp" else ranges.outside
        condition = check(column.expression, column.type)
        if column.policy in ("reject", "clamp") and condition is not None and not column.masked:
            yield column, condition
        elif column.name in named and column.type.kind in LENGTHY_KINDS:
            yield column, _too_long(job, column)


def _too_long(job: Job, column: Selected) -> str:
    """The condition that a value is longer than the column; without a limit, that it is the longest."""
    text = f"({wire(column.expression, column.type)})::text"
    length = f"octet_length({column.expression})" if column.type.kind is Kind.BYTES else f"char_length({text})"
    if (room := _room(job, column)) is not None:
        return f"{length} > {room}"
    return f"{length} = (SELECT max({length}) FROM {job.mapping.origin}{job.mapping.filter()})"


def _room(job: Job, column: Selected) -> int | None:
    """Characters, or bytes, that the copy's column has; None if there is no limit."""
    if job.target.dialect.name != MySQLDialect.name or column.type.kind not in LENGTHY_KINDS:
        return None
    return room_of(native_types(job.mapping.table(job.table))[column.name])


def _values(session: PostgresSession, mapping: Mapping, column: Selected, condition: str) -> str | None:
    """A sentence: how many there are, and the first ones with their keys; None if there are none."""
    keys = [other for other in mapping.columns if other.name in mapping.key]
    shown = ", ".join(f"left(({one.expression})::text, {LENGTH})" for one in (column, *keys))
    order = ", ".join(str(place) for place in range(2, len(keys) + 2)) or "1"
    where = mapping.filter(condition)
    total = int(session.query(f"SELECT count(*) FROM {mapping.origin}{where}")[0][0])
    if not total:
        return None
    rows = session.query(f"SELECT {shown} FROM {mapping.origin}{where} ORDER BY {order} LIMIT {SHOWN}")
    names = ", ".join(mapping.key)
    examples = [f"{row[0]!r}" + (f" ({names} = {', '.join(map(str, row[1:]))})" if keys else "") for row in rows]
    more = ", ..." if total > len(rows) else ""
    return f"{total} of column {column.name}: {', '.join(examples)}{more}"


def _fix(mapping: Mapping, columns: list[str]) -> str:
    column = next(one for one in mapping.columns if one.name == columns[0])
    if not ranges.is_limited(column.type):
        return f"take {column.name} out of the key or the unique index, shorten its values, or leave it out"
    refilled = "text, with --full-refresh" if mapping.task.mode == "incremental" else "text"
    choices = refilled if column.name in mapping.key else f"null, or {refilled}"
    if column.policy == "reject" and column.name not in mapping.key:
        choices = f"null, clamp, or {refilled}"
    rule = f"{{from: {column.origin}, out_of_range: text}}" if column.origin else "{sql: ..., out_of_range: null}"
    return (
        f"say what becomes of them with `out_of_range` ({choices}): `columns: {{{column.name}: {rule}}}`, or correct "
        "the rows in the source"
    )

"""A full load that died is resumed by the next run: it takes over the table with the parts that are noted as loaded.

Only `RENAME` takes the table from a run that may be stalled and not dead: it waits for that run's transactions (whose
sessions are ended before), and later ones find no table of that name. So what is noted is read behind it, and is what
the table holds. The notes follow by one transaction under the lease. Until then they are found by the filling, the part
of the generation's name that all who go on with it share.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from framework import __version__
from framework.databases.base import PREFIX, Alteration, Session, reserved_name
from framework.databases.postgres.names import qualified
from framework.databases.postgres.origin import Origin
from framework.databases.postgres.position import files
from framework.databases.postgres.snapshot import Horizon
from framework.errors import DiskFull, VitrinaError
from framework.replicate import chunks, cursor, reuse, staging, state, succession
from framework.replicate.job import Job, owner_of
from framework.replicate.journal import Loaded
from framework.replicate.outline import PLACE, Outline
from framework.replicate.schema import structure
from framework.replicate.schema.structure import Structure
from framework.tables import Index, Table

SHADOW = "shadow"
"""What the table that a full load fills is called beside the copy."""

OLDEST = timedelta(days=1)
"""Age of a horizon that a copy is caught up from; all that has changed since is read again."""


@dataclass(frozen=True)
class Left:
    """What a run that died has left of a full load.

    Attributes:
        shadow: the table.
        generation: of its marker.
        planned: what `note` wrote.
        loaded: by number, what its parts have done.
    """

    shadow: str
    generation: str
    planned: Mapping[str, Any]
    loaded: Mapping[int, Loaded]

    @property
    def parts(self) -> int:
        """How many parts the load has."""
        return len(self.planned["outline"]["ranges"])

    @property
    def present(self) -> tuple[int, ...]:
        """The parts whose rows are in the table, perhaps of old."""
        return tuple(sorted({*self.loaded, *self.planned["outline"]["compared"]}))

    @property
    def is_worth_it(self) -> bool:
        """Whether there is so much that to load it again would take longer than to look at it.

        Places are those of a snapshot that is gone.
        """
        if tuple(self.planned["outline"]["by"]) == PLACE:
            return False
        rows = sum(part.rows for part in self.loaded.values())
        return bool(self.present) and (self.parts > 1 or rows >= chunks.WORTH_SPLITTING)


def note(job: Job, session: Session, outline: Outline, made_of: Structure) -> None:
    """Write down what is begun, so that another run can go on with it."""
    job.journal.plan(session, _planned(job, outline, made_of))


def take(job: Job, session: Session, present: Mapping[str, str]) -> Left | None:
    """Take what is worth it over from those who had the lease before, before anything else is looked at.

    Args:
        job: the table's.
        session: of the target.
        present: the markers of Vitrina's tables, by name.
    """
    left = _find(job, session, present)
    if left is None or not left.is_worth_it or left.planned["version"] != __version__:
        return None
    table = Table(job.beside(SHADOW), (), comment=job.mapping.source.comment)
    generation = state.renewed(left.generation, job.lease.token)
    session.rename_table(left.shadow, table, state.marker(generation, job.table))
    return replace(left, shadow=table.name, generation=generation)


def go_on(job: Job, session: Session, left: Left, fresh: Outline, made_of: Structure) -> Outline | None:
    """The outline of a load that goes on with what is left; None if it cannot, and what is left is dropped.

    Args:
        job: the table's.
        session: of the target.
        left: what was taken.
        fresh: the outline of a load that begins anew.
        made_of: what the copy is to be made of.
    """
    planned = _planned(job, fresh, made_of)
    same = left.planned["premises"] == planned["premises"] and _is_of(left, fresh)
    outline = _outline(job, left, fresh, planned["files"]) if same else None
    if outline is None:
        session.drop_tables(left.shadow)
        return None
    # While parts are loaded, a unique value may be in two places.
    indexes = tuple(Index(index.columns, index.unique) for index in job.mapping.table(SHADOW).indexes)
    session.alter_table(Table(left.shadow, ()), Alteration(unindexed=indexes))
    kept = {number: replace(left.loaded[number], kept=left.loaded[number].rows) for number in outline.kept}
    with session.transaction():
        job.lease.guard(session)
        job.journal.take_over(session, {**planned, "outline": outline.as_json()}, kept)
    _tell(job, left, outline)
    return outline


def leave(job: Job, error: BaseException) -> None:
    """A load has failed: keep what the next run can go on with, drop the rest. Without a connection, that run does."""
    with suppress(VitrinaError), job.target.session() as session:
        job.discard(session, *staging.PURPOSES)
        left = _find(job, session, session.tables(PREFIX))
        useful = left is not None and left.is_worth_it and reuse.is_possible(job.mapping)
        # A server that is full needs the room for others.
        if left is None or not useful or isinstance(error, DiskFull):
            job.discard(session, SHADOW)
        elif left.shadow == job.beside(SHADOW):
            job.reporter.notice(f"the next run goes on: {len(left.present)} of {left.parts} parts are loaded")


def _outline(job: Job, left: Left, fresh: Outline, files: str) -> Outline | None:
    """How to go on; None if that is not possible.

    Where all is read in one snapshot, parts are brought to it by their tasks. Where tasks read at different times, all
    parts are caught up in the end, and so may begin with the horizon from before the first one.
    """
    before, files_before = Outline.from_json(left.planned["outline"]), left.planned["files"]
    undone = tuple(number for number in before.compared if number not in left.loaded)
    going = replace(
        fresh,
        generation=left.generation,
        by=before.by,
        ranges=before.ranges,
        since=before.since if undone else before.position,
        files=before.files if undone else files_before,
    )
    trusting = job.options.spread and not job.options.full_refresh and files == files_before and bool(left.loaded)
    young = _age(before.horizon, fresh.horizon) <= OLDEST
    if trusting and young and cursor.is_timely(job.mapping, before.horizon):
        beginning = replace(going, horizon=before.horizon, position=before.position, one_snapshot=False)
        return replace(beginning, kept=tuple(sorted(left.loaded)), compared=undone)
    caught_up = bool(job.mapping.key) and cursor.is_timely(job.mapping, fresh.horizon)
    if reuse.is_possible(job.mapping) and (caught_up or not job.options.spread):
        return replace(going, one_snapshot=not job.options.spread, compared=left.present)
    return None


def _find(job: Job, session: Session, present: Mapping[str, str]) -> Left | None:
    """The last table that a full load was filling, and what is noted of it."""
    found = {}
    for name, mark in present.items():
        table, token = owner_of(mark) or ("", 0)
        if table == job.table and token <= job.lease.token and name == reserved_name(f"{SHADOW}_{token}", table):
            found[token] = (name, mark.removeprefix(state.MARK).partition(" ")[0])
    if not found:
        return None
    name, generation = found[max(found)]
    for token, planned in sorted(job.journal.plans(session).items(), reverse=True):
        if state.filling(planned["outline"]["generation"]) == state.filling(generation):
            return Left(name, generation, planned, job.journal.all_loaded(session, token))
    return None


def _planned(job: Job, outline: Outline, made_of: Structure) -> dict[str, Any]:
    """An outline, with what must be the same for another run to go on with it."""
    table = structure.table(job.mapping, made_of, SHADOW)
    said = json.dumps([outline.fingerprint, made_of.as_text(), repr(replace(table, comment=""))])
    source = job.mapping.source
    with job.source.session() as reading:
        rewritten = files(reading, qualified(source.schema, source.name), children=job.mapping.task.children)
    return {
        "version": __version__,
        "run": job.options.run_id,
        "premises": hashlib.sha256(said.encode()).hexdigest(),
        "files": rewritten,
        "outline": outline.as_json(),
    }


def _is_of(left: Left, fresh: Outline) -> bool:
    """Whether the rows were read from the server that answers now: the evidence is in its transactions' numbers."""
    before, now = left.planned["outline"]["origin"], fresh.origin
    return bool(before and now) and succession.goes_on(Origin.from_text(before), Origin.from_text(str(now)))


def _age(before: Horizon, now: Horizon) -> timedelta:
    if before.moment is None or now.moment is None:
        return timedelta.max
    return datetime.fromisoformat(now.moment) - datetime.fromisoformat(before.moment)


def _tell(job: Job, left: Left, outline: Outline) -> None:
    if outline.kept:
        found = f"{len(outline.kept)} of {left.parts} parts are kept, and what has changed since is read"
    else:
        found = f"{len(outline.compared)} of {left.parts} parts are kept, but for what differs from the source now"
    job.reporter.notice(f"resumes the load that run {left.planned['run']} began: {found}")

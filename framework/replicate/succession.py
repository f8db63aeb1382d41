"""Whether the source that answers is the one that was read before, and has not forgotten anything of that."""

from __future__ import annotations

import time
from dataclasses import replace

from framework import units
from framework.databases.base import Session
from framework.databases.postgres.origin import Origin
from framework.errors import SourceBehind
from framework.replicate.job import Job
from framework.replicate.outline import Outline
from framework.types import Kind

STEP = 1.0
"""Seconds by which two clocks may drift apart between two runs."""


def compared(job: Job, session: Session, seen: Origin, began: float) -> Origin:
    """``seen``, with its clock compared with the target's; ``began``: the monotonic time before it was asked."""
    clock = session.query(f"SELECT {job.target.dialect.utc_now}")[0][0]
    moment = units.parse_datetime(clock.isoformat()).timestamp()
    return replace(seen, ahead=seen.clock - moment, blur=time.monotonic() - began)


def require(job: Job, last: Origin | None, seen: Origin) -> None:
    """Stop before a server that has less than the copy.

    Raises:
        SourceBehind: what was read from it is not there any more, or, on a standby, not there yet.
    """
    if last is None or job.options.full_refresh or _differ(last.system, seen.system):
        return  # that it is another database is told elsewhere
    if last.log is not None and seen.log is not None and seen.log < last.log:
        raise SourceBehind(job.table, job.source.name, last.log - seen.log, standby=seen.standby)


def goes_on(before: Origin, seen: Origin) -> bool:
    """Whether it is known that the server of before answers, with all that it had: its transactions are numbered on."""
    if before.log is None or seen.log is None or None in (before.system, before.timeline):
        return False
    return (before.system, before.timeline) == (seen.system, seen.timeline) and seen.log >= before.log


def doubts(job: Job, last: Origin | None, seen: Origin) -> str | None:
    """Why rows below the bound may be others than those of the copy; None if they are not."""
    if last is None:
        return None
    if last.timeline is not None and seen.timeline is not None and seen.timeline > last.timeline:
        return f"a standby was promoted or a backup restored (timeline {last.timeline} became {seen.timeline})"
    cursor = job.mapping.cursor
    if cursor is None or cursor.type.kind is not Kind.TIMESTAMPTZ:
        return None  # no clock says what is read
    lookback = job.mapping.task.lookback
    bearable = max(units.duration(lookback).total_seconds() if isinstance(lookback, str) else 0.0, STEP)
    back = last.clock - seen.clock
    if last.ahead is not None and seen.ahead is not None:
        back = max(back, last.ahead - seen.ahead - seen.blur)
    return f"its clock was set back by {back:.0f} s" if back > bearable else None


def continued(job: Job, outline: Outline, last: Origin | None, seen: Origin) -> Outline:
    """An increment as it is to be read from this source: all rows, where those below the bound may be others.

    What a part of the copy was read from says nothing of the rest.
    """
    if job.options.resync is not None:
        return replace(outline, origin=last.as_text() if last is not None else None)
    if doubt := doubts(job, last, seen):
        job.reporter.notice(f"{job.source.name!r}: {doubt}; all rows of {job.table!r} are read again, this once")
        outline = replace(outline, bound=None)
    return replace(outline, origin=followed(last, seen).as_text())


def followed(last: Origin | None, seen: Origin) -> Origin:
    """What is to be remembered: a standby may lag behind in telling its timeline."""
    known = [each.timeline for each in (last, seen) if each is not None and each.timeline is not None]
    if last is not None and _differ(last.system, seen.system):
        return seen
    return replace(seen, timeline=max(known, default=None))


def _differ(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one != other

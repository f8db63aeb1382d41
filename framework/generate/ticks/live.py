"""A living system: tick after tick at a steady rate of changes, until it is told to end."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from framework.databases.postgres.source import PostgresSource
from framework.errors import RuleImpossible
from framework.events import Reporter, Stats
from framework.generate import marker
from framework.generate.filling import require_permission
from framework.generate.rules.drawn import Pools
from framework.generate.ticks.changes import Ticks
from framework.spec.entities import GenerateTask

UNSTEADY = 10.0
"""Seconds between two ticks beyond which the pace is no longer steady, and a notice says so."""


@dataclass(frozen=True)
class Live:
    """How a living system goes.

    Attributes:
        rate: changes a second, over all tables.
        seconds: when it ends; None: when it is told to.
        stop: is set to end it, behind the tick at work.
    """

    rate: float
    seconds: float | None = None
    stop: threading.Event = field(default_factory=threading.Event)


def live(
    source: PostgresSource, task: GenerateTask, how: Live, reporter: Reporter, pools: Pools | None = None
) -> Stats:
    """Perform ticks at a steady rate. They are those of `changes.tick`: only when they happen differs.

    Who falls behind goes on without a pause until the rate is reached again.

    Raises:
        GenerationForbidden: the source does not allow generated data.
        SourceMismatch: a table has not been filled yet.
        RuleImpossible: a change cannot be made, or ticks change nothing; the tick was undone.
        LeaseHeld: another fill or tick is at work.
    """
    require_permission(source)
    with source.session() as session, marker.exclusive(session, reporter):
        ticks = Ticks(session, task, reporter, pools or Pools(announce=reporter.notice))
        expected = ticks.expected()
        if expected == 0:
            raise RuleImpossible(task.pipeline, "changes", "a tick would change nothing", "give an entity `changes:`")
        if expected / how.rate > UNSTEADY:
            reporter.notice(
                f"a tick has about {expected:,} changes, one every {expected / how.rate:.0f} s at this rate; "
                "smaller `changes` make the pace steadier"
            )
        first = ticks.number + 1
        stats = _pace(ticks, how, reporter)
        reporter.notice(f"ticks {first} to {ticks.number}" if ticks.number >= first else "no tick was performed")
        return stats


def _pace(ticks: Ticks, how: Live, reporter: Reporter) -> Stats:
    written = deleted = 0
    began, behind = time.monotonic(), 0.0
    total = round(how.rate * how.seconds) if how.seconds is not None else None
    while not how.stop.is_set():
        elapsed = time.monotonic() - began
        if how.seconds is not None and elapsed >= how.seconds:
            break
        done = ticks.perform()
        written, deleted = written + done.rows_written, deleted + done.rows_deleted
        elapsed = time.monotonic() - began
        ahead = (written + deleted) / how.rate - elapsed
        behind = max(behind, -ahead)
        reporter.progress("changes", written + deleted, total, _standing(written + deleted, elapsed, ahead))
        if not done.rows_written + done.rows_deleted:
            ahead = 1.0  # a tick that finds nothing to change must not turn into a busy loop
        if ahead > 0:
            left = ahead if how.seconds is None else min(ahead, began + how.seconds - time.monotonic())
            how.stop.wait(max(left, 0))
    elapsed = time.monotonic() - began
    rate = (written + deleted) / elapsed if elapsed else 0.0
    reporter.notice(f"{rate:,.0f} changes/s over {elapsed:.0f} s ({how.rate:,.0f} wanted), at most {behind:.1f} s late")
    return Stats(rows_written=written, rows_deleted=deleted)


def _standing(done: int, elapsed: float, ahead: float) -> str:
    rate = f"{done / elapsed:,.0f}/s" if elapsed else ""
    return f"{rate}, {-ahead:.1f} s late" if ahead < 0 else rate

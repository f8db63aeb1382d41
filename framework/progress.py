"""What a run looks like while it goes on: bars on a terminal, one line a step elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from framework.events import (
    Event,
    Listener,
    Notice,
    RunFinished,
    RunStarted,
    Stats,
    StepFailed,
    StepFinished,
    StepProgress,
    StepSkipped,
    StepStarted,
)

LINE_EVERY = 10.0
"""Seconds between two progress lines of one step where there is no terminal."""


def listener(console: Console) -> Listener:
    """The listener that suits where ``console`` writes."""
    if console.is_terminal:
        return Bars(console)
    return Lines(lambda line: console.print(line, markup=False, highlight=False, soft_wrap=True))


def summary(stats: Stats) -> str:
    """What a step did, in a few words."""
    parts = [f"{stats.rows_read:,} read"] if stats.rows_read else []
    # Who reads rows that are not there already, and writes none, was only to look at them.
    if stats.rows_written or stats.rows_unchanged or not parts:
        parts.append(f"{stats.rows_written:,} written")
    if stats.rows_deleted:
        parts.append(f"{stats.rows_deleted:,} deleted")
    if stats.rows_unchanged:
        parts.append(f"{stats.rows_unchanged:,} unchanged")
    if stats.rows_rejected:
        parts.append(f"{stats.rows_rejected:,} in quarantine")
    if stats.checks:
        parts.append(f"{stats.checks} check{'s' if stats.checks != 1 else ''}")
    return ", ".join(parts)


def _reached(stats: Stats) -> str:
    """How fast it went, and up to where the source is copied."""
    moved = max(stats.rows_read, stats.rows_written)
    rate = f", {moved / stats.seconds:,.0f} rows/s" if moved and stats.seconds else ""
    watermark = f", watermark {stats.watermark}" if stats.watermark else ""
    return rate + watermark + (f", the next run reads from {stats.bound}" if stats.bound else "")


class Lines:
    """One line for every beginning, end and notice, and a sign of life now and then.

    Args:
        say: what takes a line.
    """

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say = say
        self._told: dict[str, float] = {}
        self._begun: dict[tuple[str, str], float] = {}

    def __call__(self, event: Event) -> None:
        if isinstance(event, StepProgress):
            self._progress(event)
        else:
            self._say(self._line(event))

    def _line(self, event: Event) -> str:
        if isinstance(event, RunStarted):
            return f"run {event.run_id}: {event.pipeline}, {len(event.steps)} steps"
        if isinstance(event, StepStarted):
            self._told[event.step] = time.monotonic()
            return f"{event.step}: started"
        if isinstance(event, StepFinished):
            return f"{event.step}: done in {event.stats.seconds:.1f} s, {summary(event.stats)}{_reached(event.stats)}"
        if isinstance(event, StepFailed):
            return f"{event.step}: FAILED after {event.seconds:.1f} s: {event.error}"
        if isinstance(event, StepSkipped):
            return f"{event.step}: skipped, {event.reason}"
        if isinstance(event, Notice):
            return f"{event.step}: note: {event.message}"
        assert isinstance(event, RunFinished)
        return f"run {event.run_id}: {event.status} after {event.seconds:.1f} s"

    def _progress(self, event: StepProgress) -> None:
        now = time.monotonic()
        begun = self._begun.setdefault((event.step, event.phase), now)
        if now - self._told.get(event.step, now) < LINE_EVERY:
            return
        self._told[event.step] = now
        rate = event.done / (now - begun) if now > begun else 0.0
        total = f" of {event.total:,}" if event.total else ""
        left = f", {max(event.total - event.done, 0) / rate:.0f} s left" if event.total and rate else ""
        reached = event.standing or f"{rate:,.0f} rows/s"
        self._say(f"{event.step}: {event.phase}: {event.done:,}{total} rows, {reached}{left}")


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f} rows/s" if speed else "", style="cyan")


class Bars:
    """A bar for each running step; a line above them for each that ended."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._tasks: dict[str, TaskID] = {}
        self._phases: dict[str, str] = {}
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.completed:,.0f} rows"),
            _Rate(),
            TimeRemainingColumn(compact=True),
            console=console,
            transient=True,
        )

    def __call__(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._progress.start()
        elif isinstance(event, RunFinished):
            self._progress.stop()
        elif isinstance(event, StepStarted):
            self._tasks[event.step] = self._progress.add_task(escape(event.step), total=None)
        elif isinstance(event, StepProgress):
            self._advance(event)
        elif isinstance(event, Notice):
            self._say(f"[yellow]![/] {escape(event.step)}: {escape(event.message)}")
        else:
            self._end(event)

    def _advance(self, event: StepProgress) -> None:
        task = self._tasks.get(event.step)
        if task is None:
            return
        if self._phases.get(event.step) != event.phase:
            self._phases[event.step] = event.phase
            self._progress.reset(task, total=event.total, description=f"{escape(event.step)} {escape(event.phase)}")
        if event.standing:
            told = f"{escape(event.step)} {escape(event.phase)} {escape(event.standing)}"
            self._progress.update(task, description=told)
        self._progress.update(task, completed=event.done, total=event.total)

    def _end(self, event: StepFinished | StepFailed | StepSkipped) -> None:
        if (task := self._tasks.pop(event.step, None)) is not None:
            self._progress.remove_task(task)
        if isinstance(event, StepFinished):
            self._say(f"[green]✓[/] {escape(event.step)}: {summary(event.stats)} in {event.stats.seconds:.1f} s")
        elif isinstance(event, StepFailed):
            self._say(f"[red]✗[/] {escape(event.step)}: {escape(event.error)}")
        else:
            self._say(f"[dim]- {escape(event.step)}: skipped, {escape(event.reason)}[/]")

    def _say(self, line: str) -> None:
        self._progress.console.print(line, highlight=False)

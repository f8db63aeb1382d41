"""What a command prints at its end: tables for people."""

from __future__ import annotations

import os
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from framework.databases.base import Row
from framework.events import Event, Stats, StepFailed, StepFinished, StepSkipped
from framework.history import PastStep
from framework.plan import Step
from framework.status import Status
from framework.verify.record import Record

WIDE = 110
"""Characters of a line on which watermarks find room."""

WATERMARK_LENGTH = 19
"""A watermark is shown to the second; `_vitrina_state` has all of it."""

UNLIMITED = 10_000
"""Characters of a line where nobody looks at a terminal: nothing is cut."""

_console = Console(emoji=False)
if not _console.is_terminal and "COLUMNS" not in os.environ:
    _console = Console(width=UNLIMITED, emoji=False)


class Closing:
    """A listener that remembers what each step did, and prints it as a table."""

    def __init__(self) -> None:
        self._steps: list[tuple[str, Stats, str]] = []

    def __call__(self, event: Event) -> None:
        """Remember the end of a step."""
        if isinstance(event, StepFinished):
            self._steps.append((event.step, event.stats, ""))
        elif isinstance(event, StepFailed):
            self._steps.append((event.step, Stats(seconds=event.seconds), "failed"))
        elif isinstance(event, StepSkipped):
            self._steps.append((event.step, Stats(), "skipped"))

    def show(self) -> None:
        """Print the table, and the warnings below it; nothing if no step ended."""
        if not self._steps:
            return
        _console.print(_closing_table(self._steps))
        for step, stats, _ in self._steps:
            for warning in stats.warnings:
                _console.print(f"warning: {step}: {warning}", markup=False, highlight=False, soft_wrap=True)


def show_status(status: Status) -> None:
    """Print the last runs of a pipeline and how fresh its tables are."""
    runs = Table("run", "command", "status", "started (UTC)", "seconds", title=f"{status.pipeline}: last runs")
    for run in status.runs:
        seconds = "" if run.seconds is None else f"{run.seconds:.1f}"
        runs.add_row(run.run_id, run.command, run.status, f"{run.started_at:%Y-%m-%d %H:%M:%S}", seconds)
    tables = Table("table", "last success", "watermark", "behind", "verified", "freshness", title="tables")
    rejected = any(table.quarantined for table in status.tables)
    if rejected:
        tables.add_column("quarantined", justify="right")
    for table in status.tables:
        tables.add_row(
            table.name,
            _ago(table.age),
            table.watermark or "",
            _span(table.lag),
            _verdict(table.verified),
            table.freshness,
            *((f"{table.quarantined:,}",) if rejected else ()),
        )
    for shown in (runs, tables):
        shown.title_justify = "left"
        _console.print(shown)


def show_rows(name: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Print rows of a table."""
    table = Table(*columns, title=name, title_justify="left")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    _console.print(table)


def history_lines(steps: Sequence[PastStep], missed: Sequence[Step]) -> list[str]:
    """What a run did, a line a step, for a log."""
    width = max((len(name) for name in (*(s.step for s in steps), *(s.name for s in missed))), default=0)
    lines = [
        f"{step.step:<{width}}  {step.status:<9}  {step.rows_read:>12,} read  {step.rows_written:>12,} written  "
        f"{step.rows_deleted:>9,} deleted  {step.seconds:>8.1f} s"
        + (f"  {step.rows_rejected:,} in quarantine" if step.rows_rejected else "")
        for step in steps
    ]
    return lines + [f"{step.name:<{width}}  not done: what it needs did not succeed" for step in missed]


def _closing_table(steps: Sequence[tuple[str, Stats, str]]) -> Table:
    cells = [{"step": step, "result": result, **_cells(stats)} for step, stats, result in steps]
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    for heading in cells[0]:
        empty = all(row[heading] in ("", "0") for row in cells)
        if not empty and (heading != "watermark" or _console.width >= WIDE):
            table.add_column(
                heading, justify="left" if heading in ("step", "result", "watermark") else "right", no_wrap=True
            )
    for row in cells:
        table.add_row(*(row[str(column.header)] for column in table.columns))
    return table


def _cells(stats: Stats) -> dict[str, str]:
    moved = max(stats.rows_read, stats.rows_written)
    return {
        "read": f"{stats.rows_read:,}",
        "written": f"{stats.rows_written:,}",
        "deleted": f"{stats.rows_deleted:,}",
        "unchanged": f"{stats.rows_unchanged:,}",
        "quarantined": f"{stats.rows_rejected:,}",
        "seconds": f"{stats.seconds:.1f}",
        "rows/s": f"{moved / stats.seconds:,.0f}" if stats.seconds and moved else "",
        "checks": str(stats.checks or ""),
        "watermark": (stats.watermark or "")[:WATERMARK_LENGTH],
    }


def _verdict(record: Record | None) -> str:
    if record is None:
        return ""
    found = f"{record.differing:,} differ" if record.differing else "equal"
    return f"{found}, {_ago(record.age)}"


def _ago(seconds: float | None) -> str:
    return "never" if seconds is None else f"{_span(seconds)} ago"


def _span(seconds: float | None) -> str:
    if seconds is None:
        return ""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"

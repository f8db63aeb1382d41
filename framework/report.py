"""What a command prints at its end: tables for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from framework.databases.base import Row
from framework.events import Event, Stats, StepFinished
from framework.status import Status

_console = Console()


class Closing:
    """A listener that remembers what each step did, and prints it as a table."""

    def __init__(self) -> None:
        self._steps: list[tuple[str, Stats]] = []

    def __call__(self, event: Event) -> None:
        """Remember the end of a step."""
        if isinstance(event, StepFinished):
            self._steps.append((event.step, event.stats))

    def show(self) -> None:
        """Print the table, and the warnings below it; nothing if no step ended well."""
        if not self._steps:
            return
        table = Table("step")
        for heading in ("read", "written", "deleted", "unchanged", "seconds", "rows/s"):
            table.add_column(heading, justify="right")
        table.add_column("watermark")
        table.add_column("checks", justify="right")
        for step, stats in self._steps:
            table.add_row(step, *_cells(stats))
        _console.print(table)
        for step, stats in self._steps:
            for warning in stats.warnings:
                _console.print(f"warning: {step}: {warning}", markup=False, highlight=False, soft_wrap=True)


def show_status(status: Status) -> None:
    """Print the last runs of a pipeline and how fresh its tables are."""
    runs = Table("run", "command", "status", "started (UTC)", "seconds", title=f"{status.pipeline}: last runs")
    for run in status.runs:
        seconds = "" if run.seconds is None else f"{run.seconds:.1f}"
        runs.add_row(run.run_id, run.command, run.status, f"{run.started_at:%Y-%m-%d %H:%M:%S}", seconds)
    tables = Table("table", "last success", "watermark", "behind", "freshness", title="tables")
    for table in status.tables:
        tables.add_row(table.name, _ago(table.age), table.watermark or "", _span(table.lag), table.freshness)
    for shown in (runs, tables):
        shown.title_justify = "left"
        _console.print(shown)


def show_rows(name: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Print rows of a table."""
    table = Table(*columns, title=name, title_justify="left")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    _console.print(table)


def _cells(stats: Stats) -> list[str]:
    counts = (stats.rows_read, stats.rows_written, stats.rows_deleted, stats.rows_unchanged)
    moved = max(stats.rows_read, stats.rows_written)
    rate = f"{moved / stats.seconds:,.0f}" if stats.seconds and moved else ""
    return [
        *(f"{count:,}" for count in counts),
        f"{stats.seconds:.1f}",
        rate,
        stats.watermark or "",
        str(stats.checks or ""),
    ]


def _ago(seconds: float | None) -> str:
    return "never" if seconds is None else f"{_span(seconds)} ago"


def _span(seconds: float | None) -> str:
    if seconds is None:
        return ""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"

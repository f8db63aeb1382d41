"""`python -m benchmarks.chart REPORT.json CHART.svg`: what is required, and how far each result is from it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape

from benchmarks.report import Measured, Report
from benchmarks.result import Result
from benchmarks.table import bound, figure

WIDTH, LABELS, BARS = 900, 330, 380
ROW, HEADING, TOP = 34, 28, 64
MOST = 2.0
"""Times the requirement at which a bar is cut off: those that are far beyond it would make the others tiny."""

STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 16px; font-weight: 600 } .heading { font-weight: 600 } .small { font-size: 11px; fill: #59636e }
.holds { fill: #2f7dd1 } .missed { fill: #d9822b } .goal { stroke: #1f2328; stroke-dasharray: 3 3 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .small { fill: #9198a1 } .goal { stroke: #e6edf3 }
  .holds { fill: #4c9bea } .missed { fill: #e8964a }
}
"""


def draw(report: Report) -> str:
    """The picture, as SVG; it follows the reader's light or dark setting."""
    required = [measured for measured in report.results if measured.result.reached is not None]
    groups = [(scenario, list(rows)) for scenario, rows in groupby(required, key=lambda row: row.scenario)]
    height = TOP + HEADING * len(groups) + ROW * len(required) + 12
    title = "What was measured, as a part of what is required" + " (a quick run: it proves nothing)" * report.quick
    goal = LABELS + BARS / MOST
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        _text(12, 24, title, "title"),
        _text(12, 44, report.machine.get("machine", ""), "small"),
        _text(goal + 5, TOP - 4, "required; longer is better, » longer than it is drawn", "small"),
        *_groups(groups),
        f'<line class="goal" x1="{goal:g}" y1="{TOP - 12}" x2="{goal:g}" y2="{height - 8}"/>',
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _groups(groups: Sequence[tuple[str, Sequence[Measured]]]) -> Iterator[str]:
    y = TOP
    for scenario, rows in groups:
        yield _text(12, y + 20, scenario, "heading")
        y += HEADING
        for measured in rows:
            yield from _row(y, measured)
            y += ROW


def _row(y: int, measured: Measured) -> Iterator[str]:
    result = measured.result
    reached = result.reached or 0.0
    kind = "holds" if reached >= 1 else "missed"
    long = min(reached, MOST) / MOST * BARS
    yield _text(12, y + 12, result.what)
    if result.against:
        yield _text(12, y + 26, f"against {result.against}", "small")
    yield f'<rect class="{kind}" x="{LABELS}" y="{y + 4}" width="{long:.1f}" height="{ROW - 14}" rx="2"/>'
    yield _text(LABELS + BARS + 10, y + 13, _told(result) + " »" * (reached > MOST))
    yield _text(LABELS + BARS + 10, y + 26, bound(result) + ": missed" * (reached < 1), "small")


def _told(result: Result) -> str:
    if result.ratio is None:
        return figure(result.judged, result.unit)
    return f"{result.ratio:.2f} of its speed" if result.ratio < 2 else f"{result.ratio:.3g} times as fast"


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(text)}</text>'


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(draw(Report.read(Path(sys.argv[1]))))

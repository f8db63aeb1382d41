"""`python -m benchmarks.document REPORT.json PAGE.md`: writes the results into a page, between its two marks."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from statistics import median

from benchmarks.report import Measured, Report
from benchmarks.table import bound, figure

BEGIN, END = "<!-- results -->", "<!-- /results -->"


def section(report: Report) -> str:
    """The machine and a table of all results."""
    lines = [f"- {name}: {text}" for name, text in report.machine.items()]
    lines += ["", "| scenario | what | ours | other | ratio | rounds | required | commit |", "|---" * 8 + "|"]
    return "\n".join([*lines, *map(_row, report.results)])


def written(page: str, report: Report) -> str:
    """The page with these results. Raises ValueError if it has no place for them."""
    fresh, count = re.subn(f"(?s)(?<={BEGIN}\n).*?(?={END})", lambda _: f"\n{section(report)}\n\n", page, count=1)
    if not count:
        raise ValueError(f"the page has no {BEGIN} with {END} after it")
    return fresh


def _row(measured: Measured) -> str:
    result = measured.result
    what = f"{result.what} ({result.note})" if result.note else result.what
    theirs = f"{figure(median(result.theirs), result.unit)}, {result.against}" if result.theirs else ""
    ratio = "" if result.ratio is None else f"{result.ratio:.2f}"
    required = "" if result.missed_by is None else bound(result) + _missed(result.missed_by)
    ours = figure(median(result.ours), result.unit)
    cells = (measured.scenario, what, ours, theirs, ratio, str(len(result.ours)), required, f"`{measured.commit}`")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _missed(part: float) -> str:
    return f": **missed by {part:.0%}**" if part else ""


if __name__ == "__main__":
    place = Path(sys.argv[2])
    place.write_text(written(place.read_text(), Report.read(Path(sys.argv[1]))))

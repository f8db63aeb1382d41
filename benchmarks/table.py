"""How results are shown: a row each, with what is required of it."""

from __future__ import annotations

from statistics import median

from benchmarks.result import Result

HEAD = f"{'what':<36} {'ours':>13} {'the other':>13}  {'against':<24} {'ratio':>6}  required"


def row(result: Result, *, judged: bool = True) -> str:
    """The medians of the rounds, the median of their ratios, and, if it is judged, whether the requirement holds."""
    theirs = figure(median(result.theirs), result.unit) if result.theirs else ""
    ratio = "" if result.ratio is None else f"{result.ratio:.2f}"
    ours = figure(median(result.ours), result.unit)
    line = f"{result.what:<36} {ours:>13} {theirs:>13}  {result.against:<24} {ratio:>6}"
    told = _required(result) if judged else ""
    return f"{line}  {told}{f'  ({result.note})' if result.note else ''}".rstrip()


def bound(result: Result) -> str:
    """What is required, in words; nothing where nothing is."""
    unit = f" {result.unit}" if result.ratio is None else ""
    if result.at_least is not None:
        return f"at least {result.at_least:g}{unit}"
    return "" if result.at_most is None else f"at most {result.at_most:g}{unit}"


def figure(value: float, unit: str) -> str:
    """Three digits, or all that stand before the point."""
    return f"{value:,.0f} {unit}" if value >= 1000 else f"{value:.3g} {unit}"


def _required(result: Result) -> str:
    if result.missed_by is None:
        return ""
    return f"{bound(result)}: {'holds' if result.missed_by == 0 else f'MISSED BY {result.missed_by:.0%}'}"

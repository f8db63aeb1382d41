"""A verdict as people read it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from framework.verify.verdict import MASKED, Difference, Kind, Value, Verdict

LENGTH = 60
"""Characters of a value that are shown."""

BEFORE = 15
"""Characters shown before the first that differs."""

_WORD = re.compile(r"[\w.:+-]{1,60}")

_KINDS = {
    Kind.MISSING: "missing from the copy",
    Kind.EXTRA: "not in the source",
    Kind.DIFFERENT: "different",
    Kind.DOUBLED: "more than once in the copy",
}


def lines(verdict: Verdict) -> Iterator[str]:
    """What was found in a table, the first line says it all."""
    sampled = f", a sample of {100 * verdict.sample:.4g}%" if verdict.sample is not None else ""
    extent = f"{_rows(verdict.rows)} compared{sampled}, {verdict.seconds:.1f} s"
    repaired = f"; {_rows(verdict.repaired)} repaired" if verdict.repaired else ""
    if verdict.is_equal:
        yield f"{verdict.table}: equal ({extent}){repaired}"
    else:
        at_least = "" if verdict.complete else "at least "
        counts = ", ".join(f"{rows:,} {_KINDS[kind]}" for kind, rows in verdict.counts.items())
        verb = "differs" if verdict.differing == 1 else "differ"
        yield f"{verdict.table}: {at_least}{_rows(verdict.differing)} {verb}: {counts} ({extent}){repaired}"
    for difference in verdict.differences:
        yield from (f"  {line}" for line in _difference(difference))
    if len(verdict.differences) < verdict.differing:
        yield "  ..."
    yield from _remarks(verdict)


def _remarks(verdict: Verdict) -> Iterator[str]:
    if verdict.changed:
        since = "it was" if verdict.changed == 1 else "they were"
        yield f"  {_rows(verdict.changed)} changed in the source since {since} copied, and may differ for that"
    if verdict.undecided:
        yield (
            f"  {_rows(verdict.undecided)} could not be decided while the source goes on: they may have been deleted "
            "there since, or changed again; replicate, then verify again"
        )
    if verdict.kept:
        yield f"  {_rows(verdict.kept)} gone from the source and kept, as the spec says"
    if verdict.quarantined:
        verb = "is" if verdict.quarantined == 1 else "are"
        yield f"  {_rows(verdict.quarantined)} {verb} quarantined, and not compared: see _vitrina_rejects"


def _difference(difference: Difference) -> Iterator[str]:
    key = ", ".join(f"{name} = {_plain(value)}" for name, value in difference.key)
    yield f"{key}: {_KINDS[difference.kind]}"
    width = max((len(value.column) for value in difference.values), default=0)
    for value in difference.values:
        yield f"    {value.column:<{width}}  {_both(value)}"


def _both(value: Value) -> str:
    """The two values; long ones from where they begin to differ."""
    source, copy = value.source, value.copy
    if MASKED in (source, copy):
        return "differs (masked)"
    place = _first_difference(source or "", copy or "")
    start = place - BEFORE if max(len(source or ""), len(copy or "")) > LENGTH and place > BEFORE else 0
    where = f" (from character {start + 1:,})" if start else ""
    return f"source {_value(source, start)}, copy {_value(copy, start)}{where}"


def _value(value: str | None, start: int = 0) -> str:
    if value is None or value == MASKED:
        return "NULL" if value is None else MASKED
    end = start + LENGTH
    return ("..." if start else "") + repr(value[start:end]) + ("..." if len(value) > end else "")


def _plain(value: str | None) -> str:
    """A key's value, without quotes where it is but a word or a number."""
    return value if value is not None and _WORD.fullmatch(value) else _value(value)


def _first_difference(left: str, right: str) -> int:
    return next(
        (place for place, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right))
    )


def _rows(rows: int) -> str:
    return f"{rows:,} row{'s' if rows != 1 else ''}"

"""Rules about amounts: bounds in the right order, shares of at most a whole."""

from __future__ import annotations

from collections.abc import Iterator

from framework import units
from framework.spec.checks import Bounds
from framework.spec.models import Spec
from framework.validation.rules.base import Finding, Loc, Rule, rule
from framework.validation.rules.lookup import checks, columns, fakes, times_of_runs


@rule("min-over-max")
def min_over_max(spec: Spec) -> Iterator[Finding]:
    """The smaller bound comes first."""
    for at in fakes(spec):
        for key in ("integer", "normal", "lognormal", "array"):
            rule_ = getattr(at.fake, key)
            if rule_ is not None and rule_.min is not None and rule_.max is not None and rule_.min > rule_.max:
                yield _swapped((*at.loc, key), rule_.min, rule_.max)
    for loc, bounds in _bounds(spec):
        if bounds.min is not None and bounds.max is not None and bounds.min > bounds.max:
            yield _swapped(loc, bounds.min, bounds.max)


def _swapped(loc: Loc, low: float, high: float) -> Finding:
    return Finding((*loc, "min"), f"min ({low}) is larger than max ({high})", "swap them")


@rule("no-bounds")
def no_bounds(spec: Spec) -> Iterator[Finding]:
    """A check of bounds needs one."""
    for loc, bounds in _bounds(spec):
        if bounds.min is None and bounds.max is None:
            yield Finding(loc, "without bounds this check always holds", "give `min`, `max` or both")


def _bounds(spec: Spec) -> Iterator[tuple[Loc, Bounds]]:
    for loc, _, check in checks(spec):
        if check.rows is not None:
            yield (*loc, "rows"), check.rows
        for column, bounds in (check.between or {}).items():
            yield (*loc, "between", column), bounds


@rule("share-over-100")
def share_over_100(spec: Spec) -> Iterator[Finding]:
    """A share is at most a whole."""
    for loc, share in _shares(spec):
        if units.fraction(share) > 1:
            yield Finding(loc, f"{share} is more than everything", "write 100% or less")


def _shares(spec: Spec) -> Iterator[tuple[Loc, str]]:
    for loc, _, _, _, column in columns(spec):
        if column.nulls is not None:
            yield (*loc, "nulls"), column.nulls
    for table, entity in spec.entities.items():
        for kind in ("update", "delete"):
            change = getattr(entity.changes, kind, None)
            if change is not None and isinstance(change.rows, str):
                yield ("entities", table, "changes", kind, "rows"), change.rows
    yield ("defaults", "replicate", "deletes", "fuse"), spec.defaults.replicate.deletes.fuse
    yield ("defaults", "replicate", "on_error", "limit"), spec.defaults.replicate.on_error.limit
    for table, settings in spec.replicate.items():
        if settings.deletes is not None:
            yield ("replicate", table, "deletes", "fuse"), settings.deletes.fuse
        if settings.on_error is not None:
            yield ("replicate", table, "on_error", "limit"), settings.on_error.limit


@rule("duration-too-long")
def duration_too_long(spec: Spec) -> Iterator[Finding]:
    """A duration must be one the calendar has room for."""
    for loc, text in _durations(spec):
        try:
            units.duration(text)
        except OverflowError:
            yield Finding(loc, f"{text!r} is longer than the calendar", "write a shorter one")


def _durations(spec: Spec) -> Iterator[tuple[Loc, str]]:
    for at in fakes(spec):
        for key in ("after", "before"):
            if (near := getattr(at.fake, key)) is not None:
                yield (*at.loc, key, "within"), near.within
    if isinstance(lookback := spec.defaults.replicate.lookback, str):
        yield ("defaults", "replicate", "lookback"), lookback
    for table, settings in spec.replicate.items():
        if isinstance(settings.lookback, str):
            yield ("replicate", table, "lookback"), settings.lookback
    yield from times_of_runs(spec)


RULES: tuple[Rule, ...] = (min_over_max, no_bounds, share_over_100, duration_too_long)

"""Rows that are put into quarantine, and how many may be."""

from __future__ import annotations

from collections.abc import Iterator

from framework import units
from framework.spec.models import Spec
from framework.spec.replication import OnError
from framework.validation.rules.base import WARNING, Finding, Loc, rule
from framework.validation.rules.lookup import source_of, task_of


@rule("useless-limit", WARNING)
def useless_limit(spec: Spec) -> Iterator[Finding]:
    """A limit of rows in quarantine is of use where there is a quarantine."""
    for loc, said in _said(spec):
        if not said.quarantines and "limit" in said.model_fields_set:
            message = "with `stop` no row is put into quarantine, so `limit` has no meaning"
            yield Finding((*loc, "limit"), message, "write `policy: quarantine`, or remove `limit`", True)


@rule("limit-below-one-row", WARNING)
def limit_below_one_row(spec: Spec) -> Iterator[Finding]:
    """A limit that is less than one row stops the load at the first."""
    for table in spec.replicate:
        found, on_error = source_of(spec, table), task_of(spec, table).on_error
        rows = found[1].rows if found is not None else None
        allowed = units.fraction(on_error.limit)
        if on_error.quarantines and isinstance(rows, int) and rows and 0 < rows * allowed < 1:
            own = spec.replicate[table].on_error is not None
            loc: Loc = ("replicate", table, "on_error") if own else ("replicate", table)
            message = f"{on_error.limit} of {rows} rows is less than one row, so the first row that cannot go stops"
            fix = f"say `on_error: {{policy: quarantine, limit: {-(-100 // rows)}%}}`, or `stop`"
            yield Finding(loc, message, fix, not own)


def _said(spec: Spec) -> Iterator[tuple[Loc, OnError]]:
    yield ("defaults", "replicate", "on_error"), spec.defaults.replicate.on_error
    for table, settings in spec.replicate.items():
        if settings.on_error is not None:
            yield ("replicate", table, "on_error"), settings.on_error


RULES = (useless_limit, limit_below_one_row)

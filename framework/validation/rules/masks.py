"""Masked columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from framework.spec.models import Spec
from framework.types import Kind
from framework.validation.rules.base import HINT, WARNING, Finding, Loc, Rule, rule
from framework.validation.rules.lookup import (
    copied_columns,
    kind_of,
    source_of,
)

_FEW = frozenset({Kind.BOOLEAN})
"""Kinds of columns with a handful of values."""


@rule("mask-breaks-join", WARNING)
def mask_breaks_join(spec: Spec) -> Iterator[Finding]:
    """Columns that refer to each other are masked both, or not at all."""
    copies: dict[str, list[str]] = {}
    for table, settings in spec.replicate.items():
        copies.setdefault(settings.from_ or table, []).append(table)
    for table in spec.replicate:
        found = source_of(spec, table)
        for name, column in found[1].columns.items() if found else ():
            if (to := column.references) is not None:
                parents = [one for parent in copies.get(to.table, ()) for one in _copied_as(spec, parent, to.column)]
                yield from _unequal(_copied_as(spec, table, name), parents)


@dataclass(frozen=True)
class _Copied:
    """A column of a copy: where it is made, its name with its table, and whether it is masked."""

    loc: Loc
    name: str
    masked: bool


def _copied_as(spec: Spec, table: str, origin: str) -> list[_Copied]:
    """The columns of a copy that a source column becomes."""
    settings = spec.replicate[table].columns
    found = []
    for name, source in (copied_columns(spec, table) or {}).items():
        if source == origin:
            loc: Loc = ("replicate", table, "columns", name) if name in settings else ("replicate", table)
            found.append(_Copied(loc, f"{table}.{name}", name in settings and settings[name].mask is not None))
    return found


def _unequal(own: list[_Copied], others: list[_Copied]) -> Iterator[Finding]:
    """A warning, if no copy of the parent has a column that compares with one of ours."""
    kinds = {one.masked for one in own}
    if not own or not others or any(one.masked in kinds for one in others):
        return
    masked, plain = (own[0], others[0]) if own[0].masked else (others[0], own[0])
    message = f"{masked.name} is masked and {plain.name} is not, so they do not join any more"
    yield Finding(masked.loc, message, f"mask {plain.name}, too", on_key=True, related=((plain.loc, "the other"),))


@rule("weak-mask", HINT)
def weak_mask(spec: Spec) -> Iterator[Finding]:
    """Masks of equal values are equal: where there are few, each is known by how often it stands."""
    for table, settings in spec.replicate.items():
        found = source_of(spec, table)
        for name, column in settings.columns.items():
            if column.mask is None or found is None or column.from_ not in found[1].columns:
                continue
            kind = kind_of(found[1].columns[column.from_])
            if kind in _FEW:
                loc: Loc = ("replicate", table, "columns", name, "mask")
                message = f"{column.from_!r} has so few values that its masks tell which is which"
                yield Finding(loc, message, "leave the column out with `except:`")


RULES: tuple[Rule, ...] = (mask_breaks_join, weak_mask)

"""Which rules keep the values of a unique column apart. Without numpy, so that checking a spec can ask, too."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from framework.types import INTEGER_KINDS, Kind, LogicalType

Pieces = Sequence[tuple[str, str | None]]
"""A template as pairs of literal text and the column behind it."""


def template_tells_apart(pieces: Pieces, distinct: Collection[str], types: Mapping[str, LogicalType]) -> bool:
    """Whether a unique number or UUID stands in it so that it can be read back: at an end, behind a non-digit.

    Args:
        pieces: the template.
        distinct: the columns of the row that are unique by themselves.
        types: the types of the columns that stand in the template.
    """
    columns = [name for _, name in pieces if name is not None]
    unique = [name for name in columns if name in distinct]
    if len(columns) == 1:
        return bool(unique)
    if any(types[name].kind is Kind.UUID for name in unique):
        return columns[-1] in unique or columns[0] in unique
    if not unique:
        return False
    literal, last = pieces[-1]
    ends_in_number = last in unique and last is not None and types[last].kind in INTEGER_KINDS
    return ends_in_number and bool(literal) and not (literal[-1].isdigit() or literal[-1] == "-")

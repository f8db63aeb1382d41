"""Which column of a copy is which, before and after: by the source column's number, where that is known."""

from __future__ import annotations

from dataclasses import dataclass

from framework.databases.mysql.names import folded
from framework.replicate.schema.structure import Shape, Structure

Pair = tuple[Shape, Shape]


@dataclass(frozen=True)
class Pairs:
    """The columns before and after.

    Attributes:
        same: columns of one origin that have kept their names.
        renamed: columns of one origin whose names have changed.
        gone: columns without an equal afterwards.
        come: columns without an equal before.
    """

    same: tuple[Pair, ...]
    renamed: tuple[Pair, ...]
    gone: tuple[Shape, ...]
    come: tuple[Shape, ...]

    @property
    def names(self) -> dict[str, str]:
        """By the name before, the name after."""
        return {old.name: new.name for old, new in (*self.same, *self.renamed)}

    def exchange(self, name: str) -> bool:
        """Whether a column of another origin had this name before, so that two would have to change at once."""
        others = (*(old for old, new in (*self.same, *self.renamed) if new.name != name), *self.gone)
        return any(folded(old.name) == folded(name) for old in others)


def paired(old: Structure, new: Structure) -> Pairs:
    """Match the columns of two structures."""
    same = [
        (before, after)
        for after in new.columns
        if (before := old.column(after.name)) is not None and _is_same(old, new, before, after)
    ]
    names = {after.name for _, after in same}
    gone = [column for column in old.columns if column.name not in names]
    come = [column for column in new.columns if column.name not in names]
    renamed = _renamed(gone, come) if is_same_table(old, new) else []
    moved = [column for pair in renamed for column in pair]
    return Pairs(
        tuple(same),
        tuple(renamed),
        tuple(column for column in gone if column not in moved),
        tuple(column for column in come if column not in moved),
    )


def is_same_table(old: Structure, new: Structure) -> bool:
    """Whether both speak of one table of the source, so that numbers of columns may be compared."""
    return old.oid is not None and old.oid == new.oid


def is_there(name: str, number: int | None, in_: Structure, of: Structure) -> bool:
    """Whether the source of ``in_`` has the column that ``of`` knows by this name and number."""
    if is_same_table(in_, of) and number is not None:
        return any(known.number == number for known in in_.known.values())
    return name in in_.known


def _is_same(old: Structure, new: Structure, before: Shape, after: Shape) -> bool:
    if before.origin is None or after.origin is None:
        return before.origin is after.origin
    if is_same_table(old, new) and None not in (before.number, after.number):
        return before.number == after.number
    return before.origin == after.origin


def _renamed(gone: list[Shape], come: list[Shape]) -> list[Pair]:
    pairs = []
    for before in gone:
        same = [after for after in come if after.number == before.number and after.masked == before.masked]
        if before.number is not None and len(same) == 1:
            pairs.append((before, same[0]))
    # Of two columns with one origin, nobody can say which is which.
    return [pair for pair in pairs if sum(other[1] is pair[1] for other in pairs) == 1]

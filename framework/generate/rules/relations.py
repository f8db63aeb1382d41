"""Which row of another table a row refers to: a place among the parents, in the order of their rows (or keys)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from framework.generate.columns.streams import Permutation, Rows, Stream
from framework.generate.rules.distributions import Numbers, inequality, interpolated
from framework.generate.rules.rule import Scope, distinct_places

Places = Callable[[Rows], Rows]


@dataclass(frozen=True)
class Relation:
    """A column that refers to a column of another table.

    Attributes:
        column: the referring column.
        parent: the table it refers to.
        parent_column: the column it refers to.
        skew: how unevenly the parents are preferred.
        per: the rows are dealt out to the parents: each gets a share that follows from `skew` alone.
        unique: no parent may be referred to twice.
        own: the table refers to itself.
    """

    column: str
    parent: str
    parent_column: str
    skew: float
    per: bool
    unique: bool
    own: bool

    def places(self, scope: Scope, parents: int, rows: int | None = None) -> Places:
        """The function that gives each row its parent among so many: the same for the same seed.

        ``rows`` says how many rows there will be; by default those of the fill.

        Raises:
            RuleImpossible: there are no parents, or too few for a unique column.
        """
        if parents == 0:
            raise scope.impossible(f"{self.parent!r} has no rows to refer to", f"give {self.parent!r} rows first")
        if self.unique:
            return distinct_places(scope, parents, rows)
        if self.per:
            return _dealt(scope, parents, self.skew)
        return _drawn(scope.stream, parents, self.skew)

    def earlier(self, stream: Stream) -> Places:
        """The function that gives each row but the first an earlier row of its own table."""
        table = inequality(self.skew)

        def places(rows: Rows) -> Rows:
            share = interpolated(table, stream.uniform(rows))
            return np.minimum((share * rows).astype(np.int64), np.maximum(rows - 1, 0))

        return places


def _drawn(stream: Stream, parents: int, skew: float) -> Places:
    if skew == 0:
        return lambda rows: stream.below(rows, parents)
    ranked = _ranked(stream, parents, skew)
    return lambda rows: ranked(stream.uniform(rows))


def _dealt(scope: Scope, parents: int, skew: float) -> Places:
    """Rows stand in random order in a line that is cut into one piece for each parent: the counts do not vary."""
    stream, count = scope.stream, max(scope.count, 1)
    ranked = _ranked(stream, parents, skew)
    order = Permutation(count, stream.child("line"))
    later = _drawn(stream, parents, skew)

    def places(rows: Rows) -> Rows:
        if len(rows) and int(rows.max()) >= count:
            return later(rows)  # rows of ticks: the line has been dealt out
        return ranked((order(rows) + 0.5) / count)

    return places


def _ranked(stream: Stream, parents: int, skew: float) -> Callable[[Numbers], Rows]:
    """The parent at a share of the whole; which parents are the rich ones is random."""
    table = inequality(skew)
    owners = Permutation(parents, stream.child("rank"))
    return lambda share: owners(np.minimum((interpolated(table, share) * parents).astype(np.int64), parents - 1))

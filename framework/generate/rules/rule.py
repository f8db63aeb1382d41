"""What every rule is made of, knows and may ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from framework.errors import RuleImpossible
from framework.generate.columns.streams import Permutation, Rows, Stream
from framework.generate.columns.values import Vector
from framework.spec.fake import Fake
from framework.types import Kind, LogicalType

if TYPE_CHECKING:
    from framework.generate.rules.drawn import Pools

REDRAWN = 1 << 40
"""Rows of a fill and of inserts are numbered below; a tick that draws values anew numbers them from tick * REDRAWN."""


class ParentRows(Protocol):
    """For each row of a batch, the row that it refers to."""

    def column(self, name: str) -> Vector:
        """A column of the parents; NULL where a row refers to nothing."""


class Batch(Protocol):
    """Some rows of one table. Columns are computed when asked for."""

    @property
    def rows(self) -> Rows:
        """The numbers of the rows."""

    def column(self, name: str) -> Vector:
        """The values of one column."""

    def parent(self, reference: str) -> ParentRows:
        """The rows that the column ``reference`` refers to."""


@dataclass(frozen=True)
class Rule:
    """How a column gets its values.

    Attributes:
        draw: the values for some addresses; they are the batch's row numbers, except within an array.
        reads: the columns of the same row that it needs.
        parent_reads: pairs of a referring column and a column of the row it refers to.
    """

    draw: Callable[[Batch, Rows], Vector]
    reads: frozenset[str] = frozenset()
    parent_reads: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True)
class Scope:
    """What a rule knows about the column it fills.

    Attributes:
        types: the types of the columns that it may read; none within an array.
        parents: for each table that the own one refers to: the referring column and the types of that table.
        stream: the column's own randomness.
        unique: no value may appear twice.
        distinct: the columns of the row that are unique by themselves.
        count: rows that the fill makes.
        now: the instant that nothing may lie behind, in microseconds since 1970.
        make: makes the rules within a rule.
        pools: the values drawn from Faker.
    """

    table: str
    column: str
    types: Mapping[str, LogicalType]
    parents: Mapping[str, tuple[str, Mapping[str, LogicalType]]]
    stream: Stream
    unique: bool
    distinct: frozenset[str]
    count: int
    now: int
    locale: str
    make: Callable[[Scope, Fake, LogicalType], Rule]
    pools: Pools

    def child(self, name: str | int) -> Scope:
        """The scope of a part of the value: with its own randomness, and free to repeat."""
        return replace(self, stream=self.stream.child(name), unique=False)

    def impossible(self, reason: str, fix: str) -> RuleImpossible:
        """The error that says why this column cannot be filled."""
        return RuleImpossible(self.table, self.column, reason, fix)

    def unfit(self, rule: str, type_: LogicalType, fix: str = "choose another type or another rule") -> RuleImpossible:
        """The error for a rule that has no values of this type."""
        return self.impossible(f"`{rule}` makes no values of type {type_}", fix)

    def never_unique(self, rule: str) -> RuleImpossible:
        """The error for a rule that cannot keep its values apart."""
        return self.impossible(
            f"`{rule}` cannot promise that no value repeats",
            "use sequence, uuid, a Faker provider, integer, pattern, or a template with such a column",
        )


Maker = Callable[[Scope, Any, LogicalType], Rule]
"""Makes the rule of a column from what the spec says."""

NATURAL = LogicalType(Kind.JSON, "jsonb")
"""The type of a value within a JSON document: that of the rule."""


def distinct_places(scope: Scope, size: int, rows: int | None = None) -> Callable[[Rows], Rows]:
    """Each row's own place among ``size``, in random order.

    ``rows`` says how many rows there will be; by default those of the fill.

    Raises:
        RuleImpossible: there are more rows than places; the function returned raises it, too.
    """

    def check(rows: int) -> None:
        if rows > size:
            raise scope.impossible(
                f"it is unique, but the rule has only {size} different values for {rows} rows",
                "widen the rule, or ask for fewer rows",
            )

    check(scope.count if rows is None else rows)
    permutation = Permutation(size, scope.stream.child("place")) if size else None

    def places(rows: Rows) -> Rows:
        if len(rows) and int(rows.max()) >= REDRAWN:
            raise scope.impossible(
                "its unique values cannot be drawn anew", "take it out of `redraw:`, or use uuid or a Faker provider"
            )
        if permutation is None or not len(rows):
            return np.zeros(len(rows), dtype=np.int64)
        check(int(rows.max()) + 1)
        return permutation(rows)

    return places

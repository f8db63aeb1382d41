"""Choosing rows of the database without looking at them: by their place in the order of the key."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from framework import units
from framework.databases.postgres.names import quote
from framework.generate.stored import ordering
from framework.generate.streams import Stream
from framework.tables import Table


@dataclass(frozen=True)
class Sample:
    """``size`` of ``total`` places, spread over all of them.

    A place is chosen if ``(place * step + start) mod total`` is below ``size``. With a step that shares no factor with
    the total this is a permutation, so that exactly ``size`` places are chosen; and it is arithmetic that the server
    can do, whatever its version, without a list of places.
    """

    total: int
    size: int
    step: int
    start: int

    @classmethod
    def of(cls, stream: Stream, total: int, size: int) -> Sample:
        """The sample of a stream."""
        first = np.zeros(1, dtype=np.int64)
        # About the golden ratio, whose multiples are spread most evenly.
        step = max(1, int(total * (0.6 + 0.04 * float(stream.uniform(first)[0]))))
        while math.gcd(step, total) > 1:
            step += 1
        return cls(total, min(size, total), step, int(stream.child("start").below(first, max(total, 1))[0]))

    def keys(self, table: Table, source: str, condition: str) -> str:
        """A query: key columns and place of the chosen rows among those that meet the condition (alias ``t``)."""
        names = ", ".join(quote(name) for name in table.primary_key)
        order = ordering(table, table.primary_key)
        return (
            f"SELECT {names}, place FROM (SELECT {names}, row_number() OVER (ORDER BY {order}) - 1 AS place "
            f"FROM {source} AS t WHERE {condition}) AS numbered "
            f"WHERE mod(place * {self.step} + {self.start}, {max(self.total, 1)}) < {self.size}"
        )


def share(amount: int | str, total: int) -> int:
    """The rows that an amount (``100`` or ``5%``) of a table means, at most all."""
    rows = amount if isinstance(amount, int) else round(total * units.fraction(amount))
    return min(rows, total)

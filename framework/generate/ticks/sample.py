"""Choosing rows of the database for a tick, without a look at their values.

Where keys follow from row numbers, row numbers are chosen, at a cost that follows from how many are wanted. Elsewhere,
and where so many are wanted that it costs no more, rows are chosen by their place in the order of the key.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from framework import units
from framework.databases.postgres.names import quote
from framework.databases.postgres.source import PostgresSession
from framework.generate.columns.streams import Permutation, Rows, Stream
from framework.generate.stored import ordering
from framework.generate.ticks import addressed
from framework.generate.ticks.addressed import Addressed
from framework.tables import Table

_SCANNED = 4
"""One of so many rows: choosing more of them is the server's work."""
_LONGEST = 100_000
"""Keys that one statement may name."""
_TRIES = 20
"""So many times the wanted rows are looked at before all are."""
_SPARE = 16


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


@dataclass(frozen=True)
class Choice:
    """Chosen rows.

    Attributes:
        query: a query of their keys and places.
        numbers: their row numbers, where they were chosen by these.
    """

    query: str
    numbers: Rows | None = None


def by_number(
    session: PostgresSession, table: Addressed, stream: Stream, total: int, size: int, condition: str
) -> Choice | None:
    """A query like `Sample.keys` that names the chosen rows; None where it cannot be, or does not pay."""
    key = table.rules.table.primary_key
    if not 0 < size <= min(total // _SCANNED, _LONGEST) or not table.can_compute(key):
        return None
    order = Permutation(table.next_row, stream)
    chosen = np.zeros(0, dtype=np.int64)
    tried = 0
    while len(chosen) < size:
        missing = size - len(chosen)
        # Some more than are missing, since some are gone; where a condition refuses many, ever more.
        expected = missing * table.next_row / total if not tried else missing * tried / max(len(chosen), 1)
        batch = min(int(expected * 1.05) + _SPARE, table.next_row - tried)
        if batch <= 0 or tried >= _TRIES * (size + _SPARE):
            return None
        rows = order(np.arange(tried, tried + batch, dtype=np.int64))
        chosen = np.concatenate([chosen, addressed.first(rows, table.found(session, key, rows, condition), missing)])
        tried += batch
    names = ", ".join(quote(name) for name in key)
    query = f"SELECT {names}, _place - 1 AS place FROM {table.literals(key, chosen)} "
    return Choice(query + f"WITH ORDINALITY AS named({names}, _place)", chosen)


def share(amount: int | str, total: int) -> int:
    """The rows that an amount (``100`` or ``5%``) of a table means, at most all."""
    rows = amount if isinstance(amount, int) else round(total * units.fraction(amount))
    return min(rows, total)

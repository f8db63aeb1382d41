"""A census of the source's keys: by part, how many there are, and the sum of a hash of each.

It is kept with the state, and says which keys the copy has: those that the source had when the copy was brought to its
present. So the next run need not read the copy. It has the source count its keys again, within the snapshot of its
rows, which costs a scan of the key's index, and what has come in between is known: the keys that were staged and that
the copy has not. If the old census with these has the same total, then the copy will have the source's keys; if not,
another census tells in which parts it will not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Parts
from dataclasses import dataclass, replace
from typing import Any

from framework.compare import ranges
from framework.compare.side import GROUPING, Side, Sum
from framework.compare.slots import Stretch
from framework.databases.base import Row
from framework.databases.canonical import Canonical
from framework.databases.postgres.canonical import PostgresCanonical
from framework.databases.postgres.hashing import VERSION, hashed
from framework.databases.postgres.names import quote
from framework.databases.postgres.source import PostgresSession
from framework.replicate.mapping import Mapping, Selected
from framework.replicate.sides import source_keys
from framework.types import LogicalType

PARTS = 1024
"""Parts of the first census; as keys grow there may be up to `MOST` before two become one."""

MOST = 4096

AT_ONCE = 1000
"""Keys that one query counts."""


@dataclass(frozen=True)
class Census:
    """Keys of a source.

    Attributes:
        of: what was counted, and how: other censuses cannot be compared with it.
        shift: slots of a part, as a power of two.
        compared_at: when the copy's keys themselves were last compared with the source's; seconds since 1970.
        parts: by number, those that have keys.
    """

    of: str
    shift: int
    compared_at: float
    parts: Parts[int, Sum]

    @property
    def total(self) -> Sum:
        """Of all parts."""
        return Sum(self.rows, sum(part.total for part in self.parts.values()))

    @property
    def rows(self) -> int:
        """How many keys there are."""
        return sum(part.rows for part in self.parts.values())

    def plus(self, others: Parts[int, Sum], sign: int = 1) -> Census:
        """With the keys of ``others``, or without them."""
        found = dict(self.parts)
        for number, part in others.items():
            was = found.get(number, Sum())
            found[number] = Sum(was.rows + sign * part.rows, was.total + sign * part.total)
        return replace(self, parts={number: part for number, part in found.items() if part != Sum()})

    def unlike(self, other: Census) -> dict[int, tuple[Sum, Sum]]:
        """The parts that differ, of this one and of ``other``."""
        return ranges.unlike(self.parts, other.parts)

    def stretch(self, number: int) -> Stretch:
        """The slots of a part."""
        return Stretch(number << self.shift, ((number + 1) << self.shift) - 1)

    def coarser(self, shift: int) -> Census:
        """In larger parts."""
        merged: dict[int, Sum] = {}
        for number, part in self.parts.items():
            larger = number >> (shift - self.shift)
            was = merged.get(larger, Sum())
            merged[larger] = Sum(was.rows + part.rows, was.total + part.total)
        return replace(self, shift=shift, parts=merged)

    def compact(self) -> Census:
        """With not too many parts."""
        found = self
        while len(found.parts) > MOST:
            found = found.coarser(found.shift + 1)
        return found

    def as_text(self) -> str:
        """As JSON."""
        parts = [[number, part.rows, part.total] for number, part in sorted(self.parts.items())]
        return json.dumps({"of": self.of, "shift": self.shift, "at": self.compared_at, "parts": parts})

    @classmethod
    def from_text(cls, text: str) -> Census:
        """The inverse of `as_text`."""
        data: dict[str, Any] = json.loads(text)
        parts = {number: Sum(rows, total) for number, rows, total in data["parts"]}
        return cls(data["of"], data["shift"], data["at"], parts)


@dataclass(frozen=True)
class Counting:
    """Counts keys within one snapshot of the source.

    Attributes:
        side: the source's keys.
        hash: the expression of a key's hash.
        of: see `Census`.
        now: the source's clock.
    """

    reading: PostgresSession
    mapping: Mapping
    side: Side
    hash: str
    of: str
    now: float

    def take(self, before: Census | None) -> Census:
        """A census of all keys, in the parts of the one before, if that can be compared with."""
        shift = before.shift if before is not None and before.of == self.of else self._shift()
        return Census(self.of, shift, self.now, self.some("", shift)).compact()

    def total(self) -> Sum:
        """Of all keys: half the price of a census, and less where the server lets several processors count."""
        query = f"SELECT count(*), sum({self.hash}) FROM {self.mapping.origin}{self.mapping.filter()}"
        rows, total = self.reading.query(query)[0]
        return Sum(int(rows), int(total or 0))

    def some(self, condition: str, shift: int) -> dict[int, Sum]:
        """The keys of the rows for which a condition holds."""
        part = f"({self.side.slot})::bigint >> {shift}" if self.side.indexed else "0"
        found = self.reading.query(
            f"SELECT {part}, count(*), sum({self.hash}) FROM {self.mapping.origin}{self.mapping.filter(condition)} "
            "GROUP BY 1"
        )
        return {int(number): Sum(int(rows), int(total or 0)) for number, rows, total in found}

    def of_keys(self, keys: Sequence[Row], shift: int) -> dict[int, Sum]:
        """Of these keys, as the target gives them."""
        found = Census(self.of, shift, self.now, {})
        for start in range(0, len(keys), AT_ONCE):
            chosen = keys[start : start + AT_ONCE]
            found = found.plus(self.some(self.mapping.has_key(self.reading, chosen), shift))
        return dict(found.parts)

    @property
    def finds_keys(self) -> bool:
        """Whether rows are found by their keys without reading all."""
        return all(column.is_plain for column in key_columns(self.mapping))

    def _shift(self) -> int:
        extent = self.side.extent() if self.side.indexed else None
        if extent is None:
            return 0
        if self.side.cut.whole is not None:
            extent = self._between() or extent
        return max(0, (extent.width // PARTS).bit_length())

    def _between(self) -> Stretch | None:
        """From the first slot to the last one, by the index."""
        first = self.side.columns[0].expression
        query = "(SELECT {slot} FROM {relation} ORDER BY {first} {order} LIMIT 1)"
        low, high = self.reading.query(
            "SELECT "
            + ", ".join(
                query.format(slot=self.side.slot, relation=self.mapping.origin, first=first, order=order)
                for order in ("ASC", "DESC")
            )
        )[0]
        return None if low is None else Stretch(int(low), int(high))


def counting(reading: PostgresSession, mapping: Mapping, canonical: Canonical) -> Counting:
    """What counts keys in the session's snapshot; ``canonical`` is the target's."""
    reading.execute(GROUPING)
    side = source_keys(reading, mapping, canonical)
    expression = hashed(list(_unmasked(mapping)), PostgresCanonical(canonical.form))
    version, now = reading.query(f"SELECT {VERSION}, extract(epoch FROM clock_timestamp())::float8")[0]
    said = [version, mapping.origin, mapping.filter(), expression, side.slot if side.indexed else ""]
    of = hashlib.sha256(json.dumps(said).encode()).hexdigest()[:32]
    return Counting(reading, mapping, side, expression, of, float(now))


def key_columns(mapping: Mapping) -> Iterable[Selected]:
    """The columns of the key, in its order."""
    by_name = {column.name: column for column in mapping.columns}
    return (by_name[name] for name in mapping.key)


def _unmasked(mapping: Mapping) -> Iterable[tuple[str, LogicalType]]:
    """What stands for the key: of masked columns the values themselves, which cost less and say the same."""
    for column in key_columns(mapping):
        origin = mapping.source.column(column.origin) if column.masked and column.origin else None
        if origin is not None:
            yield quote(origin.name), origin.type
        else:
            yield column.expression, column.type

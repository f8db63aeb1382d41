"""What a table is cut by: the expression of a row's slot, and the condition that it is in some slots.

Both sides of a comparison write the same cut in their own SQL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from framework.compare.slots import UUIDS, WHOLE, Stretch
from framework.databases.canonical import integer

_BELOW = 80
"""Bits of a UUID below those that are its slot."""


class Cut(Protocol):
    """How one side finds a row's slot."""

    @property
    def slot(self) -> str:
        """The expression of a row's slot."""

    @property
    def indexed(self) -> bool:
        """Whether rows of some slots are found by an index; else all rows are read each time."""

    @property
    def whole(self) -> Stretch | None:
        """The slots that there are; None if the rows have to be asked."""

    def within(self, stretch: Stretch) -> str:
        """The condition that a row's slot is in a stretch; empty if all are."""


@dataclass(frozen=True)
class ByInteger:
    """An integer with an index is its own slot."""

    slot: str
    indexed: bool = True
    whole: Stretch | None = None

    def within(self, stretch: Stretch) -> str:
        """A range of the index."""
        return f"{self.slot} BETWEEN {integer(stretch.low)} AND {integer(stretch.high)}"


@dataclass(frozen=True)
class ByDigest:
    """A number made of a digest of the key is the slot: even parts, whatever the values."""

    slot: str
    indexed: bool = False
    whole: Stretch | None = WHOLE

    def within(self, stretch: Stretch) -> str:
        """Of the number."""
        if stretch == WHOLE:
            return ""
        return f"{self.slot} BETWEEN {integer(stretch.low)} AND {integer(stretch.high)}"


@dataclass(frozen=True)
class ByUuid:
    """The first 48 bits of a UUID with an index are the slot.

    Attributes:
        column: the UUID, which sorts as its text does.
        slot: the expression of the bits.
    """

    column: str
    slot: str
    indexed: bool = True
    whole: Stretch | None = UUIDS

    def within(self, stretch: Stretch) -> str:
        """A range of the index."""
        if stretch == UUIDS:
            return ""
        low = UUID(int=stretch.low << _BELOW)
        high = UUID(int=((stretch.high + 1) << _BELOW) - 1)
        return f"{self.column} BETWEEN '{low}' AND '{high}'"

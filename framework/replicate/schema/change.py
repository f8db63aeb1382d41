"""What is different between a copy and what its source and its spec say now, and what becomes of each difference."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from framework.databases.base import Alteration
from framework.replicate.schema.structure import Structure


class Outcome(Enum):
    """What becomes of a change."""

    DONE = "done"
    REFILL = "refill"
    REFUSED = "refused"


@dataclass(frozen=True)
class Change:
    """One difference.

    Attributes:
        fact: what is different, in a sentence without its full stop.
        outcome: what becomes of it.
        then: what is done about it; of one that is refused, what allows it, if anything but a refill does.
    """

    fact: str
    outcome: Outcome
    then: str = ""

    @property
    def sentence(self) -> str:
        """The fact, and what becomes of it."""
        refused = "refused" if self.outcome is Outcome.REFUSED else ""
        rest = "; ".join(filter(None, (refused, self.then)))
        return f"{self.fact}: {rest}" if rest else self.fact


@dataclass(frozen=True)
class Evolution:
    """How a copy follows.

    Attributes:
        changes: all differences.
        alteration: of the copy's table; empty where the copy is made anew.
        backfill: columns whose values are read whatever the cursor says.
        structure: of the copy afterwards.
    """

    changes: tuple[Change, ...]
    alteration: Alteration
    backfill: tuple[str, ...]
    structure: Structure

    @property
    def refused(self) -> tuple[Change, ...]:
        """The changes that keep the copy from following."""
        return tuple(change for change in self.changes if change.outcome is Outcome.REFUSED)

    @property
    def refills(self) -> bool:
        """Whether the copy has to be made anew."""
        return any(change.outcome is Outcome.REFILL for change in self.changes)

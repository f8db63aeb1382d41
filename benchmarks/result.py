"""What a scenario found, as plain data: it is printed, written as JSON and drawn by others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import inf
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Result:
    """One row of the table: each round's figure of ours and, beside it, that of the other way.

    With another way the requirement is about the ratio, without one about the figure itself.
    """

    what: str
    ours: tuple[float, ...]
    unit: str = "s"
    against: str = ""
    theirs: tuple[float, ...] = ()
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times as fast ours is as the other way: the median of the rounds' ratios."""
        if not self.theirs:
            return None
        pairs = zip(self.ours, self.theirs, strict=True)
        is_rate = self.unit.endswith("/s")
        return median(ours / theirs if is_rate else theirs / ours for ours, theirs in pairs)

    @property
    def judged(self) -> float:
        """The number that the requirement is about."""
        return median(self.ours) if self.ratio is None else self.ratio

    @property
    def reached(self) -> float | None:
        """Measured as a part of what is required: 1 and more where it holds, None where nothing is required."""
        if self.at_least is not None:
            return self.judged / self.at_least
        if self.at_most is not None:
            return self.at_most / self.judged if self.judged else inf
        return None

    @property
    def missed_by(self) -> float | None:
        """The part of the bound that is missing: 0 where it holds, None where nothing is required."""
        if self.at_least is not None:
            return max(0.0, 1 - self.judged / self.at_least)
        if self.at_most is not None:
            return max(0.0, self.judged / self.at_most - 1)
        return None

    def as_json(self) -> dict[str, Any]:
        """Every field, and what follows from them; figures to four digits, more would be noise."""
        figures = {name: [float(f"{value:.4g}") for value in getattr(self, name)] for name in ("ours", "theirs")}
        ratio, missed_by = (None if value is None else round(value, 4) for value in (self.ratio, self.missed_by))
        return {**asdict(self), **figures, "ratio": ratio, "missed_by": missed_by}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Result:
        """The inverse of `as_json`."""
        fields = {name: row[name] for name in cls.__dataclass_fields__}
        return cls(**{**fields, "ours": tuple(row["ours"]), "theirs": tuple(row["theirs"])})

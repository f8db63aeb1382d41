"""What the parts of one table's replication must know of each other: plain data, so that they may run anywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from framework.databases.postgres.origin import Origin
from framework.databases.postgres.snapshot import Horizon
from framework.replicate.schema.structure import Structure
from framework.replicate.state import State

Bound = tuple[str, ...]
"""A value of each column that ranges are of, as PostgreSQL's text."""

Range = tuple[Bound | None, Bound | None]
"""Rows from the first bound (included) to the second (excluded); None is no bound."""

EVERYTHING: Range = (None, None)

PLACE = ("ctid",)
"""What ranges are of, if not of columns: the places where rows are stored."""


@dataclass(frozen=True)
class Outline:
    """How one run brings one table to the source's present.

    Attributes:
        full: a copy is made anew; else what changed is merged.
        token: of the lease that the parts share.
        generation: of the copy that is made or changed.
        fingerprint: of the mapping; parts that find another one stop.
        horizon: of the source, taken before anything was read.
        bound: where the last run's horizon, or largest cursor value, was.
        watermark: the largest cursor value of the last run.
        by: the source's columns that ranges are of; `PLACE` for places.
        ranges: the parts of the load.
        one_snapshot: all ranges are read at one point in time. Else the copy is caught up from the horizon.
        alters: the copy's table becomes another one before the merge.
        backfill: columns whose values are read whatever the cursor says.
        position: where the source was before anything was read, as text.
        origin: the server that is read, as text.
        pipeline: whose copy it is; empty if that is not known.
        resync: the condition of the rows that are read again; bound and watermark stay. None where that is not asked.
        renamed: by the names that columns will have in the copy, those they have.
        kept: parts that an earlier run has loaded, and that the copy is caught up from.
        compared: parts whose rows an earlier run has loaded, and that are compared with the source instead.
        since: where the source was before those rows were read, as text; None if it is not known.
        files: what told then whether the source's table was written anew as a whole.
        rows: as many as the source's server believes the table to have; 0 if it does not know.
        few: so few rows that it is quicker to load them anew than to go on, and with their indexes than without.
    """

    full: bool
    token: int
    generation: str
    fingerprint: str
    horizon: Horizon
    bound: str | None
    watermark: str | None
    by: tuple[str, ...]
    ranges: tuple[Range, ...]
    one_snapshot: bool
    alters: bool = False
    backfill: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    resync: str | None = None
    position: str | None = None
    origin: str | None = None
    pipeline: str = ""
    kept: tuple[int, ...] = ()
    compared: tuple[int, ...] = ()
    since: str | None = None
    files: str | None = None
    rows: int = 0
    few: bool = False

    @property
    def unread(self) -> tuple[int, ...]:
        """The parts that are to be loaded, or compared."""
        return tuple(number for number in range(len(self.ranges)) if number not in self.kept)

    def reached(self, bound: str | None, watermark: str | None, made_of: Structure, census: str | None) -> State:
        """The state of the copy once this run is done."""
        origin = Origin.from_text(self.origin) if self.origin is not None else None
        return State(
            self.generation,
            self.fingerprint,
            bound,
            watermark,
            made_of,
            self.position,
            self.pipeline,
            origin,
            census,
        )

    def as_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Outline:
        """The inverse of `as_json`."""
        lists = {
            "by": tuple(data["by"]),
            "ranges": tuple((_bound(low), _bound(high)) for low, high in data["ranges"]),
            "backfill": tuple(data["backfill"]),
            "renamed": tuple((new, old) for new, old in data["renamed"]),
            "kept": tuple(data["kept"]),
            "compared": tuple(data["compared"]),
        }
        return cls(**{**data, "horizon": Horizon(**data["horizon"]), **lists})


def _bound(values: Sequence[str] | None) -> Bound | None:
    return None if values is None else tuple(values)

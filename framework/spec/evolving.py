"""What becomes of a copy whose source has changed its columns."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from framework.spec.shapes import Model


class SchemaChange(Model):
    """What happens when the source's columns change; what a policy refuses stops the run before it writes anything."""

    add: Literal["apply", "refuse"] = Field(
        "apply", description="a column that is new in the source: apply adds it to the copy; refuse stops"
    )
    backfill: Literal["all", "touched"] = Field(
        "all",
        description="which rows have the values of a column that is added: all; touched: those that change from now on",
    )
    widen: Literal["apply", "refuse"] = Field(
        "apply",
        description="a type that holds more than before, or a column that may be NULL now: apply changes the copy's "
        "column in place; refuse stops",
    )
    drop: Literal["keep", "apply"] = Field(
        "keep",
        description="a column that is gone from the source: keep leaves it in the copy, NULL in rows that are written "
        "from now on; apply drops it",
    )
    rename: Literal["refuse", "apply"] = Field(
        "refuse", description="a column that has another name in the source: refuse stops; apply renames it in the copy"
    )
    narrow: Literal["refuse", "refill"] = Field(
        "refuse",
        description="a type that does not hold all that the one before held: refuse stops; refill copies the table "
        "anew",
    )

    def overridden(self, own: SchemaChange | None) -> SchemaChange:
        """These policies, and those that ``own`` states in their place."""
        return self if own is None else SchemaChange(**self.said() | own.said())

    def said(self) -> dict[str, Any]:
        """What is stated, and no default."""
        return self.model_dump(exclude_unset=True)

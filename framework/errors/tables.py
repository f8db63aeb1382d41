"""What a table cannot be copied for."""

from __future__ import annotations

from collections.abc import Sequence

from framework.errors.base import RunError


class SourceMismatch(RunError):
    """A table or column of the source is missing or is not what the spec says."""

    def __init__(self, table: str, fact: str, fix: str, column: str | None = None) -> None:
        self.table = table
        self.column = column
        super().__init__(fact, fix)


class UnsupportedType(RunError):
    """A column's type has no exact home in the target."""

    def __init__(self, table: str, column: str, type_name: str) -> None:
        self.table = table
        self.column = column
        self.type_name = type_name
        super().__init__(
            f"column {table}.{column} is of type {type_name}, which has no exact home in the target",
            f"copy PostgreSQL's text of it with `columns: {{{column}: {{from: {column}, out_of_range: text}}}}`, "
            f"or leave it out with `except: [{column}]`",
        )


class ForeignTable(RunError):
    """A table stands where Vitrina wants to write, and Vitrina did not make it."""

    def __init__(self, table: str, where: str, fix: str) -> None:
        self.table = table
        super().__init__(f"table {table!r} in {where!r} was not made by Vitrina and is left alone", fix)


class SourceBehind(RunError):
    """The source that answers lacks what was read before: it is an older backup, or a standby that lags behind."""

    def __init__(self, table: str, source: str, missing: int, *, standby: bool) -> None:
        self.table = table
        self.missing = missing
        self.transient = standby
        fact = f"{source!r} is behind the copy {table!r}: its log ends {missing:,} bytes before what was read last time"
        if standby:
            super().__init__(fact, "wait until this standby has caught up, or read from the primary; then run again")
            return
        refill = f"vitrina replicate SPEC --full-refresh --table {table}"
        fix = f"see what the source has lost (the copy may still have it); then take the source as it is: `{refill}`"
        super().__init__(f"{fact}; it was restored from an older backup, or replaced by a standby that lagged", fix)


class OwnedElsewhere(RunError):
    """A copy belongs to another pipeline; nothing was changed."""

    def __init__(self, table: str, owner: str, pipeline: str) -> None:
        self.table = table
        self.owner = owner
        super().__init__(
            f"table {table!r} is a copy that pipeline {owner!r} makes, and this is pipeline {pipeline!r}",
            "replicate it under another name, with `from:`; or, if the pipeline was renamed or the table moved, "
            f"take it over with `vitrina replicate SPEC --table {table} --take-over`",
        )


class MappingChanged(RunError):
    """Source, mapping, mask or filter of a table is not the one its copy was made with; nothing was written.

    Attributes:
        changes: one sentence a change; empty where it is not known what has changed.
        allowing: what allows a change in another way than by a refill.
    """

    def __init__(self, table: str, changes: Sequence[str] = (), allowing: Sequence[str] = ()) -> None:
        self.table = table
        self.changes = tuple(changes)
        said = f": {'; '.join(changes)}" if changes else ""
        refill = f"refill it with `vitrina replicate SPEC --full-refresh --table {table}`"
        super().__init__(
            f"the source, mapping, mask or filter of {table!r} changed since it was filled{said}",
            "; or ".join((*dict.fromkeys(allowing), refill)),
        )


class CopyMissing(RunError):
    """A part of a copy was to be read again, and there is no copy."""

    def __init__(self, table: str) -> None:
        self.table = table
        super().__init__(f"{table!r} has not been filled yet", f"fill it with `vitrina replicate SPEC --table {table}`")


class ConstraintNotOurs(RunError):
    """A foreign key that Vitrina did not declare is in the way; nothing was changed."""

    def __init__(self, name: str, table: str, fact: str) -> None:
        self.name = name
        self.table = table
        super().__init__(
            f"the foreign key {name!r} of table {table!r} was not declared by Vitrina, and {fact}",
            "drop it; with `foreign_keys: true` Vitrina declares those of the source itself",
        )


class ForeignKeyImpossible(RunError):
    """A foreign key of the source that the target cannot have."""

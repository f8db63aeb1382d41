"""What is wrong with rows, of the source or of a copy."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from framework.errors.base import RunError


class LoadRefused(RunError):
    """The target would have altered values while loading; the load was undone.

    Attributes:
        warnings: the server's first messages, each with row and column, and the values they are about.
        columns: those whose values the target has no place for, as far as that is known.
    """

    def __init__(self, table: str, warnings: Sequence[str], fix: str, columns: tuple[str, ...] = ()) -> None:
        self.table = table
        self.warnings = tuple(warnings)
        self.columns = columns
        super().__init__(f"loading {table!r} was refused, because values would change: {'; '.join(warnings)}", fix)


class KeyNotUnique(LoadRefused):
    """Several rows have one key, so that only one of them would have arrived; the load was undone.

    Attributes:
        warnings: the first keys, or what the server said of them.
        columns: the key's.
    """

    def __init__(
        self,
        table: str,
        warnings: Sequence[str],
        fix: str = "name the columns that identify a row with `key:`",
        columns: tuple[str, ...] = (),
    ) -> None:
        super().__init__(table, warnings, fix, columns)
        self.fact = f"loading {table!r} was refused, because several rows have one key: {'; '.join(warnings)}"


class RowsRejected(RunError):
    """More rows are in quarantine than the settings allow; nothing became visible.

    Attributes:
        rejected: rows that the target cannot take.
        total: rows of the source, those among them.
        limit: the largest share, as the settings say it.
        reasons: of the first rows.
    """

    def __init__(self, table: str, rejected: int, total: int, limit: str, reasons: Sequence[str]) -> None:
        self.table = table
        self.rejected = rejected
        self.total = total
        self.limit = limit
        self.reasons = tuple(reasons)
        said = f": {'; '.join(reasons)}" + (", ..." if rejected > len(reasons) else "") if reasons else ""
        super().__init__(
            f"{rejected} of the {total} rows of {table!r} cannot go to the target, more than the limit of {limit}"
            f"{said}",
            "correct the rows in the source, say what becomes of the values (`out_of_range`, `columns`, `except`), or "
            "raise the `limit` of `on_error`",
        )


class NotUnique(RunError):
    """Two rows of a copy would have one value of a unique index; nothing was changed.

    Attributes:
        columns: the index's.
        repeated: the first values that are met twice, with the keys of their rows.
    """

    def __init__(self, table: str, columns: Sequence[str], repeated: Sequence[str], fix: str) -> None:
        self.table = table
        self.columns = tuple(columns)
        self.repeated = tuple(repeated)
        super().__init__(f"{table!r} has a unique index on {', '.join(columns)}, and {'; '.join(repeated)}", fix)


class DeleteFuseBlown(RunError):
    """More rows would be deleted from a copy than its fuse allows; nothing was changed."""

    def __init__(self, table: str, deleted: int, total: int, fuse: str) -> None:
        self.table = table
        self.deleted = deleted
        self.total = total
        super().__init__(
            f"{deleted} of the {total} rows of {table!r} are gone from the source, more than the fuse of {fuse}",
            f"if that is right, raise its `fuse`, or run `vitrina replicate SPEC --full-refresh --table {table}`",
        )


class VerifyFailed(RunError):
    """A copy has not as many rows as the source had when it was read."""

    def __init__(self, table: str, found: int, expected: int) -> None:
        self.table = table
        self.found = found
        self.expected = expected
        super().__init__(
            f"{table!r} has {found} rows, and the source had {expected} when it was read",
            f"see who else writes {table!r}; refill it with `vitrina replicate SPEC --full-refresh --table {table}`",
        )


class CopyDiffers(RunError):
    """Rows of a copy are not what the source's rows are.

    Attributes:
        differing: how many, at least.
    """

    def __init__(self, table: str, differing: int, fact: str) -> None:
        self.table = table
        self.differing = differing
        super().__init__(
            fact,
            f"`vitrina verify SPEC --table {table}` shows them, with `--repair` it copies them again; see who else "
            f"writes {table!r}",
        )


class CopyNotVerified(RunError):
    """A mart would be built on a copy that is known to differ from its source.

    Attributes:
        differing: rows that differed when the copy was verified.
        verified_at: UTC.
    """

    def __init__(self, table: str, differing: int, verified_at: datetime) -> None:
        self.table = table
        self.differing = differing
        self.verified_at = verified_at
        rows = "1 row" if differing == 1 else f"{differing:,} rows"
        super().__init__(
            f"{rows} of {table!r} differed from the source when it was verified at {verified_at:%Y-%m-%d %H:%M:%S} UTC",
            f"`vitrina verify SPEC --table {table} --repair` copies them again",
        )

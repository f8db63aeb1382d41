"""Every error a user can meet, as a tree of typed exceptions.

VitrinaError
├── StartError            the command could not start (exit code 2)
│   ├── UsageError
│   ├── SpecInvalid
│   ├── UnknownConnection
│   └── GenerationForbidden
└── RunError              the work began and failed (exit code 1)
    ├── ConnectionFailed
    │   └── TlsFailed
    ├── PrivilegeMissing
    ├── ReadOnly
    ├── DiskFull
    ├── SourceMismatch
    ├── RuleImpossible
    ├── UnsupportedType
    ├── ForeignTable
    ├── BookkeepingNewer
    ├── ConstraintNotOurs
    ├── ForeignKeyImpossible
    ├── LoadRefused
    │   └── KeyNotUnique
    ├── NotUnique
    ├── MappingChanged
    ├── CopyMissing
    ├── SourceBehind
    ├── OwnedElsewhere
    ├── OutlineStale
    ├── DeleteFuseBlown
    ├── LeaseHeld
    ├── LeaseLost
    ├── CheckFailed
    ├── VerifyFailed
    ├── CopyDiffers
    ├── CopyNotVerified
    ├── StatementFailed
    └── StepsFailed

A message states the fact; ``fix`` says what to do about it. Neither ever holds a password.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from framework.diagnostics import Problem


class VitrinaError(Exception):
    """Base of all errors meant for the user.

    Attributes:
        fact: what happened, in one sentence.
        fix: what the user can do about it; empty where nothing can be advised.
        exit_code: the exit code of a command that ends with this error.
        transient: the same may succeed if it is tried again later.
    """

    exit_code: ClassVar[int] = 1
    transient: bool = False

    def __init__(self, fact: str, fix: str = "") -> None:
        super().__init__(fact)
        self.fact = fact
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.fact}\n  fix: {self.fix}" if self.fix else self.fact


class StartError(VitrinaError):
    """The command could not start: nothing was read or written."""

    exit_code = 2


class UsageError(StartError):
    """The command was called in a way that makes no sense."""


class SpecInvalid(StartError):
    """A spec or a connections file has problems; ``problems`` holds all of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        files = ", ".join(dict.fromkeys(str(problem.path) for problem in self.problems))
        super().__init__(f"{count} problem{'s' if count != 1 else ''} in {files}", "correct what is shown above")


class UnknownConnection(StartError):
    """A connection name has no URL in the environment or in the connections file."""

    def __init__(self, name: str, environment: str, fix: str) -> None:
        self.name = name
        self.environment = environment
        super().__init__(f"connection {name!r} has no URL in environment {environment!r}", fix)


class GenerationForbidden(StartError):
    """Fake data was asked for in a source whose entry does not say ``generate: allow``."""

    def __init__(self, name: str, environment: str) -> None:
        self.name = name
        self.environment = environment
        super().__init__(
            f"connection {name!r} does not allow generated data in environment {environment!r}",
            f"if it is not a production database, add `generate: allow` to {name!r} in connections.yaml",
        )


class RunError(VitrinaError):
    """The work began and failed; what was committed before stays exact."""


class ConnectionFailed(RunError):
    """A server could not be reached or refused the login. ``url`` is masked.

    Attributes:
        unknown: nothing has ever answered there, as far as this process knows: the address may be wrong.
    """

    def __init__(
        self, name: str, url: str, reason: str, fix: str, *, transient: bool = False, unknown: bool = False
    ) -> None:
        self.name = name
        self.url = url
        self.transient = transient
        self.unknown = unknown
        super().__init__(f"cannot connect to {name!r} ({url}): {reason}", fix)


class TlsFailed(ConnectionFailed):
    """A server offered no TLS, or a certificate that is not trusted, and the connection demands it.

    Neither user nor password were sent.
    """

    def __init__(self, name: str, url: str, reason: str, fix: str) -> None:
        super().__init__(name, url, reason, fix, unknown=True)


class PrivilegeMissing(RunError):
    """The server refused a statement for lack of a privilege."""

    def __init__(self, name: str, reason: str, fix: str) -> None:
        self.name = name
        super().__init__(f"{name!r} refused: {reason}", fix)


class ReadOnly(RunError):
    """The server takes no changes: it is a replica, or was made read-only."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        super().__init__(
            f"{name!r} takes no changes: {reason}",
            "let the connection's URL lead to the primary; after a failover, run again: what is there is whole",
        )


class DiskFull(RunError):
    """The server has no room left."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        super().__init__(
            f"{name!r} has no room left: {reason}", "make room on the server, then run again: what is there is whole"
        )


class SourceMismatch(RunError):
    """A table or column of the source is missing or is not what the spec says."""

    def __init__(self, table: str, fact: str, fix: str, column: str | None = None) -> None:
        self.table = table
        self.column = column
        super().__init__(fact, fix)


class RuleImpossible(RunError):
    """A column's rule cannot make values for it: of its type, unique, or at all."""

    def __init__(self, table: str, column: str, reason: str, fix: str) -> None:
        self.table = table
        self.column = column
        super().__init__(f"cannot make values for {table}.{column}: {reason}", fix)


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


class BookkeepingNewer(RunError):
    """A newer Vitrina has written to a database, and its own tables there are not those that this one knows."""

    def __init__(self, where: str, found: int, known: int) -> None:
        self.found = found
        self.known = known
        super().__init__(
            f"{where!r} was written by a newer Vitrina: its bookkeeping has version {found}, this one knows {known}",
            "upgrade Vitrina: `pip install --upgrade vitrina`",
        )


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


class OutlineStale(RunError):
    """The spec or the source's table changed between two phases of one run."""

    def __init__(self, table: str) -> None:
        self.table = table
        super().__init__(f"the spec or the source of {table!r} changed while this run was at work", "run again")


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


class LeaseHeld(RunError):
    """Another run works on the same table."""

    transient = True

    def __init__(self, name: str, owner: str, until: str = "") -> None:
        self.name = name
        self.owner = owner
        dead = f"; should it be dead, its lease ends at {until}" if until else ""
        super().__init__(f"{name!r} is being written by run {owner}", f"wait for that run to end, then run again{dead}")


class LeaseLost(RunError):
    """Another run took the table over while this one was stalled; this one wrote nothing more."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"the lease of {name!r} expired and another run took it over", "run again")


class CheckFailed(RunError):
    """A check did not hold; the table it guards was not replaced.

    Attributes:
        failures: one sentence a failed check, with its first bad rows.
    """

    def __init__(self, table: str, failures: Sequence[str]) -> None:
        self.table = table
        self.failures = tuple(failures)
        super().__init__(
            f"{table!r} failed {len(failures)} check{'s' if len(failures) != 1 else ''}: {'; '.join(failures)}",
            "correct the data or the check; the version before stays in place",
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


class StatementFailed(RunError):
    """A server refused a statement for a reason of its own.

    Attributes:
        lock: another session's lock ended the transaction; it may be tried again at once.
        code: the server's number of the error, 0 where there is none.
    """

    def __init__(
        self, name: str, reason: str, fix: str = "", *, transient: bool = False, lock: bool = False, code: int = 0
    ) -> None:
        self.name = name
        self.lock = lock
        self.code = code
        self.transient = transient or lock
        super().__init__(f"{name!r}: {reason}", fix)


class StepsFailed(RunError):
    """Some steps of a run failed; ``errors`` holds one error a step."""

    def __init__(self, errors: dict[str, VitrinaError]) -> None:
        self.errors = errors
        names = ", ".join(errors)
        super().__init__(f"{len(errors)} step{'s' if len(errors) != 1 else ''} failed: {names}")

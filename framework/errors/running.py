"""What ends a run, whatever it works on."""

from __future__ import annotations

from collections.abc import Sequence

from framework.errors.base import RunError, VitrinaError


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


class OutlineStale(RunError):
    """The spec or the source's table changed between two phases of one run."""

    def __init__(self, table: str) -> None:
        self.table = table
        super().__init__(f"the spec or the source of {table!r} changed while this run was at work", "run again")


class StepsFailed(RunError):
    """Some steps of a run failed; ``errors`` holds one error a step."""

    def __init__(self, errors: dict[str, VitrinaError]) -> None:
        self.errors = errors
        names = ", ".join(errors)
        super().__init__(f"{len(errors)} step{'s' if len(errors) != 1 else ''} failed: {names}")


class RuleImpossible(RunError):
    """A column's rule cannot make values for it: of its type, unique, or at all."""

    def __init__(self, table: str, column: str, reason: str, fix: str) -> None:
        self.table = table
        self.column = column
        super().__init__(f"cannot make values for {table}.{column}: {reason}", fix)


class BookkeepingNewer(RunError):
    """A newer Vitrina has written to a database, and its own tables there are not those that this one knows."""

    def __init__(self, where: str, found: int, known: int) -> None:
        self.found = found
        self.known = known
        super().__init__(
            f"{where!r} was written by a newer Vitrina: its bookkeeping has version {found}, this one knows {known}",
            "upgrade Vitrina: `pip install --upgrade vitrina`",
        )


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

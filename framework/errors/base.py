"""What all errors are."""

from __future__ import annotations

from typing import ClassVar


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


class RunError(VitrinaError):
    """The work began and failed; what was committed before stays exact."""

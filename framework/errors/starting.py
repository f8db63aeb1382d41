"""What keeps a command from starting: nothing was read or written."""

from __future__ import annotations

from collections.abc import Sequence

from framework.diagnostics import Problem
from framework.errors.base import StartError


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

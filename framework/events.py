"""What the engine tells its listeners while it works. The engine never prints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Stats:
    """What one step did.

    Attributes:
        rows_read: rows read from the source.
        rows_written: rows inserted or replaced.
        rows_deleted: rows deleted or marked as deleted.
        rows_unchanged: rows read again, found equal, and not written.
        rows_rejected: rows of the source that are in quarantine now.
        seconds: wall-clock time; filled in by the runner.
        watermark: the largest cursor value replicated so far, as text.
        bound: where the next increment begins to read, as text.
        checks: checks that held.
        warnings: sentences worth the user's attention (checks of severity ``warn`` among them).
    """

    rows_read: int = 0
    rows_written: int = 0
    rows_deleted: int = 0
    rows_unchanged: int = 0
    rows_rejected: int = 0
    seconds: float = 0.0
    watermark: str | None = None
    bound: str | None = None
    checks: int = 0
    warnings: tuple[str, ...] = field(default=())

    def checked(self, checks: int, warnings: tuple[str, ...], bound: str | None) -> Stats:
        """The same, with what was found in the end."""
        return replace(self, checks=checks, warnings=warnings, bound=bound)

    def as_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self) | {"warnings": list(self.warnings)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Stats:
        """The inverse of `as_json`."""
        return cls(**{**data, "warnings": tuple(data["warnings"])})


@dataclass(frozen=True)
class RunStarted:
    run_id: str
    pipeline: str
    command: str
    steps: tuple[str, ...]


@dataclass(frozen=True)
class RunFinished:
    run_id: str
    status: str
    seconds: float


@dataclass(frozen=True)
class StepStarted:
    step: str
    kind: str


@dataclass(frozen=True)
class StepProgress:
    """``done`` rows of ``total`` (None where the total is not known) in the current phase of a step.

    ``standing`` says more in a few words: a rate, a lag.
    """

    step: str
    phase: str
    done: int
    total: int | None
    standing: str = ""


@dataclass(frozen=True)
class StepFinished:
    step: str
    kind: str
    stats: Stats


@dataclass(frozen=True)
class StepFailed:
    step: str
    kind: str
    error: str
    seconds: float


@dataclass(frozen=True)
class StepSkipped:
    step: str
    kind: str
    reason: str


@dataclass(frozen=True)
class Notice:
    """Something the user should know that is no failure."""

    step: str
    message: str


Event = RunStarted | RunFinished | StepStarted | StepProgress | StepFinished | StepFailed | StepSkipped | Notice
Listener = Callable[[Event], None]


def to_all(*listeners: Listener) -> Listener:
    """A listener that passes each event to all ``listeners``, in their order."""

    def emit(event: Event) -> None:
        for listener in listeners:
            listener(event)

    return emit


def ignore(event: Event) -> None:
    """The listener of those who do not listen."""


@dataclass(frozen=True)
class Reporter:
    """Lets one step speak without knowing who listens."""

    step: str
    emit: Listener = ignore

    def progress(self, phase: str, done: int, total: int | None = None, standing: str = "") -> None:
        """``done`` rows of ``total`` are through ``phase``; call it about ten times a second at most."""
        self.emit(StepProgress(self.step, phase, done, total, standing))

    def notice(self, message: str) -> None:
        """Say something the user should know that is no failure."""
        self.emit(Notice(self.step, message))

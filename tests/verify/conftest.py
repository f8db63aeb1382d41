"""A table on its way to MySQL, MariaDB and DuckDB, as in the tests of replication, and its verification."""

from __future__ import annotations

from typing import Any

import pytest

from framework.events import Event, Reporter, StepProgress
from framework.spec.replication import ReplicateTask
from framework.verify.table import verify
from framework.verify.verdict import Kind, Verdict
from tests.replicate.anywhere import Anywhere
from tests.replicate.conftest import anywhere as anywhere


class Verifying:
    """Replicates, and verifies with the same settings."""

    def __init__(self, anywhere: Anywhere) -> None:
        self.anywhere = anywhere
        self.source = anywhere.source
        self.copy = anywhere
        self.mask_key: bytes | None = None
        self.told: list[StepProgress] = []

    def make(self, *statements: str, **settings: Any) -> None:
        """Make a source table ``t`` and its copy; without a cursor, in full mode."""
        self.source.execute("DROP TABLE IF EXISTS t")
        for statement in statements:
            self.source.execute(statement)
        if "cursor" not in settings:
            self.anywhere.settings.pop("cursor", None)
            settings = {"mode": "full", **settings}
        self.anywhere.settings.update(settings)
        self.replicate()

    def replicate(self) -> None:
        self.anywhere({"mask_key": self.mask_key})

    def __call__(self, fraction: float | None = None, **settings: Any) -> Verdict:
        task = ReplicateTask.model_validate({**self.anywhere.settings, **settings})
        reporter = Reporter("verify", self._hear)
        return verify(self.anywhere.postgres, self.anywhere.target, task, reporter, self.mask_key, fraction)

    def leave(self) -> None:
        """End the test's own session in the source; with that it tells what it has changed."""
        self.source.__dict__.pop("_connection").close()

    def found(self) -> dict[str, set[str]]:
        """By kind, the keys of rows that differ."""
        found: dict[str, set[str]] = {}
        for difference in self().differences:
            found.setdefault(difference.kind.value, set()).add(",".join(str(value) for _, value in difference.key))
        return found

    def _hear(self, event: Event) -> None:
        if isinstance(event, StepProgress):
            self.told.append(event)


@pytest.fixture
def verifying(anywhere: Anywhere) -> Verifying:
    return Verifying(anywhere)


def only(verdict: Verdict, kind: Kind, rows: int = 1) -> None:
    """The verdict finds such rows, and nothing else."""
    assert verdict.counts == {kind: rows}
    assert (verdict.changed, verdict.undecided, verdict.kept) == (0, 0, 0)

"""What all operators have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow.sdk import BaseOperator

PLANNED = "planned"
"""The XCom key of a table's plan. Its return value is the numbers of its parts, since those are mapped over."""


class Work(BaseOperator):
    """Work on a spec.

    Args:
        spec: the path of its file.
        step: the step of its plan; empty for what is about the whole run.
    """

    def __init__(self, *, spec: str, step: str = "", **options: Any) -> None:
        super().__init__(**options)
        self.spec = spec
        self.step = step
        self.cancel: Callable[[], None] | None = None
        self.killed = False

    def get_openlineage_facets_on_complete(self, _: Any) -> Any:
        """What was read and written, for Airflow's provider of OpenLineage, which calls this where it is installed."""
        from framework.airflow import lineage

        return lineage.told()

    def on_kill(self) -> None:
        """End what the databases are doing for this task, so that it fails soon and undoes its work."""
        self.killed = True
        if self.cancel is not None:
            self.cancel()

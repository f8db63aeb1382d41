"""One operator for each kind of work. They hold names only: what is done is in `framework.airflow.tasks`.

That module, and with it the engine, is imported when a task runs; parsing a DAG imports neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow.sdk import Context

from framework.airflow.work import Work


class Begin(Work):
    """Both databases answer, and the history knows of the run."""

    ui_color = "#e8e8e8"

    def execute(self, context: Context) -> None:
        """See `framework.airflow.tasks.begin`."""
        from framework.airflow import tasks

        tasks.begin(self, context)


class RunStep(Work):
    """A whole step: generate, tick, constraints, or a mart."""

    ui_color = "#e3f0d8"

    def execute(self, context: Context) -> dict[str, Any]:
        """See `framework.airflow.tasks.run_step`."""
        from framework.airflow import tasks

        return tasks.run_step(self, context)


class PlanTable(Work):
    """What is to be done for one table, and the tables that the load fills."""

    ui_color = "#dbe9f6"

    def execute(self, context: Context) -> list[int]:
        """See `framework.airflow.tasks.plan_table`."""
        from framework.airflow import tasks

        return tasks.plan_table(self, context)


class LoadTable(Work):
    """One part of a table, as rows beside the copy.

    Args:
        planned: what the table's plan said.
        number: of the part.
    """

    ui_color = "#dbe9f6"
    template_fields: Sequence[str] = ("planned", "number")

    def __init__(self, *, planned: Any, number: Any, **options: Any) -> None:
        super().__init__(**options)
        self.planned = planned
        self.number = number

    def execute(self, context: Context) -> dict[str, Any]:
        """See `framework.airflow.tasks.load_table`."""
        from framework.airflow import tasks

        return tasks.load_table(self, context, self.planned, self.number)


class MergeTable(Work):
    """What was loaded becomes visible, with its watermark."""

    ui_color = "#dbe9f6"
    template_fields: Sequence[str] = ("planned",)

    def __init__(self, *, planned: Any, **options: Any) -> None:
        super().__init__(**options)
        self.planned = planned

    def execute(self, context: Context) -> dict[str, Any]:
        """See `framework.airflow.tasks.merge_table`."""
        from framework.airflow import tasks

        return tasks.merge_table(self, context, self.planned)


class VerifyTable(Work):
    """The copy is what the source was."""

    ui_color = "#dbe9f6"
    template_fields: Sequence[str] = ("planned",)

    def __init__(self, *, planned: Any, **options: Any) -> None:
        super().__init__(**options)
        self.planned = planned

    def execute(self, context: Context) -> None:
        """See `framework.airflow.tasks.verify_table`."""
        from framework.airflow import tasks

        tasks.verify_table(self, context, self.planned)


class Succeed(Work):
    """Everything went well: pipelines that wait for this one may run."""

    ui_color = "#e8e8e8"

    def execute(self, context: Context) -> None:
        """See `framework.airflow.tasks.succeed`."""
        from framework.airflow import tasks

        tasks.succeed(self, context)


class End(Work):
    """What the run did, and what it did not; its leases are given back."""

    ui_color = "#e8e8e8"

    def execute(self, context: Context) -> None:
        """See `framework.airflow.tasks.end`."""
        from framework.airflow import tasks

        tasks.end(self, context)

"""One operator for each kind of work. They hold names only: what is done is in `framework.airflow.tasks`.

That module, and with it the engine, is imported when a task runs; parsing a DAG imports neither.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from airflow.sdk import BaseOperator, Context

PLANNED = "planned"
"""The XCom key of a table's plan. Its return value is the numbers of its parts, since those are mapped over."""


class Work(BaseOperator):
    """Work on a spec.

    Args:
        spec: the path of its file.
        step: the step of its plan; empty for what is about the whole run.
    """

    work: ClassVar[str] = ""
    """The function of `framework.airflow.tasks` that does it."""

    def __init__(self, *, spec: str, step: str = "", **options: Any) -> None:
        super().__init__(**options)
        self.spec = spec
        self.step = step
        self.cancel: Callable[[], None] | None = None
        self.killed = False

    def execute(self, context: Context) -> Any:
        """Do it; what it returns goes to the tasks behind it."""
        from framework.airflow import tasks

        return getattr(tasks, self.work)(self, context)

    def get_openlineage_facets_on_complete(self, _: Any) -> Any:
        """What was read and written, for Airflow's provider of OpenLineage, which calls this where it is installed."""
        from framework.airflow import lineage

        return lineage.told()

    def on_kill(self) -> None:
        """End what the databases are doing for this task, so that it fails soon and undoes its work."""
        self.killed = True
        if self.cancel is not None:
            self.cancel()


class Begin(Work):
    """Both databases answer, and the history knows of the run."""

    work = "begin"
    ui_color = "#e8e8e8"


class RunStep(Work):
    """A whole step: generate, tick, or a mart."""

    work = "run_step"
    ui_color = "#e3f0d8"


class PlanTable(Work):
    """What is to be done for one table, and the tables that the load fills."""

    work = "plan_table"
    ui_color = "#dbe9f6"


class LoadTable(Work):
    """One part of a table, as rows beside the copy.

    Args:
        planned: what the table's plan returned.
        number: of the part.
    """

    work = "load_table"
    ui_color = "#dbe9f6"
    template_fields: Sequence[str] = ("planned", "number")

    def __init__(self, *, planned: Any, number: Any, **options: Any) -> None:
        super().__init__(**options)
        self.planned = planned
        self.number = number


class MergeTable(Work):
    """What was loaded becomes visible, with its watermark."""

    work = "merge_table"
    ui_color = "#dbe9f6"
    template_fields: Sequence[str] = ("planned",)

    def __init__(self, *, planned: Any, **options: Any) -> None:
        super().__init__(**options)
        self.planned = planned


class VerifyTable(Work):
    """The copy is what the source was."""

    work = "verify_table"
    ui_color = "#dbe9f6"
    template_fields: Sequence[str] = ("planned",)

    def __init__(self, *, planned: Any, **options: Any) -> None:
        super().__init__(**options)
        self.planned = planned


class Succeed(Work):
    """Everything went well: pipelines that wait for this one may run."""

    work = "succeed"
    ui_color = "#e8e8e8"


class End(Work):
    """What the run did, and what it did not; its leases are given back."""

    work = "end"
    ui_color = "#e8e8e8"

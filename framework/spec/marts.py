"""Marts: analytic tables of the target, each a query."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, Strict

from framework.spec.checks import Checks
from framework.spec.shapes import (
    ColumnLists,
    Empty,
    Model,
    Name,
    OneOf,
    Shorthand,
    Sql,
)


class Incremental(Model):
    """Only partitions that changed rows touch are computed anew."""

    partition: Name = Field(
        description="the output column that splits the mart; it is computed from the first table of FROM",
        examples=["day"],
    )


class Materialize(OneOf):
    """How a mart is kept: as a `table`, as a `view`, or as an `incremental` table."""

    table: Empty | None = Field(
        None, description="a table, computed anew in each run and exchanged by one rename", examples=[{}]
    )
    view: Empty | None = Field(None, description="a view, computed whenever it is read", examples=[{}])
    incremental: Incremental | None = Field(
        None,
        description="a table in which only the partitions that changed rows touch are computed anew",
        examples=[{"partition": "day"}],
    )


class Mart(Model):
    """An analytic table: a query of the target, built in the order its tables demand."""

    description: str = Field(
        "", description="what the mart says; shown in Airflow, too", examples=["Revenue by country and month"]
    )
    query: Sql = Field(
        description="a SELECT in MySQL's SQL over replicated tables and other marts",
        examples=["SELECT country, COUNT(*) AS customers FROM customers GROUP BY country"],
    )
    materialize: Annotated[
        Materialize,
        Shorthand(lambda value: {value: {}} if value in ("table", "view") else value, {"enum": ["table", "view"]}),
    ] = Field(
        Materialize(table=Empty()),
        description="how the mart is kept: table (the default), view, or incremental with its partition",
        examples=["view", {"incremental": {"partition": "day"}}],
    )
    indexes: ColumnLists = Field((), description="lists of the mart's columns: one index each; a view has none")
    checks: Checks = Field((), description="what must hold of the mart before it becomes visible")


class MartTask(Model):
    """One mart and what it reads: what a mart step is given."""

    name: Name
    mart: Mart
    reads: Annotated[tuple[Name, ...], Strict(False)] = Field(description="replicated tables and marts in its query")

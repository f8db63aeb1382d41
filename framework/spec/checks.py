"""Checks: what must hold of a table before it becomes visible."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Strict

from framework.spec.shapes import (
    ColumnName,
    ColumnNames,
    Model,
    Name,
    OneOf,
    Scalar,
    Sql,
    TableName,
)

Number = int | float


class Bounds(Model):
    """Smallest and largest value allowed, both included."""

    min: Number | None = Field(
        None, description="the smallest value allowed; by default there is no lower limit", examples=[0, 1]
    )
    max: Number | None = Field(
        None, description="the largest value allowed; by default there is no upper limit", examples=[2000]
    )


class Target(Model):
    """The column of another table whose values are allowed."""

    table: TableName = Field(description="a replicated table or a mart, by its name in the target")
    column: ColumnName = Field(description="the column of that table whose values are allowed")


class Check(OneOf):
    """A statement about a table that must hold before the table becomes visible."""

    beside = frozenset({"severity"})

    unique: ColumnNames | None = Field(
        None, description="columns that together never repeat; a second NULL counts as repeated"
    )
    not_null: ColumnNames | None = Field(None, description="columns that are never NULL")
    between: dict[Name, Bounds] | None = Field(
        None,
        description="for each column, the smallest and the largest value; NULL is allowed",
        examples=[{"revenue": {"min": 0}}, {"pages": {"min": 1, "max": 2000}}],
    )
    accepted: dict[Name, Annotated[tuple[Scalar, ...], Strict(False), Field(min_length=1)]] | None = Field(
        None,
        description="for each column, the values it may hold; NULL is allowed",
        examples=[{"status": ["paid", "shipped", "cancelled"]}],
    )
    relationship: dict[Name, Target] | None = Field(
        None,
        description="for each column, the table and column that hold all its values; NULL is allowed",
        examples=[{"product_id": {"table": "products", "column": "id"}}],
    )
    rows: Bounds | None = Field(None, description="the smallest and the largest number of rows", examples=[{"min": 1}])
    empty: Sql | None = Field(
        None,
        description="a query in MySQL's SQL that must return no rows; it may read the checked table by its name",
        examples=["SELECT 1 FROM revenue_by_month WHERE buyers = 0"],
    )
    severity: Literal["error", "warn"] = Field(
        "error",
        description="error: the step fails, and the new state does not become visible; warn: it is reported, and the "
        "run goes on",
    )


Checks = Annotated[tuple[Check, ...], Strict(False), Field(examples=[[{"unique": ["id"]}, {"not_null": ["email"]}]])]

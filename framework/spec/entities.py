"""Entities: the tables of the source, how they are filled, and how they change."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from framework.spec.fake import FakeRule
from framework.spec.shapes import (
    MAPPING,
    MAPPING_OR_PLAIN,
    PLAIN,
    ChangeColumn,
    ColumnLists,
    ColumnName,
    Identifier,
    Model,
    Name,
    Names,
    Percent,
    Scalar,
    SchemaName,
    TableName,
    TypeName,
)

Count = Annotated[int, Field(ge=0, examples=[50])]
Skew = Annotated[float, Field(ge=0, examples=[0, 1.2])]
Share = Annotated[Annotated[int, Field(ge=0), PLAIN] | Percent, Field(union_mode="left_to_right", examples=[100, "2%"])]


class RowsPer(Model):
    """How many rows each row of a referred table gets."""

    per: Name = Field(description="the column that refers to the parent by `references`", examples=["customer_id"])
    mean: Annotated[float, Field(gt=0)] = Field(description="rows a parent, on average", examples=[4, 2.5])
    skew: Skew = Field(0.0, description="0: all parents alike; larger: few parents have many rows")


class Reference(Model):
    """A foreign key of one column."""

    table: TableName = Field(description="the entity that is referred to; it may be the table itself")
    column: ColumnName = Field(description="the column of that entity, which must be unique or its primary key")
    on_delete: Literal["no action", "restrict", "cascade", "set null"] = Field(
        "no action",
        description="what happens when the row referred to is deleted; no action, restrict: that is refused; cascade: "
        "this row is deleted, too; set null: this column becomes NULL",
    )
    skew: Skew = Field(
        0.0,
        description="0: all parents as likely; larger: few parents are preferred; for the column of `rows: {per: ...}` "
        "the skew there counts",
    )


class EntityColumn(Model):
    """A column of a source table, and how it is filled."""

    type: TypeName = Field(description="a PostgreSQL type")
    primary_key: bool = Field(
        False, description="whether it is the primary key, or belongs to it; by default it is not"
    )
    unique: bool = Field(False, description="whether a unique index keeps values from repeating; by default none does")
    index: bool = Field(False, description="whether the column has an index of its own; by default it has none")
    nulls: Percent | None = Field(
        None, description="share of NULLs; without it the column is NOT NULL", examples=["5%", "0.5%"]
    )
    nullable: bool | None = Field(None, description="whether NULL is allowed; by default only with `nulls`")
    references: Reference | None = Field(
        None,
        description="a foreign key; the values are drawn from the column it refers to",
        examples=[{"table": "customers", "column": "id", "on_delete": "restrict"}],
    )
    fake: FakeRule | None = Field(
        None,
        description="how the column is filled: sequence, uuid, a Faker provider, or a rule; what is filled needs one, "
        "except references, the `touch` column, and nullable columns, which stay NULL",
        examples=["sequence", "email", {"choice": {"new": 10, "paid": 70}}, {"datetime": {"from": "-2y", "to": "now"}}],
    )
    description: str = Field(
        "",
        description="what the column holds; the comment of the column, in the source and in the copy",
        examples=["Price at the time of the order"],
    )

    @property
    def may_be_null(self) -> bool:
        """Whether the column accepts NULL."""
        return self.nulls is not None if self.nullable is None else self.nullable


class NextState(Model):
    """What a value becomes; values without an entry stay."""

    next: dict[str, Scalar] = Field(
        min_length=1,
        description="for each value, the one that follows it",
        examples=[{"new": "paid", "paid": "shipped"}],
    )


class Update(Model):
    """Rows that a tick updates: some columns drawn anew, others moved to their next state."""

    rows: Share = Field(description="rows that one tick updates: a number, or a share of the table's rows")
    redraw: Names = Field(
        (),
        description="columns drawn anew by their own rules; templates and expressions that read them follow",
        examples=[["full_name", "phone"]],
    )
    set: dict[Name, NextState] = Field(
        {},
        description="for each column, the values that follow on its values",
        examples=[{"status": {"next": {"new": "paid", "paid": "shipped"}}}],
    )


class Delete(Model):
    """Rows that a tick deletes; rows that others refer to with `restrict` or `no action` stay."""

    rows: Share = Field(description="rows that one tick deletes: a number, or a share of the table's rows")


class Changes(Model):
    """One tick of a living system: inserts, updates and deletes in one transaction."""

    touch: ChangeColumn | None = Field(
        None, description="column set to the server's clock in every row that is inserted or updated"
    )
    insert: Count = Field(0, description="rows that one tick inserts")
    update: Update | None = Field(
        None, description="rows that one tick updates; by default none", examples=[{"rows": "2%", "redraw": ["phone"]}]
    )
    delete: Delete | None = Field(
        None, description="rows that one tick deletes; by default none", examples=[{"rows": "0.2%"}]
    )


class Entity(Model):
    """A table of the source. With `rows` it is created and filled; without, it exists and is only described."""

    description: str = Field(
        "",
        description="what a row stands for; the comment of the table, in the source and in the copy",
        examples=["What customers ordered"],
    )
    schema_: SchemaName = Field("public", alias="schema", description="the PostgreSQL schema of the table")
    rows: Annotated[Annotated[RowsPer, MAPPING] | Annotated[int, Field(ge=0), PLAIN], MAPPING_OR_PLAIN] | None = Field(
        None,
        description="rows that fill the table: a number, or so many for each row of another table; without it the "
        "table exists already and is never written",
        examples=[5000, {"per": "customer_id", "mean": 4, "skew": 1.2}],
    )
    columns: dict[Name, EntityColumn] = Field(
        min_length=1,
        description="the columns by name, in their order in the table",
        examples=[{"id": {"type": "bigint", "primary_key": True, "fake": "sequence"}}],
    )
    primary_key: Names | None = Field(
        None,
        description="a key of several columns; a single one says `primary_key: true` itself",
        examples=[["id", "branch"]],
    )
    unique: ColumnLists = Field(
        (),
        description="lists of columns that together never repeat: one unique index each",
        examples=[[["card"]], [["branch", "card"]]],
    )
    indexes: ColumnLists = Field((), description="lists of columns: one index each")
    changes: Changes | None = Field(
        None,
        description="what one tick (`--tick`) changes; by default nothing",
        examples=[{"touch": "updated_at", "insert": 50, "update": {"rows": "2%", "redraw": ["phone"]}}],
    )

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of the primary key."""
        return self.primary_key or tuple(name for name, column in self.columns.items() if column.primary_key)


class GenerateTask(Model):
    """All that is needed to fill a source: what a generate step is given."""

    pipeline: Identifier
    seed: int
    now: str
    locale: Name
    entities: dict[Name, Entity]

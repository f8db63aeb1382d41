"""Replicated tables: what of the source is copied, and how."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Strict

from framework.spec.checks import Checks
from framework.spec.evolving import SchemaChange
from framework.spec.shapes import (
    NULL_IS_A_WORD,
    PLAIN,
    ChangeColumn,
    ColumnLists,
    ColumnNames,
    Duration,
    Model,
    Name,
    Names,
    OneOf,
    Percent,
    SchemaName,
    Sql,
    TableName,
    TypeName,
    text_means,
)

Mode = Literal["full", "incremental"]
Reaction = Literal["reject", "null", "clamp"]
Verification = Literal["never", "daily", "always"]
LOOKBACK = "10s"
"""How far behind the bound a cursor of time reads again, unless something else is said."""

Lookback = Annotated[Annotated[int, Field(ge=0, le=2**63 - 1), PLAIN] | Duration, Field(union_mode="left_to_right")]
ChunkRows = Annotated[int, Field(ge=1, examples=[500_000])]


class Deletes(Model):
    """What happens in the copy to rows that are gone from the source or left the filter."""

    policy: Literal["keep", "mark", "remove"] = Field(
        "remove", description="keep: nothing; mark: `_deleted_at` is set; remove: the row is deleted"
    )
    fuse: Percent = Field(
        "50%",
        description="largest share of the copy's rows that one run may delete or mark; beyond it the step fails, and "
        "the copy stays as it was",
        examples=["50%", "20%"],
    )


class OnError(Model):
    """What happens to rows that the target cannot take as they are."""

    policy: Literal["stop", "quarantine"] = Field(
        "stop",
        description="stop: the load is refused, and the copy stays as it was; quarantine: such rows go to "
        "`_vitrina_rejects`, each with its key and the reason, and the others to the copy",
    )
    limit: Percent = Field(
        "1%",
        description="largest share of the source's rows that may be in quarantine; beyond it the step fails, and the "
        "copy stays as it was",
        examples=["1%", "0.1%"],
    )

    @property
    def quarantines(self) -> bool:
        """Whether rows are set aside."""
        return self.policy == "quarantine"


class ReplicateDefaults(Model):
    """Settings for all replicated tables that do not state their own."""

    mode: Mode = Field("full", description="full: copied anew each run; incremental: what changed since the last run")
    cursor: ChangeColumn | None = Field(
        None,
        description="source column that grows whenever a row changes, best a timestamptz; `mode: incremental` needs "
        "one",
    )
    lookback: Lookback = Field(
        LOOKBACK,
        description="how far behind the last bound an incremental run reads again: a time for cursors that are dates "
        "or times, a number for those that are numbers",
        examples=["10s", "10min", 1000],
    )
    deletes: Annotated[Deletes, text_means("policy")] = Field(
        Deletes(),
        description="what becomes of rows that are gone from the source, in `mode: incremental`: keep, mark or remove, "
        "alone or with a fuse",
        examples=["mark", {"policy": "remove", "fuse": "20%"}],
    )
    chunk_rows: ChunkRows = Field(
        1_000_000, description="rows (estimated) that one part of a full load copies; in Airflow a part is a task"
    )
    foreign_keys: bool = Field(
        False,
        description="whether the copy gets the source's foreign keys to other tables that are copied; each is declared "
        "whenever all rows agree with it",
    )
    out_of_range: Annotated[Reaction, NULL_IS_A_WORD] = Field(
        "reject",
        description="what becomes of values that the target has no place for (NaN, infinity, years beyond 9999 or BC, "
        "numbers of more than 65 digits): reject stops the load and names them; null; clamp takes the nearest value",
    )
    on_error: Annotated[OnError, text_means("policy")] = Field(
        OnError(),
        description="what happens to rows that the target cannot take as they are: stop, or quarantine, alone or with "
        "a limit",
        examples=["quarantine", {"policy": "quarantine", "limit": "0.1%"}],
    )
    schema_change: SchemaChange = Field(
        SchemaChange(),
        description="what happens when the source's columns change",
        examples=[{"rename": "apply", "narrow": "refill"}],
    )
    verify: Verification = Field(
        "never",
        description="whether loads are followed by a comparison of all rows with the source's: never, daily (the "
        "first load of a day, UTC), always; marts that read a copy that differs are not built",
    )


class MappedColumn(OneOf):
    """A column of the copy: a source column under another name, masked, or computed by the source."""

    beside = frozenset({"mask", "type", "out_of_range"})

    from_: Name | None = Field(None, alias="from", description="the source column", examples=["email"])
    sql: Sql | None = Field(
        None,
        description="an expression of PostgreSQL over the source's columns; needs `type`",
        examples=["(price * 100)::bigint"],
    )
    mask: Literal["hmac"] | None = Field(
        None,
        description="hmac: replaced by HMAC-SHA-256 under the key in VITRINA_MASK_KEY, or `mask_key` of "
        "connections.yaml; equal values stay equal",
    )
    type: TypeName | None = Field(
        None, description="the PostgreSQL type of `sql`; of a copied column, a wider type than its own"
    )
    out_of_range: Annotated[Literal["reject", "null", "clamp", "text"] | None, NULL_IS_A_WORD] = Field(
        None,
        description="what becomes of values that the target has no place for: reject, null, clamp, or text: the whole "
        "column is copied as PostgreSQL's text of it; by default as the table says",
        examples=["text"],
    )


class Replicate(Model):
    """One table of the copy. All columns go; `columns` renames, replaces or adds, `only` and `except` select."""

    from_: TableName | None = Field(None, alias="from", description="the source table; by default of the same name")
    schema_: SchemaName = Field("public", alias="schema", description="the source table's schema in PostgreSQL")
    mode: Mode | None = Field(
        None,
        description="full: copied anew each run; incremental: what changed since the last run; by default as in "
        "`defaults`, or full",
    )
    cursor: ChangeColumn | None = Field(
        None,
        description="source column that grows whenever a row changes, best a timestamptz; `mode: incremental` needs "
        "one; by default as in `defaults`",
    )
    lookback: Lookback | None = Field(
        None,
        description="how far behind the last bound an incremental run reads again: a time for cursors that are dates "
        "or times, a number for those that are numbers; by default as in `defaults`, or 10s for times, 0 for numbers",
        examples=["10s", "10min", 1000],
    )
    deletes: Annotated[Deletes, text_means("policy")] | None = Field(
        None,
        description="what becomes of rows that are gone from the source, in `mode: incremental`: keep, mark or remove, "
        "alone or with a fuse; by default as in `defaults`, or remove",
        examples=["mark", {"policy": "remove", "fuse": "20%"}],
    )
    key: ColumnNames | None = Field(
        None, description="columns of the source that identify a row; by default its primary key"
    )
    where: Sql | None = Field(
        None,
        description="a condition in PostgreSQL's SQL: only rows for which it holds are copied; a row that leaves it "
        "counts as deleted",
        examples=["status <> 'new'"],
    )
    only: Names | None = Field(
        None,
        description="the source columns to copy beside those of `columns`; by default all",
        examples=[["id", "status", "updated_at"]],
    )
    except_: Names | None = Field(
        None, alias="except", description="source columns to leave out; by default none", examples=[["phone"]]
    )
    columns: dict[Name, Annotated[MappedColumn, text_means("from")]] = Field(
        {},
        description="columns of the copy that are renamed (new: old), masked, or computed",
        examples=[{"name": "full_name", "email": {"from": "email", "mask": "hmac"}}],
    )
    out_of_range: Annotated[Reaction | None, NULL_IS_A_WORD] = Field(
        None,
        description="what becomes of values that the target has no place for: reject, null or clamp; by default as in "
        "`defaults`, or reject",
    )
    on_error: Annotated[OnError, text_means("policy")] | None = Field(
        None,
        description="what happens to rows that the target cannot take as they are: stop, or quarantine, alone or with "
        "a limit; by default as in `defaults`, or stop",
        examples=["quarantine", {"policy": "quarantine", "limit": "0.1%"}],
    )
    children: bool = Field(
        True,
        description="whether rows of tables that inherit from the source table are read with it, as PostgreSQL does; a "
        "partitioned table has no others",
    )
    foreign_keys: bool | None = Field(
        None,
        description="whether the copy gets the source's foreign keys to other tables that are copied; each is declared "
        "whenever all rows agree with it; by default as in `defaults`, or false",
    )
    schema_change: SchemaChange | None = Field(
        None,
        description="what happens when the source's columns change; what is not said here is as in `defaults`",
        examples=[{"drop": "apply"}],
    )
    verify: Verification | None = Field(
        None,
        description="whether loads are followed by a comparison of all rows with the source's: never, daily (the "
        "first load of a day, UTC), always; marts that read a copy that differs are not built; by default as in "
        "`defaults`, or never",
    )
    unique: ColumnLists = Field((), description="lists of the copy's columns: one unique index each")
    indexes: ColumnLists = Field((), description="lists of the copy's columns: one index each")
    chunk_rows: ChunkRows | None = Field(
        None,
        description="rows (estimated) that one part of a full load copies; in Airflow a part is a task; by default as "
        "in `defaults`, or 1000000",
    )
    checks: Checks = Field((), description="what must hold of the copy before new rows become visible")


class ReplicateTask(Model):
    """A replicated table with nothing left to default: what an engine needs to copy it."""

    table: Name
    source_table: Name
    source_schema: Name
    mode: Mode
    cursor: Name | None = None
    lookback: Lookback
    deletes: Deletes
    chunk_rows: ChunkRows = 1_000_000
    key: Names | None = None
    where: Sql | None = None
    only: Names | None = None
    except_: Names | None = Field(None, alias="except")
    columns: dict[Name, MappedColumn] = {}
    out_of_range: Annotated[Reaction, NULL_IS_A_WORD] = "reject"
    on_error: OnError = OnError()
    children: bool = True
    foreign_keys: bool = False
    schema_change: SchemaChange = SchemaChange()
    verify: Verification = "never"
    unique: ColumnLists = ()
    indexes: ColumnLists = ()
    checks: Checks = ()


class ConstraintsTask(Model):
    """The replicated tables whose foreign keys are looked after, and those that they may lead to."""

    tables: Annotated[tuple[ReplicateTask, ...], Strict(False)]

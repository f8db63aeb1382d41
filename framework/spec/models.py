"""The spec as frozen pydantic models: one file is one `Spec`. Docstrings and descriptions become the JSON Schema.

Amounts with units (``5%``, ``10min``) stay the text the author wrote; `framework.units` gives them their meaning.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, Strict, StringConstraints, field_validator
from pydantic_core import PydanticCustomError

from framework import units
from framework.spec.fake import FakeRule
from framework.spec.scheduling import OnFailure, Retries
from framework.spec.shapes import (
    MAPPING,
    MAPPING_OR_PLAIN,
    PLAIN,
    Duration,
    Model,
    Name,
    Names,
    OneOf,
    Percent,
    Scalar,
    Shorthand,
    Sql,
    nothing_means_defaults,
    text_means,
)

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
Mode = Literal["full", "incremental"]
Count = Annotated[int, Field(ge=0)]
Share = Annotated[Annotated[int, Field(ge=0), PLAIN] | Percent, Field(union_mode="left_to_right")]
Number = int | float
Moment = Annotated[str, StringConstraints(pattern=f"{units.DATE}|{units.DATETIME}")]
ChunkRows = Annotated[int, Field(ge=1)]


# --- checks ----------------------------------------------------------------------------------------------------------


class Bounds(Model):
    """Smallest and largest value allowed, both included."""

    min: Number | None = None
    max: Number | None = None


class Target(Model):
    """The column of another table whose values are allowed."""

    table: Name
    column: Name


class Check(OneOf):
    """A statement about a table that must hold before the table becomes visible."""

    beside = frozenset({"severity"})

    unique: Names | None = Field(None, description="these columns together never repeat")
    not_null: Names | None = Field(None, description="these columns are never NULL")
    between: dict[Name, Bounds] | None = Field(None, description="column: smallest and largest value")
    accepted: dict[Name, Annotated[tuple[Scalar, ...], Strict(False), Field(min_length=1)]] | None = Field(
        None, description="column: the values it may hold"
    )
    relationship: dict[Name, Target] | None = Field(
        None, description="column: the table and column that hold its values"
    )
    rows: Bounds | None = Field(None, description="how many rows there are")
    empty: Sql | None = Field(None, description="a query that must return nothing")
    severity: Literal["error", "warn"] = Field("error", description="warn reports and goes on")


Checks = Annotated[tuple[Check, ...], Strict(False)]


# --- entities --------------------------------------------------------------------------------------------------------


class RowsPer(Model):
    """How many rows each row of a referred table gets."""

    per: Name = Field(description="the column that refers to the parent")
    mean: Annotated[float, Field(gt=0)] = Field(description="rows a parent, on average")
    skew: Annotated[float, Field(ge=0)] = Field(
        0.0, description="0: all parents alike; larger: few parents have many rows"
    )


class Reference(Model):
    """A foreign key of one column."""

    table: Name
    column: Name
    on_delete: Literal["no action", "restrict", "cascade", "set null"] = "no action"
    skew: Annotated[float, Field(ge=0)] = Field(
        0.0, description="0: all parents as likely; larger: few parents are preferred"
    )


class EntityColumn(Model):
    """A column of a source table, and how it is filled."""

    type: Name = Field(
        description="a PostgreSQL type", examples=["bigint", "varchar(120)", "numeric(12,2)", "timestamptz"]
    )
    primary_key: bool = False
    unique: bool = False
    index: bool = False
    nulls: Percent | None = Field(None, description="share of NULLs; without it the column is NOT NULL")
    nullable: bool | None = Field(None, description="whether NULL is allowed; by default only with `nulls`")
    references: Reference | None = None
    fake: FakeRule | None = None
    description: str = ""

    @property
    def may_be_null(self) -> bool:
        """Whether the column accepts NULL."""
        return self.nulls is not None if self.nullable is None else self.nullable


class NextState(Model):
    """What a value becomes; values without an entry stay."""

    next: dict[str, Scalar] = Field(min_length=1)


class Update(Model):
    """Rows that a tick updates: some columns drawn anew, others moved to their next state."""

    rows: Share
    redraw: Names = ()
    set: dict[Name, NextState] = {}


class Delete(Model):
    """Rows that a tick deletes; rows that others refer to with `restrict` or `no action` stay."""

    rows: Share


class Changes(Model):
    """One tick of a living system: inserts, updates and deletes in one transaction."""

    touch: Name | None = Field(None, description="column set to the server's clock in every row that changes")
    insert: Count = 0
    update: Update | None = None
    delete: Delete | None = None


class Entity(Model):
    """A table of the source. With `rows` it is created and filled; without, it exists and is only described."""

    description: str = ""
    schema_: Name = Field("public", alias="schema")
    rows: Annotated[Annotated[RowsPer, MAPPING] | Annotated[int, Field(ge=0), PLAIN], MAPPING_OR_PLAIN] | None = None
    columns: dict[Name, EntityColumn] = Field(min_length=1)
    primary_key: Names | None = Field(None, description="a key of several columns")
    unique: Annotated[tuple[Names, ...], Strict(False)] = ()
    indexes: Annotated[tuple[Names, ...], Strict(False)] = ()
    changes: Changes | None = None

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


# --- replication -----------------------------------------------------------------------------------------------------


class Deletes(Model):
    """What happens in the copy to rows that are gone from the source or left the filter."""

    policy: Literal["keep", "mark", "remove"] = Field(
        "remove", description="keep: nothing; mark: `_deleted_at` is set; remove: the row is deleted"
    )
    fuse: Percent = Field("50%", description="largest share of the copy one run may delete or mark")


class ReplicateDefaults(Model):
    """Settings for all replicated tables that do not state their own."""

    mode: Mode = Field("full", description="full: copied anew each run; incremental: what changed since the last run")
    cursor: Name | None = Field(None, description="column that grows whenever a row changes")
    lookback: Duration = Field("10s", description="how far behind the last bound an incremental run reads again")
    deletes: Annotated[Deletes, text_means("policy")] = Deletes()
    chunk_rows: ChunkRows = Field(
        1_000_000, description="rows (estimated) that one part of a full load copies; in Airflow a part is a task"
    )


class MappedColumn(OneOf):
    """A column of the copy: a source column under another name, masked, or computed by the source."""

    beside = frozenset({"mask", "type"})

    from_: Name | None = Field(None, alias="from", description="the source column")
    sql: Sql | None = Field(None, description="an expression of PostgreSQL over the source's columns; needs `type`")
    mask: Literal["hmac"] | None = Field(
        None, description="hmac: replaced by HMAC-SHA-256 under the key in VITRINA_MASK_KEY; equal values stay equal"
    )
    type: Name | None = Field(None, description="the PostgreSQL type of `sql`")


class Replicate(Model):
    """One table of the copy. All columns go; `columns` renames, replaces or adds, `only` and `except` select."""

    from_: Name | None = Field(None, alias="from", description="the source table; by default of the same name")
    schema_: Name = Field("public", alias="schema", description="the source table's schema")
    mode: Mode | None = None
    cursor: Name | None = None
    lookback: Duration | None = None
    deletes: Annotated[Deletes, text_means("policy")] | None = None
    key: Names | None = Field(None, description="columns of the source that identify a row; by default its primary key")
    where: Sql | None = Field(
        None, description="only rows for which this holds; a row that leaves it counts as deleted"
    )
    only: Names | None = Field(None, description="the source columns to copy")
    except_: Names | None = Field(None, alias="except", description="source columns to leave out")
    columns: dict[Name, Annotated[MappedColumn, text_means("from")]] = {}
    indexes: Annotated[tuple[Names, ...], Strict(False)] = ()
    chunk_rows: ChunkRows | None = Field(None, description="rows (estimated) that one part of a full load copies")
    checks: Checks = ()


class ReplicateTask(Model):
    """A replicated table with nothing left to default: what an engine needs to copy it."""

    table: Name
    source_table: Name
    source_schema: Name
    mode: Mode
    cursor: Name | None = None
    lookback: Duration
    deletes: Deletes
    chunk_rows: ChunkRows = 1_000_000
    key: Names | None = None
    where: Sql | None = None
    only: Names | None = None
    except_: Names | None = Field(None, alias="except")
    columns: dict[Name, MappedColumn] = {}
    indexes: Annotated[tuple[Names, ...], Strict(False)] = ()
    checks: Checks = ()


# --- marts -----------------------------------------------------------------------------------------------------------


class Incremental(Model):
    """Only partitions that changed rows touch are computed anew."""

    partition: Name = Field(description="the output column that splits the mart")


class Materialize(OneOf):
    """How a mart is kept: as a `table`, as a `view`, or as an `incremental` table."""

    table: Model | None = None
    view: Model | None = None
    incremental: Incremental | None = None


class Mart(Model):
    """An analytic table: a query of the target, built in the order its tables demand."""

    description: str = ""
    query: Sql
    materialize: Annotated[
        Materialize,
        Shorthand(lambda value: {value: {}} if value in ("table", "view") else value, {"enum": ["table", "view"]}),
    ] = Materialize(table=Model())
    indexes: Annotated[tuple[Names, ...], Strict(False)] = ()
    checks: Checks = ()


class MartTask(Model):
    """One mart and what it reads: what a mart step is given."""

    name: Name
    mart: Mart
    reads: Annotated[tuple[Name, ...], Strict(False)] = Field(description="replicated tables and marts in its query")


# --- the pipeline ----------------------------------------------------------------------------------------------------


class Freshness(Model):
    """How old the last success may be."""

    warn: Duration | None = None
    fail: Duration | None = None


class Defaults(Model):
    replicate: ReplicateDefaults = ReplicateDefaults()


class Spec(Model):
    """A pipeline: the source's tables, what of them is copied, and the marts built on the copy."""

    version: Literal[1] = Field(description="version of this language")
    pipeline: Identifier = Field(description="the pipeline's name, unique among the specs")
    description: str = ""
    owner: Name | None = None
    tags: Annotated[tuple[Name, ...], Strict(False)] = ()
    source: Name = Field(description="name of the PostgreSQL connection")
    target: Name = Field(description="name of the MySQL connection")
    schedule: Name | None = Field(
        None,
        description="when it runs: a cron expression, @hourly, @daily, @weekly, @monthly, @quarterly, @yearly, "
        "an interval, or @continuous",
        examples=["*/15 * * * *", "@daily", "15min"],
    )
    after: Names | None = Field(
        None, description="pipelines: it runs when all of them have succeeded; instead of `schedule`"
    )
    timezone: Name = "UTC"
    start: Moment | None = Field(None, description="nothing is scheduled before it; by default, before the first run")
    catchup: bool = Field(False, description="whether intervals that were missed since `start` are run, too")
    timeout: Duration | None = Field(None, description="a task that takes longer is ended, and fails")
    parallelism: Annotated[int, Field(ge=1)] | None = Field(None, description="tasks of this pipeline that run at once")
    retries: Retries = Retries()
    on_failure: OnFailure | None = None
    seed: int = Field(0, description="decides all fake data")
    now: Moment = Field("2026-01-01T00:00:00Z", description="the instant that relative dates of the first fill mean")
    locale: Name = Field("en_US", description="locale of the Faker providers")
    defaults: Defaults = Defaults()
    entities: dict[Name, Entity] = {}
    replicate: dict[Name, Annotated[Replicate, nothing_means_defaults]] = {}
    marts: dict[Name, Mart] = {}
    freshness: Freshness | None = None

    @field_validator("version", mode="before")
    @classmethod
    def _is_a_number(cls, value: Any) -> Any:
        # To Python, True equals 1.
        if isinstance(value, bool):
            raise PydanticCustomError("literal_error", "not a number", {"expected": "1"})
        return value

    def replicate_task(self, table: str) -> ReplicateTask:
        """The settings of one replicated table, defaults filled in."""
        own, defaults = self.replicate[table], self.defaults.replicate
        return ReplicateTask.model_validate(
            {
                "table": table,
                "source_table": own.from_ or table,
                "source_schema": own.schema_,
                "mode": own.mode or defaults.mode,
                "lookback": own.lookback or defaults.lookback,
                "deletes": own.deletes or defaults.deletes,
                "chunk_rows": own.chunk_rows or defaults.chunk_rows,
                "columns": own.columns,
                "indexes": own.indexes,
                "checks": own.checks,
            }
            | {
                key: value
                for key, value in {
                    "cursor": own.cursor or defaults.cursor,
                    "key": own.key,
                    "where": own.where,
                    "only": own.only,
                    "except": own.except_,
                }.items()
                if value is not None
            }
        )

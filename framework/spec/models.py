"""The spec as frozen pydantic models: one file is one `Spec`. Docstrings and descriptions become the JSON Schema.

Amounts with units (``5%``, ``10min``) stay the text the author wrote; `framework.units` gives them their meaning.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, Strict, StringConstraints, field_validator
from pydantic_core import PydanticCustomError

from framework import units
from framework.spec.evolving import SchemaChange
from framework.spec.fake import FakeRule
from framework.spec.scheduling import OnFailure, Retries
from framework.spec.shapes import (
    MAPPING,
    MAPPING_OR_PLAIN,
    NULL_IS_A_WORD,
    PLAIN,
    ChangeColumn,
    ColumnLists,
    ColumnName,
    ColumnNames,
    Duration,
    Empty,
    Locale,
    Model,
    Name,
    Names,
    OneOf,
    Percent,
    Scalar,
    SchemaName,
    Shorthand,
    Sql,
    TableName,
    TypeName,
    nothing_means_defaults,
    text_means,
)

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40), Field(examples=["shop"])]
Mode = Literal["full", "incremental"]
Reaction = Literal["reject", "null", "clamp"]
Count = Annotated[int, Field(ge=0, examples=[50])]
Skew = Annotated[float, Field(ge=0, examples=[0, 1.2])]
Share = Annotated[Annotated[int, Field(ge=0), PLAIN] | Percent, Field(union_mode="left_to_right", examples=[100, "2%"])]
Number = int | float
Moment = Annotated[
    str,
    StringConstraints(pattern=f"{units.DATE}|{units.DATETIME}"),
    Field(examples=["2026-01-01", "2026-01-01T00:00:00Z"]),
]
ChunkRows = Annotated[int, Field(ge=1, examples=[500_000])]


# --- checks ----------------------------------------------------------------------------------------------------------


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


# --- entities --------------------------------------------------------------------------------------------------------


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


# --- replication -----------------------------------------------------------------------------------------------------


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


class ReplicateDefaults(Model):
    """Settings for all replicated tables that do not state their own."""

    mode: Mode = Field("full", description="full: copied anew each run; incremental: what changed since the last run")
    cursor: ChangeColumn | None = Field(
        None,
        description="source column that grows whenever a row changes, best a timestamptz; `mode: incremental` needs "
        "one",
    )
    lookback: Duration = Field(
        "10s",
        description="how far behind the last bound an incremental run reads again; of cursors that are dates or times",
        examples=["10s", "10min"],
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
    schema_change: SchemaChange = Field(
        SchemaChange(),
        description="what happens when the source's columns change",
        examples=[{"rename": "apply", "narrow": "refill"}],
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
    type: TypeName | None = Field(None, description="the PostgreSQL type of `sql`")
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
    lookback: Duration | None = Field(
        None,
        description="how far behind the last bound an incremental run reads again, of cursors that are dates or times; "
        "by default as in `defaults`, or 10s",
        examples=["10s", "10min"],
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
    lookback: Duration
    deletes: Deletes
    chunk_rows: ChunkRows = 1_000_000
    key: Names | None = None
    where: Sql | None = None
    only: Names | None = None
    except_: Names | None = Field(None, alias="except")
    columns: dict[Name, MappedColumn] = {}
    out_of_range: Annotated[Reaction, NULL_IS_A_WORD] = "reject"
    children: bool = True
    foreign_keys: bool = False
    schema_change: SchemaChange = SchemaChange()
    unique: ColumnLists = ()
    indexes: ColumnLists = ()
    checks: Checks = ()


class ConstraintsTask(Model):
    """The replicated tables whose foreign keys are looked after, and those that they may lead to."""

    tables: Annotated[tuple[ReplicateTask, ...], Strict(False)]


# --- marts -----------------------------------------------------------------------------------------------------------


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


# --- the pipeline ----------------------------------------------------------------------------------------------------


class Freshness(Model):
    """How old the last success may be."""

    warn: Duration | None = Field(
        None,
        description="age of a table's last success beyond which `vitrina status` calls it late; by default none",
        examples=["1h"],
    )
    fail: Duration | None = Field(
        None,
        description="age of a table's last success beyond which `vitrina status` calls it stale and fails; in Airflow "
        "the deadline of scheduled runs (without it, `warn` is); by default none",
        examples=["6h"],
    )


class Defaults(Model):
    """Settings that hold wherever nothing else is said."""

    replicate: ReplicateDefaults = Field(
        ReplicateDefaults(),
        description="settings for all replicated tables that do not state their own",
        examples=[{"mode": "incremental", "cursor": "updated_at", "deletes": "mark"}],
    )


class Spec(Model):
    """A pipeline: the source's tables, what of them is copied, and the marts built on the copy."""

    version: Literal[1] = Field(description="version of this language: 1")
    pipeline: Identifier = Field(
        description="the pipeline's name, of lower-case letters, digits and _, unique among the specs; in Airflow "
        "the id of its DAG"
    )
    description: str = Field(
        "",
        description="what the pipeline is for; in Airflow the DAG's description",
        examples=["Online shop, from orders to monthly revenue"],
    )
    owner: Name | None = Field(
        None,
        description="who answers for the pipeline; in Airflow the owner of its tasks, by default vitrina",
        examples=["analytics"],
    )
    tags: Annotated[tuple[Name, ...], Strict(False)] = Field(
        (), description="the DAG's tags in Airflow, beside vitrina", examples=[["demo", "shop"]]
    )
    source: Name = Field(
        description="name of the PostgreSQL connection; its URL is in VITRINA_CONN_<NAME> or connections.yaml",
        examples=["shop_postgres"],
    )
    target: Name = Field(
        description="name of the MySQL connection; its URL is in VITRINA_CONN_<NAME> or connections.yaml",
        examples=["shop_mysql"],
    )
    schedule: Name | None = Field(
        None,
        description="when Airflow runs it: a cron expression, @hourly, @daily, @weekly, @monthly, @quarterly, @yearly, "
        "an interval, or @continuous; by default only when asked to",
        examples=["*/15 * * * *", "@daily", "15min"],
    )
    after: Names | None = Field(
        None,
        description="pipelines: in Airflow it runs when all of them have succeeded; instead of `schedule`",
        examples=[["shop"]],
    )
    timezone: Name = Field(
        "UTC",
        description="IANA time zone of a cron expression, and of a `start` without an offset",
        examples=["UTC", "Europe/Moscow"],
    )
    start: Moment | None = Field(
        None,
        description="date or date-time before which nothing is scheduled, in `timezone` if it has no offset; by "
        "default there is no such limit",
    )
    catchup: bool = Field(
        False, description="whether intervals that were missed since `start` are run, too; by default they are not"
    )
    timeout: Duration | None = Field(
        None,
        description="a task that takes longer is ended in Airflow, and fails; by default there is no limit",
        examples=["30min", "2h"],
    )
    parallelism: Annotated[int, Field(ge=1)] | None = Field(
        None, description="tasks of this pipeline that Airflow runs at once; by default 16", examples=[8]
    )
    retries: Retries = Field(
        Retries(),
        description="how Airflow tries tasks again that failed for a passing reason",
        examples=[{"attempts": 3, "delay": "30s", "longest": "10min"}],
    )
    on_failure: OnFailure | None = Field(
        None,
        description="who hears of a failed or late run in Airflow; by default nobody",
        examples=[{"notify": "ops"}],
    )
    seed: int = Field(0, description="decides all fake data: the same seed gives the same data", examples=[42])
    now: Moment = Field(
        "2026-01-01T00:00:00Z",
        description="the instant that `now` and distances such as -2y mean in fake data, in UTC if it has no offset; "
        "fixed, so that the data stay the same",
    )
    locale: Locale = Field("en_US", description="locale of the Faker providers that do not state their own")
    defaults: Defaults = Field(Defaults(), description="settings that hold wherever nothing else is said")
    entities: dict[Name, Entity] = Field(
        {}, description="tables of the source by name; with `rows` they are created and filled, without only declared"
    )
    replicate: dict[Name, Annotated[Replicate, nothing_means_defaults]] = Field(
        {}, description="tables of the copy by their name in the target; one with nothing behind it has the defaults"
    )
    marts: dict[Name, Mart] = Field(
        {}, description="analytic tables by their name in the target; their order comes from their SQL"
    )
    freshness: Freshness | None = Field(
        None,
        description="how old the last success of a table may be; by default there is no limit",
        examples=[{"warn": "1h", "fail": "6h"}],
    )

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
                "out_of_range": own.out_of_range or defaults.out_of_range,
                "children": own.children,
                "foreign_keys": defaults.foreign_keys if own.foreign_keys is None else own.foreign_keys,
                "schema_change": defaults.schema_change.overridden(own.schema_change),
                "unique": own.unique,
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

"""The spec as frozen pydantic models: one file is one `Spec`. Docstrings and descriptions become the JSON Schema.

Amounts with units (``5%``, ``10min``) stay the text the author wrote; `framework.units` gives them their meaning.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, Strict, StringConstraints, field_validator
from pydantic_core import PydanticCustomError

from framework import units
from framework.spec.entities import Entity
from framework.spec.marts import Mart
from framework.spec.replication import Replicate, ReplicateDefaults, ReplicateTask
from framework.spec.scheduling import OnFailure, Retries
from framework.spec.shapes import (
    Duration,
    Identifier,
    Locale,
    Model,
    Name,
    Names,
    nothing_means_defaults,
)

Moment = Annotated[
    str,
    StringConstraints(pattern=f"{units.DATE}|{units.DATETIME}"),
    Field(examples=["2026-01-01", "2026-01-01T00:00:00Z"]),
]


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
                "lookback": defaults.lookback if own.lookback is None else own.lookback,
                "deletes": own.deletes or defaults.deletes,
                "chunk_rows": own.chunk_rows or defaults.chunk_rows,
                "columns": own.columns,
                "out_of_range": own.out_of_range or defaults.out_of_range,
                "on_error": own.on_error or defaults.on_error,
                "children": own.children,
                "foreign_keys": defaults.foreign_keys if own.foreign_keys is None else own.foreign_keys,
                "schema_change": defaults.schema_change.overridden(own.schema_change),
                "verify": own.verify or defaults.verify,
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

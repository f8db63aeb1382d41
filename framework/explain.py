"""What a plan would do, and the SQL it would run. Read-only; with no databases at all if asked so."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from framework import bookkeeping
from framework.databases.base import Target
from framework.databases.postgres.attributes import Attributes, attributes
from framework.databases.postgres.catalog import identity, require
from framework.databases.postgres.snapshot import horizon
from framework.databases.postgres.source import PostgresSource
from framework.errors import BookkeepingNewer, ConnectionFailed, VitrinaError
from framework.generate.filling import pending
from framework.generate.rules.expected import distinct_values
from framework.plan import Kind, Plan, Step
from framework.replicate import constraints, cursor, cursor_index, evolve, quarantine, state, unfit
from framework.replicate.mapping import PLAN_MASK_KEY, resolve
from framework.replicate.schema.structure import structure
from framework.spec.declared import table_of
from framework.spec.entities import GenerateTask
from framework.spec.marts import MartTask
from framework.spec.models import Spec
from framework.spec.replication import ConstraintsTask, ReplicateTask
from framework.tables import Table
from framework.verify.automatic import is_due


@dataclass(frozen=True)
class Explained:
    """One step, for people and for JSON.

    Attributes:
        action: what would happen now, in a sentence.
        sql: the main statement; empty where there is none.
        fails: whether it would fail.
        changes: what is different between a copy and its source or its spec, and what becomes of it; of fake data, how
            many different values columns will have that repeat those of a pool.
        advice: what would make each run cheaper, with the statement that does it.
    """

    name: str
    kind: str
    needs: tuple[str, ...]
    action: str
    sql: str = ""
    changes: tuple[str, ...] = ()
    fails: bool = False
    advice: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The step as JSON-able data."""
        return asdict(self)


def explain(
    plan: Plan, spec: Spec, source: PostgresSource | None, target: Target | None, pools: Path | None = None
) -> list[Explained]:
    """Every step of the plan; without ``source`` and ``target``, only what the spec itself says.

    ``pools`` is the lock file of values drawn from Faker.
    """
    told = [_told(step, spec, source, target) for step in plan.steps]
    return [replace(each, changes=_pools(plan, each, pools)) if each.kind == Kind.GENERATE else each for each in told]


def _pools(plan: Plan, told: Explained, pools: Path | None) -> tuple[str, ...]:
    """What columns drawn from Faker will hold, where something is to be filled."""
    if told.fails or told.action.startswith("nothing"):
        return told.changes
    return tuple(distinct_values(GenerateTask.model_validate(plan.step(told.name).arguments["task"]), pools))


def _told(step: Step, spec: Spec, source: PostgresSource | None, target: Target | None) -> Explained:
    """The step; one that would fail says why, and the others are told all the same."""
    try:
        return _explained(step, spec, source, target)
    except (BookkeepingNewer, ConnectionFailed):
        raise  # that is about all steps
    except VitrinaError as error:
        return Explained(
            step.name, step.kind.value, step.needs, f"it would fail: {error.fact}; fix: {error.fix}", fails=True
        )


def _explained(step: Step, spec: Spec, source: PostgresSource | None, target: Target | None) -> Explained:
    if step.kind is Kind.REPLICATE:
        return _replicate(step, spec, source, target)
    if step.kind is Kind.GENERATE:
        action, sql = _generate(step, source), ""
    elif step.kind is Kind.TICK:
        action, sql = f"{step.arguments['ticks']} ticks of `changes`, each one transaction", ""
    elif step.kind is Kind.VERIFY:
        action, sql = _verify(step, target), ""
    elif step.kind is Kind.CONSTRAINTS:
        action, sql = _constraints(step, source, target), ""
    else:
        action, sql = _mart(step, target)
    return Explained(step.name, step.kind.value, step.needs, action, sql)


def _generate(step: Step, source: PostgresSource | None) -> str:
    task = GenerateTask.model_validate(step.arguments["task"])
    filled = [name for name, entity in task.entities.items() if entity.rows is not None]
    if source is None:
        return f"fill {', '.join(filled)}, where they have not been filled"
    if not source.may_generate:
        return "nothing: the source does not allow generated data"
    empty = pending(source, task)
    return f"fill {', '.join(empty)}" if empty else "nothing: everything has been filled"


def _replicate(step: Step, spec: Spec, source: PostgresSource | None, target: Target | None) -> Explained:
    task = ReplicateTask.model_validate(step.arguments["task"])
    found = _source_table(task, spec, source)

    def explained(action: str, sql: str = "", changes: tuple[str, ...] = ()) -> Explained:
        advice = found.advice if found is not None else ()
        return Explained(step.name, step.kind.value, step.needs, action, sql, changes, advice=advice)

    if found is None:
        if source is not None:
            return explained(f"{task.mode}, once `generate` has made {task.source_table}")
        return explained(f"{task.mode}; the source table is not declared, so its query is not known offline")
    mapping = resolve(task, found.table, PLAN_MASK_KEY)
    if target is None:
        return explained(task.mode + _quarantine(task, 0), mapping.query())
    mapping = unfit.parted(mapping, target)
    with target.session() as session:
        known = bookkeeping.exists(session, target, state.STATE)
        last = state.current(session, target, task.table) if known else None
        aside = _quarantine(task, quarantine.count(session, target, task.table))
    state.require_owner(last, task.table, spec.pipeline)
    if last is None:
        return explained(f"fill: there is no copy yet{aside}", mapping.query())
    made_of = structure(mapping, found.numbers, None, found.database)
    evolution = evolve.pending(last, made_of, task, target.dialect)
    changes = tuple(change.sentence for change in evolution.changes) if evolution is not None else ()
    if evolution is not None and evolution.refused:
        refill = f"vitrina replicate SPEC --full-refresh --table {task.table}"
        return explained(f"nothing: a change is refused; `{refill}` would refill it", "", changes)
    if evolve.is_made_anew(task, last) or (evolution is not None and evolution.refills):
        return explained(f"full: a fresh copy replaces the present one{aside}", mapping.query(), changes)
    condition = cursor.since(mapping, last.bound, evolution.backfill if evolution is not None else ())
    action = f"incremental, from {last.bound}{_keys(task, last)}{aside}{_held_back(source, task)}"
    return explained(action, mapping.query(condition), changes)


def _keys(task: ReplicateTask, last: state.State) -> str:
    """How the next increment finds what is gone; what is older than a day counts as known here."""
    if task.deletes.policy == "keep":
        return ""
    return "; keys are counted in the source" if last.census else "; all keys are compared"


def _held_back(source: PostgresSource | None, task: ReplicateTask) -> str:
    """Who keeps increments from getting on, on lines of their own."""
    if source is None or task.mode != "incremental":
        return ""
    with source.session() as session:
        return "".join(f"\n{sentence}" for sentence in cursor.held_back(horizon(session)))


def _quarantine(task: ReplicateTask, rows: int) -> str:
    """What is to be said of rows that cannot go; ``rows`` are there now."""
    if not task.on_error.quarantines:
        return ""
    there = f"; {rows:,} row{'s are' if rows != 1 else ' is'} there now" if rows else ""
    return f"; rows that cannot go are put into quarantine, up to {task.on_error.limit} of all{there}"


@dataclass(frozen=True)
class _Found:
    """A source table, and what the database says of it beside: nothing, where the spec declares it."""

    table: Table
    numbers: Attributes | None = None
    database: str | None = None
    advice: tuple[str, ...] = ()


def _source_table(task: ReplicateTask, spec: Spec, source: PostgresSource | None) -> _Found | None:
    entity = spec.entities.get(task.source_table)
    declared = _Found(table_of(task.source_table, entity)) if entity is not None else None
    if source is None:
        return declared
    if entity is not None and entity.rows is not None and source.may_generate:
        return declared
    with source.session() as session:
        table = require(session, task.source_schema, task.source_table)
        numbers = attributes(session, task.source_schema, task.source_table)
        missing = cursor_index.missing(session, task, table)
        advice = (f"{missing.fact}; fix: {missing.ddl}",) if missing is not None else ()
        return _Found(table, numbers, identity(session), advice)


def _constraints(step: Step, source: PostgresSource | None, target: Target | None) -> str:
    task = ConstraintsTask.model_validate(step.arguments["task"])
    if source is None or target is None:
        tables = ", ".join(table.table for table in task.tables if table.foreign_keys)
        return f"declare the foreign keys of {tables} that all rows agree with"
    if not target.capabilities.foreign_keys:
        return f"nothing: {constraints.UNABLE}"
    with target.session() as session:
        return constraints.survey(source, session, task).summary()


def _verify(step: Step, target: Target | None) -> str:
    task = ReplicateTask.model_validate(step.arguments["task"])
    if target is not None and not is_due(target, task):
        return "nothing: the copy has been found equal today"
    return "compare all rows with the source's"


def _mart(step: Step, target: Target | None) -> tuple[str, str]:
    task = MartTask.model_validate(step.arguments["task"])
    action = f"{task.mart.materialize.kind}, reads {', '.join(task.reads) or 'no table'}"
    return action, target.dialect.translate(task.mart.query) if target is not None else task.mart.query

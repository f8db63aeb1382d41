"""A spec becomes a plan: plain steps with what they need. No database, no Airflow: any runner can walk it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from graphlib import CycleError, TopologicalSorter
from typing import Any

from framework.errors import UsageError
from framework.marts import graph
from framework.spec.entities import GenerateTask
from framework.spec.marts import MartTask
from framework.spec.models import Spec
from framework.spec.replication import ConstraintsTask
from framework.spec.scheduling import Retries


class Kind(str, Enum):
    """What a step does."""

    GENERATE = "generate"
    TICK = "tick"
    REPLICATE = "replicate"
    VERIFY = "verify"
    CONSTRAINTS = "constraints"
    MART = "mart"


@dataclass(frozen=True)
class Step:
    """One unit of work.

    Attributes:
        name: unique in the plan: ``replicate:orders``.
        subject: the table or mart it is about; empty where it is about all.
        arguments: everything the step must know, as JSON-able data.
        needs: names of the steps that must have succeeded before.
    """

    name: str
    kind: Kind
    arguments: Mapping[str, Any]
    needs: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        return self.name.partition(":")[2]


@dataclass(frozen=True)
class Plan:
    """A graph of steps; every step stands behind those it needs.

    Attributes:
        retries: how a step that failed for a passing reason is tried again.
    """

    pipeline: str
    source: str
    target: str
    steps: tuple[Step, ...]
    retries: Retries = field(default_factory=Retries)

    def has(self, kind: Kind) -> bool:
        """Whether there is a step of this kind."""
        return any(step.kind is kind for step in self.steps)

    def step(self, name: str) -> Step:
        """The step called ``name``."""
        return next(step for step in self.steps if step.name == name)

    def only(self, kinds: Iterable[Kind]) -> Plan:
        """The plan without the steps of other kinds."""
        wanted = frozenset(kinds)
        return self._keeping({step.name for step in self.steps if step.kind in wanted})

    def for_tables(self, tables: Iterable[str]) -> Plan:
        """The plan with only the replication of ``tables``, their verification, and what looks after foreign keys.

        Raises:
            UsageError: it does not replicate one of them.
        """
        tables = tuple(tables)
        known = {step.subject: step.name for step in self.steps if step.kind is Kind.REPLICATE}
        for table in tables:
            if table not in known:
                raise UsageError(
                    f"pipeline {self.pipeline!r} does not replicate a table {table!r}",
                    f"use one of: {', '.join(known)}",
                )
        wanted = set(tables)
        about = {step.name for step in self.steps if step.kind is Kind.VERIFY and step.subject in wanted}
        after = {step.name for step in self.steps if step.kind is Kind.CONSTRAINTS}
        return self._keeping({known[table] for table in wanted} | about | after)

    def _keeping(self, names: set[str]) -> Plan:
        kept = tuple(
            replace(step, needs=tuple(need for need in step.needs if need in names))
            for step in self.steps
            if step.name in names
        )
        return replace(self, steps=kept)


def compile_plan(spec: Spec, ticks: int = 0, seed: int | None = None) -> Plan:
    """The plan of a checked spec: generate, tick, replicate, verify, then marts; ``seed`` replaces the spec's.

    Marts do not wait for foreign keys, nor foreign keys for marts.
    """
    generating = _generate_steps(spec, ticks, spec.seed if seed is None else seed)
    before = (generating[-1].name,) if generating else ()
    copying = _replicate_steps(spec, before)
    verifying = _verify_steps(spec)
    steps = (*generating, *copying, *verifying, *_constraints_steps(spec, copying), *_mart_steps(spec, verifying))
    return Plan(spec.pipeline, spec.source, spec.target, steps, spec.retries)


def _generate_steps(spec: Spec, ticks: int, seed: int) -> tuple[Step, ...]:
    if not any(entity.rows is not None for entity in spec.entities.values()):
        return ()
    task = GenerateTask(pipeline=spec.pipeline, seed=seed, now=spec.now, locale=spec.locale, entities=spec.entities)
    arguments = {"task": _dump(task)}
    fill = Step("generate", Kind.GENERATE, arguments)
    if not ticks:
        return (fill,)
    return fill, Step("tick", Kind.TICK, {**arguments, "ticks": ticks}, needs=(fill.name,))


def _replicate_steps(spec: Spec, before: tuple[str, ...]) -> tuple[Step, ...]:
    marts = {name: _dump(mart) for name, mart in spec.marts.items() if graph.is_incremental(mart)}
    needs = _tables_in_checks(spec)
    return tuple(
        Step(
            f"replicate:{table}",
            Kind.REPLICATE,
            {"pipeline": spec.pipeline, "task": _dump(spec.replicate_task(table)), "incremental_marts": marts},
            needs=(*before, *(f"replicate:{other}" for other in needs[table])),
        )
        for table in _in_order(needs)
    )


def _verify_steps(spec: Spec) -> tuple[Step, ...]:
    tasks = [spec.replicate_task(table) for table in spec.replicate]
    return tuple(
        Step(f"verify:{task.table}", Kind.VERIFY, {"task": _dump(task)}, (f"replicate:{task.table}",))
        for task in tasks
        if task.verify != "never"
    )


def _constraints_steps(spec: Spec, copying: tuple[Step, ...]) -> tuple[Step, ...]:
    """Foreign keys may lead to any table; which, only the source knows."""
    tasks = tuple(spec.replicate_task(table) for table in spec.replicate)
    if not any(task.foreign_keys for task in tasks):
        return ()
    needs = tuple(step.name for step in copying)
    return (Step("constraints", Kind.CONSTRAINTS, {"task": _dump(ConstraintsTask(tables=tasks))}, needs),)


def _tables_in_checks(spec: Spec) -> dict[str, tuple[str, ...]]:
    """By replicated table, the others that its checks look at."""
    found = {}
    for table, settings in spec.replicate.items():
        seen = [target.table for check in settings.checks for target in (check.relationship or {}).values()]
        seen += [name for check in settings.checks if check.empty for name in graph.reads(check.empty)]
        found[table] = tuple(name for name in dict.fromkeys(seen) if name in spec.replicate and name != table)
    return found


def _in_order(needs: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The tables, each behind those it needs. Raises UsageError for a circle."""
    try:
        return list(TopologicalSorter(needs).static_order())
    except CycleError as error:
        circle = ", ".join(table for table in needs if table in error.args[1])
        fact = f"checks of {circle} look at each other in a circle"
        raise UsageError(fact, "move one of them to a mart's checks") from error


def _mart_steps(spec: Spec, verifying: tuple[Step, ...]) -> tuple[Step, ...]:
    steps = []
    verified = {step.subject for step in verifying}
    for name in graph.ordered(spec.marts):
        reads = graph.reads(spec.marts[name].query)
        task = MartTask(name=name, mart=spec.marts[name], reads=reads)
        needs = tuple(
            f"mart:{table}" if table in spec.marts else f"{'verify' if table in verified else 'replicate'}:{table}"
            for table in reads
            if table in spec.marts or table in spec.replicate
        )
        arguments = {"task": _dump(task), "verified": [table for table in reads if table in verified]}
        steps.append(Step(f"mart:{name}", Kind.MART, arguments, needs))
    return tuple(steps)


def _dump(model: GenerateTask | MartTask | Any) -> dict[str, Any]:
    dumped: dict[str, Any] = model.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return dumped

"""What a DAG's page tells: the plan, where the data come from, and the spec itself."""

from __future__ import annotations

from collections.abc import Iterator

from framework.connections import mask
from framework.marts import graph
from framework.plan import Kind, Plan
from framework.spec.models import Spec


def doc_md(spec: Spec, plan: Plan, text: str) -> str:
    """Markdown for `doc_md`."""
    return "\n".join(_lines(spec, plan, mask(text)))


def _lines(spec: Spec, plan: Plan, text: str) -> Iterator[str]:
    yield spec.description or f"Pipeline {spec.pipeline}"
    yield f"\nFrom `{spec.source}` (PostgreSQL) to `{spec.target}` (MySQL)."
    yield "\n### Plan\n"
    yield "| step | what it does | after |"
    yield "|---|---|---|"
    for step in plan.steps:
        yield f"| `{step.name}` | {_action(spec, step.kind, step.subject)} | {', '.join(step.needs)} |"
    yield "\n### Lineage\n"
    yield "| table | made from |"
    yield "|---|---|"
    for table, settings in spec.replicate.items():
        yield f"| `{table}` | `{settings.schema_}.{settings.from_ or table}` of the source |"
    for name, mart in spec.marts.items():
        yield f"| `{name}` | {', '.join(f'`{table}`' for table in graph.reads(mart.query))} |"
    fence = "`" * 3
    while fence in text:
        fence += "`"
    yield f"\n### Spec\n\n{fence}yaml\n{text.rstrip()}\n{fence}"


def _action(spec: Spec, kind: Kind, subject: str) -> str:
    if kind is Kind.GENERATE:
        return "fills the source, where it has not been filled"
    if kind is Kind.TICK:
        return "lets the source live on, by as many ticks as the run asks for"
    if kind is Kind.VERIFY:
        due = "once a day" if spec.replicate_task(subject).verify == "daily" else "after each load"
        return f"compares all rows with the source's, {due}"
    if kind is Kind.CONSTRAINTS:
        return "declares the source's foreign keys in the copy, where all rows agree with them"
    if kind is Kind.REPLICATE:
        task = spec.replicate_task(subject)
        by = f" by `{task.cursor}`" if task.mode == "incremental" else ""
        return f"{task.mode} copy{by}, deletes: {task.deletes.policy}"
    mart = spec.marts[subject]
    return f"{mart.materialize.kind}" + (f": {mart.description}" if mart.description else "")

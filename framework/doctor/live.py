"""Tables that the spec does not declare, declared by the database, so that the rules can judge what names them."""

from __future__ import annotations

from collections.abc import Iterator

from framework.databases.postgres import catalog
from framework.databases.postgres.source import PostgresSession
from framework.diagnostics import Severity
from framework.doctor.remarks import Remark
from framework.spec.models import Entity, Replicate, Spec
from framework.tables import Table
from framework.types import Kind
from framework.validation.rules import RULES
from framework.validation.rules.lookup import source_of


def findings(spec: Spec, session: PostgresSession) -> Iterator[Remark]:
    """What the rules find in the settings of tables that the spec does not declare."""
    found = dict(_undeclared(spec, session))
    declared = {name: entity for name, table in found.items() if (entity := _entity(table)) is not None}
    if not declared:
        return
    fuller = spec.model_copy(update={"entities": {**declared, **spec.entities}})
    known = {finding for rule in RULES for finding in rule.find(spec)}
    for rule in RULES:
        for finding in rule.find(fuller):
            if finding not in known and finding.loc[:1] != ("entities",):
                severity = finding.severity or rule.severity
                id_ = finding.rule or rule.id
                yield Remark("source", finding.message, severity, finding.suggestion, id_, finding.loc, finding.on_key)
    for name, table in found.items():
        yield from _homeless(spec, name, table)


def _undeclared(spec: Spec, session: PostgresSession) -> Iterator[tuple[str, Table]]:
    for table, settings in spec.replicate.items():
        if source_of(spec, table) is None:
            name = settings.from_ or table
            described = catalog.describe(session, settings.schema_, name)
            if described is not None:
                yield name, described


def _entity(table: Table) -> Entity | None:
    """A table of the database as a spec would declare it; None for one without columns."""
    if not table.columns:
        return None
    columns = {
        column.name: {"type": _type(column.type.kind, column.type.name), "nullable": column.nullable}
        for column in table.columns
    }
    return Entity.model_validate(
        {
            "schema": table.schema,
            "columns": columns,
            "unique": [index.columns for index in table.indexes if index.unique],
            "indexes": [index.columns for index in table.indexes if not index.unique],
            **({"primary_key": table.primary_key} if table.primary_key else {}),
        }
    )


def _type(kind: Kind, name: str) -> str:
    # An enum's values are short texts; a type without a home is told apart below.
    return "varchar(63)" if kind is Kind.ENUM else "text" if kind is Kind.UNKNOWN else name


def _homeless(spec: Spec, name: str, table: Table) -> Iterator[Remark]:
    for target, settings in spec.replicate.items():
        if (settings.from_ or target) != name:
            continue
        for column in table.columns:
            if column.type.kind is Kind.UNKNOWN and _is_copied(settings, column.name):
                fact = f"{name}.{column.name} is of type {column.type}, which has no exact home in the target"
                fix = f'copy its text: `{column.name}_text: {{sql: "{column.name}::text", type: text}}`'
                loc = ("replicate", target)
                yield Remark("source", fact, Severity.ERROR, fix, "no-exact-type", loc, on_key=True)


def _is_copied(settings: Replicate, column: str) -> bool:
    return column not in (settings.except_ or ()) and (settings.only is None or column in settings.only)

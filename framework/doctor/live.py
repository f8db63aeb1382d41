"""Tables that the spec does not declare, declared by the database, so that the rules can judge what names them."""

from __future__ import annotations

from collections.abc import Iterator

from framework.databases.postgres import catalog
from framework.databases.postgres.source import PostgresSession
from framework.doctor.remarks import Remark
from framework.spec.entities import Entity
from framework.spec.models import Spec
from framework.tables import Table
from framework.types import declaration
from framework.validation.rules import RULES
from framework.validation.rules.base import Finding, Loc
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
            id_ = finding.rule or rule.id
            if finding in known or (finding.loc[:1] == ("entities",) and id_ != "no-exact-type"):
                continue
            severity = finding.severity or rule.severity
            loc, on_key = _in_the_file(spec, finding)
            yield Remark("source", finding.message, severity, finding.suggestion, id_, loc, on_key)


def _in_the_file(spec: Spec, finding: Finding) -> tuple[Loc, bool]:
    """Where the file speaks of what was found, and whether at a key: it does not declare the source's table."""
    if finding.loc[:1] != ("entities",):
        return finding.loc, finding.on_key
    copies = (name for name, settings in spec.replicate.items() if (settings.from_ or name) == finding.loc[1])
    return ("replicate", next(copies)), True


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
    columns = {column.name: {"type": declaration(column.type), "nullable": column.nullable} for column in table.columns}
    return Entity.model_validate(
        {
            "schema": table.schema,
            "columns": columns,
            "unique": [index.columns for index in table.indexes if index.unique],
            "indexes": [index.columns for index in table.indexes if not index.unique],
            **({"primary_key": table.primary_key} if table.primary_key else {}),
        }
    )

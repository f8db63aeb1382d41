"""Which relations of a database are drafted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from framework.diagnostics import did_you_mean
from framework.draft.survey import Relation
from framework.errors import UsageError


@dataclass(frozen=True)
class Choice:
    """What a user asks for.

    Attributes:
        schemas: only these; empty for all.
        tables: only these, as ``table`` or ``schema.table``; several may be joined by commas. Empty for all.
        views: whether views, materialized views and foreign tables are drafted without being named.
    """

    schemas: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    views: bool = False


@dataclass(frozen=True)
class Chosen:
    """What is drafted, and the views (and the like) that are not."""

    relations: tuple[Relation, ...]
    left_out: tuple[Relation, ...]


def choose(relations: Sequence[Relation], choice: Choice, database: str) -> Chosen:
    """The relations that are meant: the schema public first, then by schema and name.

    Raises:
        UsageError: a name is not known, or nothing is left.
    """
    within = _of_schemas(relations, choice.schemas, database)
    if choice.tables:
        named = _named(within, choice.tables, database)
        return Chosen(_ordered(named), ())
    whole = [relation for relation in within if not relation.is_partition]
    chosen = [relation for relation in whole if relation.stores or choice.views]
    left_out = [relation for relation in whole if not (relation.stores or choice.views)]
    if not chosen:
        where = f"database {database!r}" + (f" (schema {', '.join(choice.schemas)})" if choice.schemas else "")
        if left_out:
            raise UsageError(f"{where} has no tables, only views and foreign tables", "add --views")
        advice = "see that the connection leads to the right database, and that its tables are not all of extensions"
        raise UsageError(f"{where} has no tables to draft", advice)
    return Chosen(_ordered(chosen), _ordered(left_out))


def _of_schemas(relations: Sequence[Relation], schemas: Sequence[str], database: str) -> list[Relation]:
    known = tuple(dict.fromkeys(relation.schema for relation in relations))
    for name in schemas:
        if name not in known:
            advice = did_you_mean(name, known) or "see the schemas with \\dn of psql"
            raise UsageError(f"database {database!r} has no schema {name!r} with tables", advice)
    return [relation for relation in relations if not schemas or relation.schema in schemas]


def _named(relations: Sequence[Relation], tables: Sequence[str], database: str) -> list[Relation]:
    found: dict[int, Relation] = {}
    for name in _names(relations, tables):
        meant = [relation for relation in relations if name in (relation.name, relation.shown)]
        if not meant:
            known = dict.fromkeys(each.shown if "." in name else each.name for each in relations)
            advice = did_you_mean(name, known) or "write it as the catalog does: table, or schema.table"
            raise UsageError(f"database {database!r} has no table {name!r}", advice)
        found |= {relation.id: relation for relation in meant}
    return list(found.values())


def _names(relations: Sequence[Relation], tables: Sequence[str]) -> list[str]:
    """The names, those joined by commas taken apart unless a table is called like that."""
    whole = {name for relation in relations for name in (relation.name, relation.shown)}
    names: list[str] = []
    for table in tables:
        names += [table] if table in whole else [part.strip() for part in table.split(",") if part.strip()]
    return names


def _ordered(relations: Sequence[Relation]) -> tuple[Relation, ...]:
    return tuple(sorted(relations, key=lambda each: (each.schema != "public", each.schema, each.name)))

"""Foreign keys of one column, as declared tables refer to each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from framework.draft.survey import ConstraintSeen, Relation

_ON_DELETE = {"a": "", "r": "restrict", "c": "cascade", "n": "set null"}


@dataclass(frozen=True)
class Reference:
    """A column's foreign key. ``on_delete`` is empty where the default says it."""

    table: str
    column: str
    on_delete: str = ""


@dataclass(frozen=True)
class Refused:
    """A foreign key that is not declared, and why."""

    column: str
    referred: str
    reason: str


@dataclass(frozen=True)
class References:
    """What the columns of one table refer to, and what of that is not declared."""

    declared: Mapping[str, Reference]
    refused: tuple[Refused, ...]


@dataclass(frozen=True)
class _Edge:
    table: int
    column: str
    parent: int
    nullable: bool


def references(
    relations: Sequence[Relation], dropped: Mapping[tuple[int, str], str] | None = None
) -> dict[int, References]:
    """The references of declared relations, by their numbers.

    What refers to a table that is not declared is left out, and so are references that could not be filled: in
    circles, and of a first row to its own table.

    Args:
        relations: those that are declared, each under a name of its own.
        dropped: relations and columns whose reference the language refuses, each with its reason.
    """
    dropped = dropped or {}
    by_name = {(relation.schema, relation.name): relation for relation in relations}
    chosen: dict[tuple[int, str], tuple[Reference, _Edge]] = {}
    refused: dict[int, list[Refused]] = {relation.id: [] for relation in relations}
    for relation in relations:
        for key in relation.constraints:
            if key.kind != "f" or len(key.columns) != 1:
                continue
            place = (relation.id, key.columns[0])
            parent = by_name.get((key.referred_schema or "", key.referred_table or ""))
            if place in chosen:
                continue
            reason = dropped.get(place) or (_reason(relation, key, parent) if parent else "that table is not declared")
            if reason or parent is None:
                refused[relation.id].append(Refused(key.columns[0], _referred(key), reason))
                continue
            chosen[place] = _reference(relation, key, parent)
    for edge in _circular([edge for _, edge in chosen.values()]):
        reference, _ = chosen.pop((edge.table, edge.column))
        reason = "tables that are filled cannot refer to each other in a circle"
        refused[edge.table].append(Refused(edge.column, f"{reference.table}.{reference.column}", reason))
    declared: dict[int, dict[str, Reference]] = {relation.id: {} for relation in relations}
    for (table, column), (reference, _) in chosen.items():
        declared[table][column] = reference
    return {number: References(declared[number], tuple(refused[number])) for number in declared}


def _reference(relation: Relation, key: ConstraintSeen, parent: Relation) -> tuple[Reference, _Edge]:
    (column,) = key.columns
    edge = _Edge(relation.id, column, parent.id, not relation.column(column).refuses_null)
    return Reference(parent.name, key.referred_columns[0], _ON_DELETE[key.on_delete]), edge


def _reason(relation: Relation, key: ConstraintSeen, parent: Relation) -> str:
    (column,) = key.columns
    if key.on_delete == "d":
        return "specs have no word for ON DELETE SET DEFAULT"
    if key.on_delete == "n" and relation.column(column).refuses_null:
        return "ON DELETE SET NULL, and the column is NOT NULL"
    if parent.id != relation.id:
        return ""
    if relation.column(column).refuses_null:
        return "the first row that is filled has no row to refer to"
    return "such references repeat, and the column is unique" if _is_unique(relation, column) else ""


def _is_unique(relation: Relation, column: str) -> bool:
    return any(index.unique and index.plain == (column,) for index in relation.indexes)


def _referred(key: ConstraintSeen) -> str:
    return f"{key.referred_table}.{key.referred_columns[0]}"


def _circular(edges: Iterable[_Edge]) -> list[_Edge]:
    """The references without which no tables refer to each other in a circle; nullable ones, if there are any."""
    left = [edge for edge in edges if edge.table != edge.parent]
    taken: list[_Edge] = []
    while circle := _circle(left):
        weakest = next((edge for edge in circle if edge.nullable), circle[-1])
        left.remove(weakest)
        taken.append(weakest)
    return taken


def _circle(edges: Sequence[_Edge]) -> list[_Edge]:
    """Some references that form a circle; empty if none do."""
    sorter: TopologicalSorter[int] = TopologicalSorter()
    for edge in edges:
        sorter.add(edge.table, edge.parent)
    try:
        sorter.prepare()
    except CycleError as error:
        tables: list[int] = error.args[1][::-1]
        steps = set(pairwise(tables))
        return [edge for edge in edges if (edge.table, edge.parent) in steps]
    return []

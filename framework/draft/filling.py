"""Rules of fake data for whole tables: what each column is filled with, and how many rows that makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from framework.draft.checks import allowed
from framework.draft.fakes import ROWS, Proposal, Subject, propose
from framework.draft.references import Reference, References
from framework.draft.survey import Relation
from framework.draft.types import Declared
from framework.draft.words import Value
from framework.types import Kind

_MOMENTS = (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ)


@dataclass(frozen=True)
class Filling:
    """How a table could be filled.

    Attributes:
        rows: how many rows are proposed; None if it cannot be filled.
        why_not: why that is so.
        rules: a rule for each column that is not filled by a reference.
    """

    rows: int | None
    why_not: str
    rules: Mapping[str, Value]


@dataclass(frozen=True)
class Drawn:
    """A declared table, as far as filling it is concerned."""

    relation: Relation
    types: Mapping[str, Declared]
    references: References

    @property
    def bound(self) -> frozenset[str]:
        """The columns of foreign keys that specs cannot say: where these allow it, they stay NULL."""
        refused = {refused.column for refused in self.references.refused}
        several = (key.columns for key in self.relation.constraints if key.kind == "f" and len(key.columns) > 1)
        free = {name for names in several for name in names} - self.references.declared.keys()
        return frozenset(refused | free)

    @property
    def keys(self) -> list[tuple[str, ...]]:
        """All that must not repeat."""
        return [index.plain for index in self.relation.indexes if index.unique and index.plain]


def fillings(tables: Sequence[Drawn]) -> dict[int, Filling]:
    """How each table could be filled, by the relation's number; parents bound the rows of their children."""
    found: dict[int, Filling] = {}
    by_name = {table.relation.name: table for table in tables}
    for table in tables:
        _fill(table, by_name, found)
    return found


def _fill(table: Drawn, by_name: Mapping[str, Drawn], found: dict[int, Filling]) -> Filling:
    """Parents first; references do not go in circles."""
    waiting = [table]
    while waiting:
        one = waiting[-1]
        parents = [by_name[name] for name in _parents(one) if by_name[name].relation.id not in found]
        if parents:
            waiting += parents
        else:
            waiting.pop()
            filled = {name: found[by_name[name].relation.id] for name in _parents(one)}
            found.setdefault(one.relation.id, _filling(one, filled, by_name))
    return found[table.relation.id]


def _parents(table: Drawn) -> set[str]:
    return {reference.table for reference in table.references.declared.values()} - {table.relation.name}


def _filling(table: Drawn, parents: Mapping[str, Filling], by_name: Mapping[str, Drawn]) -> Filling:
    numbered, why_not = _numbered(table)
    why_not = why_not or _unreachable(table)
    proposals: dict[str, Proposal] = {}
    counts = [ROWS]
    for column in table.relation.columns:
        reference = table.references.declared.get(column.name)
        unique = (column.name,) in table.keys
        if column.name in table.bound:
            continue
        if reference is not None:
            parent = parents.get(reference.table)
            if _is_cut(table, column.name, reference, by_name):
                why_not = why_not or f"{column.name} has no room for the values of {reference.table}.{reference.column}"
            elif parent is not None and parent.rows is None:
                why_not = why_not or f"{reference.table} cannot be filled, and {column.name} refers to it"
            elif parent is not None and parent.rows is not None and unique:
                counts.append(parent.rows)
            continue
        proposal = propose(_subject(table, column.name, unique=unique, numbered=column.name in numbered))
        if proposal is None:
            kind = f"{'unique ' if unique else ''}values of {column.name} ({table.types[column.name].text})"
            why_not = why_not or (f"no rule makes {kind}" if column.refuses_null else "")
            continue
        proposals[column.name] = proposal
        if proposal.distinct is not None and (unique or column.name in numbered):
            counts.append(proposal.distinct)
    if min(counts) < 1:
        why_not = why_not or "a unique column has no room for a single value"
    rules = {name: proposal.rule for name, proposal in proposals.items()}
    return Filling(None if why_not else min(counts), why_not, rules)


def _is_cut(table: Drawn, column: str, reference: Reference, by_name: Mapping[str, Drawn]) -> bool:
    """Whether a text has no room for what it refers to."""
    own, other = table.types[column].type, by_name[reference.table].types[reference.column].type
    return own.length is not None and (other.length is None or own.length < other.length)


def _unreachable(table: Drawn) -> str:
    """Why no row could be put there, or would break a foreign key; empty if nothing is known against it."""
    if not table.relation.stores:
        return "it is no table of this database"
    never_null = {column.name for column in table.relation.columns if column.refuses_null}
    bound = next((name for name in sorted(table.bound) if name in never_null), None)
    return "" if bound is None else f"{bound} is NOT NULL, and nothing can be said of its foreign key"


def _subject(table: Drawn, name: str, *, unique: bool, numbered: bool) -> Subject:
    relation, type_ = table.relation, table.types[name]
    never_null = [column.name for column in relation.columns if column.refuses_null]
    return Subject(
        table=relation.name,
        name=name,
        type=type_.type,
        labels=type_.labels,
        allowed=allowed(relation.constraints, name),
        unique=unique,
        numbered=numbered,
        moments=tuple(each for each in never_null if table.types[each].type.kind in _MOMENTS),
    )


def _numbered(table: Drawn) -> tuple[set[str], str]:
    """One column of each key of several that nothing else keeps apart, and why that cannot be done."""
    single = {names[0] for names in table.keys if len(names) == 1}
    chosen: set[str] = set()
    for names in table.keys:
        if len(names) == 1 or any(name in single or name in chosen for name in names):
            continue
        free = [name for name in names if name not in table.references.declared]
        found = next((name for name in reversed(free) if _can_be_numbered(table, name)), None)
        if found is None:
            return chosen, f"no rule keeps the key ({', '.join(names)}) from repeating"
        chosen.add(found)
    return chosen, ""


def _can_be_numbered(table: Drawn, name: str) -> bool:
    proposal = propose(_subject(table, name, unique=False, numbered=True))
    return proposal is not None and proposal.rule in ("sequence", "uuid") and (proposal.distinct or ROWS) > 0

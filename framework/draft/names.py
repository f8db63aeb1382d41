"""Names of what is drafted: tables of the copy, the pipeline."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from framework.databases.mysql.names import folded, is_holdable_table, safe_names
from framework.draft.survey import Relation

_LONGEST = 40
"""Characters of the longest name of a pipeline."""


def targets(relations: Iterable[Relation]) -> dict[int, str]:
    """The name of each relation's copy, by the relation's number.

    It is the relation's own name. Where several have it, or differ in their case only, the schema goes before it; a
    name that MySQL cannot hold becomes one that it can.
    """
    relations = tuple(relations)
    counts = Counter(folded(relation.name) for relation in relations)
    wanted = {
        relation.id: relation.name if counts[folded(relation.name)] == 1 else f"{relation.schema}_{relation.name}"
        for relation in relations
    }
    # Those that keep their own names come first, so that a made one gives way.
    found = {one.id: one.name for one in relations if wanted[one.id] == one.name and is_holdable_table(one.name)}
    for relation in relations:
        if relation.id not in found:
            name = wanted[relation.id]
            found[relation.id] = safe_names([name], found.values(), is_holdable_table)[name]
    return found


def why(relation: Relation, target: str) -> str:
    """Why a copy has not its table's name."""
    if not is_holdable_table(relation.name):
        return f"MySQL cannot hold the name {relation.name!r}"
    if target == f"{relation.schema}_{relation.name}":
        return f"another table has the name {relation.name!r}, as MySQL sees names"
    return f"another copy is called {relation.name!r}, as MySQL sees names"


def pipeline(name: str) -> str:
    """A pipeline's name made of a database's or a file's: lower-case letters, digits and ``_``."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    if not plain:
        return "pipeline"
    return (plain if plain[0].isalpha() else f"p_{plain}")[:_LONGEST].rstrip("_")

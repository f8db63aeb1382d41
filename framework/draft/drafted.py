"""A relation with all that a draft says of it, and what the checker has against that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from framework.databases.mysql.names import safe_names
from framework.draft import names
from framework.draft.cursors import Cursor, cursor
from framework.draft.filling import Drawn, Filling, fillings
from framework.draft.keys import Keys, keys
from framework.draft.references import References, references
from framework.draft.scan import Seen
from framework.draft.survey import Relation, Survey
from framework.draft.types import Declared, declared

NO_REFERENCES = References({}, ())


@dataclass
class Verdict:
    """What the checker refuses of a draft.

    Attributes:
        refused: copies that cannot be made, with the reason.
        undeclared: relations whose declaration is refused.
        dropped: columns whose reference is refused.
        doubts: warnings, by section, table and the place in it: the id of the rule, and why it is switched off.
    """

    refused: dict[str, str] = field(default_factory=dict)
    undeclared: dict[int, str] = field(default_factory=dict)
    dropped: dict[tuple[int, str], str] = field(default_factory=dict)
    doubts: dict[tuple[str, str, str], dict[str, str]] = field(default_factory=dict)

    def switch(self, section: str, table: str, place: str) -> str:
        """The comment that switches the doubts of a place off; empty if there are none."""
        found = self.doubts.get((section, table, place))
        if not found:
            return ""
        return f"  # vitrina: ignore[{', '.join(found)}] {'; '.join(dict.fromkeys(found.values()))}"


@dataclass(frozen=True)
class Drafted:
    """A relation of the draft.

    Attributes:
        target: the name of its copy.
        left_out: why it is not copied; empty if it is.
        seen: what its data are like; None if nobody looked.
        renamed: the columns of the copy that have not the source's name, by the source's.
        undeclared: why it is no entity; empty if it is one.
        filling: how it could be filled; None if it is no entity.
    """

    relation: Relation
    target: str
    left_out: str
    types: Mapping[str, Declared]
    seen: Seen | None
    keys: Keys
    renamed: Mapping[str, str]
    cursor: Cursor | None
    undeclared: str
    references: References = NO_REFERENCES
    filling: Filling | None = None

    def named(self, columns: Sequence[str]) -> list[str]:
        """The columns as the copy calls them."""
        return [self.renamed.get(column, column) for column in columns]


def drafted(survey: Survey, seen: Mapping[int, Seen] | None, verdict: Verdict) -> tuple[Drafted, ...]:
    """All relations of a survey. ``seen`` is None if nobody looked at the data."""
    targets = names.targets(survey.relations)
    types = {
        one.id: {column.name: declared(column, survey.types) for column in one.columns} for one in survey.relations
    }
    entities = _declared(survey.relations, verdict)
    refers = references(
        [one for one in survey.relations if one.id in entities and not entities[one.id]], verdict.dropped
    )
    fills = fillings([Drawn(one, types[one.id], refers[one.id]) for one in survey.relations if one.id in refers])
    found = []
    for one in survey.relations:
        looked = seen.get(one.id) if seen is not None else None
        chosen = keys(one, types[one.id], looked)
        safe = safe_names([column.name for column in one.columns])
        found.append(
            Drafted(
                relation=one,
                target=targets[one.id],
                left_out=_why_left_out(one) or verdict.refused.get(targets[one.id], ""),
                types=types[one.id],
                seen=looked,
                keys=chosen,
                renamed={name: new for name, new in safe.items() if new != name},
                cursor=cursor(one, types[one.id], chosen.key),
                undeclared=entities.get(one.id, "it is not copied"),
                references=refers.get(one.id, NO_REFERENCES),
                filling=fills.get(one.id),
            )
        )
    return tuple(found)


def _why_left_out(relation: Relation) -> str:
    if not relation.readable:
        return "the role may not read it: GRANT USAGE on its schema and SELECT on it"
    if relation.filtered:
        return "a policy hides rows from the role: ALTER ROLE ... BYPASSRLS, or copy a view"
    if not relation.populated:
        return "it holds nothing yet: REFRESH MATERIALIZED VIEW"
    return "" if relation.columns else "it has no columns"


def _declared(relations: Sequence[Relation], verdict: Verdict) -> dict[int, str]:
    """Why relations that could be entities are none; empty for those that are."""
    taken: dict[str, Relation] = {}
    found: dict[int, str] = {}
    for relation in relations:
        if _why_left_out(relation):
            continue
        found[relation.id] = verdict.undeclared.get(relation.id, "")
        first = taken.get(relation.name)
        if first is not None:
            found[relation.id] = f"{first.shown} is declared under this name"
        elif not found[relation.id]:
            taken[relation.name] = relation
    return found

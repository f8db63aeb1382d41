"""What identifies the rows of a copy, and which indexes of the source it can have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from framework.databases.mysql import columns as mysql
from framework.databases.postgres import ranges
from framework.draft.scan import Seen
from framework.draft.survey import IndexSeen, Relation
from framework.draft.types import Declared
from framework.tables import Column, Index, Table
from framework.types import LENGTHY_KINDS, TEXT_KINDS, Kind, LogicalType

_ROOM = re.compile(r"VAR(?:CHAR|BINARY)\((\d+)\)")
Names = tuple[str, ...]


@dataclass
class Keys:
    """Keys and indexes of a copy, by the source's columns.

    Attributes:
        key: what identifies a row; empty if nothing does.
        stated: whether the key must be written, since it is not the primary key.
        notes: what is not as in the source, and why.
    """

    key: Names = ()
    stated: bool = False
    unique: list[Names] = field(default_factory=list)
    indexes: list[Names] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def keys(relation: Relation, types: Mapping[str, Declared], seen: Seen | None) -> Keys:
    """The keys and indexes of a relation's copy. ``seen`` is None if nobody looked at the data."""
    return _Choosing(relation, types, seen).made()


class _Choosing:
    def __init__(self, relation: Relation, types: Mapping[str, Declared], seen: Seen | None) -> None:
        self._relation = relation
        self._seen = seen
        self._types = {name: _copied(type_, name, seen) for name, type_ in types.items()}
        self._unique = [index for index in relation.indexes if index.unique and not index.primary and index.plain]
        self._made = Keys()

    def made(self) -> Keys:
        self._choose_key()
        for names in dict.fromkeys(index.plain for index in self._unique):
            self._add_unique(names)
        for index in self._relation.indexes:
            if not index.plain:
                self._made.notes.append(_not_carried(index))
            elif not index.unique:
                self._add_index(index.plain)
        return self._made

    def _choose_key(self) -> None:
        primary = self._relation.primary_key
        problem = self._problem(primary) if primary else "it has no primary key"
        if not problem:
            self._made.key = primary
            return
        candidates = [index.plain for index in self._unique if not any(map(self._may_be_null, index.plain))]
        fitting = [names for names in candidates if not self._problem(names)]
        if fitting:
            self._made.key, self._made.stated = min(fitting, key=self._awkwardness), True
            if primary:
                self._made.notes.append(f"its primary key ({_listed(primary)}) is no key of the copy: {problem}")
                self._made.indexes.append(primary)
        elif primary:
            self._made.key = primary
            self._made.notes.append(
                f"{problem}: a longer one in the key stops the load. Shorten the values, or give the table a unique "
                "index over other columns that are NOT NULL, and name these with `key:`"
            )
        elif candidates:
            problem = self._problem(candidates[0])
            self._made.notes.append(f"no key: it has no primary key, and of its unique indexes {problem}")

    def _add_unique(self, names: Names) -> None:
        made = self._made
        if names == made.key or not self._has_room(names):
            return
        problem = self._problem(made.key, *made.unique, names)
        if not problem:
            made.unique.append(names)
        elif names not in made.indexes:
            made.indexes.append(names)
            made.notes.append(f"({_listed(names)}) is unique in PostgreSQL and a plain index here: {problem}")

    def _add_index(self, names: Names) -> None:
        made = self._made
        if names not in (made.key, *made.unique, *made.indexes) and self._has_room(names):
            made.indexes.append(names)

    def _has_room(self, names: Names) -> bool:
        made = self._made
        if len(names) > mysql.KEY_COLUMNS:
            made.notes.append(
                f"no index over ({_listed(names)}): MySQL takes {mysql.KEY_COLUMNS} columns, these are {len(names)}"
            )
            return False
        # The server counts the primary key, too.
        if bool(made.key) + len(made.unique) + len(made.indexes) >= mysql.INDEXES:
            made.notes.append(f"no index over ({_listed(names)}): MySQL takes {mysql.INDEXES} keys a table")
            return False
        return True

    def _problem(self, *keys: Names) -> str:
        """Why these cannot all be keys that hold whole values; empty if they can."""
        key, *unique = keys
        table = Table(
            "copy",
            tuple(Column(name, type_) for name, type_ in self._types.items()),
            key,
            tuple(Index(names, unique=True) for names in unique),
        )
        native = mysql.native_types(table)
        for names in keys:
            for name in names:
                if self._types[name].kind not in LENGTHY_KINDS:
                    continue
                room, longest = _room(native[name]), self._longest(name)
                if room is not None and longest is None:
                    return (
                        f"nobody looked how long the values of {name} are, and MySQL has room for {room:,} characters"
                    )
                if room is not None and longest is not None and longest > room:
                    return f"the longest value of {name} has {longest:,} characters, and MySQL has room for {room:,}"
        return ""

    def _longest(self, name: str) -> int | None:
        """Characters of a column's longest value, as far as that is known."""
        declared = self._types[name].length
        found = None if self._seen is None or self._seen.problem else self._seen.longest.get(name)
        known = [length for length in (declared, found) if length is not None]
        return min(known) if known else None

    def _may_be_null(self, name: str) -> bool:
        return not self._relation.column(name).not_null

    def _awkwardness(self, names: Names) -> tuple[bool, int]:
        return any(self._types[name].kind in (*TEXT_KINDS, Kind.TEXTUAL) for name in names), len(names)


def _copied(type_: Declared, name: str, seen: Seen | None) -> LogicalType:
    """The type that a column has on its way."""
    if type_.type.kind is Kind.UNKNOWN or (seen is not None and name in seen.outside):
        return ranges.as_text("", type_.type)[1]
    return type_.type


def _room(native: str) -> int | None:
    found = _ROOM.match(native)
    return int(found[1]) if found else None


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)


def _not_carried(index: IndexSeen) -> str:
    shown = index.definition.partition(" USING ")[2] or index.definition
    return f"a copy has indexes over columns only, and not {index.name} {shown}"


def whole_keys(relation: Relation) -> Iterator[str]:
    """The columns of keys that hold whole values: their length is worth knowing."""
    for index in relation.indexes:
        if index.unique:
            yield from index.plain

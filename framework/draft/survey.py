"""What the source's catalog says of the tables that are drafted, with all that a copy does not take along."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from framework.databases.postgres.source import PostgresSession
from framework.draft import queries

ORDINARY, PARTITIONED, FOREIGN, VIEW, MATERIALIZED = "r", "p", "f", "v", "m"
KINDS = {
    ORDINARY: "table",
    PARTITIONED: "partitioned table",
    FOREIGN: "foreign table",
    VIEW: "view",
    MATERIALIZED: "materialized view",
}


@dataclass(frozen=True)
class Attribute:
    """A column.

    Attributes:
        type_id: the number of its type, a key of `Survey.types`.
        shown: its type as PostgreSQL writes it.
        not_null: it says so itself.
        refuses_null: it, or a domain that its type is of, does; a domain does not keep every NULL out.
        default: PostgreSQL's expression; of a generated column the one it is computed by.
        identity: ``a`` (always) or ``d`` (by default); else empty.
        generated: ``s`` (stored) or ``v`` (virtual); else empty.
    """

    name: str
    type_id: int
    shown: str
    not_null: bool
    refuses_null: bool
    default: str | None = None
    identity: str = ""
    generated: str = ""
    comment: str = ""


@dataclass(frozen=True)
class TypeSeen:
    """A type as the catalog has it.

    Attributes:
        name: as PostgreSQL writes it, with a schema where it must; ``bare_name`` is its name alone.
        kind: ``b`` base, ``c`` composite, ``d`` domain, ``e`` enum, ``r`` range, ``m`` multirange.
        not_null: it is a domain that refuses NULL.
        base: the number of a domain's base type, and ``base_shown`` the base type with its arguments.
        element: the number of an array's elements' type; else 0.
        extension: the extension that brought it.
        labels: of an enum, in its order.
    """

    name: str
    bare_name: str
    kind: str
    not_null: bool
    base: int
    base_shown: str | None
    element: int
    extension: str | None
    labels: tuple[str, ...]


@dataclass(frozen=True)
class IndexSeen:
    """An index; of one over an expression some ``columns`` are None."""

    name: str
    primary: bool
    unique: bool
    method: str
    partial: bool
    exclusion: bool
    columns: tuple[str | None, ...]
    definition: str

    @property
    def plain(self) -> tuple[str, ...]:
        """Its columns, if it is one that any database could have; else nothing."""
        names = tuple(name for name in self.columns if name is not None)
        usual = self.method in ("btree", "hash") and not self.partial and not self.exclusion
        return names if usual and len(names) == len(self.columns) else ()


@dataclass(frozen=True)
class ConstraintSeen:
    """A foreign key (``f``), a check (``c``) or an exclusion (``x``)."""

    name: str
    kind: str
    definition: str
    on_delete: str
    columns: tuple[str, ...]
    referred_schema: str | None
    referred_table: str | None
    referred_columns: tuple[str, ...]


@dataclass(frozen=True)
class TriggerSeen:
    """A trigger. ``before_update``: it can set a column of a row that is updated; ``text``: what it does."""

    name: str
    definition: str
    before_update: bool
    text: str


@dataclass(frozen=True)
class Relation:
    """A table, or what can be read like one.

    Attributes:
        kind: one of `KINDS`.
        readable: whether the role may SELECT.
        filtered: whether policies of row security hide rows from the role.
        has_children: whether tables inherit from it that are no partitions.
        parents: tables it inherits from.
        partition_key: how a partitioned table is split.
        populated: False for a materialized view that was never refreshed.
    """

    id: int
    schema: str
    name: str
    kind: str
    is_partition: bool
    readable: bool
    filtered: bool
    has_children: bool
    parents: tuple[str, ...]
    partition_key: str | None
    populated: bool
    comment: str
    columns: tuple[Attribute, ...] = ()
    indexes: tuple[IndexSeen, ...] = ()
    constraints: tuple[ConstraintSeen, ...] = ()
    triggers: tuple[TriggerSeen, ...] = ()

    @property
    def copied(self) -> bool:
        """Whether its rows can be read, all of them."""
        return self.readable and not self.filtered and self.populated and bool(self.columns)

    @property
    def shown(self) -> str:
        """Its name with its schema, for readers."""
        return f"{self.schema}.{self.name}"

    @property
    def stores(self) -> bool:
        """Whether it is a table of this database."""
        return self.kind in (ORDINARY, PARTITIONED)

    @property
    def primary_key(self) -> tuple[str, ...]:
        """The columns of its primary key."""
        return next((index.plain for index in self.indexes if index.primary), ())

    def column(self, name: str) -> Attribute:
        """The column called ``name``."""
        return next(column for column in self.columns if column.name == name)


@dataclass(frozen=True)
class Survey:
    """A database: its name, and the relations that were looked at in detail."""

    database: str
    version: str
    comment: str
    relations: tuple[Relation, ...] = ()
    types: dict[int, TypeSeen] = field(default_factory=dict)


def relations(session: PostgresSession) -> tuple[Relation, ...]:
    """All that can be read like a table, without its columns."""
    return tuple(_relation(row) for row in session.query(queries.RELATIONS))


def _relation(row: tuple[Any, ...]) -> Relation:
    oid, schema, name, kind, partition, readable, filtered, children, parents, key, populated, comment = row
    return Relation(
        *(oid, schema, name, kind, partition, readable, filtered, children),
        parents=tuple(parents),
        partition_key=key,
        populated=populated,
        comment=comment or "",
    )


def survey(session: PostgresSession, chosen: Sequence[Relation]) -> Survey:
    """The chosen relations with all that the catalog says of them."""
    database, version, comment = session.query(queries.DATABASE)[0]
    ids = [relation.id for relation in chosen]
    columns = _by_table(session.query(queries.COLUMNS, (ids,)))
    indexes = _by_table(session.query(queries.INDEXES, (ids,)))
    constraints = _by_table(session.query(queries.CONSTRAINTS, (ids,)))
    triggers = _by_table(session.query(queries.TRIGGERS, (ids,)))
    types = {row[0]: _type(row[1:]) for row in session.query(queries.TYPES, (ids,))}
    detailed = tuple(
        replace(
            relation,
            columns=tuple(_attribute(row, types) for row in columns[relation.id]),
            indexes=tuple(_index(row) for row in indexes[relation.id]),
            constraints=tuple(_constraint(row) for row in constraints[relation.id]),
            triggers=tuple(TriggerSeen(*row) for row in triggers[relation.id]),
        )
        for relation in chosen
    )
    return Survey(database, str(version).split(" ")[0], comment or "", detailed, types)


def _type(row: tuple[Any, ...]) -> TypeSeen:
    name, bare_name, kind, not_null, base, base_shown, element, extension, labels = row
    return TypeSeen(name, bare_name, kind, not_null, base, base_shown, element, extension, tuple(labels))


def _index(row: tuple[Any, ...]) -> IndexSeen:
    name, primary, unique, method, partial, exclusion, columns, definition = row
    return IndexSeen(name, primary, unique, method, partial, exclusion, tuple(columns), definition)


def _attribute(row: tuple[Any, ...], types: dict[int, TypeSeen]) -> Attribute:
    name, type_id, shown, not_null, default, identity, generated, comment = row
    number, refuses_null = type_id, not_null
    while types[number].kind == "d":
        refuses_null = refuses_null or types[number].not_null
        number = types[number].base
    return Attribute(name, type_id, shown, not_null, refuses_null, default, identity, generated, comment or "")


def _constraint(row: tuple[Any, ...]) -> ConstraintSeen:
    name, kind, definition, on_delete, columns, schema, table, referred = row
    return ConstraintSeen(name, kind, definition, on_delete, tuple(columns), schema, table, tuple(referred))


def _by_table(rows: Iterable[tuple[Any, ...]]) -> dict[int, list[tuple[Any, ...]]]:
    """Rows without their first value, by that value."""
    found: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:
        found[row[0]].append(row[1:])
    return found

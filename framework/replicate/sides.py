"""A source table and its copy as the two sides of a comparison (see `framework.compare`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Mapping as Names

from framework.compare.cuts import ByInteger, ByUuid, Cut
from framework.compare.side import Piece, Side, by_digest
from framework.databases.base import Row, Session
from framework.databases.canonical import Canonical
from framework.databases.postgres.canonical import PostgresCanonical
from framework.databases.postgres.source import PostgresSession
from framework.replicate.mapping import DELETED_AT, Mapping, Selected
from framework.types import INTEGER_KINDS, Kind


def integer_key(mapping: Mapping) -> Selected | None:
    """The key's one column, if its values are slots: integers, by which the source finds rows."""
    column = _leading(mapping)
    return column if column is not None and len(mapping.key) == 1 and column.type.kind in INTEGER_KINDS else None


def source_side(session: PostgresSession, mapping: Mapping, canonical: Canonical, changed: str) -> Side:
    """The source's rows, in the session's snapshot and in the forms of the copy's ``canonical``."""
    return _source(session.query, mapping, canonical, changed)


def of_slots(mapping: Mapping, canonical: Canonical, slots: Sequence[int]) -> str:
    """The source's condition that a row has one of some slots."""
    return _source(_nothing, mapping, canonical, "FALSE").is_one_of(slots)


def copy_side(
    session: Session, mapping: Mapping, canonical: Canonical, quote: Callable[[str], str], table: str = ""
) -> Side:
    """The rows of the copy, or of a table like it; those that are marked as gone from the source do not count."""
    pieces = tuple(
        Piece(c.name, quote(c.name), c.type, c.masked, filled=not c.nullable or c.name in mapping.key)
        for c in mapping.columns
    )
    key, name = integer_key(mapping), quote(table or mapping.task.table)
    return Side(
        canonical=canonical,
        relation=canonical.keyed(name) if key is not None else name,
        condition=f"{quote(DELETED_AT)} IS NULL" if mapping.marks_deletes else "",
        columns=pieces,
        key=mapping.key,
        cut=ByInteger(quote(key.name)) if key is not None else by_digest(canonical, _identifying(pieces, mapping.key)),
        changed="NULL",
        ask=session.query,
    )


def source_keys(session: PostgresSession, mapping: Mapping, canonical: Canonical) -> Side:
    """The source's keys, in the session's snapshot."""
    postgres = PostgresCanonical(canonical.form)
    pieces = _keys(mapping, {c.name: c.expression for c in mapping.columns})
    return Side(
        canonical=postgres,
        relation=mapping.origin,
        condition=mapping.wanted,
        columns=pieces,
        key=mapping.key,
        cut=_key_cut(mapping, postgres, pieces),
        changed="NULL",
        ask=session.query,
    )


def target_keys(
    session: Session, mapping: Mapping, canonical: Canonical, names: Names[str, str], relation: str, condition: str = ""
) -> Side:
    """The keys of a table of the target.

    Args:
        session: of the target.
        mapping: of the table.
        canonical: the target's.
        names: by key column, its quoted name in the table.
        relation: what FROM names.
        condition: of the rows that count.
    """
    pieces = _keys(mapping, names)
    return Side(
        canonical=canonical,
        relation=relation,
        condition=condition,
        columns=pieces,
        key=mapping.key,
        cut=_key_cut(mapping, canonical, pieces),
        changed="NULL",
        ask=session.query,
    )


def _source(ask: Callable[[str], list[Row]], mapping: Mapping, canonical: Canonical, changed: str) -> Side:
    postgres = PostgresCanonical(canonical.form)
    pieces = tuple(Piece(c.name, c.expression, c.type, c.masked) for c in mapping.columns)
    key = integer_key(mapping)
    return Side(
        canonical=postgres,
        relation=mapping.origin,
        condition=mapping.wanted,
        columns=pieces,
        key=mapping.key,
        cut=ByInteger(key.expression) if key is not None else by_digest(postgres, _identifying(pieces, mapping.key)),
        changed=changed,
        ask=ask,
    )


def _identifying(pieces: Sequence[Piece], key: Sequence[str]) -> tuple[Piece, ...]:
    return tuple(piece for piece in pieces if piece.name in key) or tuple(pieces)


def _keys(mapping: Mapping, expressions: Names[str, str]) -> tuple[Piece, ...]:
    by_name = {column.name: column for column in mapping.columns}
    return tuple(Piece(name, expressions[name], by_name[name].type, by_name[name].masked) for name in mapping.key)


def _key_cut(mapping: Mapping, canonical: Canonical, pieces: Sequence[Piece]) -> Cut:
    """By the first column of the key where an index has it, and its values can be counted with."""
    column = _leading(mapping)
    if column is None:
        return by_digest(canonical, pieces)
    first = pieces[0].expression
    if column.type.kind in INTEGER_KINDS:
        return ByInteger(first)
    return ByUuid(first, canonical.leading(first)) if column.type.kind is Kind.UUID else by_digest(canonical, pieces)


def _leading(mapping: Mapping) -> Selected | None:
    """The key's first column, if an index of the source begins with it, as it is."""
    if not mapping.key:
        return None
    column = next(column for column in mapping.columns if column.name == mapping.key[0])
    source = mapping.source
    indexed = {source.primary_key[:1], *(index.columns[:1] for index in source.indexes)}
    return column if not column.masked and not column.nullable and (column.origin,) in indexed else None


def _nothing(_: str) -> list[Row]:
    return []

"""Rules about the names of tables and columns."""

from __future__ import annotations

from collections.abc import Iterator

from framework.spec.models import Spec
from framework.validation.rules.base import Finding, Loc, Rule, rule
from framework.validation.rules.lookup import DELETED_AT, target_columns

RESERVED = "_vitrina_"
"""Names that begin with this belong to Vitrina."""
SOURCE_LENGTH = 63
"""Bytes of PostgreSQL's longest name; it cuts longer ones without an error."""
TARGET_LENGTH = 64
"""Characters of MySQL's longest name."""


@rule("reserved-name")
def reserved_name(spec: Spec) -> Iterator[Finding]:
    """Some names belong to Vitrina."""
    for loc, name in _tables(spec):
        if name.startswith(RESERVED):
            yield Finding(
                loc, f"names that begin with {RESERVED!r} belong to Vitrina", "choose another name", on_key=True
            )
    for table in spec.replicate:
        names = target_columns(spec, table) or ()
        if names.count(DELETED_AT) > 1:
            loc = ("replicate", table)
            message = f"{table!r} has a column {DELETED_AT!r}, which `deletes: mark` needs for itself"
            yield Finding(loc, message, "rename it with `columns:`", on_key=True)


@rule("name-too-long")
def name_too_long(spec: Spec) -> Iterator[Finding]:
    """A name must fit into the database it is meant for."""
    for table, entity in spec.entities.items():
        for loc, name in (
            (("entities", table), table),
            *((("entities", table, "columns", c), c) for c in entity.columns),
        ):
            if len(name.encode()) > SOURCE_LENGTH:
                yield _too_long(loc, name, f"{SOURCE_LENGTH} bytes of PostgreSQL")
    for section, tables in (("replicate", spec.replicate), ("marts", spec.marts)):
        for table in tables:
            if len(table) > TARGET_LENGTH:
                yield _too_long((section, table), table, f"{TARGET_LENGTH} characters of MySQL")
    for table, settings in spec.replicate.items():
        for name in settings.columns:
            if len(name) > TARGET_LENGTH:
                yield _too_long(("replicate", table, "columns", name), name, f"{TARGET_LENGTH} characters of MySQL")


def _too_long(loc: Loc, name: str, limit: str) -> Finding:
    return Finding(loc, f"{name[:20] + '…'!r} is longer than the {limit}", "shorten it", on_key=True)


@rule("same-name")
def same_name(spec: Spec) -> Iterator[Finding]:
    """Replicated tables and marts live in one database."""
    for name in spec.marts:
        if name in spec.replicate:
            message = f"{name!r} is a replicated table already, and both are made in the target"
            yield Finding(("marts", name), message, "give the mart another name", on_key=True)


def _tables(spec: Spec) -> Iterator[tuple[Loc, str]]:
    for section, tables in (("entities", spec.entities), ("replicate", spec.replicate), ("marts", spec.marts)):
        for table in tables:
            yield (section, table), table


RULES: tuple[Rule, ...] = (reserved_name, name_too_long, same_name)

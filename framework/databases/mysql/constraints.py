"""Foreign keys of MySQL and MariaDB: which are there, which can be, and how they are declared and dropped.

They are declared without a look at the rows, which changes nothing but the catalog; with one, MySQL would copy all of
the table. RENAME takes foreign keys along to the table's new name, so a table that is exchanged must be free of them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from framework.databases.base import Constraint
from framework.databases.mysql.dialect import MySQLDialect
from framework.errors import ConstraintNotOurs, ForeignKeyImpossible, StatementFailed

if TYPE_CHECKING:
    from framework.databases.mysql.session import MySQLSession

# MariaDB compares names of referred tables without case, so what is found is looked at again.
FOUND = """
SELECT k.CONSTRAINT_NAME, k.TABLE_NAME, k.REFERENCED_TABLE_NAME, r.DELETE_RULE, r.UPDATE_RULE,
       k.COLUMN_NAME, k.REFERENCED_COLUMN_NAME, @@lower_case_table_names
FROM information_schema.KEY_COLUMN_USAGE AS k
JOIN information_schema.REFERENTIAL_CONSTRAINTS AS r
  ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.TABLE_NAME = k.TABLE_NAME AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME
WHERE k.CONSTRAINT_SCHEMA = DATABASE() AND k.TABLE_SCHEMA = DATABASE() AND r.CONSTRAINT_SCHEMA = DATABASE()
  AND k.REFERENCED_TABLE_SCHEMA = DATABASE() AND (k.TABLE_NAME = %s OR k.REFERENCED_TABLE_NAME = %s)
ORDER BY k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION
"""

COLUMNS = """
SELECT COLUMN_NAME, COLUMN_TYPE, COLLATION_NAME, IS_NULLABLE FROM information_schema.COLUMNS
WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s
"""

UNIQUE = """
SELECT INDEX_NAME, COLUMN_NAME FROM information_schema.STATISTICS
WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s AND NON_UNIQUE = 0
ORDER BY INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX
"""

MISSING = 1091
"""The server's number for a constraint that cannot be dropped, since there is none."""

PATIENCE = 300.0
"""Seconds within which those who use a table must let it be altered."""

_ASKED, _PAUSE, _USUAL = 3, 1.0, 30
"""Seconds of one wait for a table, between two, and of waits elsewhere (`session.SETTINGS`)."""

_quote = MySQLDialect().quote


def of(session: MySQLSession, table: str) -> tuple[Constraint, ...]:
    """The foreign keys of a table, and those that lead to it."""
    return tuple(_found(session, table))


def _found(session: MySQLSession, table: str) -> Iterator[Constraint]:
    rows = session.query(FOUND, (table, table))
    for (name, owning, led_to, delete, update), parts in groupby(rows, itemgetter(0, 1, 2, 3, 4)):
        listed = [tuple(map(str, part)) for part in parts]
        folds = listed[0][-1] != "0"
        # Where the server folds names it gives back others than it was asked for.
        own, referred = (table if folds and one.lower() == table.lower() else str(one) for one in (owning, led_to))
        if table in (own, referred):
            columns, referred_columns = (tuple(part[place] for part in listed) for place in (5, 6))
            yield Constraint(
                own, columns, referred, referred_columns, _action(str(delete)), _action(str(update)), str(name)
            )


def _action(name: str) -> str:
    """What an action does: to MySQL, RESTRICT and NO ACTION are one, and InnoDB has no SET DEFAULT."""
    known = name.lower()
    return known if known in ("cascade", "set null") else "no action"


def fitted(session: MySQLSession, constraint: Constraint) -> Constraint:
    """The foreign key as MySQL can have it: its columns in the order of the index that they refer to.

    Raises:
        ForeignKeyImpossible: the columns referred to are no unique index, or types differ.
    """
    own, referred = _columns(session, constraint.table), _columns(session, constraint.referred_table)
    for table, names, known in (
        (constraint.table, constraint.columns, own),
        (constraint.referred_table, constraint.referred_columns, referred),
    ):
        if missing := [name for name in names if name not in known]:
            fix = f"refill it with `vitrina replicate SPEC --full-refresh --table {table}`"
            raise ForeignKeyImpossible(f"the copy {table} has no column {missing[0]} yet", fix)
    pairs = dict(zip(constraint.referred_columns, constraint.columns, strict=True))
    order = _unique_index(session, constraint)
    for name in order:
        _require_alike(constraint, own[pairs[name]], referred[name], pairs[name], name)
    columns = tuple(pairs[name] for name in order)
    actions = tuple(
        "no action" if action == "set null" and any(own[name][2] == "NO" for name in columns) else action
        for action in map(_action, (constraint.on_delete, constraint.on_update))
    )
    arranged = Constraint(constraint.table, columns, constraint.referred_table, order, actions[0], actions[1])
    return arranged.named()


def _columns(session: MySQLSession, table: str) -> dict[str, tuple[str, str | None, str]]:
    """By column, its type, its collation, and whether it may be NULL."""
    return {str(row[0]): (str(row[1]).lower(), row[2], str(row[3])) for row in session.query(COLUMNS, (table,))}


def _unique_index(session: MySQLSession, constraint: Constraint) -> tuple[str, ...]:
    """The columns of the unique index that a foreign key leads to, in their order there."""
    found = session.query(UNIQUE, (constraint.referred_table,))
    for _, parts in groupby(found, itemgetter(0)):
        columns = tuple(str(part[1]) for part in parts)
        if set(columns) == set(constraint.referred_columns):
            return columns
    names = ", ".join(constraint.referred_columns)
    raise ForeignKeyImpossible(
        f"{names} of {constraint.referred_table} is neither its copy's primary key nor a unique index of it",
        f"add `unique: [[{names}]]` to {constraint.referred_table!r}",
    )


def _require_alike(
    constraint: Constraint,
    own: tuple[str, str | None, str],
    referred: tuple[str, str | None, str],
    name: str,
    referred_name: str,
) -> None:
    if own[0].endswith(("text", "blob")):
        raise ForeignKeyImpossible(
            f"{constraint.table}.{name} is a {own[0].upper()}, and a foreign key needs whole values",
            f"refill it with `vitrina replicate SPEC --full-refresh --table {constraint.table}`",
        )
    types = [type_.partition("(")[0] if type_.startswith("var") else type_ for type_ in (own[0], referred[0])]
    if types[0] != types[1] or own[1] != referred[1]:
        raise ForeignKeyImpossible(
            f"{constraint.table}.{name} is {own[0].upper()} and {constraint.referred_table}.{referred_name} "
            f"{referred[0].upper()}, and a foreign key of MySQL needs one type",
            "give both columns one type in the source",
        )


def add(session: MySQLSession, constraint: Constraint) -> None:
    """Declare a foreign key, whatever the rows are."""
    actions = "".join(
        f" ON {event} {action.upper()}"
        for event, action in (("DELETE", constraint.on_delete), ("UPDATE", constraint.on_update))
        if action != "no action"
    )
    with session.unreferenced():
        _alter(
            session,
            f"ALTER TABLE {_quote(constraint.table)} ADD CONSTRAINT {_quote(constraint.name)} "
            f"FOREIGN KEY ({_list(constraint.columns)}) REFERENCES {_quote(constraint.referred_table)} "
            f"({_list(constraint.referred_columns)}){actions}",
        )


def drop(session: MySQLSession, constraints: Iterable[Constraint]) -> None:
    """Drop foreign keys; another run may have done it already."""
    for constraint in constraints:
        try:
            _alter(session, f"ALTER TABLE {_quote(constraint.table)} DROP FOREIGN KEY {_quote(constraint.name)}")
        except StatementFailed as error:
            if error.code != MISSING:
                raise


def release(session: MySQLSession, table: str) -> None:
    """Drop our foreign keys from and to a table that is about to go.

    Raises:
        ConstraintNotOurs: somebody else's leads to it; nothing was dropped.
    """
    found = of(session, table)
    for constraint in found:
        if not constraint.is_ours and constraint.referred_table == table != constraint.table:
            fact = f"leads to {table!r}, which could not be replaced without breaking it"
            raise ConstraintNotOurs(constraint.name, constraint.table, fact)
    drop(session, (constraint for constraint in found if constraint.is_ours))


def drop_ours(session: MySQLSession, table: str) -> None:
    """Drop our foreign keys from and to a table, which would keep columns from being changed."""
    drop(session, (constraint for constraint in of(session, table) if constraint.is_ours))


def _alter(session: MySQLSession, statement: str) -> None:
    """Alter a table. Who comes while that waits for others waits behind it: so it asks often, and never for long."""
    deadline = time.monotonic() + PATIENCE
    with session.setting("lock_wait_timeout", str(_ASKED), str(_USUAL)):
        while True:
            try:
                session.execute(statement)
            except StatementFailed as error:
                if not error.lock or time.monotonic() > deadline:
                    raise
                time.sleep(_PAUSE)
            else:
                return


def _list(names: Iterable[str]) -> str:
    return ", ".join(map(_quote, names))

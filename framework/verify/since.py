"""What may have become of the source's rows since they were copied: a difference counts only if it cannot be that.

A row says by its transaction's number whether it is older than the copy. A row that is gone says nothing; but the
server counts how many were deleted, and if none was since, what the copy has too many was never there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from framework.databases.postgres import position
from framework.databases.postgres.names import qualified
from framework.databases.postgres.position import SETTLED, Position
from framework.databases.postgres.source import PostgresSession, PostgresSource
from framework.replicate import cursor
from framework.replicate.mapping import Mapping
from framework.replicate.state import State

POLL = 1.0
"""Seconds between two looks at the counts."""


@dataclass(frozen=True)
class Since:
    """What is known of the time since the copy was made.

    Attributes:
        changed: the source's condition that a row may have changed.
        deleted: whether rows may have been deleted, or have got other keys; may take some seconds.
    """

    changed: str
    deleted: Callable[[], bool]


def since(source: PostgresSource, reading: PostgresSession, mapping: Mapping, last: State) -> Since:
    """What is known since the state ``last``; ``reading`` is the session whose snapshot is compared with the copy."""
    before = Position.from_text(last.position) if last.position else None
    changed = position.changed(before) if before is not None else None
    if changed is None:
        # The next increment reads what may have changed.
        may_be_read = cursor.since(mapping, last.bound) if mapping.cursor and mapping.task.mode == "incremental" else ""
        changed = f"coalesce({may_be_read}, TRUE)" if may_be_read else "TRUE"
    return Since(changed, lambda: before is None or _may_be_deleted(source, reading, mapping, before))


def _may_be_deleted(source: PostgresSource, reading: PostgresSession, mapping: Mapping, before: Position) -> bool:
    if before.counted is None:
        return True
    table = qualified(mapping.source.schema, mapping.source.name)
    with source.session() as session:
        settled = time.monotonic() + SETTLED
        while position.position(session, table, children=mapping.task.children).counted == before.counted:
            if position.is_settled(session, before, reading) or time.monotonic() > settled:
                return False
            time.sleep(POLL)
    return True

"""What a run decides about the replication of one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from framework.databases.base import Dialect, Session


class ChangeCapture(Protocol):
    """Notes, in the transaction that changes a replicated table, what derived tables must compute anew."""

    def notes(self, table: str) -> bool:
        """Whether it has to know which rows of ``table`` change; else `record` needs no keys, and is called once."""

    def record(self, session: Session, dialect: Dialect, table: str, changed_keys: str, key: Sequence[str]) -> None:
        """Note what rows of ``table`` whose key is in ``changed_keys`` touch; called before and after they change.

        A fill is not recorded: it gives the table a new marker.
        """


@dataclass(frozen=True)
class Options:
    """What a run decides about the replication of one table.

    Attributes:
        run_id: owner of leases and staging tables, written beside all state.
        pipeline: whose tables are written; empty where that does not matter.
        take_over: whether tables of another pipeline become this one's.
        full_refresh: fill the copy anew, whatever the state says.
        resync: a condition of the source's SQL: only the rows for which it holds are read, again, and what is missing.
        mask_key: the key of masked columns.
        streams: parallel streams of a large full load.
        spread: the phases are processes of their own, with time between them, and so are the parts of a load.
        capture: who must know which rows changed.
    """

    run_id: str
    pipeline: str = ""
    take_over: bool = False
    full_refresh: bool = False
    resync: str | None = None
    mask_key: bytes | None = None
    streams: int = 2
    spread: bool = False
    capture: ChangeCapture | None = None

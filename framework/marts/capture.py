"""Which partitions of incremental marts changed rows touch, noted in the transaction that changes the rows.

Every increment of a replicated table calls `Captures.record` before it applies its rows and after: the first call notes
the partitions the rows are in, the second those they come to. Nothing is noted for a refill: it gives the table a new
marker, which the mart's own marker is made from (see `framework.marts.increment`).

Two merges at once do not see each other. A result row joins one row of each table; of the tables whose rows are being
changed, the one nearest to the root sees its whole path to the root, and notes the partition. What is nearer was
committed; what is further off is not on its path. A build must not come between the two commits, so it waits until no
merge is under way (`opened`).

An unbroken chain of captures is a promise that every increment has to keep. If one runs without the mart (it was taken
out of the spec for a while, or was another then), the chain's mark is gone or is a new one, and the mart is built anew.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from framework import bookkeeping
from framework.databases.base import PREFIX, Dialect, Session, Target
from framework.marts.partition import partitioned
from framework.marts.query import fingerprint, is_incremental, parse
from framework.spec.marts import Mart
from framework.tables import Column, Table
from framework.types import varchar

PART_LENGTH = 256
"""Characters of a partition's text that are noted; partitions that begin alike are computed anew together."""


_NAME = varchar(64)

TOUCHED = Table(
    f"{PREFIX}touched",
    (
        Column("mart", _NAME, nullable=False),
        Column("part", varchar(PART_LENGTH), nullable=False),
        Column("batch", varchar(32), nullable=False),
    ),
    primary_key=("mart", "part", "batch"),
)
"""Partitions to compute anew. A batch is what one statement noted: a reader sees all of it or nothing."""

CHAINS = Table(
    f"{PREFIX}chains",
    (
        Column("mart", _NAME, nullable=False),
        Column("table_name", _NAME, nullable=False),
        Column("fingerprint", varchar(64), nullable=False),
        Column("mark", varchar(32), nullable=False),
        Column("run_id", varchar(128)),
    ),
    primary_key=("mart", "table_name"),
)
"""One row a mart and table it reads. Merges and builds lock it, each in their transaction."""


@dataclass(frozen=True)
class Capture:
    """How changed rows of one mention of a table lead to a mart's partitions.

    Attributes:
        fingerprint: of the mart.
        alias: the mention's name in the query.
        partition: the partition of a result row, an expression of MySQL.
        origin: what stands behind FROM, in MySQL.
    """

    mart: str
    fingerprint: str
    alias: str
    partition: str
    origin: str

    def statement(self, dialect: Dialect, changed_keys: str, key: Sequence[str]) -> str:
        """Note the partitions of rows whose key is in the table ``changed_keys``, under a batch of its own."""
        same = " AND ".join(f"k.{_quote(name)} = {_quote(self.alias)}.{_quote(name)}" for name in key)
        query = (
            f"SELECT DISTINCT {exp.Literal.string(self.mart).sql('mysql')} AS mart, {part(self.partition)} AS part, "
            f"'{secrets.token_hex(16)}' AS batch FROM {self.origin} "
            f"WHERE EXISTS (SELECT 1 FROM {_quote(changed_keys)} AS k WHERE {same})"
        )
        return f"INSERT INTO {dialect.quote(TOUCHED.name)} (mart, part, batch) {dialect.translate(query)}"


def captures(marts: Mapping[str, Mart]) -> dict[str, tuple[Capture, ...]]:
    """What has to be noted when rows of a table change, by table; only incremental marts need it."""
    found: dict[str, list[Capture]] = {}
    for name, mart in marts.items():
        if mart.materialize.incremental is not None:
            shape = partitioned(parse(mart.query), mart.materialize.incremental.partition)
            for path in shape.paths:
                capture = Capture(name, fingerprint(mart), path.alias, shape.expression, path.origin)
                found.setdefault(path.table, []).append(capture)
    return {table: tuple(some) for table, some in found.items()}


def part(expression: str) -> str:
    """A partition's value as the text that stands for it; the same in every dialect."""
    text = f"LEFT(CAST({expression} AS CHAR), {PART_LENGTH - 1})"
    return f"CASE WHEN {expression} IS NULL THEN '' ELSE CONCAT('=', {text}) END"


def ensure(session: Session, target: Target) -> None:
    """Create the tables that captures need. Raises BookkeepingNewer."""
    bookkeeping.ensure(session, target, TOUCHED, CHAINS)


def watch(target: Target, marts: Mapping[str, Mart], run_id: str) -> Captures | None:
    """What the replication of any table has to call when it changes rows; None if no mart has ever needed it."""
    incremental = {name: mart for name, mart in marts.items() if is_incremental(mart)}
    with target.session() as session:
        if incremental:
            ensure(session, target)
        elif not bookkeeping.exists(session, target, CHAINS.name):
            return None
    return Captures(captures(incremental), run_id)


@dataclass(frozen=True)
class Captures:
    """Notes touched partitions; implements the change capture of `framework.replicate`.

    Attributes:
        by_table: what has to be noted, by replicated table.
        run_id: for the record.
    """

    by_table: Mapping[str, tuple[Capture, ...]]
    run_id: str

    def notes(self, table: str) -> bool:
        """Whether it has to know which rows of ``table`` change."""
        return bool(self.by_table.get(table))

    def record(self, session: Session, dialect: Dialect, table: str, changed_keys: str, key: Sequence[str]) -> None:
        """Note the partitions that rows of ``table`` are in whose key is in ``changed_keys``.

        Belongs into the transaction that changes them, once before and once after.
        """
        noted = self.by_table.get(table, ())
        self._continue_chains(session, dialect, table, {capture.mart: capture.fingerprint for capture in noted})
        for capture in noted:
            session.execute(capture.statement(dialect, changed_keys, key))

    def _continue_chains(self, session: Session, dialect: Dialect, table: str, marts: Mapping[str, str]) -> None:
        chains = dialect.quote(CHAINS.name)
        # The update comes first: its locks are what a build waits for.
        session.execute(f"UPDATE {chains} SET run_id = %s WHERE table_name = %s", (self.run_id, table))
        known: dict[str, str] = dict(
            session.query(f"SELECT mart, fingerprint FROM {chains} WHERE table_name = %s", (table,))
        )
        for mart in known.keys() - marts.keys():
            session.execute(f"DELETE FROM {chains} WHERE mart = %s AND table_name = %s", (mart, table))
        for mart, own in marts.items():
            if known.get(mart) != own:
                _begin_chain(session, dialect, mart, table, own, exists=mart in known)


def opened(session: Session, dialect: Dialect, mart: str, own: str, tables: Iterable[str]) -> dict[str, str]:
    """The marks of a mart's chains, by table; missing chains begin. Belongs into a transaction.

    Returns when no merge of the mart's tables is under way; until the transaction ends, none can begin to capture.
    """
    chains = dialect.quote(CHAINS.name)
    session.execute(f"UPDATE {chains} SET run_id = run_id WHERE mart = %s", (mart,))
    found = session.query(f"SELECT table_name, fingerprint, mark FROM {chains} WHERE mart = %s", (mart,))
    known = {table: fingerprint for table, fingerprint, _ in found}
    marks = {table: mark for table, _, mark in found}
    return {
        table: marks[table]
        if known.get(table) == own
        else _begin_chain(session, dialect, mart, table, own, exists=table in known)
        for table in tables
    }


def _begin_chain(session: Session, dialect: Dialect, mart: str, table: str, own: str, *, exists: bool) -> str:
    chains, mark = dialect.quote(CHAINS.name), secrets.token_hex(8)
    if exists:
        session.execute(
            f"UPDATE {chains} SET fingerprint = %s, mark = %s WHERE mart = %s AND table_name = %s",
            (own, mark, mart, table),
        )
    else:
        session.execute(
            f"INSERT INTO {chains} (mart, table_name, fingerprint, mark) VALUES (%s, %s, %s, %s)",
            (mart, table, own, mark),
        )
    return mark


def _quote(name: str) -> str:
    return exp.to_identifier(name, quoted=True).sql("mysql")

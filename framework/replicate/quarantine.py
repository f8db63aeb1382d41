"""Rows that the target cannot take, set aside: `_vitrina_rejects` has each with its key and the reason.

A run reads all of them in the snapshot of its data, into a table beside the copy, and writes them down anew in the
transaction of the state. So the entries of a table are those of its copy: what is not in the one is in the other. They
belong to a generation, as the state does: the rename that shows a fresh copy makes its entries the current ones, too.
"""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from fractions import Fraction

from framework import bookkeeping
from framework.databases.base import PREFIX, Session, Target
from framework.databases.postgres.names import literal, quote
from framework.databases.postgres.snapshot import Extracted
from framework.databases.postgres.source import PostgresSession
from framework.errors import ForeignTable, RowsRejected
from framework.replicate import state, unfit
from framework.replicate.job import Job
from framework.replicate.mapping import Mapping, Selected
from framework.tables import Column, Table
from framework.types import LENGTHY_KINDS, Kind, LogicalType, varchar

REJECTS = f"{PREFIX}rejects"
BESIDE = "rejects"
"""The purpose of the table beside a copy that a run reads its rejected rows into."""

CUT = 2000
"""Bytes from which a value is shown cut in a row, and ..."""

KEPT = 500
"""... characters of it that are shown."""

LONGEST = 500_000
"""Bytes of the longest row that is shown."""

SHOWN = 3
"""Rows whose reasons are told."""

PARTS = 10**12
"""Numbers of rows that a part of a load may give."""

_NUMBER, _TEXT = LogicalType(Kind.BIGINT, "bigint"), LogicalType(Kind.TEXT, "text")
_ENTRY = (
    Column("number", _NUMBER, nullable=False),
    Column("row_key", _TEXT),
    Column("reason", _TEXT, nullable=False),
    Column("row_json", _TEXT, nullable=False),
)
_NAMES = tuple(column.name for column in _ENTRY)

TABLE = Table(
    REJECTS,
    (
        Column("table_name", varchar(64), nullable=False),
        Column("generation", varchar(32), nullable=False),
        *_ENTRY,
        Column("run_id", varchar(128), nullable=False),
        Column("read_at", LogicalType(Kind.TIMESTAMP, "timestamp"), nullable=False),
    ),
    primary_key=("table_name", "generation", "number"),
)


def create(job: Job, session: Session, suffix: str = "") -> None:
    """Make the table that rejected rows are read into, if the table sets rows aside."""
    if job.mapping.unfit:
        session.create_table(_beside(job, suffix), marker=job.aux_marker)


def stage(
    job: Job, session: Session, reading: PostgresSession, condition: str = "", part: int = 0, suffix: str = ""
) -> int:
    """Read the rows that cannot go, in the open transaction; how many.

    Args:
        job: the table's.
        session: of the target.
        reading: of the source, in the snapshot that the others are read in.
        condition: of the part's rows; empty for all.
        part: its number.
        suffix: of the table that they are read into.
    """
    if not job.mapping.unfit:
        return 0
    job.prepare_masks(reading)
    query = _query(job.mapping, job.target, condition, part)
    return session.load(_beside(job, suffix), Extracted(reading, query, _NAMES), lambda _: None)


def adopt(job: Job, session: Session, suffix: str) -> None:
    """Take what was read into the table of ``suffix`` for all there is; in a transaction that guards the attempt."""
    if job.mapping.unfit:
        into, names = job.quote(_beside(job).name), job.list(_NAMES)
        session.execute(f"DELETE FROM {into}")
        session.execute(f"INSERT INTO {into} ({names}) SELECT {names} FROM {job.quote(_beside(job, suffix).name)}")


def require(job: Job, session: Session, rejected: int, total: int, suffix: str = "") -> None:
    """See that the rows which were read are not too many.

    Raises:
        RowsRejected: they are.
    """
    limit = job.mapping.task.on_error.limit
    if 100 * rejected > total * Fraction(limit.removesuffix("%")):  # of floats, 29% of 100 rows is less than 29
        raise RowsRejected(job.table, rejected, total, limit, _first(job, session, suffix))


def total(mapping: Mapping, reading: PostgresSession) -> int:
    """How many rows the source has, unfit ones among them."""
    return int(reading.query(f"SELECT count(*) FROM {mapping.origin}{mapping.everything}")[0][0])


def record(job: Job, session: Session, generation: str, *, alone: bool) -> tuple[str, ...]:
    """Write down the rows that were read, in the transaction of the state; what is to be told of them.

    Args:
        job: the table's.
        session: of the target.
        generation: of the copy.
        alone: there is no other copy; else the visible one keeps its entries until it is replaced.
    """
    if not alone and not job.mapping.unfit:
        return ()
    name, own = job.quote(REJECTS), "" if alone else " AND generation = %s"
    session.execute(f"DELETE FROM {name} WHERE table_name = %s{own}", (job.table, generation)[: 1 if alone else 2])
    if not job.mapping.unfit:
        return ()
    names, beside = job.list(_NAMES), job.quote(_beside(job).name).replace("%", "%%")
    written = session.execute(
        f"INSERT INTO {name} (table_name, generation, {names}, run_id, read_at) "
        f"SELECT %s, %s, {names}, %s, {job.target.dialect.utc_now} FROM {beside}",
        (job.table, generation, job.options.run_id),
    )
    if not written:
        return ()
    examples = "; ".join(_first(job, session, ""))
    more = ", ..." if written > SHOWN else ""
    rows, verb = ("row", "is") if written == 1 else ("rows", "are")
    return (f"{written} {rows} {verb} in quarantine, see {REJECTS}: {examples}{more}",)


def forget_others(session: Session, target: Target, table: str, generation: str) -> None:
    """Delete the entries of copies that are not visible any more."""
    name = target.dialect.quote(REJECTS)
    session.execute(f"DELETE FROM {name} WHERE table_name = %s AND generation <> %s", (table, generation))


def again(job: Job, session: Session, generation: str, former: AnyMapping[str, str]) -> str:
    """The source's condition of the rows that are in quarantine; empty if there are none.

    Where deletes are kept, nobody compares keys, and a row may have become fit without its cursor.

    Args:
        job: the table's.
        session: of the target.
        generation: of the copy.
        former: the names that key columns had when the entries were written, by the names they have now.
    """
    name = job.quote(REJECTS)
    found = session.query(
        f"SELECT DISTINCT row_key FROM {name} WHERE table_name = %s AND generation = %s AND row_key IS NOT NULL",
        (job.table, generation),
    )
    return f"{_key(job.mapping, former)} IN ({', '.join(literal(key) for (key,) in found)})" if found else ""


def count(session: Session, target: Target, table: str) -> int:
    """How many rows of a table are in quarantine; for those who only read."""
    if not bookkeeping.exists(session, target, REJECTS) or not bookkeeping.exists(session, target, state.STATE):
        return 0
    try:
        last = state.current(session, target, table)
    except ForeignTable:
        return 0
    if last is None:
        return 0
    found = session.query(
        f"SELECT COUNT(*) FROM {target.dialect.quote(REJECTS)} WHERE table_name = %s AND generation = %s",
        (table, last.generation),
    )
    return int(found[0][0])


def _beside(job: Job, suffix: str = "") -> Table:
    return Table(job.beside(BESIDE + suffix), _ENTRY, ("number",))


def _first(job: Job, session: Session, suffix: str) -> tuple[str, ...]:
    found = session.query(
        f"SELECT row_key, reason FROM {job.quote(_beside(job, suffix).name)} ORDER BY number LIMIT {SHOWN}"
    )
    return tuple(f"{reason} ({key})" if key else str(reason) for key, reason in found)


def _query(mapping: Mapping, target: Target, condition: str, part: int) -> str:
    """The rows that cannot go: a number, the key, the reasons, and the row as the copy would have it."""
    said = ", ".join(f"CASE WHEN {why.condition} THEN {why.reason} END" for why in unfit.reasons(mapping, target))
    row = _json(mapping.columns, {})
    where = f"{mapping.rejected} AND ({condition}\n)" if condition else mapping.rejected
    return (
        f"SELECT {part * PARTS} + row_number() OVER (), {_key(mapping, {})}, concat_ws('; ', {said}), {row} "
        f"FROM {mapping.origin} WHERE {where}"
    )


def _key(mapping: Mapping, former: AnyMapping[str, str]) -> str:
    """The key as JSON text, NULL where nothing identifies a row."""
    return _json([column for column in mapping.columns if column.name in mapping.key], former)


def _json(columns: list[Selected] | tuple[Selected, ...], former: AnyMapping[str, str]) -> str:
    if not columns:
        return "NULL::text"
    values = ", ".join(f"{_shown(column)} AS {quote(former.get(column.name, column.name))}" for column in columns)
    whole = f"SELECT row_to_json(q.*)::text AS said FROM (SELECT {values}) AS q"
    cut = "json_build_object('cut', 'the row has ' || octet_length(w.said) || ' bytes')::text"
    return f"(SELECT CASE WHEN octet_length(w.said) > {LONGEST} THEN {cut} ELSE w.said END FROM ({whole}) AS w)"


def _shown(column: Selected) -> str:
    """The value as JSON has it, a long one's beginning; masked values are masked."""
    kind, value = column.type.kind, column.expression
    if column.masked or not (kind in LENGTHY_KINDS or kind is Kind.NUMERIC):
        return value
    octets = f"octet_length({value})" if kind is Kind.BYTES else f"octet_length(({value})::text)"
    text = f"encode(substring({value} FROM 1 FOR {KEPT}), 'hex')" if kind is Kind.BYTES else f"({value})::text"
    cut = f"left({text}, {KEPT}) || ' ... (cut: ' || {octets} || ' bytes)'"
    return f"CASE WHEN {octets} > {CUT} THEN to_json({cut}) ELSE to_json({value}) END"

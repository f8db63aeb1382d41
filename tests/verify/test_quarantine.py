"""Rows in quarantine are not missed, and others are."""

from __future__ import annotations

from framework.verify.text import lines
from framework.verify.verdict import Kind
from tests.verify.conftest import Verifying, only

TABLE = (
    """CREATE TABLE t (id bigint PRIMARY KEY, name text, born date,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp())""",
    "INSERT INTO t (id, name, born) SELECT i, 'n' || i, date '2000-01-01' + i FROM generate_series(1, 200) AS i",
    "UPDATE t SET born = 'infinity' WHERE id % 100 = 0",
)


def test_rows_in_quarantine_are_counted_and_not_missed(verifying: Verifying) -> None:
    on_error = {"policy": "quarantine", "limit": "10%"}
    verifying.make(*TABLE, mode="incremental", cursor="updated_at", on_error=on_error)
    verdict = verifying()
    assert verdict.is_equal
    assert (verdict.rows, verdict.copied, verdict.quarantined) == (198, 198, 2)
    assert "  2 rows are quarantined, and not compared: see _vitrina_rejects" in list(lines(verdict))
    assert verdict.as_json()["quarantined"] == 2
    verifying.copy.execute("DELETE FROM `copy` WHERE id = 7")
    only(verifying(), Kind.MISSING)
    verifying.copy.execute("INSERT INTO `copy` (id, updated_at) VALUES (100, '2001-01-01')")
    assert verifying().counts == {Kind.MISSING: 1, Kind.EXTRA: 1}


def test_a_row_that_cannot_go_any_more_has_changed_since(verifying: Verifying) -> None:
    verifying.make(*TABLE, mode="incremental", cursor="updated_at", on_error={"policy": "quarantine", "limit": "10%"})
    verifying.source.execute("UPDATE t SET born = '-infinity' WHERE id = 7")
    verifying.source.execute("UPDATE t SET born = NULL WHERE id = 100")
    verdict = verifying()
    assert verdict.is_equal
    assert verdict.changed + verdict.undecided == 2
    verifying.replicate()
    verdict = verifying()
    assert (verdict.rows, verdict.copied, verdict.changed, verdict.quarantined) == (198, 198, 0, 2)

"""What an increment reads of the copy is set by what changed, not by the copy's size."""

from __future__ import annotations

from contextlib import closing

import pytest

from tests.replicate.conftest import Copying
from tests.services.login import connect

ROWS, CHANGED = 40_000, 400
TIMES = 8
"""Rows of the copy that are fetched for one that changed, at most: by its key, once for each look."""

PART = 64
"""Keys of a part of the census."""

CHANGES = {
    "updated": f"UPDATE t SET note = 'x', updated_at = now() WHERE id % {ROWS // CHANGED} = 7",
    "inserted": f"INSERT INTO t SELECT i, 'new', now() FROM generate_series({ROWS + 1}, {ROWS + CHANGED}) AS i",
    "deleted": f"DELETE FROM t WHERE id BETWEEN 1001 AND {1000 + CHANGED}",
    "come back": f"INSERT INTO t SELECT i, 'old', '2026-01-01' FROM generate_series(1001, {1000 + CHANGED}) AS i",
    "nothing": "SELECT 1",
}


@pytest.mark.parametrize("target", ["mysql"], indirect=True)  # MariaDB counts nothing unless its server is told to
@pytest.mark.parametrize("policy", ["keep", "remove"])
def test_the_copy_is_not_read_through(copying: Copying, policy: str) -> None:
    copying.source.execute("CREATE TABLE t (id int PRIMARY KEY, note text, updated_at timestamptz NOT NULL)")
    copying.source.execute(f"INSERT INTO t SELECT i, 'note', '2026-01-01' FROM generate_series(1, {ROWS}) AS i")
    assert copying(deletes={"policy": policy}).rows_written == ROWS
    for what, change in CHANGES.items():
        if policy == "keep" and what in ("deleted", "come back"):
            continue
        copying.source.execute(change)
        before = _fetched(copying)
        stats = copying(deletes={"policy": policy})
        assert stats.rows_written + stats.rows_deleted == (CHANGED if what != "nothing" else 0)
        # What the run before has read may be read again, since its bound was taken before.
        assert _fetched(copying) - before <= CHANGED * TIMES + 2 * PART, what


def _fetched(copying: Copying) -> int:
    """Rows of the copy that the server has fetched, whoever asked."""
    with closing(connect(copying.target.admin_url, autocommit=True)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT COALESCE(SUM(COUNT_FETCH), 0) FROM performance_schema.table_io_waits_summary_by_table "
            "WHERE OBJECT_SCHEMA = DATABASE() AND OBJECT_NAME = 'copy'"
        )
        return int(cursor.fetchone()[0])

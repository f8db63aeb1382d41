"""A source that goes on after its copy was made: what has changed since is no difference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from framework.verify.verdict import Kind
from tests.services.databases import SourceDatabase
from tests.verify.conftest import Verifying, only

# Here the source decides, whatever the target.
pytestmark = pytest.mark.parametrize("anywhere", ["mysql"], indirect=True)

TABLE = (
    "CREATE TABLE t (id bigint PRIMARY KEY, v text, updated_at timestamptz NOT NULL DEFAULT '2024-01-01')",
    "INSERT INTO t (id, v) SELECT i, 'v' || i FROM generate_series(1, 500) AS i",
)


@pytest.fixture
def full(verifying: Verifying) -> Verifying:
    verifying.make(*TABLE)
    return verifying


def test_what_changed_and_came_since_is_set_aside(full: Verifying) -> None:
    full.source.execute("UPDATE t SET v = 'new' WHERE id <= 3")
    full.source.execute("INSERT INTO t VALUES (1000, 'new')")
    verdict = full()
    assert verdict.is_equal
    assert verdict.changed == 4
    full.copy.execute("UPDATE `copy` SET v = 'broken' WHERE id IN (2, 4)")
    verdict = full()
    assert (verdict.counts, verdict.changed) == ({Kind.DIFFERENT: 1}, 4)
    full.replicate()
    assert full().changed == 0


def test_what_was_deleted_since_is_not_decided(full: Verifying) -> None:
    full.source.execute("DELETE FROM t WHERE id = 5")
    full.leave()
    verdict = full()
    assert verdict.is_equal
    assert verdict.undecided == 1
    full.replicate()
    verdict = full()
    assert (verdict.is_equal, verdict.undecided) == (True, 0)


def test_what_a_session_that_is_still_there_deleted_since_is_not_decided(full: Verifying) -> None:
    full.source.execute("INSERT INTO t VALUES (1000, 'new')")
    full.source.execute("DELETE FROM t WHERE id = 5")
    verdict = full()  # the server may count it ten seconds later
    assert (verdict.is_equal, verdict.undecided) == (True, 1)


def test_while_nothing_was_deleted_a_row_too_many_is_a_difference(full: Verifying) -> None:
    full.source.execute("INSERT INTO t VALUES (1000, 'new')")
    full.leave()
    full.copy.execute("INSERT INTO `copy` (id, v, updated_at) VALUES (999, 'x', '2024-01-01')")
    verdict = full()
    assert (verdict.counts, verdict.changed, verdict.undecided) == ({Kind.EXTRA: 1}, 1, 0)


def test_a_truncated_source(full: Verifying) -> None:
    full.source.execute("TRUNCATE t")
    verdict = full()
    assert (verdict.is_equal, verdict.undecided) == (True, 500)


def test_an_update_that_forgets_its_cursor_is_found_once_it_could_have_been_copied(verifying: Verifying) -> None:
    verifying.make(*TABLE, cursor="updated_at")
    verifying.source.execute("UPDATE t SET v = 'forgotten' WHERE id = 7")
    assert verifying().changed == 1
    verifying.source.execute("UPDATE t SET v = 'seen', updated_at = now() WHERE id = 8")
    verifying.replicate()
    only(verifying(), Kind.DIFFERENT)


def test_transactions_that_were_open_when_the_copy_was_made(full: Verifying) -> None:
    with_savepoint = full.source.connect()
    with with_savepoint.cursor() as cursor:
        cursor.execute("UPDATE t SET v = 'late' WHERE id = 1")
        cursor.execute("SAVEPOINT s")
        cursor.execute("UPDATE t SET v = 'late' WHERE id = 2")
    full.replicate()
    with_savepoint.commit()
    with_savepoint.close()
    verdict = full()
    assert (verdict.is_equal, verdict.changed) == (True, 2)


def test_another_databases_transactions_do_not_hide_differences(
    full: Verifying, new_source: Callable[..., SourceDatabase]
) -> None:
    other = new_source()
    other.execute("CREATE TABLE x (id int)")
    open_ = other.connect()
    with open_.cursor() as cursor:
        cursor.execute("INSERT INTO x VALUES (1)")
    full.source.execute("UPDATE t SET v = 'after' WHERE id = 1")
    full.replicate()
    full.copy.execute("UPDATE `copy` SET v = 'broken' WHERE id = 1")
    only(full(), Kind.DIFFERENT)
    open_.close()


def test_rows_that_leave_and_enter_the_filter(verifying: Verifying) -> None:
    verifying.make(*TABLE, where="v <> 'out'")
    verifying.source.execute("UPDATE t SET v = 'out' WHERE id = 3")
    verdict = verifying()
    assert (verdict.is_equal, verdict.changed, verdict.undecided) == (True, 1, 0)
    verifying.source.execute("INSERT INTO t VALUES (1000, 'out')")
    verifying.replicate()
    assert verifying().is_equal
    verifying.copy.execute("INSERT INTO `copy` (id, v, updated_at) VALUES (1000, 'out', '2024-01-01')")
    only(verifying(), Kind.EXTRA)


@pytest.mark.parametrize("policy", ["keep", "mark", "remove"])
def test_rows_that_are_gone_from_the_source(verifying: Verifying, policy: str) -> None:
    deletes: dict[str, Any] = {"policy": policy, "fuse": "100%"}
    verifying.make(*TABLE, cursor="updated_at", deletes=deletes)
    verifying.source.execute("DELETE FROM t WHERE id <= 5")
    verifying.replicate()
    verdict = verifying()
    assert (verdict.is_equal, verdict.undecided, verdict.kept) == (True, 0, 5 if policy == "keep" else 0)
    if policy == "mark":
        verifying.copy.execute("UPDATE `copy` SET _deleted_at = updated_at WHERE id = 7")
        only(verifying(), Kind.MISSING)


def test_rows_of_children(verifying: Verifying) -> None:
    child = ("CREATE TABLE child () INHERITS (t)", "INSERT INTO child VALUES (1000, 'child')")
    verifying.make(*TABLE, *child, children=False, table="parents")
    assert verifying().rows == 500
    verifying.anywhere.settings.update(children=True, table="all")
    verifying.replicate()
    verdict = verifying()
    assert (verdict.is_equal, verdict.rows) == (True, 501)
    verifying.source.execute("DROP TABLE child")


def test_a_view_says_nothing_of_the_age_of_its_rows(verifying: Verifying) -> None:
    verifying.make(*TABLE, "CREATE VIEW seen AS SELECT * FROM t", source_table="seen", key=["id"], cursor="updated_at")
    assert verifying().is_equal
    verifying.copy.execute("UPDATE `copy` SET v = 'broken' WHERE id IN (3, 4)", "DELETE FROM `copy` WHERE id = 5")
    verifying.source.execute("UPDATE t SET updated_at = now() WHERE id IN (4, 5)")
    verdict = verifying()
    assert (verdict.counts, verdict.changed) == ({Kind.DIFFERENT: 1}, 2)
    verifying.source.execute("DELETE FROM t WHERE id = 9")
    assert verifying().undecided == 1
    verifying.source.execute("DROP VIEW seen")


def test_a_state_without_a_position(full: Verifying) -> None:
    full.copy.execute("UPDATE `_vitrina_state` SET `position` = NULL")
    full.copy.execute("UPDATE `copy` SET v = 'broken' WHERE id = 3")
    full.copy.execute("INSERT INTO `copy` (id, v, updated_at) VALUES (999, 'x', '2024-01-01')")
    verdict = full()
    assert (verdict.is_equal, verdict.changed, verdict.undecided) == (True, 1, 1)

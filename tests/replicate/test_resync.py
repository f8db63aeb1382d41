"""A copy that somebody damaged is read again, in part or as a whole, on every target."""

from __future__ import annotations

from typing import Any

import pytest

from framework.errors import (
    CopyMissing,
    DeleteFuseBlown,
    LoadRefused,
    MappingChanged,
    SourceMismatch,
    StatementFailed,
    UsageError,
)
from framework.replicate.options import ChangeCapture
from tests.replicate.anywhere import Anywhere

LOW = {"resync": "id <= 3"}


def states(copy: Anywhere) -> list[tuple[Any, ...]]:
    return copy.query("SELECT generation, bound, watermark, mapping FROM `_vitrina_state`")


def damage(copy: Anywhere) -> None:
    copy.execute(
        "UPDATE `copy` SET name = 'wrong' WHERE id IN (2, 5)",
        "DELETE FROM `copy` WHERE id IN (3, 4)",
        "INSERT INTO `copy` (id, active, updated_at) VALUES (70, 1, '2026-01-01'), (80, 1, '2026-01-01')".replace(
            "1,", "true,"
        ),
    )


def names(copy: Anywhere) -> list[tuple[Any, ...]]:
    return copy.rows("id, name")


@pytest.mark.parametrize("mode", ["incremental", "full"])
def test_a_part_is_mended_and_nothing_moves(anywhere: Anywhere, mode: str) -> None:
    anywhere.settings["mode"] = mode
    anywhere()
    damage(anywhere)
    before = states(anywhere)
    stats = anywhere(LOW)
    # Wrong values outside of the part stay; what is missing or too much is found everywhere.
    assert names(anywhere) == [(i, "wrong" if i == 5 else f"person {i}") for i in range(1, 6)]
    assert (stats.rows_written, stats.rows_deleted, stats.rows_unchanged) == (3, 2, 1)
    assert states(anywhere) == before
    assert anywhere.leftovers() == []
    anywhere({"resync": "id = 5 -- the last one"})
    assert names(anywhere) == anywhere.source.rows("SELECT id, name FROM t ORDER BY 1")


def test_the_next_increment_goes_on_where_it_would_have(anywhere: Anywhere) -> None:
    anywhere()
    anywhere.source.execute("UPDATE t SET name = 'late', updated_at = now() WHERE id = 1")
    anywhere.source.execute("UPDATE t SET name = 'later', updated_at = now() WHERE id = 4")
    anywhere(LOW)
    assert names(anywhere)[0] == (1, "late")
    anywhere()
    assert names(anywhere) == anywhere.source.rows("SELECT id, name FROM t ORDER BY 1")


@pytest.mark.parametrize("policy", ["keep", "mark"])
def test_what_is_gone_goes_by_the_policy(anywhere: Anywhere, policy: str) -> None:
    deletes = {"policy": policy, "fuse": "100%"}
    anywhere(deletes=deletes)
    damage(anywhere)
    anywhere.source.execute("DELETE FROM t WHERE id = 1")
    anywhere(LOW, deletes=deletes)
    gone = {1, 70, 80}
    assert gone <= {row[0] for row in names(anywhere)}
    if policy == "mark":
        assert {row[0] for row in anywhere.rows("id, `_deleted_at`") if row[1] is not None} == gone


def test_the_filter_still_counts(anywhere: Anywhere) -> None:
    anywhere(where="id <> 2")
    anywhere({"resync": "id <= 2 OR id = 5"}, where="id <> 2")
    assert [row[0] for row in names(anywhere)] == [1, 3, 4, 5]


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        ("no_such_column = 1", 'column "no_such_column" does not exist'),
        ("id <= ", "syntax error"),
        ("id = 1) OR (1 = 1", "not one expression"),
        ("id = 1; DELETE FROM t", "not one expression"),
        ("name", "must be type boolean"),
        ("1 / (id - id) = 1", "division by zero"),
    ],
)
def test_a_condition_that_is_none_is_refused(anywhere: Anywhere, condition: str, reason: str) -> None:
    anywhere()
    damage(anywhere)
    before = anywhere.rows()
    with pytest.raises((StatementFailed, UsageError), match=reason):
        anywhere({"resync": condition})
    assert anywhere.rows() == before
    assert anywhere.leftovers() == []


def test_there_must_be_a_copy_a_key_and_the_same_mapping(anywhere: Anywhere) -> None:
    with pytest.raises(CopyMissing, match="has not been filled yet"):
        anywhere(LOW)
    anywhere()
    with pytest.raises(MappingChanged, match="`where` was not there"):
        anywhere(LOW, where="id > 1")
    anywhere.source.execute("ALTER TABLE t ADD COLUMN note text")
    with pytest.raises(MappingChanged, match="column note") as changed:
        anywhere(LOW)
    assert "`vitrina replicate SPEC --table copy`" in changed.value.fix
    anywhere()
    anywhere(LOW)
    anywhere.source.execute("CREATE TABLE keyless (n integer)")
    keyless: dict[str, Any] = {"mode": "full", "source_table": "keyless", "table": "keyless"}
    anywhere(**keyless)
    with pytest.raises(SourceMismatch, match="nothing identifies the rows of 'keyless'"):
        anywhere({"resync": "n = 1"}, **keyless)


def test_a_full_copy_must_have_the_same_mapping_too(anywhere: Anywhere) -> None:
    anywhere.settings["mode"] = "full"
    anywhere(where="id > 1")
    with pytest.raises(MappingChanged, match="`where` was id > 1, is not there"):
        anywhere(LOW)
    anywhere.execute("UPDATE `_vitrina_state` SET mapping = NULL")
    anywhere(LOW, where="id > 1")
    anywhere.execute("UPDATE `_vitrina_state` SET mapping = NULL")
    with pytest.raises(MappingChanged):
        anywhere(LOW)


def test_the_fuse_holds(anywhere: Anywhere) -> None:
    guarded = {"policy": "remove", "fuse": "20%"}
    anywhere(deletes=guarded)
    damage(anywhere)
    with pytest.raises(DeleteFuseBlown):
        anywhere(LOW, deletes=guarded)


def test_values_that_have_no_place_are_refused(anywhere: Anywhere) -> None:
    anywhere.source.execute("ALTER TABLE t ADD d date")
    anywhere()
    anywhere.source.execute("UPDATE t SET d = 'infinity' WHERE id = 2")
    with pytest.raises(LoadRefused, match="infinity"):
        anywhere(LOW)


def test_those_who_must_know_are_told(anywhere: Anywhere) -> None:
    told: list[str] = []

    class Capture(ChangeCapture):
        def notes(self, table: str) -> bool:
            return table == "copy"

        def record(self, session: Any, dialect: Any, table: str, changed_keys: str, key: Any) -> None:
            told.append(table)

    anywhere()
    damage(anywhere)
    anywhere({**LOW, "capture": Capture()})
    assert told == ["copy", "copy"]

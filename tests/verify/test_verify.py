"""What is found, what is not taken for a difference, what is shown and what is not."""

from __future__ import annotations

import pytest

from framework.compare import slots
from framework.errors import CopyMissing, MappingChanged
from framework.verify.verdict import MASKED, Kind
from tests.verify.conftest import Verifying, only

PLANT = (
    """CREATE TABLE t (id bigint PRIMARY KEY, code text, note varchar(40), amount numeric(12,2), moment timestamptz,
    ratio double precision, blob bytea, flag boolean)""",
    """INSERT INTO t SELECT i, 'code ' || i, CASE WHEN i % 5 > 0 THEN 'note ' || i END, i / 7.0,
    timestamptz '2024-01-01 00:00:00+00' + i * interval '1 hour 0.000001 seconds', i / 3.0, sha256(i::text::bytea),
    i % 2 = 0 FROM generate_series(1, 3000) AS i""",
)

CORRUPTIONS = {
    "a flipped byte": "UPDATE `copy` SET code = 'Code 7' WHERE id = 7",
    "a trailing space": "UPDATE `copy` SET code = 'code 7 ' WHERE id = 7",
    "another case": "UPDATE `copy` SET code = 'CODE 7' WHERE id = 7",
    "an empty text for NULL": "UPDATE `copy` SET note = '' WHERE id = 5",
    "NULL for a text": "UPDATE `copy` SET note = NULL WHERE id = 7",
    "a cent": "UPDATE `copy` SET amount = amount + 0.01 WHERE id = 7",
    "a microsecond": "UPDATE `copy` SET moment = moment + INTERVAL 1 MICROSECOND WHERE id = 7",
    "the last bit of a double": "UPDATE `copy` SET ratio = ratio * 1.0000000000000003e0 WHERE id = 7",
    "a flag": "UPDATE `copy` SET flag = CASE WHEN id = 7 THEN 1 ELSE flag END WHERE id = 7",
}


@pytest.fixture
def planted(verifying: Verifying, monkeypatch: pytest.MonkeyPatch) -> Verifying:
    """In several segments."""
    monkeypatch.setattr(slots, "SEGMENT", 700)
    verifying.make(*PLANT)
    verdict = verifying()
    assert verdict.is_equal
    assert (verdict.rows, verdict.copied, verdict.counts) == (3000, 3000, {})
    return verifying


def test_each_corruption_is_found_with_its_column(planted: Verifying) -> None:
    for what, statement in CORRUPTIONS.items():
        planted.copy.execute(statement)
        verdict = planted()
        only(verdict, Kind.DIFFERENT)
        (difference,) = verdict.differences
        (value,) = difference.values
        assert value.column in statement, what
        assert value.source != value.copy, what
        planted.replicate()


def test_a_null_that_the_copy_could_not_have(verifying: Verifying) -> None:
    verifying.make(
        "CREATE TABLE t (id int PRIMARY KEY, name varchar(9) NOT NULL)", "INSERT INTO t VALUES (1, ''), (2, 'b')"
    )
    assert verifying().is_equal
    verifying.copy.execute(
        "ALTER TABLE `copy` ALTER name DROP NOT NULL"
        if verifying.copy.target.dialect.name == "duckdb"
        else "ALTER TABLE `copy` MODIFY name varchar(9)",
        "UPDATE `copy` SET name = NULL WHERE id = 1",
    )
    only(verifying(), Kind.DIFFERENT)


def test_lost_rows_and_rows_that_were_never_there(planted: Verifying) -> None:
    planted.copy.execute("DELETE FROM `copy` WHERE id IN (1, 1500)")
    planted.copy.execute("INSERT INTO `copy` (id, code) VALUES (-9223372036854775808, 'x'), (9223372036854775807, 'y')")
    assert planted.found() == {
        "missing": {"1", "1500"},
        "extra": {"-9223372036854775808", "9223372036854775807"},
    }


def test_a_swapped_pair(planted: Verifying) -> None:
    planted.copy.execute(
        "UPDATE `copy` SET code = CASE id WHEN 10 THEN 'code 11' ELSE 'code 10' END WHERE id IN (10, 11)"
    )
    assert planted.found() == {"different": {"10", "11"}}


def test_an_empty_copy_and_an_empty_source(planted: Verifying) -> None:
    planted.copy.execute("DELETE FROM `copy`")
    only(planted(), Kind.MISSING, 3000)
    planted.source.execute("DELETE FROM t")
    assert planted().is_equal
    planted.replicate()
    assert planted().is_equal


def test_without_a_copy_or_with_other_rules_it_is_told(verifying: Verifying) -> None:
    with pytest.raises(CopyMissing):
        verifying(cursor="updated_at")
    verifying.make(*PLANT)
    with pytest.raises(MappingChanged):
        verifying(where="id > 5")


def test_values_of_masked_columns_are_compared_and_never_shown(verifying: Verifying) -> None:
    verifying.mask_key = b"secret"
    verifying.make(*PLANT, columns={"code": {"from": "code", "mask": "hmac"}})
    assert verifying().is_equal
    verifying.copy.execute("UPDATE `copy` SET code = 'code 7' WHERE id = 7")
    verdict = verifying()
    only(verdict, Kind.DIFFERENT)
    (value,) = verdict.differences[0].values
    assert (value.column, value.source, value.copy) == ("code", MASKED, MASKED)
    assert "code 7" not in str(verdict.as_json())


def test_rows_without_a_key_are_compared_as_they_are(verifying: Verifying) -> None:
    verifying.make(
        "CREATE TABLE t (a int, b text)", "INSERT INTO t SELECT i / 3, 'x' FROM generate_series(0, 299) AS i"
    )
    assert verifying().is_equal
    verifying.copy.execute("INSERT INTO `copy` VALUES (7, 'x')")
    only(verifying(), Kind.EXTRA)
    verifying.copy.execute("UPDATE `copy` SET b = 'y' WHERE a = 5")
    verdict = verifying()
    assert verdict.counts == {Kind.EXTRA: 4, Kind.MISSING: 3}
    assert (("a", "5"), ("b", "y")) in [difference.key for difference in verdict.differences]
    verifying.replicate()
    verifying.copy.execute("DELETE FROM `copy` WHERE a = 9")
    only(verifying(), Kind.MISSING, 3)


def test_keys_of_several_columns_and_texts(verifying: Verifying) -> None:
    verifying.make(
        "CREATE TABLE t (a text, b uuid, v int, PRIMARY KEY (a, b))",
        """INSERT INTO t SELECT chr(65 + i % 60) || repeat(' ', i % 3), md5(i::text)::uuid, i
        FROM generate_series(1, 2000) AS i""",
    )
    assert verifying().is_equal
    verifying.copy.execute("UPDATE `copy` SET v = 0 WHERE v = 77", "DELETE FROM `copy` WHERE v = 78")
    verdict = verifying()
    assert verdict.counts == {Kind.DIFFERENT: 1, Kind.MISSING: 1}
    assert {len(difference.key) for difference in verdict.differences} == {2}


def test_a_doubled_row_of_a_copy_whose_key_nobody_guards(verifying: Verifying) -> None:
    if verifying.anywhere.target.dialect.name != "duckdb":
        pytest.skip("MySQL guards primary keys")
    verifying.make(*PLANT)
    verifying.copy.execute("INSERT INTO `copy` SELECT * FROM `copy` WHERE id = 8")
    only(verifying(), Kind.DOUBLED)
    assert verifying.found() == {"doubled": {"8"}}


def test_names_that_the_queries_use_themselves(verifying: Verifying) -> None:
    names = ("w", "v", "q", "r", "p", "t")
    columns = ", ".join(f"{name} {type_}" for name, type_ in zip(names, ("int[]", "jsonb", "bytea") * 2, strict=True))
    verifying.make(
        f"CREATE TABLE t (id int PRIMARY KEY, {columns})",
        """INSERT INTO t SELECT i, ARRAY[i], to_jsonb(i), sha256(i::text::bytea), ARRAY[-i], to_jsonb(-i),
        sha256((-i)::text::bytea) FROM generate_series(1, 20) AS i""",
    )
    assert verifying().is_equal
    for name in names[:2]:
        verifying.copy.execute(f"UPDATE `copy` SET {name} = '' WHERE id = 3")
        only(verifying(), Kind.DIFFERENT)
        verifying.replicate()


def test_partitions(verifying: Verifying) -> None:
    verifying.make(
        "CREATE TABLE t (id int PRIMARY KEY, v text) PARTITION BY RANGE (id)",
        "CREATE TABLE low PARTITION OF t FOR VALUES FROM (MINVALUE) TO (500)",
        "CREATE TABLE high PARTITION OF t FOR VALUES FROM (500) TO (MAXVALUE)",
        "INSERT INTO t SELECT i, 'v' FROM generate_series(1, 1000) AS i",
    )
    assert verifying().is_equal
    verifying.copy.execute("UPDATE `copy` SET v = 'x' WHERE id IN (1, 700)", "INSERT INTO `copy` VALUES (1001, 'v')")
    verdict = verifying()
    assert verdict.counts == {Kind.DIFFERENT: 2, Kind.EXTRA: 1}
    verifying.copy.execute("DELETE FROM `copy` WHERE id = 1001")
    verifying.source.execute("UPDATE t SET v = 'y' WHERE id = 700")
    assert verifying().changed == 1

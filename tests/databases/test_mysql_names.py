"""Names that MySQL can hold, and what it takes for one name: as the server sees it."""

# ruff: noqa: RUF001 - that they look alike is the point

from __future__ import annotations

import itertools

import pymysql
import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.databases.mysql.names import LENGTH, folded, is_holdable, is_holdable_table, safe_names
from tests.services.databases import TargetDatabase

NAMES = (
    *(
        "plain",
        "Id",
        "id",
        "ID",
        "café",
        "cafe",
        "CAFÉ",
        "İ",
        "i",
        "ı",
        "ß",
        "ss",
        "Ω",
        "ω",
        "ς",
        "σ",
        "ﬁ",
        "\u212a",
        "k",
    ),
    *(
        "select",
        "a.b",
        "a`b",
        'a"b',
        "a'b",
        "1a",
        "123",
        "a b",
        " a",
        "a\nb",
        "%s",
        "漢字",
        "é",
        "e\u0301",
        "#",
        "-- x",
    ),
    *("x" * 64, "ж" * 31, "ends in space ", "ends in tab\t", "ends in line\n", "😀", "a😀b", "y" * 65),
)


def test_names_that_the_server_takes_and_tells_apart_stay():
    safe = safe_names(NAMES)
    changed = {name for name, new in safe.items() if name != new}
    assert changed == {
        *("id", "ID", "CAFÉ", "i", "ω", "k"),
        *("ends in space ", "ends in tab\t", "ends in line\n", "😀", "a😀b", "y" * 65),
    }
    assert safe["a😀b"].startswith("a_b_")


def test_the_server_holds_all_of_them_beside_each_other(target: TargetDatabase):
    columns = [name.replace("`", "``") for name in safe_names(NAMES).values()]
    target.execute("CREATE TABLE t (" + ", ".join(f"`{name}` int" for name in columns) + ")")
    found = [row[0] for row in target.rows("SHOW COLUMNS FROM t")]
    assert found == list(safe_names(NAMES).values())


@pytest.mark.parametrize(("one", "other"), [*itertools.combinations(("Id", "id", "İ", "i", "ı"), 2), ("Ω", "ω")])
def test_the_server_takes_names_for_one_if_they_fold_alike(target: TargetDatabase, one: str, other: str):
    target.execute(f"CREATE TABLE t (`{one}` int)")
    if folded(one) == folded(other):
        with pytest.raises(pymysql.err.OperationalError, match="Duplicate column"):
            target.execute(f"ALTER TABLE t ADD COLUMN `{other}` int")
    else:
        target.execute(f"ALTER TABLE t ADD COLUMN `{other}` int")


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=80), unique=True))
def test_safe_names_are_holdable_different_and_always_the_same(names: list[str]):
    names = [name for name in names if name]
    safe = safe_names(names)
    assert safe == safe_names(names)
    assert all(is_holdable(name) and len(name) <= LENGTH for name in safe.values())
    assert len({folded(name) for name in safe.values()}) == len(names)
    assert all(
        safe[name] == name for name in names if is_holdable(name) and sum(folded(o) == folded(name) for o in names) == 1
    )


@pytest.mark.parametrize("name", ["!" * 48, "!" * 63, "#mysql50#x", "ж" * 64, "漢" * 21, "a" * 64])
def test_tables_get_names_that_their_files_can_have(target: TargetDatabase, name: str):
    safe = safe_names([name], (), is_holdable_table)[name]
    assert (safe == name) == is_holdable_table(name)
    target.execute("CREATE TABLE other (a int)")
    target.execute(f"RENAME TABLE other TO `{safe}`")
    assert target.rows("SHOW TABLES") == [(safe,)]

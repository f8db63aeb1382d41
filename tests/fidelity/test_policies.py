"""Values that the target has no place for: refused by name, or treated as the settings say, and counted."""

from __future__ import annotations

from typing import Any

import pytest

from framework.errors import LoadRefused
from tests.fidelity.conftest import Origin, Place
from tests.fidelity.values import CASES, Case, Outside

LIMITED = tuple(case for case in CASES if case.outside)


@pytest.fixture(params=LIMITED, ids=lambda case: case.id)
def limited(request: pytest.FixtureRequest, origin: Origin) -> Case:
    found: Case = request.param
    if reason := origin.lacks(found):
        pytest.skip(reason)
    return found


def made(origin: Origin, case: Case, outside: tuple[Outside, ...]) -> str:
    """A table of values that fit and that do not, beside what is nearest to them."""
    rows = [(value, value, "true") for value in (*case.fits[:4], "NULL")]
    rows += [(value.sql, value.clamp or "NULL", "false") for value in outside]
    return origin.filled("limited", f"v {case.type}, near {case.type.partition('(')[0]}, inside boolean", rows)


def settings(policy: str) -> dict[str, Any]:
    return {"only": ["id", "updated_at"], "columns": {"v": {"from": "v", "out_of_range": policy}}}


def test_values_without_a_place_are_refused_by_name(origin: Origin, place: Place, limited: Case) -> None:
    """Together, in a full load; the copy stays as it was. DuckDB has places where MySQL has none."""
    table = made(origin, limited, ())
    place.copy(origin, table, **settings("reject"))
    before = place.reader.read(table, ["id"], {"v": place.form(limited.form)})
    for number, value in enumerate(limited.outside):
        origin.database.execute(f"INSERT INTO {table} VALUES ({101 + number}, {value.sql})")
    refused = place.refusal(origin, table, **settings("reject"))
    if refused is None:
        assert place.kind == "duckdb"
        assert place.differences(origin, table, {"v": limited.form}) == []
        return
    assert f"{len(limited.outside)} of column v: " in str(refused)
    assert_named(origin, table, refused)
    assert place.reader.read(table, ["id"], {"v": place.form(limited.form)}) == before


@pytest.mark.parametrize("place", ["mysql"], indirect=True)
def test_each_of_them_is_refused(origin: Origin, place: Place, limited: Case) -> None:
    """Alone, in full loads and in increments, by both lanes."""
    table = made(origin, limited, ())
    place.copy(origin, table, **settings("reject"))
    for number, value in enumerate(limited.outside):
        origin.database.execute(f"DELETE FROM {table} WHERE id > 100")
        origin.database.execute(f"INSERT INTO {table} VALUES (101, {value.sql})")
        with pytest.raises(LoadRefused, match="1 of column v: ") as refused:
            place.copy(origin, table, lane=number, full=number % 3 > 0, **settings("reject"))
        assert_named(origin, table, refused.value)


def assert_named(origin: Origin, table: str, refused: LoadRefused) -> None:
    """The refusal names table, column, the value's beginning, its key, and what would let it pass."""
    ((shown,),) = origin.database.rows(f"SELECT left(v::text, 20) FROM {table} WHERE id = 101")
    for fact in (f"'{table}'", "column v", f"'{shown}", "(id = 101)"):
        assert fact in str(refused)
    for key in ("out_of_range", "null", "clamp", "text"):
        assert key in refused.fix
    assert refused.columns == ("v",)


@pytest.mark.parametrize("lane", [0, 1])
def test_null_takes_its_place(origin: Origin, place: Place, limited: Case, lane: int) -> None:
    table = made(origin, limited, limited.outside)
    count = len(limited.outside)
    stats = place.copy(origin, table, lane=lane, **settings("null"))
    assert place.differences(origin, table, {"v": limited.form}, v="CASE WHEN inside THEN v END") == []
    assert_told(stats.warnings, count)
    origin.database.execute(
        f"UPDATE {table} SET updated_at = clock_timestamp(), v = {limited.outside[0].sql}, inside = false WHERE id = 1"
    )
    stats = place.copy(origin, table, lane=lane + 1, **settings("null"))
    assert place.differences(origin, table, {"v": limited.form}, v="CASE WHEN inside THEN v END") == []
    assert_told(stats.warnings, 1)


def assert_told(warnings: tuple[str, ...], least: int) -> None:
    """The lookback reads rows again, which are counted again."""
    (told,) = warnings
    assert int(told.split()[0]) >= least
    assert " of v " in told


def test_the_nearest_takes_its_place(origin: Origin, place: Place, limited: Case) -> None:
    near = tuple(value for value in limited.outside if value.clamp is not None)
    table = made(origin, limited, near)
    stats = place.copy(origin, table, **settings("clamp"))
    assert place.differences(origin, table, {"v": limited.form}, v="near") == []
    if near:
        assert_told(stats.warnings, len(near))
    for value in limited.outside:
        if value.clamp is None and place.kind != "duckdb":
            origin.database.execute(f"INSERT INTO {table} VALUES (101, {value.sql})")
            with pytest.raises(LoadRefused, match=r"column v.*'NaN' \(id = 101\)") as refused:
                place.copy(origin, table, **settings("clamp"))
            assert "text" in refused.value.fix


def test_all_values_go_as_texts(origin: Origin, place: Place, limited: Case) -> None:
    table = made(origin, limited, limited.outside)
    stats = place.copy(origin, table, **settings("text"))
    assert place.differences(origin, table, {"v": "text"}) == []
    assert stats.warnings == ()
    origin.database.execute(f"UPDATE {table} SET v = {limited.fits[0]}, updated_at = clock_timestamp() WHERE id > 4")
    place.copy(origin, table, lane=1, **settings("text"))
    assert place.differences(origin, table, {"v": "text"}) == []


@pytest.mark.parametrize("policy", ["null", "clamp"])
def test_the_table_says_it_for_all_its_columns(origin: Origin, place: Place, policy: str) -> None:
    columns = "d date, t timestamp, n numeric, f float8, nd date, nt timestamp, nn numeric, nf float8"
    nearest = ("'9999-12-31'", "'0001-01-01'", f"'{'9' * 35}.{'9' * 30}'", "'-1.7976931348623157e308'")
    row = ("'infinity'", "'-infinity'", "1e50", "'-Infinity'", *(nearest if policy == "clamp" else ["NULL"] * 4))
    table = origin.filled("limited", columns, [row])
    without: dict[str, Any] = {"except": ["nd", "nt", "nn", "nf"]}
    stats = place.copy(origin, table, out_of_range=policy, **without)
    forms = {"d": "date", "t": "moment", "n": "decimal", "f": "float"}
    assert place.differences(origin, table, forms, d="nd", t="nt", n="nn", f="nf") == []
    assert len(stats.warnings) == 4

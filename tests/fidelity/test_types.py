"""Every type with its hardest values, on every target, in both lanes, in full and in increments."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fidelity.conftest import Origin, Place
from tests.fidelity.reading import Rows
from tests.fidelity.values import CASES, FAMILIES, Case

SHIFT = """
UPDATE {0} AS t SET {1}, updated_at = clock_timestamp()
FROM {0} AS other WHERE other.id = t.id % (SELECT count(*) FROM {0}) + 1
"""
"""Every row gets the values of the row after it."""

INDEXES = 60
"""MySQL takes 64 a table."""

# What a copy of a type without a form needs.
AS_TEXT = {"columns": {"v": {"from": "v", "out_of_range": "text"}}}


def shift(origin: Origin, table: str, *columns: str) -> None:
    origin.database.execute(SHIFT.format(table, ", ".join(f"{name} = other.{name}" for name in columns)))


def distinct(rows: Rows) -> int:
    values: list[Any] = []
    for (value,) in rows.values():
        values += [] if value in values else [value]
    return len(values)


def test_values_arrive_and_move(origin: Origin, place: Place, case: Case) -> None:
    table = origin.table(case, "moving", (*case.fits, "NULL"))
    settings = {} if case.known else AS_TEXT
    place.copy(origin, table, lane=0, options={"full_refresh": True}, **settings)
    assert place.differences(origin, table, {"v": case.form}) == []
    # No two of them have become one.
    forms = {"v": place.form(case.form)}
    assert distinct(place.reader.read(table, ["id"], forms)) == distinct(origin.reader.read(table, ["id"], forms))
    shift(origin, table, "v")
    place.copy(origin, table, lane=1, **settings)
    assert place.differences(origin, table, {"v": case.form}) == []


@pytest.mark.parametrize("family", FAMILIES)
def test_many_types_share_a_table(origin: Origin, place: Place, family: str) -> None:
    """The lanes change places, rows are as long as all these types make them, and each column has an index."""
    cases = [case for case in FAMILIES[family] if case.known and not origin.lacks(case)]
    columns = {f"c{number}": case for number, case in enumerate(cases)}
    length = max(len(case.fits) for case in cases)
    rows = [tuple(case.fits[n] if n < len(case.fits) else "NULL" for case in cases) for n in range(length)]
    table = origin.filled("shared", ", ".join(f"{name} {case.type}" for name, case in columns.items()), rows)
    forms = {name: case.form for name, case in columns.items()}
    settings = {"indexes": [[name] for name in columns][:INDEXES]}
    place.copy(origin, table, lane=1, options={"full_refresh": True}, **settings)
    assert place.differences(origin, table, forms) == []
    shift(origin, table, *columns)
    place.copy(origin, table, lane=0, **settings)
    assert place.differences(origin, table, forms) == []


def test_arrays_of_every_type(origin: Origin, place: Place) -> None:
    """All values of a type in one array, those without a place among them."""
    cases = [case for case in CASES if case.known and not origin.lacks(case) and "[" not in case.type]
    cases = [case for case in cases if case.type not in ("gtsvector", "many_numbers")]
    columns = {f"c{number}": case for number, case in enumerate(cases)}
    arrays = [f"ARRAY[{_elements(case)}]::{case.type}[]" for case in cases]
    rows = [tuple(arrays), ("'{}'",) * len(cases), ("'{NULL}'",) * len(cases)]
    table = origin.filled("arrays", ", ".join(f"{name} {case.type}[]" for name, case in columns.items()), rows)
    forms = dict.fromkeys(columns, "array")
    for lane, settings in ((0, {"options": {"full_refresh": True}}), (1, {})):
        place.copy(origin, table, lane=lane, **settings)
        assert place.differences(origin, table, forms) == []
        shift(origin, table, *columns)


def _elements(case: Case) -> str:
    values = (*case.fits, *(value.sql for value in case.outside))
    return ", ".join(f"({value})::{case.type}" for value in values)


@pytest.mark.parametrize("type_", ["real", "double precision"])
def test_the_sign_of_a_zero_is_a_change(origin: Origin, place: Place, type_: str) -> None:
    """Equal for every database, and yet another value."""
    table = origin.filled("zeros", f"v {type_}", [("0.0",), ("'-0.0'",)])
    settings = {"except": ["updated_at"]}
    place.copy(origin, table, options={"full_refresh": True}, **settings)
    shift(origin, table, "v")
    place.copy(origin, table, **settings)
    assert place.differences(origin, table, {"v": "float"}) == []

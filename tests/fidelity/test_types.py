"""Every type with its hardest values, on every target, in both lanes, in full and in increments."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fidelity.conftest import Origin, Place
from tests.fidelity.values import CASES, FAMILIES, Case

SHIFT = """
UPDATE {0} AS t SET {1}, updated_at = clock_timestamp()
FROM {0} AS other WHERE other.id = t.id % (SELECT count(*) FROM {0}) + 1
"""
"""Every row gets the values of the row after it."""

INDEXES = 60
"""MySQL takes 64 a table."""


def as_text(*names: str) -> dict[str, Any]:
    """What columns of types without a form need."""
    return {name: {"from": name, "out_of_range": "text"} for name in names}


def shift(origin: Origin, table: str, *columns: str) -> None:
    origin.database.execute(SHIFT.format(table, ", ".join(f"{name} = other.{name}" for name in columns)))


@pytest.mark.parametrize("place", ["mysql"], indirect=True)
def test_values_arrive_and_move(origin: Origin, place: Place, case: Case) -> None:
    """A table of its own for each type; the other targets have them together, below."""
    table = origin.table(case, "moving", (*case.fits, "NULL"))
    settings: dict[str, Any] = {} if case.known else {"columns": as_text("v")}
    place.copy(origin, table, lane=0, **settings)
    assert place.differences(origin, table, {"v": case.form}) == []
    shift(origin, table, "v")
    place.copy(origin, table, lane=1, **settings)
    assert place.differences(origin, table, {"v": case.form}) == []


@pytest.mark.parametrize("lane", [0, 1])
@pytest.mark.parametrize("family", FAMILIES)
def test_many_types_share_a_table(origin: Origin, place: Place, family: str, lane: int) -> None:
    """Filled by one lane and changed by the other; rows as long as all these types make them, each column indexed."""
    if lane >= len(place.lanes):
        pytest.skip("there is one lane")
    cases = [case for case in FAMILIES[family] if not origin.lacks(case)]
    columns = {f"c{number}": case for number, case in enumerate(cases)}
    length = max(len(case.fits) for case in cases)
    rows = [tuple(case.fits[n] if n < len(case.fits) else "NULL" for case in cases) for n in range(length)]
    table = origin.filled("shared", ", ".join(f"{name} {case.type}" for name, case in columns.items()), rows)
    forms = {name: case.form for name, case in columns.items()}
    settings: dict[str, Any] = {
        "indexes": [[name] for name in columns][:INDEXES],
        "columns": as_text(*(name for name, case in columns.items() if not case.known)),
    }
    place.copy(origin, table, lane=lane, **settings)
    assert place.differences(origin, table, forms) == []
    assert doubled(origin, place, table, forms) == []
    shift(origin, table, *columns)
    place.copy(origin, table, lane=1 - lane, **settings)
    assert place.differences(origin, table, forms) == []


def doubled(origin: Origin, place: Place, table: str, forms: dict[str, str]) -> list[str]:
    """Columns of which several values have become one."""
    forms = {name: place.form(form) for name, form in forms.items()}
    sides = [reader.read(table, ["id"], forms).values() for reader in (origin.reader, place.reader)]
    counts = [[distinct(values) for values in zip(*rows, strict=True)] for rows in sides]
    return [name for name, sent, arrived in zip(forms, *counts, strict=True) if sent != arrived]


def distinct(values: tuple[Any, ...]) -> int:
    found: list[Any] = []
    for value in values:
        found += [] if value in found else [value]
    return len(found)


def test_arrays_of_every_type(origin: Origin, place: Place) -> None:
    """All values of a type in one array, those without a place among them."""
    cases = [case for case in CASES if case.known and not origin.lacks(case) and "[" not in case.type]
    cases = [case for case in cases if case.type not in ("gtsvector", "many_numbers")]
    columns = {f"c{number}": case for number, case in enumerate(cases)}
    arrays = [f"ARRAY[{_elements(case)}]::{case.type}[]" for case in cases]
    rows = [tuple(arrays), ("'{}'",) * len(cases), ("'{NULL}'",) * len(cases)]
    table = origin.filled("arrays", ", ".join(f"{name} {case.type}[]" for name, case in columns.items()), rows)
    forms = dict.fromkeys(columns, "array")
    for lane in (0, 1):
        place.copy(origin, table, lane=lane)
        assert place.differences(origin, table, forms) == []
        shift(origin, table, *columns)


def _elements(case: Case) -> str:
    values = (*case.fits, *(value.sql for value in case.outside))
    return ", ".join(f"({value})::{case.type}" for value in values)


@pytest.mark.parametrize("type_", ["real", "double precision"])
def test_the_sign_of_a_zero_is_a_change(origin: Origin, place: Place, type_: str) -> None:
    """Equal for every database, and yet another value."""
    table = origin.filled("zeros", f"v {type_}", [("0.0",), ("'-0.0'",)])
    settings: dict[str, Any] = {"except": ["updated_at"]}
    place.copy(origin, table, **settings)
    shift(origin, table, "v")
    place.copy(origin, table, **settings)
    assert place.differences(origin, table, {"v": "float"}) == []

"""A default of the copy is the default of the source, or there is none."""

from __future__ import annotations

import pytest

from tests.fidelity.conftest import Origin, Place
from tests.fidelity.reading import differences
from tests.fidelity.values import FAMILIES

AT_ONCE = 150
"""Columns of a table."""


@pytest.mark.parametrize("family", FAMILIES)
def test_defaults_say_the_same(origin: Origin, place: Place, family: str) -> None:
    """Every value of every type of the family is the default of a column."""
    defaults = [
        (case, value)
        for case in FAMILIES[family]
        if case.known and not origin.lacks(case) and case.type != "regrole"
        for value in (*case.fits, *(one.sql for one in case.outside))
        if "SELECT" not in value
    ]
    for start in range(0, len(defaults), AT_ONCE):
        columns = {f"c{number}": pair for number, pair in enumerate(defaults[start : start + AT_ONCE], start)}
        declared = ", ".join(f"{name} {case.type} DEFAULT ({value})" for name, (case, value) in columns.items())
        table = origin.filled("defaulted", declared, [])
        place.copy(origin, table)
        insert = f"INSERT INTO {table} (id, updated_at) VALUES (1, '2024-01-01')"
        with place.lanes[0].session() as session:
            session.execute(insert)
        origin.database.execute(insert)
        check(origin, place, table, {name: case.form for name, (case, _) in columns.items()})


def check(origin: Origin, place: Place, table: str, forms: dict[str, str]) -> None:
    """The row of defaults is the source's, but for columns that have none."""
    forms = {name: place.form(form) for name, form in forms.items()}
    (texts,) = place.reader.read(table, ["id"], dict.fromkeys(forms, "text")).values()
    without = {name for name, text in zip(forms, texts, strict=True) if text is None}
    shown = {f"CASE WHEN {name not in without} THEN {name} END": form for name, form in forms.items()}
    assert differences(origin.reader.read(table, ["id"], shown), place.reader.read(table, ["id"], forms)) == []

"""Values that Hypothesis draws, a table of many at once, in both lanes, in full and in increments."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fidelity.conftest import Origin, Place
from tests.fidelity.strategies import GROUPS, Drawn

EXAMPLES = int(os.environ.get("VITRINA_FIDELITY_EXAMPLES", "3"))
"""Tables that are drawn, a group of types, target and lane; a search for trouble takes hundreds."""

ROWS = 40


def fill(origin: Origin, drawn: tuple[Drawn, ...], rows: list[tuple[Any, ...]]) -> str:
    columns = ", ".join(f"c{number} {column.type}" for number, column in enumerate(drawn))
    table = origin.filled("drawn", columns, [])
    slots = ", ".join(f"({column.read})::{column.type}" for column in drawn)
    statement = f"INSERT INTO {table} SELECT %s, {slots}"
    with origin.database.connect() as connection, connection.cursor() as cursor:
        for number, row in enumerate(rows):
            cursor.execute(statement, (number, *row))
    return table


@pytest.mark.parametrize("lane", [0, 1])
@pytest.mark.parametrize("group", GROUPS)
def test_what_is_drawn_arrives(origin: Origin, place: Place, group: str, lane: int) -> None:
    if lane >= len(place.lanes):
        pytest.skip("there is one lane")
    drawn = GROUPS[group]
    forms = {f"c{number}": column.form for number, column in enumerate(drawn)}
    tables = st.lists(st.tuples(*(st.none() | column.values for column in drawn)), min_size=ROWS, max_size=ROWS)

    # The differences name the cell; making the table smaller would take minutes.
    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(tables)
    def arrives(rows: list[tuple[Any, ...]]) -> None:
        table = fill(origin, drawn, rows)
        place.copy(origin, table, lane=lane)
        assert place.differences(origin, table, forms) == []
        shifted = ", ".join(f"{name} = other.{name}" for name in forms)
        origin.database.execute(
            f"UPDATE {table} AS t SET {shifted}, updated_at = clock_timestamp() "
            f"FROM {table} AS other WHERE other.id = (t.id + 1) % {len(rows)}"
        )
        place.copy(origin, table, lane=lane)
        assert place.differences(origin, table, forms) == []

    arrives()

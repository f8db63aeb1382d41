"""Every type with its hardest values, on every target, in both lanes, in full and in increments."""

from __future__ import annotations

from typing import Any

from tests.fidelity.conftest import Origin, Place
from tests.fidelity.reading import Rows
from tests.fidelity.values import Case

SHIFT = """
UPDATE {0} AS t SET v = other.v, updated_at = clock_timestamp()
FROM {0} AS other WHERE other.id = t.id % (SELECT count(*) FROM {0}) + 1
"""
"""Every row gets the value of the row after it."""


def distinct(rows: Rows) -> int:
    values: list[Any] = []
    for (value,) in rows.values():
        values += [] if value in values else [value]
    return len(values)


def test_values_arrive_and_move(origin: Origin, place: Place, case: Case) -> None:
    table = origin.table(case, "moving", (*case.fits, "NULL"))
    settings = {} if case.known else {"columns": {"v": {"from": "v", "out_of_range": "text"}}}
    place.copy(origin, table, lane=0, options={"full_refresh": True}, **settings)
    assert place.differences(origin, table, {"v": case.form}) == []
    # No two of them have become one.
    sent = origin.reader.read(table, ["id"], {"v": place.form(case.form)})
    assert distinct(place.reader.read(table, ["id"], {"v": place.form(case.form)})) == distinct(sent)
    origin.database.execute(SHIFT.format(table))
    place.copy(origin, table, lane=1, **settings)
    assert place.differences(origin, table, {"v": case.form}) == []

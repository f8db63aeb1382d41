"""Every type with its hardest values, on every target, in both lanes, in full and in increments."""

from __future__ import annotations

from tests.fidelity.conftest import Origin, Place
from tests.fidelity.values import Case

SHIFT = """
UPDATE {0} AS t SET v = other.v, updated_at = clock_timestamp()
FROM {0} AS other WHERE other.id = t.id % (SELECT count(*) FROM {0}) + 1
"""
"""Every row gets the value of the row after it."""


def test_values_arrive_and_move(origin: Origin, place: Place, case: Case) -> None:
    table = origin.table(case, "moving", (*case.fits, "NULL"))
    settings = {} if case.known else {"columns": {"v": {"from": "v", "out_of_range": "text"}}}
    place.copy(origin, table, lane=0, options={"full_refresh": True}, **settings)
    assert place.differences(origin, table, {"v": case.form}) == []
    origin.database.execute(SHIFT.format(table))
    place.copy(origin, table, lane=1, **settings)
    assert place.differences(origin, table, {"v": case.form}) == []

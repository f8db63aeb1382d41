"""The comparator sees what it must see: a suite that cannot fail proves nothing."""

from __future__ import annotations

import pytest

from tests.fidelity.conftest import Origin, Place
from tests.fidelity.reading import FORMS, differences, strangers

# The form, two texts of PostgreSQL, and what a target shows that is the first and not the second.
PAIRS = (
    ("boolean", "true", "false", "1"),
    ("integer", "9007199254740993", "9007199254740992", "9007199254740993"),
    ("decimal", "1.10", "1.1000000000000000000000000001", "1.100000"),
    ("decimal", "NaN", "0", "NaN"),
    ("float", "0", "-0", "0"),
    ("float", "0.1", "0.10000000000000002", "0.1"),
    ("float, one zero", "-0", "5e-324", "0"),
    ("text", "a", "a ", "a"),
    ("text", "a", "A", "a"),
    ("text", "é", "e\u0301", "é"),
    ("text", "", " ", ""),
    ("bytes", "00ff", "00fe", b"\x00\xff"),
    ("date", "0001-01-01", "0001-01-02", "0001-01-01"),
    ("time", "24:00:00", "00:00:00", "24:00:00.000000"),
    ("moment", "1", "0", "1970-01-01 00:00:00.000001"),
    ("moment", "-1", "1", "1969-12-31 23:59:59.999999"),
    ("array", '["[1]", "\\"{1}\\""]', '["[[1]]", "\\"{{1}}\\""]', "[1]"),
    ("dictionary", '{"a": "1", "b": null}', '{"a": "1"}', '{"b": null, "a": "1"}'),
)


@pytest.mark.parametrize(("form", "same", "other", "shown"), PAIRS)
def test_meanings(form: str, same: str, other: str, shown: object) -> None:
    arrived = {("1",): (FORMS[form].arrived(shown),)}
    for compare in (differences, strangers):
        assert compare({("1",): (FORMS[form].sent(same),)}, arrived) == []
        assert compare({("1",): (FORMS[form].sent(other),)}, arrived)
        assert compare({("1",): (None,)}, arrived)
        assert compare({}, arrived)
        assert compare(arrived, {})


def test_a_copy_that_was_altered_is_seen(origin: Origin, place: Place) -> None:
    table = origin.filled("altered", "t text, n numeric, f float8, m timestamptz, b bytea", [
        ("'a'", "1.10", "0.1", "'2024-07-01 00:00:00+02'", "'\\x00'"), ("NULL",) * 5,
    ])  # fmt: skip
    forms = {"t": "text", "n": "decimal", "f": "float", "m": "moment", "b": "bytes"}
    place.copy(origin, table)
    assert place.differences(origin, table, forms) == []
    changes = ("t = 'a '", "n = 1.11", "f = 0.10000000000000002", "m = '2024-07-01 00:00:00'", "b = NULL", "id = 7")
    for change in changes:
        with place.lanes[0].session() as session:
            session.execute(f"UPDATE {table} SET {change} WHERE id = 1")
        assert place.differences(origin, table, forms), change
        place.copy(origin, table, full=True)
        assert place.differences(origin, table, forms) == []
    with place.lanes[0].session() as session:
        session.execute(f"DELETE FROM {table} WHERE id = 2")
    assert place.differences(origin, table, forms) == ["row ('2',) is missing"]

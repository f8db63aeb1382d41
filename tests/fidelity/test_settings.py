"""What a role, or a database, is set to does not change what arrives."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fidelity.conftest import Origin, Place
from tests.fidelity.values import FAMILIES

HOSTILE = {
    "DateStyle": "'SQL, DMY'",
    "IntervalStyle": "'iso_8601'",
    "TimeZone": "'America/New_York'",
    "bytea_output": "'escape'",
    "extra_float_digits": "-15",
    "client_encoding": "'LATIN1'",
    "standard_conforming_strings": "off",
    "quote_all_identifiers": "on",
    "array_nulls": "off",
    "xmloption": "'document'",
    "transform_null_equals": "on",
    "default_transaction_read_only": "on",
    "statement_timeout": "'50ms'",
    "lc_messages": "'C'",
}


@pytest.fixture
def hostile(origin: Origin) -> Iterator[Origin]:
    """The origin, whose role gets sessions with settings that nobody would wish for."""
    role = f'"{origin.database.user}"'
    origin.database.admin(*(f"ALTER ROLE {role} SET {name} = {value}" for name, value in HOSTILE.items()))
    origin.postgres.close()
    yield origin
    origin.database.admin(f"ALTER ROLE {role} RESET ALL")
    origin.postgres.close()


@pytest.mark.parametrize("lane", [0, 1])
def test_settings_of_the_role(hostile: Origin, place: Place, lane: int) -> None:
    if lane >= len(place.lanes):
        pytest.skip("there is one lane")
    cases = [case for family in FAMILIES.values() for case in family if case.known and not hostile.lacks(case)]
    first = {f"c{number}": case for number, case in enumerate(cases) if case.type != "regclass"}
    columns = ", ".join(f"{name} {case.type}" for name, case in first.items())
    rows = [tuple(case.fits[min(n, len(case.fits) - 1)] for case in first.values()) for n in range(4)]
    table = hostile.filled("hostile", columns, rows)
    place.copy(hostile, table, lane=lane)
    assert place.differences(hostile, table, {name: case.form for name, case in first.items()}) == []

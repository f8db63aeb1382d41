"""Values of 64 KB and of 16 MB, and what is longer than a statement may be."""

from __future__ import annotations

import pytest

from tests.fidelity.conftest import Origin, Place

LARGE = (1, 65_535, 65_536, 65_537, 1 << 20)
HUGE = (1 << 24) + 1


def sizes(rows: tuple[int, ...]) -> list[tuple[str, ...]]:
    return [(f"repeat('é', {size})", f"decode(repeat('00ff5c0a', {size // 4 + 1}), 'hex')") for size in rows]


@pytest.mark.parametrize("lane", [0, 1])
def test_values_of_64_kb(origin: Origin, place: Place, lane: int) -> None:
    table = origin.filled("large", "t text, b bytea", sizes(LARGE))
    place.copy(origin, table, lane=lane)
    assert place.differences(origin, table, {"t": "text", "b": "bytes"}) == []


@pytest.mark.slow
@pytest.mark.parametrize("lane", [0, 1])
@pytest.mark.parametrize("column", ["t", "b"])
def test_values_of_16_mb_arrive_or_are_refused(origin: Origin, place: Place, lane: int, column: str) -> None:
    """What a server's limits of a packet or a row keep out is refused; what is taken is exact."""
    value = f"repeat('x', {HUGE})" if column == "t" else f"decode(repeat('fa', {HUGE}), 'hex')"
    type_, form = ("text", "text") if column == "t" else ("bytea", "bytes")
    table = origin.filled("huge", f"v {type_}", [(value,)])
    if place.refusal(origin, table, lane=lane) is None:
        assert place.differences(origin, table, {"v": form}) == []

"""Values of 64 KB and of 16 MB, and what is longer than a statement may be."""

from __future__ import annotations

import random

import pytest
from psycopg2.extras import execute_values

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


@pytest.mark.parametrize("lane", [0, 1])
def test_marks_of_csv_at_the_edges_of_buffers(origin: Origin, place: Place, lane: int) -> None:
    """Texts of nothing but quotes, commas, ends of lines and backslashes, of all lengths."""
    table = origin.filled("marks", "v text, b bytea", [])
    chosen = random.Random(5)
    texts = ["".join(chosen.choices('",\n\r\\N\tUL', k=chosen.choice((1, 2, 3, 60, 4_000)))) for _ in range(900)]
    with origin.database.connect() as connection, connection.cursor() as cursor:
        rows = [(number, text, text.encode()) for number, text in enumerate((*texts, '"' * 65_536, '"\n' * 40_000))]
        execute_values(cursor, f"INSERT INTO {table} (id, v, b) VALUES %s", rows)
    place.copy(origin, table, lane=lane)
    assert place.differences(origin, table, {"v": "text", "b": "bytes"}) == []

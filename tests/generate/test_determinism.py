"""One seed, the same bytes; another seed, others. Neither chunks nor other columns change a value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from framework.events import Reporter
from framework.generate import chunks
from framework.generate.columns.streams import Permutation, Stream
from framework.generate.filling import fill
from tests.generate.conftest import dump, one_table, task

REPORTER = Reporter("generate")


def shop(**customer_columns: Any) -> dict[str, Any]:
    return {
        "customers": {
            "rows": 2000,
            "columns": {
                **customer_columns,
                "id": {"type": "bigint", "primary_key": True, "fake": "sequence"},
                "email": {"type": "varchar(60)", "unique": True, "fake": "email"},
                "name": {"type": "varchar(60)", "nulls": "10%", "fake": "name"},
                "created_at": {"type": "timestamptz", "fake": {"datetime": {"from": "-2y", "to": "now"}}},
            },
        },
        "orders": {
            "rows": {"per": "customer_id", "mean": 5, "skew": 1.2},
            "columns": {
                "id": {"type": "bigint", "primary_key": True, "fake": "sequence"},
                "customer_id": {"type": "bigint", "references": {"table": "customers", "column": "id"}},
                "price": {"type": "numeric(12,2)", "fake": {"lognormal": {"mean": 3, "sigma": 1}}},
                "tags": {"type": "text[]", "fake": {"array": {"of": {"choice": ["a", "b"]}, "max": 3}}},
                "about": {"type": "jsonb", "fake": {"json": {"n": {"normal": {"mean": 0, "sigma": 1}}}}},
                "created_at": {
                    "type": "timestamptz",
                    "fake": {"after": {"column": "customers.created_at", "within": "700d"}},
                },
            },
        },
    }


def test_one_seed_gives_the_same_bytes_and_another_does_not(new_source, open_source):
    dumps = []
    for seed in (1, 1, 2):
        database = new_source()
        fill(open_source(database), task(shop(), seed=seed), REPORTER)
        dumps.append((dump(database, "customers"), dump(database, "orders")))
    assert dumps[0] == dumps[1]
    assert dumps[0][0] != dumps[2][0]
    assert dumps[0][1] != dumps[2][1]


def test_neither_chunks_nor_another_column_change_a_value(new_source, open_source, monkeypatch):
    plain, changed = new_source(), new_source()
    fill(open_source(plain), task(shop()), REPORTER)
    monkeypatch.setattr(chunks, "_MOST", 97)
    monkeypatch.setattr(chunks, "_FEWEST", 97)
    fill(open_source(changed), task(shop(nickname={"type": "text", "fake": "first_name"})), REPORTER)
    columns = "id, email, name, created_at"
    assert dump(plain, "customers", columns) == dump(changed, "customers", columns)
    assert dump(plain, "orders") == dump(changed, "orders")


def test_known_values_stay_for_ever(source, postgres):
    """The numbers that a seed stands for are a promise: if this fails, `marker.RULES_VERSION` has to grow."""
    fill(
        postgres,
        one_table(
            3,
            n={"type": "int", "fake": {"integer": {"min": 1, "max": 1_000_000}}},
            x={"type": "numeric(9,3)", "fake": {"normal": {"mean": 0, "sigma": 100}}},
            u={"type": "uuid", "fake": "uuid"},
            t={"type": "timestamptz", "fake": {"datetime": {"from": "-1y", "to": "now"}}},
        ),
        REPORTER,
    )
    assert dump(source, "t").decode() == KNOWN


KNOWN = """\
1\t333579\t70.987\t4d5ede4d-f5aa-4c95-912a-3559210b2df7\t2025-12-09 08:56:50.070169+00
2\t255141\t-61.446\tca98bc30-1064-45fa-afc9-710b519d8faa\t2025-02-17 07:50:55.713892+00
3\t642109\t-14.648\t9b86afab-accd-49f4-af63-f5a1501db981\t2025-02-20 23:42:09.497931+00
"""


@pytest.mark.parametrize("size", [1, 2, 3, 5, 10, 97, 1000, 65_537])
def test_a_permutation_meets_every_number_once(size):
    places = Permutation(size, Stream(7, "t", "c"))(np.arange(size))
    assert sorted(places.tolist()) == list(range(size))


@pytest.mark.parametrize("limit", [1, 7, 2**32 - 1, 2**32, 2**32 + 1, 2**62])
def test_a_limit_is_the_upper_half_of_an_exact_product(limit):
    stream, rows = Stream("below"), np.arange(1000)
    assert stream.below(rows, limit).tolist() == [int(bits) * limit >> 64 for bits in stream.bits(rows)]


def test_streams_of_different_paths_differ():
    rows = np.arange(100)
    streams = [Stream(1, "a", "bc"), Stream(1, "ab", "c"), Stream(2, "a", "bc"), Stream(1, "a", "bc").child(0)]
    assert len({tuple(stream.bits(rows).tolist()) for stream in streams}) == 4


def test_a_row_has_the_same_value_wherever_it_is_asked_for():
    stream = Stream(1, "t", "c")
    assert stream.bits(np.arange(50, 60)).tolist() == stream.bits(np.arange(100)).tolist()[50:60]
    assert stream.below(np.array([5, 99]), np.array([10, 3])).tolist() == [
        int(stream.bits(np.array([row]))[0]) * limit >> 64 for row, limit in ((5, 10), (99, 3))
    ]

"""A table is copied in parts: each row belongs to one of them, whatever the key is, and they are about as large."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from framework.databases.postgres.catalog import require
from framework.databases.postgres.source import PostgresSession, PostgresSource
from framework.replicate import chunks
from framework.replicate.chunks import WHOLE, Parts
from framework.replicate.estimate import Estimate, estimate
from framework.replicate.mapping import Mapping, resolve
from framework.replicate.outline import PLACE, Outline, Range
from framework.spec.replication import ReplicateTask
from tests.replicate.conftest import DEFAULTS, Copying
from tests.services.databases import SourceDatabase

ROWS, PARTS = 3000, 5
BASE = {name: value for name, value in DEFAULTS.items() if name != "cursor"}
ODD = """(ARRAY['é', 'e', 'E', 'ß', 'o''clock', 'say "hi"', 'back\\slash', '%s %(x)s', ' ', '漢', '😀', 'Z-z'])"""

KEYED = {
    "even": "CREATE TABLE t AS SELECT i AS id FROM generate_series(1, 3000) AS i",
    "negative": "CREATE TABLE t AS SELECT (-9223372036854775808 + i)::bigint AS id FROM generate_series(0, 2999) AS i",
    "sparse": "CREATE TABLE t AS SELECT i::bigint * i * i AS id FROM generate_series(1, 3000) AS i",
    "skewed": """CREATE TABLE t AS SELECT CASE WHEN i = 3000 THEN 9223372036854775807 ELSE i END AS id
                 FROM generate_series(1, 3000) AS i""",
    "uuid": "CREATE TABLE t AS SELECT md5(i::text)::uuid AS id FROM generate_series(1, 3000) AS i",
    "text": f"CREATE TABLE t AS SELECT {ODD}[1 + i % 12] || i AS id FROM generate_series(1, 3000) AS i",
    "text in another order": f"""CREATE TABLE t AS SELECT ({ODD}[1 + i % 12] || i) COLLATE "en-x-icu" AS id
                                 FROM generate_series(1, 3000) AS i""",
    "padded": "CREATE TABLE t AS SELECT (i::text)::char(9) AS id FROM generate_series(1, 3000) AS i",
    "bytes": "CREATE TABLE t AS SELECT decode(md5(i::text), 'hex') AS id FROM generate_series(1, 3000) AS i",
    "numbers": "CREATE TABLE t AS SELECT CASE i WHEN 1 THEN 'NaN' ELSE i / 7.0 END AS id"
    " FROM generate_series(1, 3000) AS i",
    "days": "CREATE TABLE t AS SELECT CASE i WHEN 1 THEN 'infinity' ELSE date '2001-01-01' + i END AS id"
    " FROM generate_series(1, 3000) AS i",
    "moments": "CREATE TABLE t AS SELECT timestamptz '2001-01-01' + i * interval '0.7 us' * 3 AS id"
    " FROM generate_series(1, 3000) AS i",
    "several": f"CREATE TABLE t AS SELECT {ODD}[1 + i % 12] AS id, i % 50 AS n, date '2001-01-01' + i AS day"
    " FROM generate_series(1, 3000) AS i",
}
COMPOSITE = {"several": "id, n, day"}


class Split:
    """The table ``t``, and the parts that it is split into."""

    def __init__(self, session: PostgresSession) -> None:
        self.session = session
        self.settings: dict[str, Any] = {"mode": "full"}

    @property
    def mapping(self) -> Mapping:
        task = ReplicateTask.model_validate({**BASE, **self.settings})
        return resolve(task, require(self.session, "public", "t"), b"key")

    @property
    def found(self) -> Estimate:
        self.session.execute("ANALYZE t")
        return estimate(self.session, self.mapping)

    def at_once(self) -> Parts:
        return chunks.split(self.session, self.mapping, self.found, PARTS)

    def over_time(self) -> Parts:
        return chunks.by_key(self.session, self.mapping, self.found, PARTS)

    def sizes(self, parts: Parts) -> list[int]:
        """How many rows each part has. Each row that counts must be in one, and in no other."""
        conditions = [chunks.condition(self.mapping, parts.by, part) or "true" for part in parts.ranges]
        member = " + ".join(f"({condition})::int" for condition in conditions)
        counts = ", ".join(f"count(*) FILTER (WHERE {condition})" for condition in conditions)
        mapping = self.mapping
        row = self.session.query(
            f"SELECT count(*) FILTER (WHERE ({member}) <> 1), {counts} FROM {mapping.origin}{mapping.filter()}"
        )[0]
        assert row[0] == 0, f"{row[0]} rows are in none of {conditions}, or in several"
        return [int(size) for size in row[1:]]


@pytest.fixture
def split(source: SourceDatabase) -> Iterator[Split]:
    postgres = PostgresSource("pg", source.url)
    with postgres.session() as session:
        yield Split(session)
    postgres.close()


def _even(sizes: list[int], rows: int = ROWS, parts: int = PARTS) -> bool:
    return len(sizes) == parts and sum(sizes) == rows and max(sizes) <= 1.5 * rows / parts


@pytest.mark.parametrize("kind", KEYED)
def test_ranges_of_the_key_are_even_and_each_row_is_in_one(split: Split, kind: str) -> None:
    split.session.execute(KEYED[kind])
    split.session.execute(f"ALTER TABLE t ADD PRIMARY KEY ({COMPOSITE.get(kind, 'id')})")
    parts = split.over_time()
    assert parts.by == tuple(COMPOSITE.get(kind, "id").split(", "))
    assert _even(split.sizes(parts))
    assert Outline.from_json(_outline(parts).as_json()) == _outline(parts)
    # Rows that come later have a part, too.
    split.session.execute("UPDATE t SET id = id")
    split.sizes(parts)


@pytest.mark.parametrize("kind", KEYED)
def test_a_part_is_found_by_the_index_of_the_key(split: Split, kind: str) -> None:
    split.session.execute(KEYED[kind])
    split.session.execute(f"ALTER TABLE t ADD PRIMARY KEY ({COMPOSITE.get(kind, 'id')})")
    parts = split.over_time()
    condition = chunks.condition(split.mapping, parts.by, parts.ranges[1])
    split.session.execute("SET enable_seqscan = off")
    plan = "\n".join(line for (line,) in split.session.query(f"EXPLAIN SELECT * FROM t WHERE {condition}"))
    assert "Index Cond" in plan
    assert "Filter" not in plan


@pytest.mark.parametrize("kind", ["keyless", "nullable", "partitioned", "inherited", "only"])
def test_ranges_of_places_are_even_and_each_row_is_in_one(split: Split, kind: str) -> None:
    plain = "CREATE TABLE t AS SELECT i, nullif(i % 3000, 0) AS n, repeat('x', 99) FROM generate_series(1, 3000) AS i"
    made = {
        "keyless": [plain],
        "nullable": [plain, "CREATE UNIQUE INDEX ON t (n)"],
        "partitioned": [
            "CREATE TABLE t (i int, body text) PARTITION BY HASH (i)",
            "CREATE TABLE t_0 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
            "CREATE TABLE t_1 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
            "INSERT INTO t SELECT i, repeat('x', 99) FROM generate_series(1, 3000) AS i",
        ],
        "inherited": [plain, "CREATE TABLE child () INHERITS (t)", "INSERT INTO child SELECT * FROM ONLY t"],
        "only": [plain, "CREATE TABLE child () INHERITS (t)", "INSERT INTO child SELECT * FROM ONLY t"],
    }
    for statement in made[kind]:
        split.session.execute(statement)
    split.settings["children"] = kind != "only"
    parts = split.at_once()
    assert parts.by == PLACE
    assert _even(split.sizes(parts), 2 * ROWS if kind == "inherited" else ROWS)
    condition = chunks.condition(split.mapping, parts.by, parts.ranges[1])
    plan = [line for (line,) in split.session.query(f"EXPLAIN SELECT * FROM {split.mapping.origin} WHERE {condition}")]
    assert sum("Tid Range Scan" in line for line in plan) == (2 if kind in ("partitioned", "inherited") else 1)
    split.session.execute(f"UPDATE {split.mapping.origin} SET i = i")
    split.sizes(parts)


@pytest.mark.parametrize("kind", ["even", "uuid", "several"])
def test_a_key_is_preferred_to_places(split: Split, kind: str) -> None:
    split.session.execute(KEYED[kind])
    split.session.execute(f"ALTER TABLE t ADD PRIMARY KEY ({COMPOSITE.get(kind, 'id')})")
    assert split.at_once() == split.over_time()


@pytest.mark.parametrize("rows", [0, 1, 3])
@pytest.mark.parametrize("key", ["", "PRIMARY KEY"])
def test_tables_of_few_rows(split: Split, rows: int, key: str) -> None:
    split.session.execute(f"CREATE TABLE t (id int {key})")
    split.session.execute(f"INSERT INTO t SELECT generate_series(1, {rows})")
    for parts in (split.at_once(), split.over_time()):
        assert sum(split.sizes(parts)) == rows


@pytest.mark.parametrize(
    "made",
    [
        "CREATE VIEW t AS SELECT i AS id FROM generate_series(1, 3000) AS i",
        "CREATE TABLE t AS SELECT i AS id FROM generate_series(1, 3000) AS i",
        "CREATE TABLE t AS SELECT i * interval '1 day' AS id FROM generate_series(1, 3000) AS i",
    ],
)
def test_what_has_no_ranges_is_one_part_over_time(split: Split, made: str) -> None:
    split.session.execute(made)
    if "interval" in made:
        split.session.execute("ALTER TABLE t ADD PRIMARY KEY (id)")
    split.settings["key"] = ["id"]
    assert split.over_time() == WHOLE


def test_an_index_in_another_order_finds_no_ranges(split: Split) -> None:
    split.session.execute(KEYED["several"])
    split.session.execute("ALTER TABLE t ADD PRIMARY KEY (n, id, day)")
    split.settings["key"] = ["id", "n", "day"]
    assert split.over_time() == WHOLE


def test_a_masked_key_bounds_nothing(split: Split) -> None:
    """Bounds are noted in the target and in Airflow's database."""
    split.session.execute(KEYED["text"])
    split.session.execute("ALTER TABLE t ADD PRIMARY KEY (id)")
    split.settings["columns"] = {"id": {"from": "id", "mask": "hmac"}}
    assert split.over_time() == WHOLE
    assert split.at_once().by == PLACE


def test_long_values_bound_nothing(split: Split) -> None:
    split.session.execute("CREATE TABLE t AS SELECT repeat('x', i) || i AS id FROM generate_series(1, 1000) AS i")
    split.session.execute("ALTER TABLE t ADD PRIMARY KEY (id)")
    parts = split.over_time()
    assert 1 <= len(parts.ranges) < PARTS
    assert sum(split.sizes(parts)) == 1000


def test_a_filter_is_known_to_the_sample(split: Split) -> None:
    split.session.execute(KEYED["even"])
    split.session.execute("ALTER TABLE t ADD PRIMARY KEY (id)")
    split.settings["where"] = "id <= 100 -- the first ones, 100%"
    assert _even(split.sizes(split.over_time()), 100)


@pytest.mark.parametrize(
    ("found", "streams", "wanted"),
    [
        (Estimate(0, 0, 0, True), 4, 1),
        (Estimate(199_999, 30 << 20, 0, True), 4, 1),
        (Estimate(200_000, 30 << 20, 0, True), 4, 4),
        (Estimate(2_500_000, 0, 0, True), 2, 4),
        (Estimate(2_500_000, 0, 0, True), 1, 3),
        (Estimate(1000, 1 << 30, 0, True), 2, 4),
        (Estimate(1000, 40 << 20, 0, True), 4, 4),
        (Estimate(10**12, 0, 0, True), 2, chunks.MOST),
    ],
)
def test_how_many_parts(found: Estimate, streams: int, wanted: int) -> None:
    assert chunks.count(found, 1_000_000, streams) == wanted


TABLES = {
    "text": (KEYED["text"], "id"),
    "several": (KEYED["several"], "id, n, day"),
    "uuid": (KEYED["uuid"], "id"),
    "sparse": (KEYED["sparse"], "id"),
    "keyless": (KEYED["text"], ""),
}


@pytest.mark.parametrize("kind", TABLES)
def test_a_copy_in_parts_is_exact_whoever_writes_meanwhile(copying: Copying, kind: str) -> None:
    """All parts are read in one snapshot: of what is written meanwhile the copy has all or nothing."""
    made, key = TABLES[kind]
    copying.source.execute(made)
    copying.source.execute("ALTER TABLE t ADD stamp int NOT NULL DEFAULT 0")
    if key:
        copying.source.execute(f"ALTER TABLE t ADD PRIMARY KEY ({key})")
    copying.source.execute("ANALYZE t")
    done = threading.Event()

    def write() -> None:
        stamp = 0
        while not done.is_set():
            stamp += 1
            copying.source.execute(f"UPDATE t SET stamp = {stamp}")  # each row gets another place

    writer = threading.Thread(target=write)
    writer.start()
    try:
        stats = copying({"streams": 3}, mode="full", chunk_rows=500)
    finally:
        done.set()
        writer.join()
    assert stats.rows_written == ROWS
    assert copying.target.rows("SELECT COUNT(*), COUNT(DISTINCT stamp) FROM `copy`") == [(ROWS, 1)]
    wanted = {str(plain) for (plain,) in copying.source.rows("SELECT id FROM t")}
    assert {str(plain) for (plain,) in copying.target.rows("SELECT id FROM `copy`")} == wanted


def _outline(parts: Parts) -> Outline:
    data = dict.fromkeys(("backfill", "renamed", "kept", "compared"), ())
    horizon = {"moment": None, "exact": True, "prepared": 0}
    plain = {"full": True, "token": 1, "generation": "g", "fingerprint": "f", "bound": None, "watermark": None}
    blank = Outline.from_json({**data, **plain, "horizon": horizon, "by": (), "ranges": (), "one_snapshot": True})
    return replace(blank, by=parts.by, ranges=parts.ranges)


def test_a_gap_or_an_overlap_is_noticed(split: Split) -> None:
    """The test of these tests."""
    split.session.execute(KEYED["even"])
    split.session.execute("ALTER TABLE t ADD PRIMARY KEY (id)")
    wrong: list[tuple[Range, ...]] = [((None, ("10",)), (("11",), None)), ((None, ("12",)), (("11",), None))]
    for ranges in wrong:
        with pytest.raises(AssertionError):
            split.sizes(Parts(("id",), ranges))

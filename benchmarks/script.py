"""What somebody would write by hand to copy some tables: the peer of the scenario `small`.

A few threads, each with a connection to either side; for each table a fresh one aside, COPY into LOAD DATA, the index
behind the rows, RENAME. It keeps neither state nor history, and nobody is kept from doing the same at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from tempfile import NamedTemporaryFile
from typing import Any

from sqlalchemy.engine import make_url

from tests.services.login import connect

CREATE = """
CREATE TABLE {table} (
    id bigint NOT NULL, customer_id bigint NOT NULL, status varchar(16) NOT NULL, amount decimal(14, 2) NOT NULL,
    note longtext, is_paid tinyint(1) NOT NULL, created_at datetime(6) NOT NULL, updated_at datetime(6) NOT NULL,
    PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin
"""
COPY = """
COPY (SELECT id, customer_id, status, amount, note, is_paid::int,
             created_at AT TIME ZONE 'UTC', updated_at AT TIME ZONE 'UTC' FROM {table})
TO STDOUT (FORMAT csv, FORCE_QUOTE *, NULL 'NULL')
"""
LOAD = """
LOAD DATA LOCAL INFILE %s INTO TABLE {table} CHARACTER SET utf8mb4
FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '"' ESCAPED BY ''
"""


def copy(source_url: str, target_url: str, tables: Sequence[str], threads: int) -> int:
    """Copies tables into a database that has none of them; how many rows."""
    into = make_url(target_url).update_query_dict({"local_infile": "1"}).render_as_string(hide_password=False)

    def some(number: int) -> int:
        with (
            closing(connect(source_url)) as reading,
            closing(connect(into)) as writing,
            reading.cursor() as source,
            writing.cursor() as target,
        ):
            return sum(_copy(source, target, table) for table in tables[number::threads])

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(some, range(threads)))


def _copy(source: Any, target: Any, table: str) -> int:
    fresh = f"fresh_{table}"
    target.execute(CREATE.format(table=fresh))
    with NamedTemporaryFile() as file:
        source.copy_expert(COPY.format(table=table), file)
        file.flush()
        rows = int(target.execute(LOAD.format(table=fresh), (file.name,)))
    target.execute(f"ALTER TABLE {fresh} ADD INDEX (customer_id)")
    target.execute(f"RENAME TABLE {fresh} TO {table}")
    return rows

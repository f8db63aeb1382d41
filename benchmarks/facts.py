"""The table that is moved: eight columns of the usual types, the same rows at any time and place.

Ten million rows end in 2025: rows of the future would be read by each increment.
"""

from __future__ import annotations

from tests.services.databases import SourceDatabase

TABLE = "facts"

CREATE = """
CREATE TABLE facts (
    id bigint NOT NULL,
    customer_id bigint NOT NULL,
    status varchar(16) NOT NULL,
    amount numeric(14, 2) NOT NULL,
    note text,
    is_paid boolean NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
)
"""

FILL = """
INSERT INTO facts
SELECT g,
       1 + mod(g * 7919, 50000),
       (ARRAY['new', 'paid', 'shipped', 'cancelled'])[1 + mod(g, 4)],
       mod(g * 7919, 10000000)::numeric / 100,
       CASE WHEN mod(g, 10) > 0 THEN 'Заказ № ' || g || ', ' || repeat('note ', mod(g, 12)::int) END,
       mod(g, 3) > 0,
       timestamptz '2024-01-01 00:00:00+00' + g * interval '4.000123 seconds',
       timestamptz '2024-01-01 00:00:00+00' + g * interval '4.000123 seconds' + mod(g, 1000) * interval '1 minute'
FROM generate_series(1::bigint, %s) AS g
"""


def create(source: SourceDatabase, rows: int) -> None:
    """Creates the table with ids from 1 to `rows`."""
    source.execute(CREATE)
    source.execute(FILL, rows)
    source.execute("ALTER TABLE facts ADD PRIMARY KEY (id)")
    # Without statistics the server may choose a plan that nobody would meet in practice.
    source.execute("VACUUM ANALYZE facts")

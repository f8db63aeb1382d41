"""The table of values is whole, and its values are what they claim to be."""

from __future__ import annotations

from tests.fidelity.conftest import Origin
from tests.fidelity.values import CASES

# Types that a column may have: no pseudo-types, no types of tables, no arrays (which are made of these).
BUILT_IN = """
SELECT typname FROM pg_type
WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype IN ('b', 'r', 'm') AND typname !~ '^_'
"""

# What a declared type is in the end, below the domains it is made of.
IS = """
WITH RECURSIVE below AS (
    SELECT oid, typname, typbasetype FROM pg_type WHERE oid = to_regtype(%s)
    UNION ALL
    SELECT t.oid, t.typname, t.typbasetype FROM pg_type t JOIN below ON t.oid = below.typbasetype
)
SELECT typname FROM below WHERE typbasetype = 0
"""


def test_no_built_in_type_is_missing(origin: Origin) -> None:
    had = {name for case in CASES if not origin.lacks(case) for (name,) in origin.database.rows(IS, case.type)}
    assert {name for (name,) in origin.database.rows(BUILT_IN)} - had == set()

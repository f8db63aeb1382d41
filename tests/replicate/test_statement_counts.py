"""What a small table costs is set by how often the servers are asked: growth should be noticed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from framework.databases.mysql.session import MySQLSession
from framework.databases.postgres.source import PostgresSession
from tests.replicate.conftest import Copying

FIRST_LOAD = {"target": 32, "source": 22}
"""Of a full load that finds no copy, at most; the rows themselves aside."""

REFILL = {"target": 37, "source": 22}
"""Of one that replaces a copy."""

NOTHING_NEW = {"target": 36, "source": 20}
"""Of an increment that finds nothing new."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Statements so far."""
    found: Counter[str] = Counter()
    for side, session in (("target", MySQLSession), ("source", PostgresSession)):
        for name in ("execute", "query"):
            monkeypatch.setattr(session, name, _counting(found, side, getattr(session, name)))
    return found


def _counting(found: Counter[str], side: str, run: Callable[..., Any]) -> Callable[..., Any]:
    def counted(*arguments: Any) -> Any:
        found[side] += 1
        return run(*arguments)

    return counted


def test_the_statements_of_a_small_table(copying: Copying, asked: Counter[str]) -> None:
    copying.source.execute(
        "CREATE TABLE t (id int PRIMARY KEY, name text, updated_at timestamptz NOT NULL);"
        "INSERT INTO t SELECT i, 'n', '2026-01-01' FROM generate_series(1, 1000) AS i; ANALYZE t"
    )
    indexed: dict[str, Any] = {"indexes": [["updated_at"]]}
    copying(**indexed)  # makes the tables of the bookkeeping, and asks what stays as it is
    for most, settings in (
        (FIRST_LOAD, {"table": "other"}),
        (REFILL, {"options": {"full_refresh": True}}),
        (NOTHING_NEW, {}),
    ):
        asked.clear()
        copying(**indexed, **settings)
        assert most["target"] // 2 < asked["target"] <= most["target"], settings
        assert most["source"] // 2 < asked["source"] <= most["source"], settings

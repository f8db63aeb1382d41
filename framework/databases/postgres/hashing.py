"""Numbers made of values, quickly: only PostgreSQL can make them, and only one of the same major version the same."""

from __future__ import annotations

from collections.abc import Sequence

from framework.databases.postgres.canonical import PostgresCanonical
from framework.types import INTEGER_KINDS, Kind, LogicalType

VERSION = "current_setting('server_version_num')::integer / 10000"
"""An expression: the server's major version."""


def hashed(columns: Sequence[tuple[str, LogicalType]], canonical: PostgresCanonical) -> str:
    """An expression: 64 bits made of values that stand side by side; a single one is not NULL."""
    if len(columns) == 1:
        expression, type_ = columns[0]
        if type_.kind in INTEGER_KINDS:
            # The hash folds its halves together; with the value itself, integers that fold alike are told apart.
            return f"(hashint8extended(({expression})::bigint, 0) # ({expression})::bigint)"
        if type_.kind is Kind.UUID:
            return f"uuid_hash_extended({expression}, 0)"
    return f'hashtextextended(({canonical.row(columns)}) COLLATE "C", 0)'

"""Whether a copy has followed its source, row by row."""

from __future__ import annotations

from typing import Any

import pytest

from framework.errors import MappingChanged
from tests.replicate.anywhere import Anywhere


def is_exact(
    copy: Anywhere, columns: str = "id, email, name, active, updated_at AT TIME ZONE 'UTC'", **also: str
) -> bool:
    """Whether the copy has the source's rows, in these columns of the source."""
    names = [column.split(" AT ")[0] for column in columns.split(", ")]
    wanted = copy.source.rows(f"SELECT {columns} FROM t ORDER BY 1")
    got = copy.rows(", ".join(f"`{also.get(name, name)}`" for name in names))
    return [tuple(map(plain, row)) for row in got] == [tuple(map(plain, row)) for row in wanted]


def plain(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value


def without(*columns: str) -> dict[str, Any]:
    return {"except": list(columns)}


def refusal(copy: Anywhere, **settings: Any) -> MappingChanged:
    before = copy.rows()
    with pytest.raises(MappingChanged) as refused:
        copy(**settings)
    assert "--full-refresh --table copy" in refused.value.fix
    assert copy.rows() == before
    assert copy.leftovers() == []
    return refused.value

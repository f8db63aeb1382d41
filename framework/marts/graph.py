"""Which tables a mart reads, and the order in which marts are built. Both come from the SQL."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from framework.errors import UsageError
from framework.marts.query import is_incremental, table_name, tables, tree_of
from framework.spec.marts import Mart

__all__ = ["is_incremental", "ordered", "reads"]


def reads(query: str) -> tuple[str, ...]:
    """The tables that ``query`` reads, in the order of their first mention.

    Raises:
        QueryInvalid: the text is not one query.
    """
    mentions = sorted(tables(tree_of(query)), key=lambda table: table.this.meta.get("start", 0))
    return tuple(dict.fromkeys(table_name(table) for table in mentions))


def ordered(marts: Mapping[str, Mart]) -> list[str]:
    """The marts' names, each behind those it reads, otherwise in the order given.

    Raises:
        UsageError: marts read each other in a circle.
        QueryInvalid: a text is not one query.
    """
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for name, mart in marts.items():
        sorter.add(name, *(table for table in reads(mart.query) if table in marts))
    try:
        return list(sorter.static_order())
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        raise UsageError(
            f"marts read each other in a circle: {circle}", "let one of them read replicated tables only"
        ) from error

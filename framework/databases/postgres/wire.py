"""PostgreSQL expressions for the wire form of values (the table in `framework.types`)."""

from __future__ import annotations

from framework.types import Kind, LogicalType


def wire(expression: str, type_: LogicalType) -> str:
    """The expression whose output text is the wire form of ``expression``."""
    if type_.kind is Kind.BOOLEAN:
        return f"({expression})::int"
    if type_.kind is Kind.BYTES:
        return f"encode({expression}, 'hex')"
    if type_.kind is Kind.TIMESTAMPTZ:
        return f"({expression}) AT TIME ZONE 'UTC'"
    if type_.kind is Kind.ARRAY:
        return f"to_json({expression})"
    return expression

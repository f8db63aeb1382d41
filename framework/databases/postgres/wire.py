"""PostgreSQL expressions for the wire form of values (the table in `framework.types`)."""

from __future__ import annotations

from framework.types import Kind, LogicalType

# JSON arrays have no bounds: one whose bounds are not 1 is PostgreSQL's text of it, as a JSON string.
ARRAY = r"CASE WHEN array_dims({0}) ~ '\[(?!1:)' THEN to_json(({0})::text) ELSE to_json({0}) END"


def wire(expression: str, type_: LogicalType) -> str:
    """The expression whose output text is the wire form of ``expression``."""
    if type_.kind is Kind.BOOLEAN:
        return f"({expression})::int"
    if type_.kind is Kind.BYTES:
        return f"encode({expression}, 'hex')"
    if type_.kind is Kind.TIMESTAMPTZ:
        return f"({expression}) AT TIME ZONE 'UTC'"
    if type_.kind is Kind.MONEY:
        return f"({expression})::numeric"
    if type_.kind is Kind.ARRAY:
        return ARRAY.format(expression)
    if type_.kind in (Kind.COMPOSITE, Kind.DICTIONARY):
        return f"to_json({expression})"
    return expression

"""PostgreSQL expressions for the wire form of values (the table in `framework.types`)."""

from __future__ import annotations

from framework.types import DOCUMENT_KINDS, Kind, LogicalType, parse_type

# JSON has no bounds of arrays, and one null where PostgreSQL has two, JSON's and its own. What it cannot tell is
# PostgreSQL's text of the value, as a JSON string. The pattern may also find what is a text's: that is exact, too.
ARRAY = r"CASE WHEN array_dims({0}) ~ '\[(?!1:)' THEN to_json(({0})::text) ELSE to_json({0}) END"
NESTED = r"CASE WHEN ({0})::text ~ '\[-?\d+:-?\d+\]|\mnull\M' THEN to_json(({0})::text) ELSE to_json({0}) END"


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
        return (NESTED if _may_nest(type_) else ARRAY).format(expression)
    if type_.kind is Kind.COMPOSITE:
        return NESTED.format(expression)
    if type_.kind is Kind.DICTIONARY:
        return f"to_json({expression})"
    return expression


def _may_nest(array: LogicalType) -> bool:
    """Whether the elements may hold arrays or JSON themselves."""
    element = parse_type(array.name.removesuffix("[]"))
    return element is None or element.kind in DOCUMENT_KINDS

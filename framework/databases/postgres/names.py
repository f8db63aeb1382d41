"""Names and texts as PostgreSQL writes them."""

from __future__ import annotations


def quote(identifier: str) -> str:
    """The identifier as PostgreSQL quotes it."""
    return '"' + identifier.replace('"', '""') + '"'


def qualified(schema: str | None, table: str) -> str:
    """A table's quoted name with its schema."""
    return f"{quote(schema or 'public')}.{quote(table)}"


def literal(text: str) -> str:
    """A text as a literal, for statements that take no bound values (COPY, DECLARE CURSOR)."""
    return "'" + text.replace("'", "''") + "'"

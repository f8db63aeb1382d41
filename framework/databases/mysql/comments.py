"""Comments of tables and columns. A table's last line is the marker by which Vitrina knows it."""

from __future__ import annotations

COLUMN, TABLE = 1024, 2048
"""Characters of the longest comments (MySQL Reference Manual, "CREATE TABLE Statement")."""


def marked(comment: str, marker: str) -> str:
    """A table's comment: what people say of it, and the marker."""
    marker = marker.replace("\n", " ")
    if not comment:
        return marker
    return f"{shortened(comment, TABLE - len(marker) - 1)}\n{marker}"


def marker_of(comment: str) -> str:
    """The marker in a table's comment."""
    return comment.rpartition("\n")[2]


def shortened(text: str, longest: int) -> str:
    """The text, or its beginning and an ellipsis. MySQL's comments have no characters beyond U+FFFF."""
    known = "".join(char if ord(char) <= 0xFFFF else "\N{REPLACEMENT CHARACTER}" for char in text)
    return known if len(known) <= longest else known[: longest - 1] + "…"

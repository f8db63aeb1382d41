"""Names that MySQL can hold (MySQL Reference Manual, "Schema Object Names", "Identifier Length Limits")."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable

LENGTH = 64
"""Characters of the longest name."""

FILE_BYTES = 240
"""Bytes of a table's file name, with room for what the server adds to it."""

_DIGEST = 6


def safe_names(
    names: Iterable[str], taken: Iterable[str] = (), holdable: Callable[[str], bool] | None = None
) -> dict[str, str]:
    """A name that MySQL can hold for each of ``names``; those that it can hold stay.

    A name is changed if MySQL cannot hold it, or takes it for another one: of several that differ in case only, the
    first stays. What it becomes depends on itself alone: its characters, and a digest of them.

    Args:
        names: different names, in an order that does not change.
        taken: names that are in use already.
        holdable: whether MySQL can hold a name; by default, of a column.
    """
    holdable = holdable or is_holdable
    used = {folded(name) for name in taken}
    safe = {}
    for name in names:
        safe[name] = name if holdable(name) and folded(name) not in used else _another(name)
        used.add(folded(safe[name]))
    return safe


def is_holdable(name: str) -> bool:
    """Whether MySQL can hold the name."""
    within = 0 < len(name) <= LENGTH and all("\0" < char <= "\uffff" for char in name)
    return within and not name[-1].isspace()


def is_holdable_table(name: str) -> bool:
    """Whether MySQL can hold the name of a table, which is that of a file."""
    file_bytes = sum(map(_file_bytes, name))
    return is_holdable(name) and file_bytes <= FILE_BYTES and not name.startswith("#mysql50#")


def _file_bytes(char: str) -> int:
    """Bytes of a character in a file's name (MySQL Reference Manual, "Mapping of Identifiers to File Names")."""
    if char.isascii() and (char.isalnum() or char == "_"):
        return 1
    return 3 if "\u00c0" <= char <= "\u05ff" else 5


def folded(name: str) -> str:
    """The same for names that MySQL takes for one: it does not tell case apart."""
    return "".join(char.lower()[0] for char in name)


def _another(name: str) -> str:
    known = "".join(char if "\0" < char <= "\uffff" else "_" for char in name).lstrip("#")
    if sum(char.isalnum() for char in known) < len(known) // 2:
        known = re.sub(r"\W", "_", known)  # of signs alone, a file's name would be too long
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST]
    return f"{known[: LENGTH - _DIGEST - 1].rstrip()}_{digest}"

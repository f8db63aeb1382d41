"""A named connection, and how its URL is shown without its secret."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PASSWORD = re.compile(r"(?P<head>[a-zA-Z0-9+]+://[^:/?#@\s]*):(?P<secret>[^/?#\s]*)@")
_SECRET_OPTION = re.compile(r"(?i)(?P<head>[?&](?:password|passwd|sslpassword|ssl_key_password)=)[^&\s]*")


@dataclass(frozen=True)
class Connection:
    """Where a database is.

    Attributes:
        name: the name the spec uses.
        url: an SQLAlchemy URL, or ``embedded:postgres`` / ``embedded:duckdb``.
        may_generate: whether fake data may be written there.
        environment: the environment the URL was resolved in.
    """

    name: str
    url: str
    may_generate: bool = False
    environment: str = "default"

    def __repr__(self) -> str:
        return f"Connection({self.name!r}, {mask(self.url)!r})"


def mask(text: str) -> str:
    """Replace every password of a URL within ``text`` by ``***``."""
    text = _PASSWORD.sub(r"\g<head>:***@", text)
    return _SECRET_OPTION.sub(r"\g<head>***", text)

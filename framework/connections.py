"""A named connection, and how its URL is shown without its secret."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Up to the last @ of the line: a password that is not percent-encoded may hold any character.
_PASSWORD = re.compile(r"(?P<head>[a-zA-Z0-9+]{1,20}://[^:/?#\s]{0,200}):(?P<secret>.*)@")
_SECRET_OPTION = re.compile(r"(?i)(?P<head>[?&][\w-]*(?:pass|pwd|secret|token)[\w-]*=)[^&\s]*")
_MASK_KEY = re.compile(r"(?P<head>\bmask_key[\"']?\s*:\s*)\S.*")
# The path of a webhook is its secret.
_WEB_PATH = re.compile(r"(?P<head>https?://[^\s/\"'}\]]{1,300}/)[^\s\"'}\]]+")
_SCHEME = re.compile(r"(?P<backend>[A-Za-z0-9_]+)(?:\+(?P<driver>[A-Za-z0-9_]+))?://")
_BACKENDS = {
    "postgres": "postgresql",
    "postgresql": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
    "duckdb": "duckdb",
}
_DRIVERS = {"postgresql": "psycopg2", "mysql": "pymysql", "duckdb": ""}

TLS = ("require", "verify")
"""What a connection may demand, the stricter last: TLS, and a certificate that is valid for the server's host."""

_TLS = re.compile(r"[?&]tls=(?P<demand>[^&]*)")

EMBEDDED = ("embedded:postgres", "embedded:duckdb")
"""Databases that come with Vitrina, written in place of a URL."""


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
    """Replace passwords of URLs, paths of web addresses, and the value of ``mask_key:`` within ``text`` by ``***``."""
    text = _PASSWORD.sub(r"\g<head>:***@", text)
    text = _SECRET_OPTION.sub(r"\g<head>***", text)
    text = _MASK_KEY.sub(r"\g<head>***", text)
    return _WEB_PATH.sub(r"\g<head>***", text)


def without(secret: str, text: str) -> str:
    """The text with ``secret`` replaced by ``***``."""
    return text.replace(secret, "***") if secret else text


def normalised(url: str) -> str:
    """The URL with the one driver Vitrina uses: ``postgres://`` becomes ``postgresql+psycopg2://``.

    Raises:
        ValueError: it is no URL of a database that Vitrina knows; the message holds no secret.
    """
    if url in EMBEDDED:
        return url
    match = _SCHEME.match(url)
    if match is None:
        raise ValueError("it is no URL such as postgresql://user:password@host:5432/database")
    backend = _BACKENDS.get(match["backend"].lower())
    if backend is None:
        raise ValueError(f"{match['backend']!r} is none of {', '.join(_BACKENDS)}")
    driver = _DRIVERS[backend]
    if match["driver"] and match["driver"].lower() != driver:
        raise ValueError(f"the driver {match['driver']!r} is not supported; write {backend}://")
    rest = url[match.end() :]
    if len(re.findall("@", rest.partition("?")[0])) > 1 or " " in rest:
        raise ValueError("a space, or an @ in the user or password, must be percent-encoded: %20, %40")
    return f"{backend}{'+' if driver else ''}{driver}://{rest}"


def demanding(url: str, tls: str | None) -> str:
    """The URL with the option ``tls``; the stricter one stays. Embedded databases use no network."""
    if tls is None or url in EMBEDDED or url.startswith("duckdb:"):
        return url
    found = _TLS.search(url)
    if found is None:
        return f"{url}{'&' if '?' in url else '?'}tls={tls}"
    if found["demand"] in TLS[: TLS.index(tls)]:
        return url[: found.start("demand")] + tls + url[found.end("demand") :]
    return url

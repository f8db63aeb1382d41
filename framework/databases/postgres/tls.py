"""TLS as the options of a URL ask for it: libpq's own, and ``tls``, which says the least that is accepted."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from sqlalchemy.engine import URL

from framework.connections import TLS

MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
"""libpq's, from the weakest to the strictest."""

LEAST = dict(zip(TLS, ("require", "verify-full"), strict=True))
"""The mode that ``tls`` demands at least."""


def secured(url: URL) -> URL:
    """The URL as libpq takes it, without ``tls``. Raises ValueError."""
    tls = url.query.get("tls")
    if tls is None:
        return url
    if tls not in LEAST:
        raise ValueError(f"tls={tls} is none of {', '.join(LEAST)}")
    plain = url.difference_update_query(["tls"])
    given = str(plain.query.get("sslmode", os.environ.get("PGSSLMODE", "prefer")))
    if given not in MODES:
        raise ValueError(f"sslmode={given} is none of {', '.join(MODES)}")
    options = {"sslmode": max(given, LEAST[str(tls)], key=MODES.index)}
    if options["sslmode"] == "verify-full" and not _has_authority(plain):
        options["sslrootcert"] = ssl.get_default_verify_paths().cafile or "system"
    return plain.update_query_dict(options)


def _has_authority(url: URL) -> bool:
    """Whether libpq knows whom to ask; if not, it is the system's authorities, as for MySQL."""
    users_own = Path("~/.postgresql/root.crt").expanduser()
    return "sslrootcert" in url.query or "PGSSLROOTCERT" in os.environ or users_own.exists()

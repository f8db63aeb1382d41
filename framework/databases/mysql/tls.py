"""TLS as the options of a URL ask for it, in the terms of MySQL's clients (``ssl_mode``) and of PyMySQL."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass

from framework.connections import TLS

MODES = ("disabled", "preferred", "required", "verify_ca", "verify_identity")
"""From the weakest to the strictest. (MySQL, "Command Options for Encrypted Connections")"""

LEAST = dict(zip(TLS, ("required", "verify_identity"), strict=True))
"""The mode that ``tls`` demands at least."""

OPTIONS = frozenset(
    {
        *("tls", "ssl", "ssl_mode", "ssl-mode", "ssl_disabled"),
        *("ssl_ca", "ssl_capath", "ssl_cert", "ssl_key", "ssl_key_password", "ssl_cipher"),
        *("ssl_check_hostname", "ssl_verify_cert", "ssl_verify_identity"),
    }
)
"""The options of a URL that are about TLS."""

FILES = ("ssl_ca", "ssl_capath", "ssl_cert", "ssl_key")

_TRUTH = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


@dataclass(frozen=True)
class Tls:
    """What a connection demands.

    Attributes:
        mode: one of `MODES`.
        context: how to speak TLS; None leaves it to driver and server whether there is any.
    """

    mode: str
    context: ssl.SSLContext | None

    @property
    def is_demanded(self) -> bool:
        """Whether a server without TLS is refused."""
        return self.context is not None

    @property
    def arguments(self) -> dict[str, object]:
        """What PyMySQL takes."""
        if self.context is not None:
            return {"ssl": self.context}
        return {"ssl_disabled": True} if self.mode == "disabled" else {}


def of(options: Mapping[str, object]) -> Tls:
    """What the options of a URL demand. Raises ValueError, whose message holds no secret."""
    texts = {name: str(value) for name, value in options.items() if name in OPTIONS}
    mode = _mode(texts)
    if MODES.index(mode) < MODES.index("required"):
        return Tls(mode, None)
    try:
        return Tls(mode, _context(mode, texts))
    except OSError as error:  # of ssl, too
        files = ", ".join(
            f"{name}={texts[name]}" for name in ("ssl_ca", "ssl_capath", "ssl_cert", "ssl_key") if name in texts
        )
        raise ValueError(f"{files}: {error.strerror or error}") from None


def _mode(options: Mapping[str, str]) -> str:
    """The strictest of what the options say together."""
    given = options.get("ssl_mode", options.get("ssl-mode"))
    demanded = given.lower().replace("-", "_") if given is not None else _implied(options)
    if demanded not in MODES:
        raise ValueError(f"ssl_mode={given} is none of {', '.join(MODES)}")
    if demanded == "required" and ("ssl_ca" in options or "ssl_capath" in options) and given is not None:
        demanded = "verify_ca"  # as MySQL's clients do
    least = MODES[0]
    if "tls" in options:
        if options["tls"] not in LEAST:
            raise ValueError(f"tls={options['tls']} is none of {', '.join(LEAST)}")
        least = LEAST[options["tls"]]
    return max(demanded, least, key=MODES.index)


def _implied(options: Mapping[str, str]) -> str:
    """The mode without `ssl_mode`: who names an authority wants it asked, and the host's name compared."""
    if _true(options, "ssl_disabled"):
        return "disabled"
    has_authority = "ssl_ca" in options or "ssl_capath" in options
    verifies = _true(options, "ssl_verify_cert", default=has_authority)
    identifies = _true(options, "ssl_verify_identity", default=has_authority and verifies)
    if identifies and _true(options, "ssl_check_hostname", default=True):
        return "verify_identity"
    if verifies or identifies:
        return "verify_ca"
    if has_authority or "ssl_cert" in options or "ssl_key" in options or _true(options, "ssl"):
        return "required"
    return "preferred"


def _true(options: Mapping[str, str], name: str, *, default: bool = False) -> bool:
    if name not in options:
        return default
    found = _TRUTH.get(options[name].lower())
    if found is None:
        raise ValueError(f"{name}={options[name]} is neither true nor false")
    return found


def _context(mode: str, options: Mapping[str, str]) -> ssl.SSLContext:
    # Without an authority of its own it is the system's that are asked.
    context = ssl.create_default_context(cafile=options.get("ssl_ca"), capath=options.get("ssl_capath"))
    # The authorities that servers make for themselves lack what RFC 5280 asks of one.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.check_hostname = mode == "verify_identity"
    context.verify_mode = ssl.CERT_REQUIRED if mode.startswith("verify") else ssl.CERT_NONE
    if "ssl_cert" in options:
        context.load_cert_chain(options["ssl_cert"], options.get("ssl_key"), options.get("ssl_key_password"))
    if "ssl_cipher" in options:
        context.set_ciphers(options["ssl_cipher"])
    return context

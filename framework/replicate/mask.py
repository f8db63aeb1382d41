"""Keyed masks: a value becomes HMAC-SHA-256 (RFC 2104) of itself, computed by PostgreSQL.

PostgreSQL's core has sha256() but no hmac(), so the two padded keys are prepared here and handed to the session as
settings: the key never stands in the statement that reads the rows. Nor should it stand in any other, since the
statements of others can be seen by some and are written into logs: the settings come with the connection.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from framework.types import LogicalType, parse_type

if TYPE_CHECKING:
    from framework.databases.postgres.source import PostgresSession  # checking a spec must not import the drivers

BLOCK = 64
"""Bytes of a SHA-256 block."""

PADS = {"vitrina.mask_inner": 0x36, "vitrina.mask_outer": 0x5C}

_DIGEST = parse_type("char(64)")
assert _DIGEST is not None
DIGEST: LogicalType = _DIGEST
"""What a masked value is: 64 hexadecimal digits."""


def hmac_expression(expression: str) -> str:
    """The PostgreSQL expression of the mask; NULL stays NULL. Needs `install` in the session."""
    inner = f"sha256(decode(current_setting('vitrina.mask_inner'), 'hex') || convert_to(({expression})::text, 'UTF8'))"
    return f"encode(sha256(decode(current_setting('vitrina.mask_outer'), 'hex') || {inner}), 'hex')"


def settings(key: bytes) -> dict[str, str]:
    """The settings of a session that `hmac_expression` reads."""
    block = (hashlib.sha256(key).digest() if len(key) > BLOCK else key).ljust(BLOCK, b"\0")
    return {name: bytes(byte ^ pad for byte in block).hex() for name, pad in PADS.items()}


def install(session: PostgresSession, key: bytes) -> None:
    """Make the padded keys known to the session, where they have not come with its connection: poolers refuse that."""
    for name, value in settings(key).items():
        if session.query("SELECT current_setting(%s, true)", (name,)) != [(value,)]:
            session.query("SELECT set_config(%s, %s, false)", (name, value))


def identity(key: bytes) -> str:
    """A text that changes with the key and does not give it away."""
    return hashlib.sha256(b"vitrina mask identity" + key).hexdigest()[:16]

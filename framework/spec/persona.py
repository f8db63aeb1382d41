"""The parts of a person that columns of one row may hold, and agree on."""

from __future__ import annotations

from typing import Literal

Part = Literal[
    "gender",
    "first_name",
    "last_name",
    "full_name",
    "user_name",
    "email",
    "phone",
    "street",
    "city",
    "postcode",
    "address",
]

UNIQUE = frozenset({"user_name", "email", "phone"})
"""Parts that can be kept from repeating."""

LONGEST = {"user_name": 64, "email": 80}
"""Characters that such a unique part may have."""

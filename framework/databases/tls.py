"""What to do where TLS is demanded and is not to be had, in both databases."""

from __future__ import annotations

NO_TLS = (
    "turn TLS on at the server; if it is on, something between takes it away; who trusts the network drops "
    "`tls` from the connection, and {option} from its URL"
)
UNTRUSTED = "name the authority that signed it with `{option}=/path/ca.pem` in the connection's URL"
WRONG_HOST = "write the host's name in the connection's URL as its certificate has it, or have one made for that name"

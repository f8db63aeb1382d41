"""How long Vitrina waits for a server. A connection's URL may say otherwise.

There are two ways to hear nothing. If the other machine or the network between is gone, TCP can tell: probes are not
answered, what was sent is not acknowledged. If only the server is silent, it may just be busy: an index of a large
table takes its time. So the second patience is much longer than the first.
"""

from __future__ import annotations

import socket

CONNECT = 10
"""Seconds until a connection must be there: `connect_timeout`."""

SILENCE = 3600
"""Seconds that a statement may take without a byte from the server: `read_timeout`."""

IDLE, INTERVAL, PROBES = 30, 10, 3
"""Seconds until TCP asks whether the other side is there, seconds between two such probes, and their number."""

UNACKNOWLEDGED = 300
"""Seconds that may pass before the other side's TCP acknowledges what was sent, or makes room for more."""

CANCEL = 5
"""Seconds that statements have to end after they were cancelled, before their connections are cut."""


def keep_alive(connected: socket.socket) -> None:
    """Have the system notice when the other side of a connection is gone."""
    if connected.family not in (socket.AF_INET, socket.AF_INET6):
        return
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    # Not every system has all of them.
    for option, value in (
        ("TCP_KEEPIDLE", IDLE),
        ("TCP_KEEPINTVL", INTERVAL),
        ("TCP_KEEPCNT", PROBES),
        ("TCP_USER_TIMEOUT", UNACKNOWLEDGED * 1000),
    ):
        if hasattr(socket, option):
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)

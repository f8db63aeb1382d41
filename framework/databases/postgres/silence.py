"""Ends connections whose server says nothing any more; libpq has no timeout for that."""

from __future__ import annotations

import os
import select
import socket
import struct
import threading
from collections.abc import Iterable
from contextlib import suppress
from weakref import WeakSet

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_ACTIVE, connection

_LAST_SENT, _LAST_RECEIVED = 8 + 4 * 9, 8 + 4 * 11
"""Where Linux's `struct tcp_info` has the milliseconds since data were sent and received (linux/tcp.h)."""

_SIZE = 8 + 4 * 13


class Watch:
    """Looks at connections now and then, and cuts those that have been waiting for longer than ``silence`` seconds.

    The system's own account of a connection is asked (Linux only; elsewhere nothing is cut): whatever the statement,
    it knows when the last byte came, and watching costs the transfer nothing.
    """

    def __init__(self, silence: int) -> None:
        self.silence = silence
        self._watched: WeakSet[connection] = WeakSet()
        self._cut: WeakSet[connection] = WeakSet()
        self._ended = threading.Event()
        self._starting = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="vitrina-silence", daemon=True)

    def over(self, watched: connection) -> None:
        """Watch a connection from now on."""
        self._watched.add(watched)
        with self._starting:
            if self._thread.ident is None:
                self._thread.start()

    def cut_all(self) -> None:
        """Cut all connections whose statements have not ended yet."""
        cut(watched for watched in tuple(self._watched) if _is_active(watched))

    def stop(self) -> None:
        """Look no more."""
        self._ended.set()

    def has_cut(self, watched: connection) -> bool:
        """Whether the watch has ended this connection."""
        return watched in self._cut

    def _run(self) -> None:
        while not self._ended.wait(min(self.silence / 4, 5)):
            for watched in tuple(self._watched):
                if _is_silent(watched, self.silence):
                    self._cut.add(watched)
                    cut((watched,))


def cut(connections: Iterable[connection]) -> None:
    """End connections from outside, whatever they wait for: their statements fail at once."""
    for doomed in connections:
        with suppress(OSError, psycopg2.Error), _socket(doomed) as connected:
            connected.shutdown(socket.SHUT_RDWR)


def _is_active(watched: connection) -> bool:
    return not watched.closed and watched.info.transaction_status == TRANSACTION_STATUS_ACTIVE


def _is_silent(watched: connection, silence: float) -> bool:
    try:
        if not _is_active(watched):
            return False
        with _socket(watched) as connected:
            quiet = _quiet(connected)
            # Where bytes wait to be read, it is our side that is slow.
            return quiet is not None and quiet > silence and not select.select([connected], [], [], 0)[0]
    except (OSError, ValueError, psycopg2.Error):
        return False


def _quiet(connected: socket.socket) -> float | None:
    """Seconds since anything was sent or received; None where that is not known."""
    if connected.family not in (socket.AF_INET, socket.AF_INET6) or not hasattr(socket, "TCP_INFO"):
        return None
    found = connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _SIZE)
    if len(found) < _SIZE:
        return None
    sent, received = (int(struct.unpack_from("I", found, place)[0]) for place in (_LAST_SENT, _LAST_RECEIVED))
    return min(sent, received) / 1000


def _socket(owner: connection) -> socket.socket:
    """Another handle of a connection's socket."""
    return socket.socket(fileno=os.dup(owner.fileno()))

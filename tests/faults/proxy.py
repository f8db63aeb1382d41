"""A TCP proxy that makes networks bad: it delays, cuts, half-closes, or goes silent in the middle of a stream."""

from __future__ import annotations

import socket
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum

from sqlalchemy.engine import make_url

BLOCK = 1 << 14


class Way(Enum):
    """Where bytes go."""

    UP = "to the server"
    DOWN = "to the client"


class Kind(Enum):
    CUT = "both sides are reset"
    HALF_CLOSE = "who receives is told that no more comes; the other side goes on sending"
    SILENCE = "nothing goes any more, either way, and nobody is told"


@dataclass
class Fault:
    """What befalls connections once ``after`` more bytes went ``way``: so many ``times``."""

    kind: Kind
    way: Way
    after: int
    times: int = 1
    passed: dict[_Link, int] = field(default_factory=dict)


class Proxy:
    """Forwards connections to a server, each by two threads."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._server = str(self._url.host), int(self._url.port or 0)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self.fault: Fault | None = None
        self.delay = 0.0
        self.befallen = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, **options: object) -> str:
        """The server's URL by way of the proxy."""
        there = self._url.set(host="127.0.0.1", port=self._listener.getsockname()[1])
        with_options = there.update_query_dict({name: str(value) for name, value in options.items()})
        return with_options.render_as_string(hide_password=False)

    def close(self) -> None:
        """Ends everything."""
        # A thread that waits in accept() would keep a socket that is only closed.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connected in self._open:
            _end(connected)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
            except OSError:
                return
            self._open += (client, server)
            link = _Link(self, client, server)
            threading.Thread(target=link.pump, args=(Way.UP,), daemon=True).start()
            threading.Thread(target=link.pump, args=(Way.DOWN,), daemon=True).start()

    def befalls(self, link: _Link, way: Way, size: int) -> Kind | None:
        """What happens to a connection that is about to pass so many bytes."""
        with self._lock:
            fault = self.fault
            if fault is None or fault.way is not way or not fault.times:
                return None
            fault.passed[link] = fault.passed.get(link, 0) + size
            if fault.passed[link] <= fault.after:
                return None
            fault.times -= 1
            self.befallen += 1
            return fault.kind


class _Link:
    """One connection through the proxy."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._ends = {Way.UP: (client, server), Way.DOWN: (server, client)}
        self._silent = threading.Event()

    def pump(self, way: Way) -> None:
        sender, receiver = self._ends[way]
        try:
            while block := sender.recv(BLOCK):
                if self._silent.is_set():
                    return
                time.sleep(self._proxy.delay)
                kind = self._proxy.befalls(self, way, len(block))
                if kind is Kind.SILENCE:
                    self._silent.set()
                    return
                if kind is Kind.CUT:
                    _reset(sender)
                    _reset(receiver)
                    return
                if kind is Kind.HALF_CLOSE:
                    receiver.shutdown(socket.SHUT_WR)
                    while sender.recv(BLOCK):
                        pass
                    return
                receiver.sendall(block)
            if not self._silent.is_set():
                receiver.shutdown(socket.SHUT_WR)
        except OSError:
            _end(sender)
            _end(receiver)


def _reset(connected: socket.socket) -> None:
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    # Only with its last user gone, the thread that reads, a socket is reset; this wakes it.
    connected.shutdown(socket.SHUT_RD)
    connected.close()


def _end(connected: socket.socket) -> None:
    # Closing alone does not wake a thread that reads.
    with suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)
    with suppress(OSError):
        connected.close()

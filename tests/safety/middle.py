"""Who stands between a client and its server, and says that the server has no TLS."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress

from sqlalchemy.engine import make_url

from tests.safety.rogue import Listener

SSL_REQUEST, GSS_REQUEST = 80877103, 80877104
CLIENT_SSL = 0x0800


class Stripping(Listener):
    """A proxy that takes TLS out of what server and client agree on."""

    silence = None

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        super().__init__()

    def url(self, **options: str) -> str:
        there = self._url.set(host="127.0.0.1", port=self.port)
        return there.update_query_dict(options).render_as_string(hide_password=False)

    def serve(self, client: socket.socket) -> None:
        address = str(self._url.host), int(self._url.port or 0)
        with socket.create_connection(address) as server:
            first: bytes | None = b""
            if self._url.get_backend_name() == "mysql":
                client.sendall(_without_tls(server.recv(1 << 16)))
            else:
                first = self._refused(client)
            if first is not None:
                server.sendall(first)
                threading.Thread(target=self._pump, args=(server, client, False), daemon=True).start()
                self._pump(client, server, True)

    def _refused(self, client: socket.socket) -> bytes | None:
        """PostgreSQL's client asks first; the answer is no. What it says then, None if it hangs up."""
        while block := client.recv(1 << 16):
            if len(block) == 8 and struct.unpack("!ii", block)[1] in (SSL_REQUEST, GSS_REQUEST):
                client.sendall(b"N")
                continue
            self.heard += block
            return block
        return None

    def _pump(self, source: socket.socket, sink: socket.socket, listen: bool) -> None:
        with suppress(OSError):
            while block := source.recv(1 << 16):
                if listen:
                    self.heard += block
                sink.sendall(block)
            sink.shutdown(socket.SHUT_WR)


def _without_tls(greeting: bytes) -> bytes:
    """MySQL's server speaks first; the lower half of its capabilities stands behind the first part of the salt."""
    place = greeting.index(b"\0", 5) + 1 + 4 + 8 + 1
    (capabilities,) = struct.unpack_from("<H", greeting, place)
    return greeting[:place] + struct.pack("<H", capabilities & ~CLIENT_SSL) + greeting[place + 2 :]

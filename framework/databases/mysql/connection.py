"""A PyMySQL connection that streams what it is told to, and nothing else, to LOAD DATA LOCAL.

The server names the file that a client is to send. A hostile server could ask for any file of the client's machine, so
the name is ignored: what is sent is what the function given to `sending` writes. Who asks out of turn is no server to
talk to.

Nor may a server have what it should not: the password as it is without TLS, or anything at all without the TLS that
the connection demands. Drivers differ in this from release to release, so both are looked at here.
"""

from __future__ import annotations

import io
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING, Any, BinaryIO

from pymysql import err
from pymysql.connections import Connection, MySQLResult
from pymysql.constants import CLIENT, CR

from framework.databases.waits import SILENCE, keep_alive

Feed = Callable[[BinaryIO], None]
"""Writes all that is to be loaded into the stream it is given."""

PACKET = 1 << 18
"""Bytes of one packet: large enough to cost nothing. A server that does not take as much ends the connection."""

ASKED = "the server asked for a file of this machine, and nothing was sent: it is no server to trust"

IN_CLEAR = frozenset({b"mysql_clear_password", b"dialog"})
"""Ways to log in that hand the password over as it is."""


if TYPE_CHECKING:
    _Base = Connection[Any]  # generic in the stubs only
else:
    _Base = Connection


@cache
def unverified() -> ssl.SSLContext:
    """TLS as the driver does it where nothing is said of it: encrypted if the server can, and nobody is verified.

    The driver would read the machine's authorities for each connection, 30 ms, and ask none of them.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class StreamingConnection(_Base):
    """See the module's text."""

    _sock: socket.socket | None
    _read_timeout: float | None
    _write_timeout: float | None
    origin: str | None = None
    """This side's address as the server sees it; with the session's number it tells the session from any other."""

    demands_tls = False
    """Whether to hang up on a server that offers no TLS, before anything is sent to it."""

    packet: int = PACKET
    """Bytes of one packet that this server takes."""

    unsettled: frozenset[str] = frozenset({"all"})
    """Settings that are not, or perhaps not, what every statement relies on (`session.SETTINGS`)."""

    _feed: Feed | None = None
    _sent: Callable[[bytes], None] | None = None

    def connect(self, sock: Any = None) -> None:
        """Connect and log in, all of it in `connect_timeout`; the patience with statements comes after that."""
        patience = self._read_timeout, self._write_timeout
        self._read_timeout = self._write_timeout = self.connect_timeout
        try:
            super().connect(sock)
        finally:
            self._read_timeout, self._write_timeout = patience
        if self._sock is not None:
            keep_alive(self._sock)

    @property
    def patience(self) -> int:
        """Seconds that the server waits for this side: it may be the source that is silent, which has patience, too."""
        return max(SILENCE, int(self._read_timeout or 0))

    def cut(self) -> None:
        """End the connection from another thread: what its own thread waits for fails at once."""
        connected = self._sock
        if connected is not None:
            with suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)

    def _create_ssl_ctx(self, sslp: Any) -> ssl.SSLContext:
        made: ssl.SSLContext = super()._create_ssl_ctx(sslp) if sslp else unverified()  # type: ignore[misc]
        return made

    @contextmanager
    def sending(self, feed: Feed, sent: Callable[[bytes], None]) -> Iterator[None]:
        """Within the context, LOAD DATA LOCAL gets what ``feed`` writes; ``sent`` sees each block that went."""
        self._feed, self._sent = feed, sent
        try:
            yield
        finally:
            self._feed = self._sent = None

    def _get_server_information(self) -> None:
        super()._get_server_information()  # type: ignore[misc]  # missing in the stubs
        if self.demands_tls and not self.server_capabilities & CLIENT.SSL:  # type: ignore[attr-defined]
            raise err.OperationalError(CR.CR_SSL_CONNECTION_ERROR, "the server offers no TLS")

    def _process_auth(self, plugin_name: bytes, auth_packet: Any, handler: Any = None) -> Any:
        if plugin_name in IN_CLEAR and not self._secure:  # type: ignore[attr-defined]  # missing in the stubs
            fact = "the server asks for the password as it is, and the connection is not encrypted"
            raise err.OperationalError(CR.CR_AUTH_PLUGIN_ERR, fact)
        return super()._process_auth(plugin_name, auth_packet, handler)  # type: ignore[misc]  # missing in the stubs

    def _read_query_result(self, unbuffered: bool = False) -> int:
        self._result = None
        result = _StreamingResult(self)
        if unbuffered:
            result.init_unbuffered_query()
        else:
            result.read()
        self._result = result
        if result.server_status is not None:
            self.server_status = result.server_status
        return result.affected_rows or 0

    def send_stream(self) -> None:
        """Send what is fed as packets; a feed that fails cuts the connection, so that the server rolls back."""
        if self._feed is None or self._sent is None:
            self._force_close()  # type: ignore[attr-defined]  # missing in the stubs
            raise err.OperationalError(CR.CR_MALFORMED_PACKET, ASKED)
        packets = _Packets(self, self._sent)
        sink = io.BufferedWriter(packets, self.packet)
        try:
            self._feed(sink)
            sink.flush()
        except BaseException:
            self._force_close()  # type: ignore[attr-defined]  # missing in the stubs
            raise
        finally:
            packets.ended = True


class _Packets(io.RawIOBase):
    """Sends what is written, each time as one packet and no more: who writes brings the rest again."""

    def __init__(self, connection: StreamingConnection, sent: Callable[[bytes], None]) -> None:
        self._connection = connection
        self._sent = sent
        self.ended = False

    def writable(self) -> bool:
        return True

    def write(self, block: Any, /) -> int:
        packet = bytes(block[: self._connection.packet])
        # A buffer that is given up still wants to be rid of what it holds.
        if not self.ended:
            self._connection.write_packet(packet)
            self._sent(packet)
        return len(packet)


class _StreamingResult(MySQLResult):
    def _read_load_local_packet(self, first_packet: Any) -> None:  # noqa: ARG002 - it holds the file name
        connection = self.connection
        assert isinstance(connection, StreamingConnection)
        connection.send_stream()
        connection.write_packet(b"")
        ok_packet = connection._read_packet()  # type: ignore[no-untyped-call]  # noqa: SLF001 - a base class's
        if not ok_packet.is_ok_packet():
            raise err.OperationalError(CR.CR_COMMANDS_OUT_OF_SYNC, "Commands Out of Sync")
        self._read_ok_packet(ok_packet)  # type: ignore[attr-defined]  # missing in the stubs


CLIENT_FLAGS = CLIENT.FOUND_ROWS
"""Affected rows are the rows matched, as in other databases."""

"""What a server says, or does not."""

from __future__ import annotations

from framework.errors.base import RunError


class ConnectionFailed(RunError):
    """A server could not be reached or refused the login. ``url`` is masked.

    Attributes:
        unknown: nothing has ever answered there, as far as this process knows: the address may be wrong.
    """

    def __init__(
        self, name: str, url: str, reason: str, fix: str, *, transient: bool = False, unknown: bool = False
    ) -> None:
        self.name = name
        self.url = url
        self.transient = transient
        self.unknown = unknown
        super().__init__(f"cannot connect to {name!r} ({url}): {reason}", fix)


class TlsFailed(ConnectionFailed):
    """A server offered no TLS, or a certificate that is not trusted, and the connection demands it.

    Neither user nor password were sent.
    """

    def __init__(self, name: str, url: str, reason: str, fix: str) -> None:
        super().__init__(name, url, reason, fix, unknown=True)


class PrivilegeMissing(RunError):
    """The server refused a statement for lack of a privilege."""

    def __init__(self, name: str, reason: str, fix: str) -> None:
        self.name = name
        super().__init__(f"{name!r} refused: {reason}", fix)


class ReadOnly(RunError):
    """The server takes no changes: it is a replica, or was made read-only."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        super().__init__(
            f"{name!r} takes no changes: {reason}",
            "let the connection's URL lead to the primary; after a failover, run again: what is there is whole",
        )


class DiskFull(RunError):
    """The server has no room left."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        super().__init__(
            f"{name!r} has no room left: {reason}", "make room on the server, then run again: what is there is whole"
        )


class StatementFailed(RunError):
    """A server refused a statement for a reason of its own.

    Attributes:
        lock: another session's lock ended the transaction; it may be tried again at once.
        code: the server's number of the error, 0 where there is none.
    """

    def __init__(
        self, name: str, reason: str, fix: str = "", *, transient: bool = False, lock: bool = False, code: int = 0
    ) -> None:
        self.name = name
        self.lock = lock
        self.code = code
        self.transient = transient or lock
        super().__init__(f"{name!r}: {reason}", fix)

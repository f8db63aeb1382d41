"""What a test needs to know of a database server, and the error for one that cannot be had."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeVar, get_args

Kind = Literal["postgres", "mysql", "mariadb"]
KINDS: tuple[Kind, ...] = get_args(Kind)

Found = TypeVar("Found")


@dataclass(frozen=True)
class Server:
    """A server that answers.

    `url` is a SQLAlchemy URL of an administrator with a password, so it is kept out of `repr`;
    `version` is what the server says of itself; `origin` says where the server came from.
    """

    kind: Kind
    url: str = field(repr=False)
    version: str
    origin: str


class ServerUnavailable(Exception):
    """No server of this kind can be had on this machine.

    `reason` is one text for a person: every way that was tried and why it failed.
    """

    def __init__(self, kind: Kind | Literal["compose"], reason: str) -> None:
        super().__init__(f"No {kind} server: {reason}")
        self.kind = kind
        self.reason = reason


def attempt(way: Callable[[], Found]) -> Found | ServerUnavailable:
    """What `way` returns, or the error if there is no server that way."""
    try:
        return way()
    except ServerUnavailable as error:
        return error

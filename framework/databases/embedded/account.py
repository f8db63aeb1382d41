"""The system account the server runs as. PostgreSQL refuses to run as root, so root gives it an account of its own."""

from __future__ import annotations

import os
import pwd
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

NAME = "vitrina"
STATE = Path("/var/lib/vitrina")
"""Where root keeps what the account cannot reach at its place."""

_CREATE = ("useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME)


@dataclass(frozen=True)
class Account:
    """A user and a group of the system."""

    uid: int
    gid: int

    @property
    def is_ours(self) -> bool:
        """Whether this process runs as the account."""
        return self.uid == os.geteuid()

    def own(self, path: Path) -> None:
        """Make the account the owner of ``path``."""
        if not self.is_ours:
            os.chown(path, self.uid, self.gid)

    def reaches(self, path: Path) -> bool:
        """Whether the account may pass all directories on the way to ``path``, and enter or execute it."""
        resolved = path.resolve()
        return self.is_ours or all(place.stat().st_mode & 0o001 for place in (resolved, *resolved.parents))


def server_account() -> Account:
    """The account of this process; for root, the account `NAME`, which is created if it is missing.

    Raises:
        OSError: the account cannot be created.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    try:
        entry = pwd.getpwnam(NAME)
    except KeyError:
        # Another command may be creating it at the same time: what counts is that it is there afterwards.
        with suppress(FileNotFoundError):
            subprocess.run(_CREATE, check=False, capture_output=True)  # noqa: S603 - a constant
        try:
            entry = pwd.getpwnam(NAME)
        except KeyError as error:
            raise OSError(f"PostgreSQL does not run as root, and the account {NAME!r} could not be created") from error
    return Account(entry.pw_uid, entry.pw_gid)

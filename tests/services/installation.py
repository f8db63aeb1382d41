"""A database server's files: installed on this machine, or a tree that was unpacked into a directory."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Installation:
    """Where a server's programs are, and how they are started.

    `launcher` goes before every program. An unpacked tree has its own C library, newer than the machine's,
    so its programs must be started through the dynamic loader that belongs to it.
    """

    programs: tuple[Path, ...]
    prefix: Path
    origin: str
    launcher: tuple[str, ...] = ()

    def command(self, *names: str) -> list[str] | None:
        """The start of a command line for the first of these programs that exists, else None."""
        for name in names:
            for directory in self.programs:
                if (directory / name).is_file():
                    return [*self.launcher, str(directory / name)]
        return None


def unpacked(root: Path, origin: str) -> Installation:
    """The installation in a tree of unpacked Debian packages.

    Raises FileNotFoundError for a tree without a C library.
    """
    library = next(iter([*root.glob("usr/lib/*/libc.so.6"), *root.glob("lib/*/libc.so.6")]), None)
    loader = next(iter(library.parent.glob("ld-linux*.so.*")), None) if library else None
    if library is None or loader is None:
        raise FileNotFoundError(f"no C library in {root}")
    triplet = library.parent.name
    libraries = ":".join(str(root / place / triplet) for place in ("usr/lib", "lib"))
    programs = tuple(root / place for place in ("usr/sbin", "usr/bin", "sbin", "bin", "usr/libexec/docker/cli-plugins"))
    return Installation(programs, root / "usr", origin, (str(loader), "--library-path", libraries))


def version_of(command: Iterable[str]) -> tuple[str, tuple[int, int]]:
    """What a program says to --version, and the first two numbers of its version; ("", (0, 0)) if it will not run."""
    try:
        done = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return "", (0, 0)
    # As in: /usr/sbin/mysqld  Ver 9.7.4 for Linux ... or: postgres (PostgreSQL) 18.4
    numbers = re.search(r"(?:Ver|\(PostgreSQL\)) (\d+)\.(\d+)", done.stdout)
    return done.stdout.strip(), (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)

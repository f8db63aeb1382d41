"""What the numbers were measured on: without it they mean nothing."""

from __future__ import annotations

import os
import platform
import subprocess
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

from framework import __version__
from tests.services import Server
from tests.services.login import connect

PACKAGES = ("psycopg2-binary", "pymysql", "numpy")
SETTINGS = {
    "postgres": ("shared_buffers", "max_wal_size", "fsync"),
    "mysql": ("innodb_buffer_pool_size", "innodb_redo_log_capacity", "innodb_flush_log_at_trx_commit", "log_bin"),
}
"""The settings of each server that a load depends on most."""


def describe(*servers: Server) -> dict[str, str]:
    """The machine, versions, and the servers with their settings: a name and a text each."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB",
        "python": ", ".join([platform.python_version(), *(f"{name} {version(name)}" for name in PACKAGES)]),
        **{server.kind: _server(server) for server in servers},
    }


def commit() -> str:
    """What is measured: the commit, and whether the code is not quite it; without git, the version."""
    try:
        return _git("rev-parse", "--short", "HEAD") + " with changes" * bool(_git("status", "--short", "framework"))
    except (OSError, subprocess.CalledProcessError):
        return __version__


def _git(*arguments: str) -> str:
    root = Path(__file__).parents[1]
    return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True).stdout.strip()


def _server(server: Server) -> str:
    show = "SHOW {}" if server.kind == "postgres" else "SELECT @@global.{}"
    with closing(connect(server.url)) as connection, closing(connection.cursor()) as cursor:
        told = [server.version]
        for name in SETTINGS[server.kind]:
            cursor.execute(show.format(name))
            (value,) = cursor.fetchone()
            told.append(f"{name} {f'{value >> 20} MB' if isinstance(value, int) and value >= 2**20 else value}")
    return ", ".join(told)

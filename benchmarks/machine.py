"""What the numbers were measured on: without it they mean nothing."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version

from tests.services import Server


def describe(*servers: Server) -> str:
    """Cores, memory and versions, in two lines."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB"
    packages = ", ".join(f"{name} {version(name)}" for name in ("psycopg2-binary", "pymysql", "numpy"))
    databases = ", ".join(f"{server.kind} {server.version}" for server in servers)
    return f"{machine}; Python {platform.python_version()}, {packages}\n{databases}"

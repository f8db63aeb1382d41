"""Real PostgreSQL, MySQL and MariaDB servers for tests and benchmarks, on any machine.

`launch` starts a server, or finds the one that the environment names; `python -m tests.services run -- COMMAND` runs a
command with servers around it.
"""

from tests.services.launch import Handle, launch, launch_mortal
from tests.services.server import KINDS, Kind, Server, ServerUnavailable

__all__ = ["KINDS", "Handle", "Kind", "Server", "ServerUnavailable", "launch", "launch_mortal"]

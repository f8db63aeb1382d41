"""Pools keep the tasks that use a database at once below its `parallelism` in connections.yaml.

A pool must be there before its first task: `python -m framework.airflow.make_pools SPECS` makes those of a directory.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from framework.spec.connections import FILE, Connections, load_connections

PREFIX = "vitrina_"


def pool_of(connection: str, connections: Connections | None) -> dict[str, Any]:
    """The operator's argument that takes a slot of the connection's pool; empty where it has none."""
    return {"pool": f"{PREFIX}{connection}"} if connection in slots(connections) else {}


def slots(connections: Connections | None) -> dict[str, int]:
    """By connection, how many tasks may use it at once; the fewest of all environments."""
    found: dict[str, int] = {}
    for entries in connections.environments.values() if connections else ():
        for name, entry in entries.items():
            if entry.parallelism is not None:
                found[name] = min(found.get(name, entry.parallelism), entry.parallelism)
    return found


def make(specs: Path) -> int:
    """Make or change the pools of a directory of specs, with Airflow's own command; how many."""
    file = load_connections(specs / FILE) if (specs / FILE).is_file() else None
    pools = {
        f"{PREFIX}{name}": {"slots": count, "description": f"tasks that use {name}", "include_deferred": False}
        for name, count in slots(file.content if file else None).items()
    }
    if pools:
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / "pools.json"
            path.write_text(json.dumps(pools), encoding="utf-8")
            subprocess.run([sys.executable, "-m", "airflow", "pools", "import", str(path)], check=True)  # noqa: S603
    return len(pools)

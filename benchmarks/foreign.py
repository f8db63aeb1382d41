"""The programs of others, in the environment that `make bench-peers` makes: never among the project's own packages."""

from __future__ import annotations

import os
import sys
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(os.environ.get("VITRINA_BENCH_PEERS") or Path(sys.prefix) / "peers")


def libraries() -> list[str]:
    """Where its packages are; none if it was not made."""
    return [str(path) for path in ROOT.glob("lib/python3*/site-packages")]


def version(package: str) -> str | None:
    """None if it is not installed there."""
    return next((found.version for found in distributions(name=package, path=libraries())), None)


def program(name: str) -> str:
    """The path of a program there."""
    return str(ROOT / "bin" / name)

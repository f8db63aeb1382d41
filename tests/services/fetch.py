"""Servers that this machine does not have: downloaded once, kept outside the clone."""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.services.apt import AptError, download_and_unpack, sid_sources, suite_sources
from tests.services.installation import Installation, unpacked
from tests.services.server import Kind, ServerUnavailable


@dataclass(frozen=True)
class Recipe:
    """What to unpack for a server: the packages, and the apt sources to take them from."""

    name: str
    packages: tuple[str, ...]
    sources: Callable[[], str]


# Debian stable has no MySQL, only MariaDB; Debian unstable has both.
RECIPES: dict[Kind, Recipe] = {
    "mysql": Recipe("mysql-sid", ("mysql-server-core", "mysql-client-core"), sid_sources),
    "mariadb": Recipe("mariadb", ("mariadb-server-core", "mariadb-client-core"), suite_sources),
}


COMPOSE = Recipe("compose-sid", ("docker-compose",), sid_sources)


def cache_directory() -> Path:
    """Where fetched servers are kept: VITRINA_CACHE, else `vitrina` in the user's cache directory."""
    if chosen := os.environ.get("VITRINA_CACHE"):
        return Path(chosen).expanduser().absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vitrina"


def fetched(kind: Kind) -> Installation:
    """The cached server of this kind, downloaded first if need be.

    Raises ServerUnavailable where it cannot be downloaded or kept.
    """
    return _unpacked(kind, RECIPES[kind])


def compose() -> list[str]:
    """The start of a command line for Docker Compose, which needs no daemon to check a file.

    Raises ServerUnavailable where it cannot be downloaded or kept.
    """
    command = _unpacked("compose", COMPOSE).command("docker-compose")
    if command is None:
        raise ServerUnavailable("compose", "the package has no such program")
    return command


def _unpacked(kind: Kind | Literal["compose"], recipe: Recipe) -> Installation:
    servers = cache_directory() / "servers"
    root = servers / f"{recipe.name}-{platform.machine()}"
    try:
        servers.mkdir(parents=True, exist_ok=True)
        with _lock(servers / f"{root.name}.lock"):
            if not root.is_dir():
                _download(recipe, root)
        return unpacked(root, f"fetched into {root}")
    except (AptError, OSError) as error:
        raise ServerUnavailable(kind, f"fetch: {error} (the cache is {servers}; VITRINA_CACHE moves it)") from error


def _download(recipe: Recipe, root: Path) -> None:
    sources = recipe.sources()
    scratch = root.with_name(f"{root.name}.partial")
    shutil.rmtree(scratch, ignore_errors=True)  # of a process that was killed
    scratch.mkdir()
    try:
        download_and_unpack(sources, recipe.packages, scratch / "apt", scratch / "root")
        # The last step, and atomic: what is found under the final name is always complete.
        (scratch / "root").rename(root)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Holds `path` against other processes, which wait."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

"""The embedded PostgreSQL of a directory, shared by all commands that use it at the same time."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from framework.databases.embedded.account import STATE, server_account
from framework.databases.embedded.cluster import Cluster
from framework.databases.embedded.installation import PACKAGE, programs
from framework.databases.embedded.sharing import Share, locked
from framework.errors import ConnectionFailed, StartError

URL = "embedded:postgres"
DATA = "postgres"


@contextmanager
def open_postgres(name: str, home: Path) -> Iterator[str]:
    """The SQLAlchemy URL of the PostgreSQL in ``home``, which runs at least until the context ends.

    Who comes first starts the server, who goes last stops it. Users are counted by file locks, so that a command that
    was killed does not count any more: the next one that ends stops what it left.

    Args:
        name: the connection's name, for messages.
        home: the directory of the embedded databases; made if it is missing.

    Raises:
        StartError: the wheel is not installed.
        ConnectionFailed: the server does not start.
    """
    if importlib.util.find_spec(PACKAGE) is None:
        raise StartError(f"{name!r} is embedded, and PostgreSQL is not installed", 'pip install "vitrina[embedded]"')
    lock = home / "postgres.lock"
    with _failing_as(name, home):
        home.mkdir(parents=True, exist_ok=True)
        with locked(lock):
            share = Share(home / "postgres.users")
    cluster: Cluster | None = None
    try:
        with _failing_as(name, home), locked(lock):
            cluster = _cluster(home)
            cluster.start()
            url = cluster.url
        yield url
    finally:
        with _failing_as(name, home), locked(lock):
            if share.give() and cluster is not None:
                cluster.stop()


@contextmanager
def _failing_as(name: str, home: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        raise ConnectionFailed(
            name, URL, str(error), f"run as the owner of {home}, or set VITRINA_HOME to a directory of your own"
        ) from error
    except OSError as error:
        raise ConnectionFailed(
            name, URL, str(error), f"see {home / DATA / 'server.log'}; if the data can go, delete {home / DATA}"
        ) from error


def _cluster(home: Path) -> Cluster:
    account = server_account()
    data = home / DATA
    if data.exists() and data.stat().st_uid != account.uid:
        raise PermissionError(f"{data} belongs to another user")
    cluster = Cluster(data.resolve(), Path(), account)
    if not account.reaches(home):
        cluster = replace(cluster, data=_data_elsewhere(data))
    version = cluster.data / "PG_VERSION"
    return replace(cluster, programs=programs(account, int(version.read_text()) if version.exists() else None))


def _data_elsewhere(link: Path) -> Path:
    """The data directory that ``link`` points to, where the server's account can reach it.

    The home of root is closed to all others, and it stays so: the data move, and a link shows where.
    """
    place = STATE / f"data-{hashlib.sha256(os.fsencode(link)).hexdigest()[:16]}" / DATA
    if not link.is_symlink():
        # Without its link it is what a home that was deleted left behind.
        shutil.rmtree(place.parent, ignore_errors=True)
        link.symlink_to(place)
    place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    return place

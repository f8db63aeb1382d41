from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reliability.world import World
from tests.services import Server
from tests.services.databases import SourceDatabase, TargetDatabase
from tests.services.pool import Pool


@pytest.fixture
def world(source: SourceDatabase, target: TargetDatabase, tmp_path: Path) -> World:
    return World(source, target, tmp_path)


@pytest.fixture
def mysql_target(lent: Pool, mysql_server: Server) -> Iterator[TargetDatabase]:
    """A fresh database of MySQL, for what does not depend on the server."""
    with lent.target(mysql_server) as database:
        yield database


@pytest.fixture
def world_in_mysql(source: SourceDatabase, mysql_target: TargetDatabase, tmp_path: Path) -> World:
    return World(source, mysql_target, tmp_path)

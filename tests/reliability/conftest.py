from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.reliability.world import World
from tests.services import Server
from tests.services.databases import SourceDatabase, TargetDatabase


@pytest.fixture
def world(source: SourceDatabase, target: TargetDatabase, tmp_path: Path) -> World:
    return World(source, target, tmp_path)


@pytest.fixture
def mysql_target(mysql_server: Server) -> Iterator[TargetDatabase]:
    """A fresh database of MySQL, for what does not depend on the server."""
    with ExitStack() as stack:
        database = TargetDatabase(mysql_server)
        stack.callback(database.drop)
        yield database

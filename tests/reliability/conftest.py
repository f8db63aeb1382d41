from __future__ import annotations

from pathlib import Path

import pytest

from tests.reliability.world import World
from tests.services.databases import SourceDatabase, TargetDatabase


@pytest.fixture
def world(source: SourceDatabase, target: TargetDatabase, tmp_path: Path) -> World:
    return World(source, target, tmp_path)

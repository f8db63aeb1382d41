"""Airflow keeps its files in a directory of its own, which must be known before it is first imported."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest

from tests.airflow.hook import hook_server, served

_home = tempfile.mkdtemp(prefix="vitrina-airflow-")
atexit.register(shutil.rmtree, _home, ignore_errors=True)
os.environ["AIRFLOW_HOME"] = _home
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = f"sqlite:///{_home}/airflow.db"
os.environ["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH"] = f"{_home}/bundles"


@pytest.fixture
def hook() -> Iterator[Any]:
    """A webhook on this machine."""
    yield from served(hook_server())

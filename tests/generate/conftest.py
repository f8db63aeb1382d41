"""Sources that may be filled, and what is needed to look at what came of it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from framework.databases.postgres.source import PostgresSource
from framework.spec.entities import GenerateTask
from tests.services.databases import SourceDatabase

NOW = "2026-01-01T00:00:00Z"


def task(entities: dict[str, Any], *, seed: int = 42, locale: str = "en_US") -> GenerateTask:
    return GenerateTask.model_validate(
        {"pipeline": "test", "seed": seed, "now": NOW, "locale": locale, "entities": entities}
    )


def one_table(rows: int = 1000, /, seed: int = 42, locale: str = "en_US", **columns: Any) -> GenerateTask:
    """A table ``t`` with a sequence as its key, and the given columns."""
    key = {"id": {"type": "bigint", "primary_key": True, "fake": "sequence"}}
    return task({"t": {"rows": rows, "columns": {**key, **columns}}}, seed=seed, locale=locale)


def dump(database: SourceDatabase, table: str, columns: str = "*") -> bytes:
    """The rows of a table as COPY writes them, in the order of the key."""
    sink = io.BytesIO()
    with closing(database.connect()) as connection, connection.cursor() as cursor:
        cursor.copy_expert(f"COPY (SELECT {columns} FROM {table} ORDER BY 1) TO STDOUT", sink)
    return sink.getvalue()


@pytest.fixture
def open_source() -> Iterator[Callable[[SourceDatabase], PostgresSource]]:
    """Makes a source that may be filled out of a test database."""
    with ExitStack() as stack:

        def make(database: SourceDatabase, *, may_generate: bool = True) -> PostgresSource:
            source = PostgresSource("shop", database.url, may_generate)
            stack.callback(source.close)
            return source

        yield make


@pytest.fixture
def postgres(source: SourceDatabase, open_source: Callable[[SourceDatabase], PostgresSource]) -> PostgresSource:
    return open_source(source)

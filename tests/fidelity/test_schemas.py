"""Two grown databases, whose DDL is our own: `vitrina draft`, `vitrina run`, and every table is exact."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from tests.command import Command
from tests.fidelity import schemas
from tests.fidelity.conftest import TARGETS, Place
from tests.fidelity.reading import DuckDBCopy, MySQLCopy, Source
from tests.fidelity.schemas import Relation, quoted
from tests.services import Server
from tests.services.databases import SourceDatabase, TargetDatabase

TOUCHED = {
    "authors": "updated_at",
    "titles": "updated_at",
    "readers": "updated_at",
    "Employee": "modified",
    "orders": "placed",
}
"""Tables that are copied incrementally in the end, and their cursors."""


FIXED = """
SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = %s::regclass AND a.attnum > 0
AND (a.attgenerated <> '' OR EXISTS (
    SELECT 1 FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisunique AND a.attnum = ANY (i.indkey::int2[])
))
"""
"""Columns of keys, and those that are computed."""


class Grown:
    """One of the databases, the spec that was drafted from it, and its copy."""

    def __init__(self, source: SourceDatabase, place: Place, vitrina: Command) -> None:
        self.source = source
        self.place = place
        self.vitrina = vitrina
        self.reader = Source(source.url)
        self.file = vitrina.cwd / "grown.yaml"

    @property
    def spec(self) -> dict[str, Any]:
        loaded: dict[str, Any] = yaml.safe_load(self.file.read_text(encoding="utf-8"))
        return loaded

    def copies(self) -> dict[tuple[str, str], tuple[str, dict[str, Any]]]:
        """By schema and table of the source, the copy's name and settings."""
        said = {name: settings or {} for name, settings in self.spec["replicate"].items()}
        return {(s.get("schema", "public"), s.get("from", name)): (name, s) for name, s in said.items()}

    def differences(self, relations: list[Relation]) -> list[str]:
        """Where their copies are not what they are."""
        copies, found = self.copies(), []
        for relation in relations:
            name, said = copies.get((relation.schema, relation.name), ("", {}))
            if name:
                only = said.get("children") is False
                differing = schemas.differences(self.reader, self.place, relation, name, only=only)
                found += [f"{relation.qualified}: {sentence}" for sentence in differing]
        return found


@pytest.fixture(params=schemas.SCHEMAS)
def grown(
    request: pytest.FixtureRequest, place_of_its_own: tuple[Place, str], postgres_server: Server, tmp_path: Path
) -> Iterator[Grown]:
    source = SourceDatabase(postgres_server)
    place, url = place_of_its_own
    try:
        schemas.build(source, request.param)
        vitrina = Command(tmp_path, VITRINA_CONN_ORIGIN=source.url, VITRINA_CONN_COPY=url)
        made = Grown(source, place, vitrina)
        yield made
        made.reader.close()
    finally:
        source.drop()


@pytest.fixture(params=TARGETS)
def place_of_its_own(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Place, str]]:
    """A target that other processes fill, and its URL."""
    if request.param == "duckdb":
        path = tmp_path / "copy.duckdb"
        yield Place("duckdb", (), DuckDBCopy(lambda: duckdb.connect(str(path)))), f"duckdb:///{path}"
        return
    with ExitStack() as stack:
        database = TargetDatabase(request.getfixturevalue(f"{request.param}_server"))
        stack.callback(database.drop)
        reader = MySQLCopy(database.url)
        stack.callback(reader.close)
        yield Place(request.param, (), reader), database.url


@pytest.mark.slow
def test_draft_and_run(grown: Grown) -> None:
    vitrina = grown.vitrina
    vitrina("draft", "--source", "origin", "--target", "copy", "--views", "-o", str(grown.file))
    vitrina("run", str(grown.file))
    assert missing(grown) == []
    assert grown.differences(schemas.relations(grown.source)) == []
    tables = make_incremental(grown)
    vitrina("replicate", str(grown.file), "--full-refresh", *tables)
    touch(grown)
    vitrina("replicate", str(grown.file), *tables)
    assert grown.differences(touched(grown)) == []


def missing(grown: Grown) -> list[str]:
    """Tables and views without a copy; partitions are read with what they are partitions of."""
    partitions = {tuple(row) for row in grown.source.rows(
        "SELECT n.nspname::text, c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relispartition"
    )}  # fmt: skip
    wanted = {(relation.schema, relation.name) for relation in schemas.relations(grown.source)}
    return sorted(map(str, wanted - partitions - grown.copies().keys()))


def make_incremental(grown: Grown) -> list[str]:
    """Those tables get cursors and the source's foreign keys; the options that name them."""
    spec, copies, options = grown.spec, grown.copies(), []
    for relation in touched(grown):
        name, said = copies[relation.schema, relation.name]
        spec["replicate"][name] = said | {"mode": "incremental", "cursor": TOUCHED[relation.name]}
        options += ["--table", name]
    spec.setdefault("defaults", {}).setdefault("replicate", {})["foreign_keys"] = True
    grown.file.write_text(yaml.safe_dump(spec, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return options


def touched(grown: Grown) -> list[Relation]:
    return [one for one in schemas.relations(grown.source) if TOUCHED.get(one.name) in one.forms]


def touch(grown: Grown) -> None:
    """Every row of those tables gets the values of another one, but for keys and what is computed."""
    for relation in touched(grown):
        _rotate(grown.source, relation, TOUCHED[relation.name])


def _rotate(source: SourceDatabase, relation: Relation, cursor: str) -> None:
    kept = {name for (name,) in source.rows(FIXED, relation.qualified)} | {cursor}
    moved = [quoted(name) for name in relation.forms if name not in kept]
    numbered = f"SELECT *, row_number() OVER (ORDER BY ctid) AS place, ctid AS at FROM {relation.qualified}"
    assignments = ", ".join([*(f"{name} = o.{name}" for name in moved), f"{quoted(cursor)} = clock_timestamp()"])
    source.execute(
        f"WITH n AS ({numbered}) UPDATE {relation.qualified} AS t SET {assignments} FROM n JOIN n AS o "
        f"ON o.place = n.place % (SELECT count(*) FROM n) + 1 WHERE t.ctid = n.at"
    )

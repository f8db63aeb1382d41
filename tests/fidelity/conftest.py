"""One source with every type, one target of each product, and the table that goes from the one to the other."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pytest

from framework.databases.base import Target
from framework.databases.duckdb import DuckDBTarget
from framework.databases.duckdb.target import SETTINGS
from framework.databases.mysql.target import MySQLTarget
from framework.databases.postgres.source import PostgresSource
from framework.errors import LoadRefused
from framework.events import Event, Notice, Reporter, Stats
from framework.replicate.engine import replicate
from framework.replicate.options import Options
from framework.spec.replication import ReplicateTask
from tests.databases.lanes import take_safe_lane
from tests.fidelity.reading import DuckDBCopy, MySQLCopy, Source, differences
from tests.fidelity.values import CASES, Case
from tests.services import Server
from tests.services.databases import SourceDatabase, TargetDatabase

DEFAULTS: dict[str, Any] = {
    "source_schema": "public",
    "mode": "incremental",
    "cursor": "updated_at",
    "lookback": "1s",
    "deletes": {"policy": "remove", "fuse": "100%"},
}
TARGETS = ("mysql", "mariadb", "duckdb")


class Origin:
    """The source: a database with every type of the table of values that the server can have."""

    def __init__(self, database: SourceDatabase) -> None:
        self.database = database
        self.postgres = PostgresSource("origin", database.url)
        self.reader = Source(database.url)
        self._numbers = itertools.count(1)
        self.version = int(database.rows("SHOW server_version_num")[0][0]) // 10_000
        self.extensions = {name for name in {case.extension for case in CASES} - {""} if self._has(name)}
        for case in CASES:
            if not self.lacks(case):
                for statement in case.setup:
                    database.execute(statement)

    def lacks(self, case: Case) -> str:
        """Why this server cannot have the type; empty if it can."""
        if case.since > self.version:
            return f"PostgreSQL {self.version} has no {case.type}"
        if case.extension and case.extension not in self.extensions:
            return f"the server has no extension {case.extension}"
        return ""

    def table(self, case: Case, name: str, values: tuple[str, ...]) -> str:
        """A table of one value a row."""
        return self.filled(name, f"v {case.type}", [(value,) for value in values])

    def filled(self, name: str, columns: str, rows: Sequence[tuple[str, ...]]) -> str:
        """A table with a number as its key and a cursor; its rows are expressions. No two have one name."""
        name = self.new(name)
        self.database.execute(
            f"CREATE TABLE {name} (id int PRIMARY KEY, {columns}, "
            "updated_at timestamptz NOT NULL DEFAULT clock_timestamp())"
        )
        inserts = (f"INSERT INTO {name} VALUES ({', '.join((str(n), *row))})" for n, row in enumerate(rows, 1))
        self.database.execute("; ".join(["SELECT", *inserts]))
        return name

    def new(self, name: str) -> str:
        """A name of which there is no table yet, in the source and in any target."""
        return f"{name}_{next(self._numbers)}"

    def _has(self, extension: str) -> bool:
        if not self.database.rows("SELECT 1 FROM pg_available_extensions WHERE name = %s", extension):
            return False
        self.database.admin(f'CREATE EXTENSION "{extension}"')
        return True


@dataclass
class Place:
    """A target, with the lanes by which it can be filled, and the way to read it without the engine."""

    kind: str
    lanes: tuple[Target, ...]
    reader: MySQLCopy | DuckDBCopy
    notices: list[str] = field(default_factory=list)
    _runs: Iterator[int] = field(default_factory=itertools.count)

    def copy(self, origin: Origin, table: str, lane: int = 0, *, full: bool = False, **said: Any) -> Stats:
        """Replicate one table, anew if it is ``full``; `notices` says what was noticed."""
        task = ReplicateTask.model_validate({**DEFAULTS, "table": table, "source_table": table, **said})
        self.notices.clear()
        reporter = Reporter(f"replicate:{table}", self._hear)
        run = Options(run_id=f"run-{next(self._runs)}", full_refresh=full)
        return replicate(origin.postgres, self.lanes[lane % len(self.lanes)], task, run, reporter)

    def refusal(self, origin: Origin, table: str, **said: Any) -> LoadRefused | None:
        """Why the table was not replicated anew; None if it was."""
        try:
            self.copy(origin, table, full=True, **said)
        except LoadRefused as error:
            return error
        return None

    def differences(self, origin: Origin, table: str, forms: dict[str, str], **shown: str) -> list[str]:
        """Where the copy of ``table`` is not what its source is now; ``shown`` replaces columns by expressions."""
        forms = {name: self.form(form) for name, form in forms.items()}
        sent = origin.reader.read(table, ["id"], {shown.get(name, f'"{name}"'): form for name, form in forms.items()})
        return differences(sent, self.reader.read(table, ["id"], forms))

    def form(self, form: str) -> str:
        """How values of ``form`` arrive here: MariaDB knows no negative zero."""
        return "float, one zero" if (self.kind, form) == ("mariadb", "float") else form

    def _hear(self, event: Event) -> None:
        if isinstance(event, Notice):
            self.notices.append(event.message)


@pytest.fixture(scope="session")
def origin(postgres_server: Server) -> Iterator[Origin]:
    database = SourceDatabase(postgres_server)
    try:
        made = Origin(database)
        yield made
        made.reader.close()
        made.postgres.close()
    finally:
        database.drop()


@pytest.fixture(scope="session", params=TARGETS)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with ExitStack() as stack:
        if request.param == "duckdb":
            path = tmp_path_factory.mktemp("duckdb") / "copy.duckdb"
            duck = DuckDBTarget("copy", path)
            stack.callback(duck.close)
            yield Place("duckdb", (duck,), DuckDBCopy(lambda: duckdb.connect(str(path), config=SETTINGS)))
            return
        database = TargetDatabase(request.getfixturevalue(f"{request.param}_server"))
        stack.callback(database.drop)
        fast, safe = MySQLTarget("fast", database.url), MySQLTarget("safe", database.url)
        stack.callback(fast.close)
        stack.callback(safe.close)
        take_safe_lane(safe)
        reader = MySQLCopy(database.url)
        stack.callback(reader.close)
        yield Place(request.param, (fast, safe), reader)


@pytest.fixture(params=CASES, ids=lambda case: case.id)
def case(request: pytest.FixtureRequest, origin: Origin) -> Case:
    """A type of the table of values; the test is skipped where the server lacks it."""
    found: Case = request.param
    if reason := origin.lacks(found):
        pytest.skip(reason)
    return found

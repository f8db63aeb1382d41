"""The roles that docs/security.md tells to make: enough for the whole job, and nothing of it in vain."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from framework.commands import pipeline
from framework.commands.doctor import doctor
from framework.commands.pipeline import Parallel
from framework.errors import RunError, StepsFailed
from tests.command import ROOT
from tests.services import Server
from tests.services.databases import SourceDatabase, TargetDatabase

DOCUMENT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
BLOCKS = {
    title: [statement for statement in re.split(r";\n", re.sub(r"(?m)^--.*\n", "", body)) if statement.strip()]
    for title, body in re.findall(r"```sql\n-- (.*)\n([^`]*(?:`[^`]+`[^`]*)*)```", DOCUMENT)
}
READER = BLOCKS["PostgreSQL: a source that is read"]
FILLER = BLOCKS["PostgreSQL: a source that is filled with fake data, and read"]
TARGET = BLOCKS["MySQL and MariaDB: the target"]

SPEC = """\
version: 1
pipeline: p
source: pg
target: my
now: 2026-01-01T00:00:00Z
entities:
  customers:
    rows: 20
    columns:
      id: {type: bigint, primary_key: true, fake: sequence}
      updated_at: {type: timestamptz, index: true, fake: {datetime: {from: -1y, to: now}}}
    changes: {touch: updated_at, insert: 3, update: {rows: 10%}}
  orders:
    rows: {per: customer_id, mean: 2}
    columns:
      id: {type: bigint, primary_key: true, fake: sequence}
      customer_id: {type: bigint, references: {table: customers, column: id}}
      updated_at: {type: timestamptz, index: true, fake: {datetime: {from: -1y, to: now}}}
    changes: {touch: updated_at, insert: 3, delete: {rows: 10%}}
replicate:
  customers: {mode: incremental, cursor: updated_at, deletes: remove, foreign_keys: true}
  orders: {mode: incremental, cursor: updated_at, deletes: remove, foreign_keys: true, indexes: [[customer_id]]}
marts:
  per_customer:
    materialize: table
    query: SELECT o.customer_id, COUNT(*) AS orders FROM orders o GROUP BY o.customer_id
  counted:
    materialize: view
    query: SELECT COUNT(*) AS customers FROM customers c
"""
CONNECTIONS = "environments: {default: {pg: {url: '${PG}', generate: allow}, my: {url: '${MY}'}}}\n"


@dataclass(frozen=True)
class Role:
    """A role that the document's statements made."""

    name: str
    url: str


MakeRole = Callable[[SourceDatabase | TargetDatabase, list[str]], Role]


@pytest.fixture
def make_role() -> Iterator[MakeRole]:
    with ExitStack() as stack:

        def make(database: SourceDatabase | TargetDatabase, statements: list[str]) -> Role:
            name, password = f"r{secrets.token_hex(5)}", secrets.token_hex(8)
            for statement in statements:
                text = re.sub(r"\bvitrina_\w+\b", name, statement).replace("change me", password)
                database.admin(re.sub(r"\bshop\b", database.name, text))
            if isinstance(database, SourceDatabase):
                stack.callback(database.admin, f"DROP OWNED BY {name}", f"DROP ROLE {name}")
            else:
                stack.callback(database.admin, f"DROP USER {name}@'%'")
            url = make_url(database.url).set(username=name, password=password)
            return Role(name, url.render_as_string(hide_password=False))

        yield make


class Job:
    """The whole job, in this process: a run in one of its own takes a second to begin."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = directory / "spec.yaml"
        self.path.write_text(SPEC, encoding="utf-8")
        (directory / "connections.yaml").write_text(CONNECTIONS, encoding="utf-8")
        self._monkeypatch = monkeypatch
        monkeypatch.chdir(directory)

    def connect(self, **urls: str) -> None:
        for name, url in urls.items():
            self._monkeypatch.setenv(name, url)

    def run(self, ticks: int = 0, *, full_refresh: bool = False) -> None:
        pipeline.run(self.path, "default", Parallel(), ticks, full_refresh=full_refresh)

    def replicate(self) -> None:
        pipeline.replicate(self.path, "default", Parallel(), (), full_refresh=True)

    def refusal(self, act: Callable[[], None]) -> str:
        """What is said where something fails."""
        with pytest.raises(RunError) as failed:
            act()
        errors = failed.value.errors.values() if isinstance(failed.value, StepsFailed) else [failed.value]
        return " ".join(str(error) for error in errors)


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    return Job(tmp_path, monkeypatch)


def test_the_document_has_them():
    assert len(BLOCKS) == 3
    assert len(READER) == 6


def test_the_whole_job(
    source: SourceDatabase,
    target: TargetDatabase,
    make_role: MakeRole,
    job: Job,
    capfd: pytest.CaptureFixture[str],
):
    job.connect(PG=make_role(source, FILLER).url, MY=make_role(target, TARGET).url)
    job.run()
    job.run(2)
    job.run(full_refresh=True)
    assert doctor(job.path, "default")
    declared = "SELECT COUNT(*) FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = %s"
    assert target.rows(declared, target.name) == [(1,)]
    # Another role reads what the first one has filled, and can change nothing.
    job.connect(PG=make_role(source, READER).url)
    job.replicate()
    assert doctor(job.path, "default")
    said = "".join(capfd.readouterr())
    assert "missing-privilege" not in said
    assert "open-transactions" not in said
    refused = job.refusal(lambda: pipeline.generate(job.path, "default", None, recreate=True))
    assert "takes no changes" in refused


def test_nothing_of_the_target_is_in_vain(
    source: SourceDatabase, target: TargetDatabase, make_role: MakeRole, job: Job, capfd: pytest.CaptureFixture[str]
):
    writer = make_role(target, TARGET)
    job.connect(PG=source.url, MY=writer.url)
    job.run()
    granted = [found[1] for statement in TARGET if (found := re.match(r"GRANT (.*) ON `", statement))]
    for privilege in ", ".join(granted).split(", "):
        if privilege == "REFERENCES" and target.kind == "mariadb":
            continue  # it knows the word, and does not ask for it
        target.admin(f"REVOKE {privilege} ON `{target.name}`.* FROM {writer.name}@'%'")
        assert f"{privilege} command denied" in job.refusal(lambda: job.run(full_refresh=True))
        capfd.readouterr()
        assert not doctor(job.path, "default")
        assert f"GRANT {privilege} ON `{target.name}`.*" in capfd.readouterr().out
        target.admin(f"GRANT {privilege} ON `{target.name}`.* TO {writer.name}@'%'")


def fix(left_out: str) -> str:
    """What is to be told where a statement of the document was not run: the name of a privilege, on what."""
    return re.sub(r"(?:, (?:TEMPORARY|CREATE))|(?: ALL TABLES.*| DATABASE .*| SCHEMA .*| TO .*)", "", left_out)


def test_nothing_of_the_source_is_in_vain(
    source: SourceDatabase,
    mysql_server: Server,
    make_role: MakeRole,
    job: Job,
    capfd: pytest.CaptureFixture[str],
):
    target = TargetDatabase(mysql_server)
    job.connect(PG=source.url, MY=target.url)
    job.run()
    for everybody in (f'DATABASE "{source.name}"', "SCHEMA public"):
        source.admin(f"REVOKE ALL ON {everybody} FROM PUBLIC")
    for block, act in ((READER, job.replicate), (FILLER, job.run)):
        for left_out in [statement for statement in block if statement.startswith("GRANT")]:
            role = make_role(source, [statement for statement in block if statement != left_out])
            if block is FILLER:
                source.admin("DROP TABLE IF EXISTS orders, customers, _vitrina_fills")
            job.connect(PG=role.url)
            capfd.readouterr()
            if "pg_read_all_stats" in left_out:
                act()  # it says so where there is somebody to see
            else:
                assert fix(left_out) in job.refusal(act)
            capfd.readouterr()
            well = doctor(job.path, "default")
            if block is READER:
                assert well == ("pg_read_all_stats" in left_out)
                assert fix(left_out) in capfd.readouterr().out
    target.drop()

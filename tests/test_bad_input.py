"""What a user gets who made a mistake: one clear message with a fix, the exit code, and nothing half-done."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tests.command import Command
from tests.services.databases import SourceDatabase, TargetDatabase

SPEC = """
version: 1
pipeline: people
source: people_postgres
target: people_mysql
replicate:
  people:
    checks:
      - not_null: [name]
marts:
  names:
    query: SELECT name, COUNT(*) AS people FROM people GROUP BY name
    checks:
      - unique: [name]
"""

CONNECTIONS = """
environments:
  default:
    people_postgres: {{url: "{source}"}}
    people_mysql: {{url: "{target}"}}
"""


@pytest.fixture
def people(source: SourceDatabase, target: TargetDatabase, tmp_path: Path) -> Command:
    """A spec of one table and one mart, with its databases."""
    source.execute("CREATE TABLE people (id int PRIMARY KEY, name text)")
    source.execute("INSERT INTO people VALUES (1, 'a'), (2, 'b')")
    (tmp_path / "people.yaml").write_text(SPEC)
    connect(tmp_path, source.url, target.url)
    return Command(cwd=tmp_path)


def connect(directory: Path, source: str, target: str) -> None:
    (directory / "connections.yaml").write_text(CONNECTIONS.format(source=source, target=target))


def edit(command: Command, old: str, new: str) -> None:
    path = command.cwd / "people.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_spec_itself_is_right(people: Command, target: TargetDatabase) -> None:
    assert "mart:names" in people("run", "people.yaml").stdout
    assert target.rows("SELECT name, people FROM names ORDER BY name") == [("a", 1), ("b", 1)]


def test_a_missing_file(people: Command) -> None:
    said = people("run", "nowhere.yaml", code=2).stderr
    assert "nowhere.yaml" in said
    assert "fix:" in said


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("pipeline: people", "pipeline: [people", "people.yaml:3:11", "yaml-syntax"),
        ("target: people_mysql", "target: people_mysql\ntargets: x", "people.yaml:6:1", "targets"),
        ("not_null: [name]", "not_nul: [name]", "people.yaml:9:9", "not_null"),
    ],
    ids=["bad YAML", "unknown key", "misspelt check"],
)
def test_a_spec_with_a_mistake(people: Command, old: str, new: str, place: str, message: str) -> None:
    edit(people, old, new)
    validated = people("validate", "people.yaml", code=1).stdout
    assert place in validated
    assert message in validated
    assert place in people("run", "people.yaml", code=2).stderr


def test_an_unknown_connection(people: Command) -> None:
    edit(people, "source: people_postgres", "source: people_postgress")
    assert "people_postgres" in people("run", "people.yaml", code=2).stderr


def test_an_unset_variable(people: Command) -> None:
    (people.cwd / "connections.yaml").write_text(CONNECTIONS.format(source="${NOWHERE_URL}", target="embedded:duckdb"))
    said = people("run", "people.yaml", code=2).stderr
    assert "NOWHERE_URL" in said
    assert "connections.yaml:4" in said


def test_an_unreachable_server(people: Command, target: TargetDatabase) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    connect(people.cwd, f"postgresql://someone:hidden@127.0.0.1:{port}/db", target.url)
    said = people("run", "people.yaml", code=1).stderr
    assert "people_postgres" in said
    assert str(port) in said
    assert "start the server" in said
    assert "hidden" not in said


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_wrong_password(people: Command, source: SourceDatabase, target: TargetDatabase, side: str) -> None:
    urls = {"source": source.url, "target": target.url}
    right = str(make_url(urls[side]).password)
    connect(people.cwd, **{**urls, side: urls[side].replace(right, "wr0ng")})
    said = people("run", "people.yaml", code=1).stderr
    assert "correct user and password" in said
    assert "wr0ng" not in said
    assert "people" not in [row[0] for row in target.rows("SHOW TABLES")]


@pytest.mark.parametrize(
    ("side", "url"),
    [
        ("source", "postgresql://u@tenant:S3CRET@127.0.0.1:1/db"),
        ("source", "postgresql://u:S3C RET@127.0.0.1:1/db"),
        ("target", "mysql://u:S3CRET@TAIL@127.0.0.1:1/db"),
        ("source", "postgresql://u:S3CRET@127.0.0.1:abc/db"),
        ("source", "postgresql://u:S3CRET@[::1/db"),
        ("source", "postgresql://u:S3CRET@127.0.0.1:1/db?foo=bar"),
        ("target", "mysql://u:S3CRET@127.0.0.1:1/db?foo=bar"),
        ("target", "mysql://u:S3CRET@127.0.0.1:1/db?ssl_ca=/nowhere"),
        ("target", "mysql://u:S3CRET@127.0.0.1:1/db?read_timeout=abc"),
    ],
)
def test_a_url_that_cannot_be_used(
    people: Command, source: SourceDatabase, target: TargetDatabase, side: str, url: str
) -> None:
    connect(people.cwd, **{"source": source.url, "target": target.url, side: url})
    done = people("run", "people.yaml", code=None)
    assert done.returncode in (1, 2)
    assert "fix:" in done.stderr
    assert not any(part in done.stderr + done.stdout for part in ("S3C", "RET@", "TAIL"))


def test_a_missing_privilege_on_the_source(people: Command, source: SourceDatabase, target: TargetDatabase) -> None:
    connect(people.cwd, source.reader_url, target.url)
    source.admin(f"REVOKE ALL ON people FROM {make_url(source.reader_url).username}")
    said = people("run", "people.yaml", code=1).stderr
    assert "SELECT" in said
    assert "GRANT" in said
    assert "people" not in [row[0] for row in target.rows("SHOW TABLES")]


def test_a_missing_privilege_on_the_target(people: Command, target: TargetDatabase) -> None:
    target.admin(f"REVOKE CREATE ON `{target.name}`.* FROM '{target.user}'@'%'")
    said = people("run", "people.yaml", code=1).stderr
    assert "CREATE" in said
    assert "grant" in said


def test_a_missing_source_table(people: Command, source: SourceDatabase, target: TargetDatabase) -> None:
    source.execute("DROP TABLE people")
    failed = people("run", "people.yaml", code=1)
    assert "no table public.people" in failed.stderr
    assert "mart:names: skipped" in failed.stderr
    assert "people" not in [row[0] for row in target.rows("SHOW TABLES")]


def test_a_missing_source_column(people: Command, target: TargetDatabase) -> None:
    edit(people, "  people:\n    checks", "  people:\n    only: [id, name, nick]\n    checks")
    said = people("run", "people.yaml", code=1).stderr
    assert "nick" in said
    assert "id, name" in said
    assert "people" not in [row[0] for row in target.rows("SHOW TABLES")]


def test_failing_checks_leave_what_was(people: Command, source: SourceDatabase, target: TargetDatabase) -> None:
    people("run", "people.yaml")
    source.execute("INSERT INTO people VALUES (3, NULL)")
    said = people("run", "people.yaml", code=1).stderr
    assert "not_null [name]" in said
    assert "id=3" in said
    assert target.rows("SELECT COUNT(*) FROM people") == [(2,)]
    edit(people, "- unique: [name]", "- rows: {max: 1}")
    source.execute("DELETE FROM people WHERE id = 3")
    said = people("run", "people.yaml", code=1).stderr
    assert "rows" in said
    assert target.rows("SELECT COUNT(*) FROM names") == [(2,)]
    assert target.rows("SHOW TABLES LIKE '\\_vitrina\\_build%'") == []
    status = people("status", "people.yaml")
    assert "failed" in status.stdout


def test_fake_data_needs_permission(people: Command) -> None:
    (people.cwd / "people.yaml").write_text(
        SPEC + "entities:\n  people:\n    rows: 3\n    columns:\n"
        "      id: {type: int, primary_key: true, fake: sequence}\n      name: {type: text, fake: name}\n"
        "    changes: {insert: 1}\n"
    )
    said = people("generate", "people.yaml", code=2).stderr
    assert "generate: allow" in said
    assert "generate: allow" in people("run", "people.yaml", "--tick", "1", code=2).stderr
    assert "replicate:people" in people("run", "people.yaml").stdout


@pytest.mark.parametrize("arguments", [("--help",), ("validate", "--help"), ("plan", "--help"), ("generate", "--help"),
                                       ("replicate", "--help"), ("mart", "--help"), ("run", "--help"),
                                       ("status", "--help"), ("show", "--help")])  # fmt: skip
def test_every_help_shows_an_example(arguments: tuple[str, ...]) -> None:
    assert "Example:\n" in Command()(*arguments).stdout


@pytest.mark.parametrize("arguments", [("nonsense",), ("run",), ("run", "specs/shop.yaml", "--workers", "many")])
def test_wrong_use(arguments: tuple[str, ...]) -> None:
    assert "vitrina" in Command()(*arguments, code=2).stderr

"""The test servers themselves: found, started, separated and stopped."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import psycopg2
import pymysql
import pytest
from sqlalchemy.engine import make_url

from tests.services import Server, ServerUnavailable, launch, launch_mortal
from tests.services.apt import AptError, download_and_unpack, sid_sources
from tests.services.client import client
from tests.services.databases import SourceDatabase, TargetDatabase
from tests.services.environment import exports
from tests.services.login import connect
from tests.services.sources import Source, distribution, machine_sources, own_sources, parse_deb822, parse_list

ROOT = Path(__file__).parents[1]

ONE_LINE = """\
# deb http://commented.example/debian bookworm main
deb http://mirror.example/debian bookworm main contrib # the mirror
deb-src http://mirror.example/debian bookworm main
deb [arch=amd64 signed-by=/usr/share/keyrings/third.gpg] https://third.example/apt bookworm-third main
deb [ arch=amd64,arm64 ] http://mirror.example/security bookworm-security main
deb cdrom:[Debian GNU/Linux 12 _Bookworm_ - Official amd64]/ bookworm main
"""

DEB822 = """\
Types: deb deb-src
# Snapshot: not used
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main

types: deb
uris: https://third.example/apt
suites: stable-third
components: main
signed-by:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBF
 -----END PGP PUBLIC KEY BLOCK-----
"""


def test_one_line_sources_are_read() -> None:
    assert list(parse_list(ONE_LINE)) == [
        Source(("http://mirror.example/debian",), ("bookworm",), ("main", "contrib")),
        Source(("https://third.example/apt",), ("bookworm-third",), ("main",), "/usr/share/keyrings/third.gpg"),
        Source(("http://mirror.example/security",), ("bookworm-security",), ("main",)),
    ]


def test_deb822_sources_are_read() -> None:
    mirror, third = parse_deb822(DEB822)
    keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
    assert mirror == Source(("http://mirror.example/debian",), ("bookworm", "bookworm-updates"), ("main",), keyring)
    assert third.uris == ("https://third.example/apt",)
    assert third.signed_by is not None
    assert third.signed_by.splitlines()[2:4] == [" .", " mQINBF"]


def test_an_inline_key_survives_being_written() -> None:
    *_, third = parse_deb822(DEB822)
    assert list(parse_deb822(third.deb822(third.suites))) == [third]


def test_both_formats_are_found_and_third_parties_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text(ONE_LINE)
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / "debian.sources").write_text(DEB822)
    (tmp_path / "sources.list.d" / "old.list.disabled").write_text("deb http://disabled.example/ bookworm main\n")
    own = own_sources(machine_sources(tmp_path), "bookworm")
    assert [(source.uris[0], source.suites) for source in own] == [
        ("http://mirror.example/debian", ("bookworm",)),
        ("http://mirror.example/security", ("bookworm-security",)),
        ("http://mirror.example/debian", ("bookworm", "bookworm-updates")),
    ]


@pytest.mark.skipif(shutil.which("apt-get") is None, reason="apt is not installed")
def test_packages_without_a_signature_are_refused(tmp_path: Path) -> None:
    packages = tmp_path / "mirror" / "dists" / "sid" / "main" / f"binary-{_architecture()}"
    packages.mkdir(parents=True)
    (packages / "Packages").touch()
    (tmp_path / "mirror" / "dists" / "sid" / "Release").write_text("Suite: sid\nComponents: main\n")
    unsigned = Source((f"file:{tmp_path / 'mirror'}",), ("sid",), ("main",)).deb822(["sid"])
    with pytest.raises(AptError, match="is not signed"):
        download_and_unpack(unsigned, ["mysql-server-core"], tmp_path / "apt", tmp_path / "root")
    assert not (tmp_path / "root").exists()


@pytest.mark.skipif(distribution()[0] != "debian", reason="not Debian")
def test_unstable_comes_from_the_machines_mirror_and_is_authenticated() -> None:
    (sid,) = parse_deb822(sid_sources())
    assert sid.suites == ("sid",)
    assert sid.signed_by
    assert sid.uris in [source.uris for source in machine_sources()]


def test_servers_say_what_they_are(postgres_server: Server, mysql_server: Server, mariadb_server: Server) -> None:
    assert _numbers(postgres_server.version) >= (15, 0)
    assert _numbers(mysql_server.version) >= (8, 4)
    assert "MariaDB" not in mysql_server.version
    assert _numbers(mariadb_server.version) >= (10, 11)
    assert "MariaDB" in mariadb_server.version
    assert str(make_url(mysql_server.url).password) not in repr(mysql_server)


def test_source_owner_is_no_superuser(source: SourceDatabase) -> None:
    source.execute("CREATE TABLE a (id int PRIMARY KEY)")
    source.execute("INSERT INTO a VALUES (%s)", 7)
    assert source.rows("SELECT id FROM a") == [(7,)]
    assert source.rows("SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user") == [(False, False)]
    assert source.rows("SELECT pg_has_role('pg_read_all_stats', 'usage')") == [(True,)]


def test_source_owner_may_be_denied_the_statistics(new_source: Callable[..., SourceDatabase]) -> None:
    source = new_source(read_all_stats=False)
    assert source.rows("SELECT pg_has_role('pg_read_all_stats', 'usage')") == [(False,)]


def test_reader_only_reads(source: SourceDatabase) -> None:
    source.execute("CREATE TABLE before (id int)")
    reader_url = source.reader_url
    source.execute("CREATE TABLE after (id int)")
    with closing(connect(reader_url)) as reader, closing(reader.cursor()) as cursor:
        for table in ("before", "after"):
            cursor.execute(f"SELECT count(*) FROM {table}")
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute(f"INSERT INTO {table} VALUES (1)")


def test_target_user_sees_its_own_database_only(target: TargetDatabase) -> None:
    target.execute("CREATE TABLE a (id int PRIMARY KEY)")
    assert target.execute("INSERT INTO a VALUES (%s), (%s)", 1, 2) == 2
    seen = {name for (name,) in target.rows("SHOW DATABASES")}
    assert seen - {"information_schema", "performance_schema"} == {target.name}
    with pytest.raises(pymysql.err.MySQLError, match="denied"):
        target.rows("SELECT user FROM mysql.user")
    with pytest.raises(pymysql.err.MySQLError, match="denied"):
        target.execute("SELECT 1 INTO OUTFILE '/tmp/never-written'")


def test_target_loads_local_files(target: TargetDatabase, tmp_path: Path) -> None:
    target.execute("CREATE TABLE a (id int PRIMARY KEY, name varchar(10))")
    (tmp_path / "rows.csv").write_text('1,"one"\n2,"two"\n')
    with closing(connect(f"{target.url}?local_infile=1")) as connection, closing(connection.cursor()) as cursor:
        statement = "LOAD DATA LOCAL INFILE %s INTO TABLE a FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"'"
        assert cursor.execute(statement, (str(tmp_path / "rows.csv"),)) == 2
    assert target.rows("SELECT * FROM a ORDER BY id") == [(1, "one"), (2, "two")]


def test_databases_are_dropped_under_open_transactions(postgres_server: Server, mysql_server: Server) -> None:
    source, target = SourceDatabase(postgres_server), TargetDatabase(mysql_server)
    with closing(source.connect()) as in_source, closing(target.connect()) as in_target:
        for connection in (in_source, in_target):
            cursor = connection.cursor()
            cursor.execute("CREATE TABLE a (id int)")
            cursor.execute("INSERT INTO a VALUES (1)")
        in_source.cursor().execute("PREPARE TRANSACTION 'left''over'")
        in_source.cursor().execute("SELECT 1")
        source.drop()
        target.drop()
    for gone in (source, target):
        with pytest.raises((psycopg2.OperationalError, pymysql.err.OperationalError)):
            connect(gone.url)


def test_the_environment_wins(monkeypatch: pytest.MonkeyPatch, postgres_server: Server) -> None:
    monkeypatch.setenv("VITRINA_TEST_POSTGRES", postgres_server.url)
    found = launch("postgres")
    assert found.wait().url == postgres_server.url
    found.stop()
    with closing(connect(postgres_server.url)):
        """Stopping does not stop a server that somebody else started."""


def test_a_wrong_url_says_which_variable(monkeypatch: pytest.MonkeyPatch, postgres_server: Server) -> None:
    wrong = make_url(postgres_server.url).set(password="hunter2").render_as_string(hide_password=False)
    monkeypatch.setenv("VITRINA_TEST_POSTGRES", wrong)
    with pytest.raises(ServerUnavailable, match=r"VITRINA_TEST_POSTGRES: .*password authentication failed") as caught:
        launch("postgres")
    assert "hunter2" not in str(caught.value)


def test_a_server_of_another_kind_is_refused(monkeypatch: pytest.MonkeyPatch, mysql_server: Server) -> None:
    monkeypatch.setenv("VITRINA_TEST_MARIADB", mysql_server.url)
    with pytest.raises(ServerUnavailable, match="another kind"):
        launch("mariadb")


def test_a_known_absence_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VITRINA_TEST_MYSQL", raising=False)
    for name, value in exports("mysql", ServerUnavailable("mysql", "no apt here")).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ServerUnavailable, match=r"^No mysql server: no apt here$"):
        launch("mysql")


def test_the_reasons_of_all_ways_are_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.delenv("VITRINA_TEST_MARIADB", raising=False)
    monkeypatch.setenv("VITRINA_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("tests.services.mysql.DIRECTORIES", ())
    with pytest.raises(ServerUnavailable) as caught:
        launch("mariadb")
    assert "Docker is not installed; no mariadb 10.11 or later is installed on this machine; fetch: " in str(
        caught.value
    )
    assert "VITRINA_CACHE" in str(caught.value)


@pytest.mark.parametrize("required", ["0", "1"])
def test_missing_servers_skip_or_fail(required: str) -> None:
    arguments = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "-rs", __file__]
    environment = {
        **_without_servers(),
        "VITRINA_TEST_MYSQL_UNAVAILABLE": "out of stock",
        "VITRINA_REQUIRE_SERVICES": required,
    }
    only = ["-k", "test_target_loads_local_files and mysql"]
    done = subprocess.run([*arguments, *only], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert "No mysql server: out of stock" in done.stdout
    assert ("1 error" if required == "1" else "1 skipped") in done.stdout
    assert bool(done.returncode) == (required == "1")


def test_run_gives_the_command_its_servers_and_returns_its_code() -> None:
    script = "import os, sys; print(os.environ['VITRINA_TEST_POSTGRES']); sys.exit(7)"
    done = subprocess.run(_run_postgres(script), cwd=ROOT, env=_without_servers(), capture_output=True, text=True)
    assert done.returncode == 7
    assert _gone(done.stdout.strip())


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 9), (signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_nothing_is_left_by_a_run_that_is_ended(number: signal.Signals, code: int) -> None:
    script = (
        "import os, sys, time\nprint(os.environ['VITRINA_TEST_POSTGRES'], flush=True)\n"
        "try: time.sleep(8)\nexcept KeyboardInterrupt: sys.exit(9)"
    )
    with tempfile.TemporaryDirectory() as directory:
        # When root runs this, PostgreSQL's own account has to get in.
        Path(directory).chmod(0o755)
        environment = {**_without_servers(), "TMPDIR": directory}
        # A session of its own has no terminal, so that SIGINT is not taken for a Ctrl-C that reached the command.
        with subprocess.Popen(
            _run_postgres(script), cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
        ) as run:
            assert run.stdout is not None
            url = run.stdout.readline().strip()
            with closing(connect(url)):
                run.send_signal(number)
            assert run.wait(20) == code
        # What is left of the session is the command of a killed run.
        with suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while list(Path(directory).iterdir()) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert list(Path(directory).iterdir()) == []
    assert _gone(url)


def test_clients_reach_their_servers(source: SourceDatabase, target: TargetDatabase) -> None:
    url = make_url(source.url)
    asked = subprocess.run(
        [*client("postgres"), "-h", "127.0.0.1", "-p", str(url.port), "-U", str(url.username), "-Atc", "SELECT 41 + 1"],
        env={**os.environ, "PGPASSWORD": str(url.password), "PGDATABASE": str(url.database)},
        capture_output=True,
        text=True,
    )
    assert (asked.stdout, asked.stderr) == ("42\n", "")
    url = make_url(target.url)
    asked = subprocess.run(
        [
            *client(target.kind),
            "--no-defaults",
            "-h127.0.0.1",
            f"-P{url.port}",
            f"-u{url.username}",
            "-NBe",
            "SELECT 42",
        ],
        env={**os.environ, "MYSQL_PWD": str(url.password)},
        capture_output=True,
        text=True,
    )
    assert (asked.stdout, asked.stderr) == ("42\n", "")


def _run_postgres(script: str) -> list[str]:
    return [sys.executable, "-m", "tests.services", "run", "postgres", "--", sys.executable, "-c", script]


def _without_servers() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("VITRINA_", "PYTEST_"))}


def _gone(url: str) -> bool:
    """Whether nobody listens any more where this URL leads."""
    address = make_url(url)
    assert address.host is not None
    assert address.port is not None
    with socket.socket() as probe:
        return probe.connect_ex((address.host, address.port)) != 0


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])


def _architecture() -> str:
    return subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()


def test_a_mortal_server_comes_back_with_what_was_committed() -> None:
    launched = launch_mortal("postgres")
    try:
        server = launched.wait()
        with closing(connect(server.url)) as connection, closing(connection.cursor()) as cursor:
            cursor.execute("CREATE TABLE kept AS SELECT 1 AS a")
            launched.kill()
            with pytest.raises(psycopg2.Error):
                cursor.execute("SELECT pg_sleep(20)")
        assert launched.wait() == server
        with closing(connect(server.url)) as connection, closing(connection.cursor()) as cursor:
            cursor.execute("SELECT a FROM kept")
            assert cursor.fetchall() == [(1,)]
    finally:
        launched.stop()

"""The embedded PostgreSQL: one server, shared by all commands that use it, gone with the last of them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest
from sqlalchemy.engine import make_url

from framework.connections import Connection
from framework.databases.embedded import account, home, installation, postgres
from framework.databases.opening import open_source, open_target
from framework.errors import ConnectionFailed, StartError, UsageError

ROOT = Path(__file__).parents[2]
IS_ROOT = os.geteuid() == 0
NOBODY = 65534

# A command that is to run as another user becomes that user after its imports: the interpreter may stand where only
# root may go.
COMMAND = """
import os, sys
from pathlib import Path
import psutil, sqlalchemy
from framework.connections import Connection
from framework.databases.embedded import open_postgres
from framework.databases.opening import open_source
sqlalchemy.create_engine("postgresql+psycopg2://").dispose()
if len(sys.argv) > 3:
    os.setgroups([])
    os.setgid(int(sys.argv[3]))
    os.setuid(int(sys.argv[3]))
with open_source(Connection("shop", "embedded:postgres"), Path(sys.argv[1])) as source, source.session() as session:
    session.query("SELECT pg_advisory_lock(1)")
    session.execute("CREATE TABLE IF NOT EXISTS runs (id int GENERATED ALWAYS AS IDENTITY, name text)")
    session.execute("INSERT INTO runs (name) VALUES (%s)", (sys.argv[2],))
    session.query("SELECT pg_advisory_unlock(1)")
    print("open", flush=True)
    sys.stdin.readline()
"""


class Command:
    """A process that uses the embedded PostgreSQL until it is told to end."""

    def __init__(self, directory: Path, name: str = "run", *, user: int | None = None) -> None:
        arguments = [str(directory), name] if user is None else [str(directory), name, str(user)]
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", COMMAND, *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def is_open(self) -> bool:
        """Wait until it uses the database; False, and why on stderr, if it ends before."""
        assert self.process.stdout is not None
        if self.process.stdout.readline() == "open\n":
            return True
        print(self.process.communicate(timeout=60)[1], file=sys.stderr)
        return False

    def end(self) -> str:
        """Let it end; what it said on stderr."""
        return self.process.communicate("\n", timeout=60)[1]

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.communicate(timeout=60)


@pytest.fixture
def command() -> Iterator[Callable[..., Command]]:
    with ExitStack() as stack:

        def start(*arguments: object, **options: object) -> Command:
            started = Command(*arguments, **options)  # type: ignore[arg-type]
            stack.callback(started.kill)
            return started

        yield start


@pytest.fixture
def directory() -> Iterator[Path]:
    """A home that every user may reach (those of pytest are closed to others)."""
    path = Path(f"/tmp/vitrina-test-{os.getpid()}-{time.monotonic_ns()}")
    path.mkdir(mode=0o755)
    yield path / ".vitrina"
    assert servers(path) == [], "a server was left running"
    shutil.rmtree(path)


def servers(directory: Path) -> list[int]:
    """The postmasters whose data are below ``directory``."""
    found = []
    for process in psutil.process_iter(("name", "cmdline")):
        options = process.info["cmdline"] or []
        if process.info["name"] == "postgres" and any(option.startswith(f"{directory}/") for option in options):
            found.append(process.pid)
    return found


def names(directory: Path) -> list[str]:
    with open_source(Connection("shop", "embedded:postgres"), directory) as source, source.session() as session:
        return [row[0] for row in session.query("SELECT name FROM runs ORDER BY id")]


def test_it_starts_keeps_its_data_and_stops(directory: Path) -> None:
    connection = Connection("shop", "embedded:postgres", may_generate=True)
    for expected in (1, 2):
        with open_source(connection, directory) as source, source.session() as session:
            assert source.version().startswith("PostgreSQL ")
            assert source.may_generate
            session.execute("CREATE TABLE IF NOT EXISTS t (i int)")
            session.execute("INSERT INTO t VALUES (1)")
            assert session.query("SELECT count(*) FROM t") == [(expected,)]
            assert session.query("SELECT upper('é'), current_setting('listen_addresses')") == [("É", "")]
            assert len(servers(directory)) == 1
        assert servers(directory) == []


def test_nobody_else_can_connect(directory: Path) -> None:
    with postgres.open_postgres("shop", directory) as url:
        socket = make_url(url).query["host"]
        assert Path(str(socket)).stat().st_mode & 0o077 == 0


def test_two_commands_at_once_share_it(directory: Path, command: Callable[..., Command]) -> None:
    commands = [command(directory, f"c{number}") for number in range(3)]
    assert all(each.is_open() for each in commands)
    assert len(servers(directory)) == 1
    for each in commands[:2]:
        assert each.end() == ""
        assert len(servers(directory)) == 1
    assert commands[2].end() == ""
    assert servers(directory) == []
    assert sorted(names(directory)) == ["c0", "c1", "c2"]


def test_threads_of_one_process_share_it(directory: Path) -> None:
    def use(number: int) -> int:
        with open_source(Connection("shop", "embedded:postgres"), directory) as source, source.session() as session:
            return int(session.query("SELECT %s", (number,))[0][0])

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(use, range(8))) == list(range(8))


def test_what_a_killed_command_left_ends_with_the_next(directory: Path, command: Callable[..., Command]) -> None:
    killed = command(directory, "killed")
    assert killed.is_open()
    killed.kill()
    left = servers(directory)
    assert len(left) == 1
    following = command(directory, "following")
    assert following.is_open()
    assert servers(directory) == left
    following.end()
    assert servers(directory) == []


def test_one_of_two_is_killed(directory: Path, command: Callable[..., Command]) -> None:
    killed, other = command(directory, "killed"), command(directory, "other")
    assert killed.is_open()
    assert other.is_open()
    killed.kill()
    assert len(servers(directory)) == 1
    other.end()
    assert servers(directory) == []


@pytest.mark.parametrize("moment", [0.3, 0.6, 0.9, 1.2])
def test_a_command_killed_at_any_time_of_its_start(
    directory: Path, command: Callable[..., Command], moment: float
) -> None:
    killed = command(directory, "killed")
    time.sleep(moment)
    killed.kill()
    following = command(directory, "following")
    assert following.is_open()
    following.end()
    assert names(directory)[-1] == "following"


def test_a_killed_server_recovers(directory: Path, command: Callable[..., Command]) -> None:
    first = command(directory, "first")
    assert first.is_open()
    (postmaster,) = servers(directory)
    os.kill(postmaster, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(postmaster)], timeout=10) if psutil.pid_exists(postmaster) else None
    # Its children notice within moments; a new server refuses to start beside them.
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and servers(directory):
        time.sleep(0.05)
    assert names(directory) == ["first"]
    first.end()


def test_a_process_number_that_was_given_away(directory: Path) -> None:
    with postgres.open_postgres("shop", directory):
        pass
    stale = directory / "postgres" / "postmaster.pid"
    with subprocess.Popen(
        ["sleep", "60"], user=stale.parent.stat().st_uid if IS_ROOT else None, extra_groups=[] if IS_ROOT else None
    ) as stranger:
        stale.write_text(f"{stranger.pid}\n{stale.parent}\n1700000000\n5432\n{stale.parent}\n\n  1 1\nready\n")
        try:
            with postgres.open_postgres("shop", directory):
                assert len(servers(directory)) == 1
            assert stranger.poll() is None
        finally:
            stranger.kill()


@pytest.mark.parametrize("name", ["with space", 'it\'s $HOME, "quoted"', "long" * 50])
def test_paths_of_all_kinds(directory: Path, command: Callable[..., Command], name: str) -> None:
    place = directory.parent / name / ".vitrina"
    commands = [command(place, "a"), command(place, "b")]
    assert all(each.is_open() for each in commands)
    assert [each.end() for each in commands] == ["", ""]
    assert servers(directory.parent) == []
    assert sorted(names(place)) == ["a", "b"]


def test_a_broken_data_directory_is_a_clear_failure(directory: Path) -> None:
    with postgres.open_postgres("shop", directory):
        pass
    (directory / "postgres" / "postgresql.conf").write_text("nonsense = here\n")
    with pytest.raises(ConnectionFailed, match=r"'shop' \(embedded:postgres\): .* contains errors") as failed:
        postgres.open_postgres("shop", directory).__enter__()
    assert str(directory / "postgres" / "server.log") in failed.value.fix


def test_a_missing_wheel_is_a_clear_failure(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "PACKAGE", "not_installed")
    with pytest.raises(StartError, match="not installed") as failed:
        postgres.open_postgres("shop", directory).__enter__()
    assert failed.value.fix == 'pip install "vitrina[embedded]"'
    assert not directory.exists()


def test_data_of_another_version_are_a_clear_failure(directory: Path) -> None:
    with postgres.open_postgres("shop", directory):
        pass
    (directory / "postgres" / "PG_VERSION").write_text("9\n")
    with pytest.raises(StartError, match="PostgreSQL 9 is not installed"):
        postgres.open_postgres("shop", directory).__enter__()


def test_a_missing_duckdb_is_a_clear_failure(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['duckdb'] = None\n"
        "from pathlib import Path\n"
        "from framework.connections import Connection\n"
        "from framework.databases.opening import open_target\n"
        "from framework.errors import StartError\n"
        "try: open_target(Connection('w', 'embedded:duckdb'), Path(sys.argv[1])).__enter__()\n"
        "except StartError as error: print(error.fix)\n"
    )
    said = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True)
    assert said.stdout == 'pip install "vitrina[embedded]"\n', said.stderr


@pytest.mark.parametrize(
    "url", ["mysql+pymysql://u:secret@h/d", "embedded:duckdb", "duckdb:///x", "postgresql+asyncpg://h/d"]
)
def test_what_is_no_source_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(UsageError, match="cannot be a source") as refused, open_source(Connection("s", url), tmp_path):
        pass
    assert "secret" not in str(refused.value)
    assert "embedded:postgres" in refused.value.fix


def test_home_is_beside_the_work_or_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VITRINA_HOME", raising=False)
    assert home() == tmp_path / ".vitrina"
    monkeypatch.setenv("VITRINA_HOME", "elsewhere")
    assert home() == tmp_path / "elsewhere"


def test_source_and_target_side_by_side(directory: Path) -> None:
    with (
        open_source(Connection("s", "embedded:postgres"), directory) as source,
        open_target(Connection("t", "embedded:duckdb"), directory) as target,
        source.session() as reading,
        target.session() as writing,
    ):
        assert reading.query("SELECT 1") == writing.query("SELECT 1") == [(1,)]


@pytest.mark.skipif(not IS_ROOT, reason="needs root")
class TestAsRoot:
    def test_the_server_has_an_account_of_its_own(self, directory: Path) -> None:
        with postgres.open_postgres("shop", directory):
            (postmaster,) = servers(directory)
            assert psutil.Process(postmaster).username() == account.NAME
        assert (directory / "postgres").stat().st_mode & 0o077 == 0

    def test_a_closed_home_stays_closed(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        state = directory.parent / "state"
        monkeypatch.setattr(postgres, "STATE", state)
        closed = directory.parent / "closed"
        closed.mkdir(mode=0o700)
        place = closed / ".vitrina"
        for _ in range(2):
            with postgres.open_postgres("shop", place):
                assert len(servers(state)) == 1
            assert servers(state) == []
        assert closed.stat().st_mode & 0o777 == 0o700
        assert (place / "postgres").resolve().is_relative_to(state)
        shutil.rmtree(place)
        with open_source(Connection("s", "embedded:postgres"), place) as source, source.session() as session:
            assert session.query("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]

    def test_programs_that_the_account_cannot_reach_are_copied(
        self, directory: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        version, place = max(installation._installed().items())
        closed = directory.parent / "closed"
        closed.mkdir(mode=0o700)
        hidden = closed / installation.PACKAGE / place.name
        shutil.copytree(place, hidden, symlinks=True)
        shutil.copytree(place.parent.with_name(installation.LIBRARIES), closed / installation.LIBRARIES)
        monkeypatch.setattr(installation, "_installed", lambda: {version: hidden})
        monkeypatch.setattr(installation, "STATE", directory.parent / "state")
        for _ in range(2):
            with postgres.open_postgres("shop", directory):
                (postmaster,) = servers(directory)
                assert psutil.Process(postmaster).exe().startswith(str(directory.parent / "state"))
        assert closed.stat().st_mode & 0o777 == 0o700

    def test_others_run_it_without_root(self, directory: Path, command: Callable[..., Command]) -> None:
        _, place = max(installation._installed().items())
        if not account.Account(NOBODY, NOBODY).reaches(place / "bin" / "postgres"):
            pytest.skip("the server's programs stand where only root may go")
        os.chown(directory.parent, NOBODY, NOBODY)
        commands = [command(directory, "a", user=NOBODY), command(directory, "b", user=NOBODY)]
        assert all(each.is_open() for each in commands)
        (postmaster,) = servers(directory)
        assert psutil.Process(postmaster).uids().real == NOBODY
        assert [each.end() for each in commands] == ["", ""]

    def test_data_of_another_user_are_a_clear_failure(self, directory: Path, command: Callable[..., Command]) -> None:
        with postgres.open_postgres("shop", directory):
            pass
        os.chown(directory / "postgres", NOBODY, NOBODY)
        with pytest.raises(ConnectionFailed, match="belongs to another user"):
            postgres.open_postgres("shop", directory).__enter__()

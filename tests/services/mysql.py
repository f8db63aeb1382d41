"""Launching MySQL and MariaDB."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

from tests.services.installation import Installation, version_of
from tests.services.process import Command, Launched, Plan, free_port, new_directory
from tests.services.server import Kind, ServerUnavailable

PROGRAMS: dict[Kind, tuple[str, ...]] = {"mysql": ("mysqld",), "mariadb": ("mariadbd", "mysqld")}
# Beside PATH: distributions keep servers out of an ordinary user's way.
DIRECTORIES = ("/usr/sbin", "/usr/local/sbin", "/usr/libexec")
MINIMUM: dict[Kind, tuple[int, int]] = {"mysql": (8, 4), "mariadb": (10, 11)}

# Nothing here has to survive a crash, and a large redo log keeps bulk loads from waiting for checkpoints. Each CREATE,
# ALTER and DROP would wait for the disk several times: there are tens of thousands of them.
SETTINGS: dict[Kind, tuple[str, ...]] = {
    "mysql": (
        "--local-infile=1",
        "--innodb-redo-log-capacity=1G",
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-flush-method=nosync",
        "--innodb-buffer-pool-size=2G",
        "--innodb-fast-shutdown=2",
        "--disable-log-bin",
        "--sync-binlog=0",
        "--mysqlx=OFF",
        "--skip-name-resolve",
    ),
    "mariadb": (
        "--local-infile=1",
        "--innodb-log-file-size=1G",
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-flush-method=nosync",
        "--innodb-buffer-pool-size=512M",
        "--innodb-fast-shutdown=2",
        "--skip-log-bin",
        "--skip-name-resolve",
    ),
}

# A commit is in the system's cache at least, where a process that dies leaves it.
MORTAL = (
    "--innodb-flush-log-at-trx-commit=2",
    "--innodb-flush-method=fsync",
    "--innodb-buffer-pool-size=128M",
)

# What `mariadb-install-db` feeds to the server. That script cannot run programs through a loader, so it is done here.
MARIADB_SYSTEM_TABLES = (
    "mysql_system_tables.sql",
    "mysql_performance_tables.sql",
    "mysql_system_tables_data.sql",
    "fill_help_tables.sql",
    "maria_add_gis_sp_bootstrap.sql",
    "mysql_sys_schema.sql",
)


def installed(kind: Kind) -> Installation:
    """The server of this kind on this machine. Raises ServerUnavailable if there is none, or only an old one."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *DIRECTORIES])
    for name in PROGRAMS[kind]:
        program = shutil.which(name, path=path)
        if program is None:
            continue
        description, version = version_of([program])
        # MariaDB installs itself under MySQL's name as well.
        if ("MariaDB" in description) == (kind == "mariadb") and version >= MINIMUM[kind]:
            directory = Path(program).parent
            prefix = Path(program).resolve().parents[1]
            return Installation((directory, prefix / "bin"), prefix, "installed on this machine")
    minimum = ".".join(map(str, MINIMUM[kind]))
    raise ServerUnavailable(kind, f"no {kind} {minimum} or later is installed on this machine")


def launch(kind: Kind, installation: Installation, *options: str, mortal: bool = False) -> Launched:
    """Starts a new, empty server with one administrator, who has a password.

    If it is mortal, it comes back after it was killed, with all that was committed.
    """
    password = secrets.token_hex(12)
    port = free_port()
    url = f"mysql+pymysql://admin:{password}@127.0.0.1:{port}/mysql"
    with new_directory(kind) as directory:
        accounts = directory / "accounts.sql"
        accounts.touch(mode=0o600)
        accounts.write_text(_accounts(password))
        common = [
            *_program(kind, installation),
            f"--datadir={directory / 'data'}",
            f"--basedir={installation.prefix}",
            f"--lc-messages-dir={_share(kind, installation)}",
            f"--tmpdir={directory}",
        ]
        if os.geteuid() == 0:
            common.append("--user=root")
        server = [
            *common,
            *SETTINGS[kind],
            *(MORTAL if mortal else ()),
            "--bind-address=127.0.0.1",
            f"--port={port}",
            f"--socket={directory / 'socket'}",
            f"--pid-file={directory / 'pid'}",
            f"--init-file={accounts}",
            "--secure-file-priv=",
            *options,
        ]
        commands = [_initialize(kind, installation, directory, common), Command(server)]
        return Launched(kind, url, installation.origin, Plan(str(directory), commands, comes_back=mortal), {})


def _accounts(password: str) -> str:
    """Run by the server before it listens, each time: at no time is there a login without a password."""
    return (
        f"CREATE USER IF NOT EXISTS 'admin'@'%' IDENTIFIED BY '{password}';\n"
        "GRANT ALL PRIVILEGES ON *.* TO 'admin'@'%' WITH GRANT OPTION;\n"
        "DROP USER IF EXISTS 'root'@'localhost';\n"
    )


def _initialize(kind: Kind, installation: Installation, directory: Path, common: list[str]) -> Command:
    if kind == "mysql":
        return Command([*common, "--initialize-insecure"])
    (directory / "data" / "mysql").mkdir(parents=True)
    bootstrap = directory / "bootstrap.sql"
    with bootstrap.open("w") as script:
        script.write("USE mysql;\nSET @auth_root_socket = NULL;\n")
        for name in MARIADB_SYSTEM_TABLES:
            script.write((_share(kind, installation) / name).read_text(encoding="utf-8"))
    return Command([*common, "--bootstrap"], stdin=str(bootstrap))


def _program(kind: Kind, installation: Installation) -> list[str]:
    program = installation.command(*PROGRAMS[kind])
    assert program is not None
    return [*program, "--no-defaults"]


def _share(kind: Kind, installation: Installation) -> Path:
    """Messages and system tables; MariaDB moved from share/mysql to share/mariadb."""
    share = installation.prefix / "share"
    return next((share / name for name in (kind, "mysql") if (share / name).is_dir()), share)

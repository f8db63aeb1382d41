"""Launching a server in Docker."""

from __future__ import annotations

import secrets
import shutil
import signal
import subprocess

from tests.services.login import DRIVERS
from tests.services.mysql import SETTINGS as MYSQL_SETTINGS
from tests.services.postgres import SETTINGS as POSTGRES_SETTINGS
from tests.services.process import Command, Launched, Plan, free_port, new_directory
from tests.services.server import Kind, ServerUnavailable

IMAGES: dict[Kind, str] = {"postgres": "postgres:15", "mysql": "mysql:8.4", "mariadb": "mariadb:10.11"}
PASSWORD_VARIABLES: dict[Kind, str] = {
    "postgres": "POSTGRES_PASSWORD",
    "mysql": "MYSQL_ROOT_PASSWORD",
    "mariadb": "MARIADB_ROOT_PASSWORD",
}


def launch(kind: Kind) -> Launched:
    """Starts a container that is removed with its data when it is no longer wanted.

    Raises ServerUnavailable if no Docker daemon answers or it has no image.
    """
    _require_daemon(kind)
    _require_image(kind)
    password = secrets.token_hex(12)
    port = free_port()
    user, database, inner_port = ("postgres", "postgres", 5432) if kind == "postgres" else ("root", "mysql", 3306)
    url = f"{DRIVERS[kind]}://{user}:{password}@127.0.0.1:{port}/{database}"
    # What each image asks to be stopped with: MySQL ignores SIGINT, PostgreSQL waits for its clients on SIGTERM.
    stop_signal = signal.SIGINT if kind == "postgres" else signal.SIGTERM
    with new_directory(kind) as directory:
        name = f"{directory.name}-{secrets.token_hex(4)}"
        # In the foreground, under the keeper: the client passes signals on, and what it leaves is removed by name.
        # The password is taken from the client's environment, because other users can read a command line.
        arguments = ["docker", "run", "--rm", "--name", name, "--publish", f"127.0.0.1:{port}:{inner_port}"]
        arguments += ["--env", PASSWORD_VARIABLES[kind], IMAGES[kind], *_settings(kind)]
        remove = ["docker", "rm", "--force", "--volumes", name]
        plan = Plan(str(directory), [Command(arguments)], stop_signal=stop_signal, afterwards=(remove,))
        return Launched(kind, url, f"Docker image {IMAGES[kind]}", plan, {PASSWORD_VARIABLES[kind]: password})


def _settings(kind: Kind) -> list[str]:
    if kind != "postgres":
        return [*MYSQL_SETTINGS[kind], "--secure-file-priv="]
    settings: list[str] = []
    for setting in POSTGRES_SETTINGS:
        # A container listens on its own interfaces; only its published port is bound to the loopback.
        if not setting.startswith(("listen_addresses=", "unix_socket_directories=")):
            settings += ["-c", setting]
    return settings


def _require_daemon(kind: Kind) -> None:
    if shutil.which("docker") is None:
        raise ServerUnavailable(kind, "Docker is not installed")
    if not _succeeds(["docker", "info"], seconds=5):
        raise ServerUnavailable(kind, "Docker's daemon does not answer")


def _require_image(kind: Kind) -> None:
    image = IMAGES[kind]
    if not _succeeds(["docker", "image", "inspect", image], seconds=10) and not _succeeds(
        ["docker", "pull", "--quiet", image], seconds=300
    ):
        raise ServerUnavailable(kind, f"Docker cannot pull {image}")


def _succeeds(command: list[str], seconds: float) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=seconds, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False

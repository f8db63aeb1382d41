"""A whole Airflow on this machine, without containers: for a look, and for tests.

    python -m framework.airflow.standalone --specs specs --dags dags

Unlike `airflow standalone` each part is a process group of its own, and none is left when this one ends.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from framework.databases.embedded import home

PARTS = ("api-server", "scheduler", "dag-processor", "triggerer")
START_SECONDS = 180
STOP_SECONDS = 20
USER = "vitrina"


class AirflowFailed(Exception):
    """A part of Airflow did not start; the message names its log."""


@dataclass(frozen=True)
class Settings:
    """What is started.

    Attributes:
        home: the directory of its configuration, logs and, by default, metadata (SQLite).
        specs: the directory of the specs.
        dags: the DAGs folder.
        port: of the web interface.
        environ: further variables of all parts.
    """

    home: Path
    specs: Path
    dags: Path
    port: int = 8080
    environ: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where the web interface is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def passwords(self) -> Path:
        """The file with the password of each user."""
        return self.home / "passwords.json"

    @property
    def password(self) -> str:
        """The password of `USER`."""
        return str(json.loads(self.passwords.read_text(encoding="utf-8"))[USER])

    def variables(self) -> dict[str, str]:
        """The environment of all parts: what the user has set counts before what is set here."""
        ours = {
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.passwords),
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API_AUTH__JWT_SECRET": self._kept("jwt-secret"),
            "AIRFLOW__API__SECRET_KEY": self._kept("secret-key"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.home / 'airflow.db'}",
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            "VITRINA_SPECS": str(self.specs),
            # The parts work in another directory.
            "VITRINA_HOME": str(home()),
        }
        return {
            **ours,
            **os.environ,
            **self.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }

    def _kept(self, name: str) -> str:
        """A secret that is the same the next time."""
        path = self.home / name
        if not path.exists():
            _write_secret(path, secrets.token_hex(48))
        return path.read_text(encoding="utf-8")


@contextmanager
def running(settings: Settings) -> Iterator[Settings]:
    """Airflow until the context ends. Raises AirflowFailed."""
    settings.home.mkdir(parents=True, exist_ok=True)
    if not settings.passwords.exists():
        _write_secret(settings.passwords, json.dumps({USER: secrets.token_urlsafe(12)}))
    environ = settings.variables()
    _run(settings, environ, "airflow", "db", "migrate")
    _run(settings, environ, "framework.airflow.make_pools", str(settings.specs))
    parts: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name in PARTS:
            parts[name] = _start(settings, environ, name)
        _wait_until_healthy(settings, parts)
        yield settings
    finally:
        stop(parts.values())


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _start(settings: Settings, environ: Mapping[str, str], name: str) -> subprocess.Popen[bytes]:
    with _log(settings, name).open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-m", "airflow", name],
            env=environ,
            cwd=settings.home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def stop(processes: Collection[subprocess.Popen[bytes]]) -> None:
    """Ask all parts to end, then end their whole sessions: children outlive their parents otherwise.

    Parts that wait for running tasks take up to `STOP_SECONDS`.
    """
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(deadline - time.monotonic(), 0.1))
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_until_healthy(settings: Settings, parts: Mapping[str, subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        for name, process in parts.items():
            if process.poll() is not None:
                raise AirflowFailed(f"airflow {name} ended with {process.returncode}; see {_log(settings, name)}")
        if all(status == "healthy" for status in _health(settings).values()):
            return
        time.sleep(0.5)
    raise AirflowFailed(f"Airflow is not healthy after {START_SECONDS} s: {_health(settings)}; see {settings.home}")


def _health(settings: Settings) -> dict[str, str | None]:
    try:
        with urllib.request.urlopen(f"{settings.url}/api/v2/monitor/health", timeout=10) as answer:  # noqa: S310
            found = json.load(answer)
    except OSError as error:
        return {"api-server": str(error)}
    return {name: found[name]["status"] for name in ("metadatabase", "scheduler", "dag_processor", "triggerer")}


def _run(settings: Settings, environ: Mapping[str, str], module: str, *arguments: str) -> None:
    path = _log(settings, "setup")
    with path.open("ab") as log:
        done = subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, "-m", module, *arguments],
            env=environ,
            cwd=settings.home,
            stdout=log,
            stderr=log,
            check=False,
        )
    if done.returncode:
        raise AirflowFailed(f"{module} {' '.join(arguments)} ended with {done.returncode}; see {path}")


def _log(settings: Settings, name: str) -> Path:
    return settings.home / f"{name}.log"


def _write_secret(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def main() -> int:
    """Start Airflow, say where it is, and keep it until it is told to end."""
    parser = argparse.ArgumentParser(prog="python -m framework.airflow.standalone", description=__doc__)
    parser.add_argument("--home", type=Path, default=Path(".vitrina/airflow"))
    parser.add_argument("--specs", type=Path, default=Path("specs"))
    parser.add_argument("--dags", type=Path, default=Path("dags"))
    parser.add_argument("--port", type=int, default=8080)
    options = parser.parse_args()
    settings = Settings(options.home.resolve(), options.specs.resolve(), options.dags.resolve(), options.port)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    say = sys.stdout.write
    try:
        say(f"Starting Airflow; its logs are in {settings.home}. This takes a minute.\n")
        sys.stdout.flush()
        with running(settings):
            say(f"\nAirflow is at {settings.url}\n  user      {USER}\n  password  {settings.password}\n")
            say("\nDAGs start paused: switch one on there. Ctrl-C ends Airflow, in up to half a minute.\n")
            sys.stdout.flush()
            with suppress(KeyboardInterrupt):
                signal.pause()
            say("\nStopping Airflow\n")
            sys.stdout.flush()
        say("Airflow has ended.\n")
    except KeyboardInterrupt:
        say("\nAirflow has ended.\n")
    except AirflowFailed as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

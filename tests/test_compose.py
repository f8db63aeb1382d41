"""docker-compose.yml, .env.example and what makes .env of it, proven without a container engine.

The servers' own programs judge what the containers would be told: the flags, and the health checks.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest
import yaml
from sqlalchemy.engine import make_url

from framework.airflow import standalone
from tests.airflow.rest import Rest, wait
from tests.services import Server, ServerUnavailable, fetch, mysql
from tests.services.client import client
from tests.services.databases import SourceDatabase, TargetDatabase
from tests.services.installation import Installation
from tests.services.process import free_port

ROOT = Path(__file__).parents[1]
COMPOSE = ROOT / "docker-compose.yml"
EXAMPLE = ROOT / ".env.example"
MAKE_ENV = ROOT / "docker" / "make_env.py"

Found = TypeVar("Found")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return dict(yaml.safe_load(COMPOSE.read_text())["services"])


@pytest.fixture
def resolved(env_file: Path) -> dict[str, Any]:
    """The services as Compose understands them, with the values of a fresh .env."""
    shutil.copy(COMPOSE, env_file.parent)
    accepted = _compose(env_file.parent, "config", "--format", "json")
    assert accepted.returncode == 0, accepted.stderr
    return dict(json.loads(accepted.stdout)["services"])


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    """A .env as `make up` writes it."""
    path = tmp_path / ".env"
    _make_env(path)
    return path


# --- the files -------------------------------------------------------------------------------------------------------


def test_ports_are_open_to_this_machine_only(services: dict[str, Any]) -> None:
    published = [port for service in services.values() for port in service.get("ports", ())]
    assert len(published) == 3
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_passwords_come_from_the_environment_and_must_be_set(services: dict[str, Any]) -> None:
    secrets = {
        value
        for service in services.values()
        for name, value in service["environment"].items()
        if re.search(r"_(PASSWORD|SECRET|KEY)$", name)
    }
    assert len(secrets) == 8
    assert all(re.fullmatch(r"\$\{[A-Z_]+:\?[^}]+\}", value) for value in secrets)


def test_every_variable_has_its_place_in_the_example() -> None:
    used = set(re.findall(r"(?<!\$)\$\{(\w+)", COMPOSE.read_text()))
    offered = set(re.findall(r"(?m)^(\w+)=", EXAMPLE.read_text()))
    assert used
    assert used <= offered
    assert offered - used == {"SHOP_POSTGRES", "SHOP_MYSQL"}


def test_default_ports_are_those_of_the_example() -> None:
    defaults = dict(re.findall(r"\$\{(\w+_PORT):-(\d+)\}", COMPOSE.read_text()))
    assert defaults == dict(re.findall(r"(?m)^(\w+_PORT)=(\d+)$", EXAMPLE.read_text()))


def test_every_service_keeps_its_data_and_says_when_it_is_ready(services: dict[str, Any]) -> None:
    declared = yaml.safe_load(COMPOSE.read_text())["volumes"]
    for name, service in services.items():
        volumes = [volume.split(":")[0] for volume in service["volumes"]]
        assert all(volume in declared or (ROOT / volume).is_dir() for volume in volumes)
        assert name == "airflow-init" or service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")


# --- .env ------------------------------------------------------------------------------------------------------------


def test_env_is_its_owners_alone(env_file: Path) -> None:
    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600


def test_env_gives_the_shell_urls_with_the_new_passwords(env_file: Path) -> None:
    known = _sourced(env_file)
    source, target = make_url(known["SHOP_POSTGRES"]), make_url(known["SHOP_MYSQL"])
    assert (source.drivername, source.password) == ("postgresql+psycopg2", known["POSTGRES_PASSWORD"])
    assert (target.drivername, target.password) == ("mysql+pymysql", known["MYSQL_PASSWORD"])
    assert (str(source.port), str(target.port)) == (known["POSTGRES_PORT"], known["MYSQL_PORT"])
    secrets = [value for name, value in known.items() if name.endswith(("_PASSWORD", "_KEY", "_SECRET"))]
    assert len(set(secrets)) == len(secrets) == 8
    assert min(map(len, secrets)) >= 32
    assert len(known["AIRFLOW_JWT_SECRET"]) >= 64
    assert len(base64.urlsafe_b64decode(known["AIRFLOW_FERNET_KEY"])) == 32


def test_env_that_exists_keeps_what_it_says(env_file: Path) -> None:
    before = env_file.read_text()
    _make_env(env_file)
    assert env_file.read_text() == before
    older = re.sub(r"(?m)^(#|$|AIRFLOW).*\n", "", before)
    env_file.write_text(older)
    _make_env(env_file)
    assert env_file.read_text().startswith(older)
    known = _sourced(env_file)
    assert set(known) == set(_sourced_text(before, env_file))
    assert known["AIRFLOW_PASSWORD"]


def _make_env(path: Path) -> None:
    subprocess.run([sys.executable, str(MAKE_ENV), str(EXAMPLE), str(path)], check=True)


def _sourced_text(text: str, beside: Path) -> dict[str, str]:
    path = beside.with_name("another.env")
    path.write_text(text)
    return _sourced(path)


def test_compose_accepts_the_file_with_env_and_refuses_it_without(env_file: Path) -> None:
    directory = env_file.parent
    shutil.copy(COMPOSE, directory)
    accepted = _compose(directory, "config", "--quiet")
    assert accepted.returncode == 0, accepted.stderr
    env_file.unlink()
    refused = _compose(directory, "config", "--quiet")
    assert refused.returncode != 0
    assert "set it in .env" in refused.stderr


# --- what the containers are told ------------------------------------------------------------------------------------


def test_mysql_accepts_its_flags(services: dict[str, Any]) -> None:
    flags = services["mysql"]["command"]
    assert "--local-infile=1" in flags
    accepted = _validate_config(flags)
    assert accepted.returncode == 0, accepted.stderr
    assert _validate_config([*flags, "--local-outfile=1"]).returncode != 0


def test_postgres_health_check(services: dict[str, Any], source: SourceDatabase, tmp_path: Path) -> None:
    check = services["postgres"]["healthcheck"]["test"][1]
    psql = _had(lambda: client("postgres"))
    programs = {"pg_isready": [str(Path(psql[0]).with_name("pg_isready"))]}
    url = make_url(source.url)
    environment = {"POSTGRES_USER": source.user, "POSTGRES_DB": source.name, "PGPORT": str(url.port)}
    healthy = _health(check, programs, environment, tmp_path)
    assert healthy.returncode == 0, healthy.stderr
    assert _health(check, programs, environment | {"PGPORT": str(free_port())}, tmp_path).returncode != 0


def test_mysql_health_check(services: dict[str, Any], mysql_server: Server, tmp_path: Path) -> None:
    check = services["mysql"]["healthcheck"]["test"][1]
    programs = {"mysql": _had(lambda: client("mysql"))}
    database = TargetDatabase(mysql_server)
    try:
        url = make_url(database.url)
        environment = {
            "MYSQL_USER": database.user,
            "MYSQL_PASSWORD": str(url.password),
            "MYSQL_DATABASE": database.name,
            "MYSQL_TCP_PORT": str(url.port),
        }
        healthy = _health(check, programs, environment, tmp_path)
        assert healthy.returncode == 0, healthy.stderr
        assert _health(check, programs, environment | {"MYSQL_PASSWORD": "wrong"}, tmp_path).returncode != 0
        assert _health(check, programs, environment | {"MYSQL_TCP_PORT": str(free_port())}, tmp_path).returncode != 0
    finally:
        database.drop()


# --- Airflow ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_airflow_starts_as_its_containers_would(
    resolved: dict[str, Any], new_source: Callable[[], SourceDatabase], tmp_path: Path
) -> None:
    """The commands, the environment and the health checks of the containers, on this machine's own Airflow."""
    metadata = new_source()
    port = free_port()
    places = {
        "http://airflow-api:8080": f"http://127.0.0.1:{port}",
        "http://localhost:8080": f"http://127.0.0.1:{port}",
        "/opt/airflow": str(tmp_path / "airflow"),
        "/opt/vitrina": str(ROOT),
    }
    (tmp_path / "airflow").mkdir()

    def environment(name: str) -> dict[str, str]:
        known = dict(resolved[name]["environment"])
        assert make_url(known["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]).host == "airflow-db"
        for there, here in places.items():
            known = {key: value.replace(there, here) for key, value in known.items()}
        return {
            **os.environ,
            "AIRFLOW_HOME": str(tmp_path / "airflow"),
            **known,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata.url,
            "AIRFLOW__API__PORT": str(port),
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }

    def command(name: str) -> list[str]:
        # Compose shows a dollar sign as it would be written in the file.
        given = [part.replace("$$", "$") for part in resolved[name]["command"]]
        return [*(resolved[name].get("entrypoint") or ["airflow"]), *given]

    def healthy(name: str) -> bool:
        check = resolved[name]["healthcheck"]["test"]
        assert check[0] == "CMD"
        done = subprocess.run(check[1:], cwd=ROOT, env=environment(name), capture_output=True, timeout=30)
        return done.returncode == 0

    parts = ["airflow-api", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer"]
    assert set(parts) == {name for name in resolved if name.startswith("airflow-")} - {"airflow-db", "airflow-init"}
    subprocess.run(command("airflow-init"), cwd=ROOT, env=environment("airflow-init"), check=True, capture_output=True)
    assert not healthy("airflow-api")
    processes = []
    try:
        for name in parts:
            with (tmp_path / f"{name}.log").open("wb") as log:
                processes.append(
                    subprocess.Popen(
                        command(name), cwd=ROOT, env=environment(name), stdout=log, stderr=log, start_new_session=True
                    )
                )
        deadline = time.monotonic() + 120
        while not all(map(healthy, parts)):
            assert time.monotonic() < deadline, "not healthy"
            time.sleep(1)
        login = environment("airflow-api")
        rest = Rest(f"http://127.0.0.1:{port}", login["AIRFLOW_USER"], login["AIRFLOW_PASSWORD"])
        wait(lambda: rest.dags().keys() == {"shop", "billing"})
        assert rest.import_errors() == []
    finally:
        standalone.stop(processes)


def _health(
    check: str, programs: Mapping[str, Sequence[str]], environment: Mapping[str, str], directory: Path
) -> subprocess.CompletedProcess[str]:
    """Runs the check as a container would; the containers' default ports are moved by the clients' own variables."""
    for name, command in programs.items():
        shim = directory / name
        shim.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
        shim.chmod(0o755)
    path = f"{directory}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["sh", "-c", check.replace("$$", "$")],
        env={**os.environ, **environment, "PATH": path},
        capture_output=True,
        text=True,
        timeout=30,
    )


def _validate_config(flags: Sequence[str]) -> subprocess.CompletedProcess[str]:
    installation = _had(_mysql_installation)
    program = installation.command("mysqld")
    assert program is not None
    common = [
        "--no-defaults",
        "--user=root",
        f"--basedir={installation.prefix}",
        "--secure-file-priv=",
        "--validate-config",
    ]
    return subprocess.run([*program, *common, *flags], capture_output=True, text=True, timeout=60)


def _mysql_installation() -> Installation:
    try:
        return mysql.installed("mysql")
    except ServerUnavailable:
        return fetch.fetched("mysql")


def _compose(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True).returncode != 0:
        program = _had(fetch.compose)
    else:
        program = [docker, "compose"]
    ours = {
        name: value for name, value in os.environ.items() if not name.startswith(("POSTGRES_", "MYSQL_", "AIRFLOW"))
    }
    command = [*program, "--project-directory", str(directory), "--file", str(directory / COMPOSE.name), *arguments]
    return subprocess.run(command, env=ours, capture_output=True, text=True, timeout=60)


def _sourced(env_file: Path) -> dict[str, str]:
    """The variables a shell has after `set -a; . ./.env; set +a`."""
    script = f"set -a; . {shlex.quote(str(env_file))}; set +a; env"
    printed = subprocess.run(["sh", "-c", script], env={"PATH": os.defpath}, capture_output=True, text=True, check=True)
    return dict(line.split("=", 1) for line in printed.stdout.splitlines())


def _had(find: Callable[[], Found]) -> Found:
    """What `find` finds; a machine whose servers run elsewhere, in containers say, may have no programs of theirs."""
    try:
        return find()
    except ServerUnavailable as error:
        pytest.skip(str(error))

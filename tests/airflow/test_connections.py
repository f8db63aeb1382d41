"""Airflow's connections as ours: from the environment, with their extras, and where there is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from framework.airflow.connections import find
from framework.databases.mysql import tls as mysql_tls
from framework.databases.mysql.target import MySQLTarget
from framework.databases.postgres.source import PostgresSource
from framework.databases.postgres.tls import secured
from framework.errors import UnknownConnection, UsageError
from tests.services.databases import SourceDatabase, TargetDatabase


def define(monkeypatch: pytest.MonkeyPatch, name: str, url: str, extra: dict[str, Any] | None = None) -> None:
    """As an administrator would: AIRFLOW_CONN_NAME holds JSON."""
    parts = make_url(url)
    fields = {
        "conn_type": parts.get_backend_name(),
        "login": parts.username,
        "password": parts.password,
        "host": parts.host,
        "port": parts.port,
        "schema": parts.database,
        "extra": extra or {},
    }
    monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(fields))


def test_a_postgres_connection_leads_there(
    source: SourceDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    define(monkeypatch, "here", source.url, {"sslmode": "disable", "application_name": "vitrina test"})
    found = find("here", "default", tmp_path)
    assert not found.may_generate
    opened = PostgresSource("here", found.url)
    with opened.session() as session:
        assert session.query("SELECT current_database(), current_setting('application_name')") == [
            (source.name, "vitrina test")
        ]
    opened.close()


def test_a_mysql_connection_leads_there(
    target: TargetDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    define(monkeypatch, "there", target.url, {"charset": "utf8", "cursor": "sscursor", "connect_timeout": 5})
    opened = MySQLTarget("there", find("there", "default", tmp_path).url)
    with opened.session() as session:
        assert session.query("SELECT DATABASE()") == [(target.name,)]
    opened.close()


def test_a_password_may_hold_any_character(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(
        "AIRFLOW_CONN_HERE",
        json.dumps({"conn_type": "postgres", "login": "me@x", "password": "p@ss/w:rd% é", "host": "h", "schema": "d"}),
    )
    url = make_url(find("here", "default", tmp_path).url)
    assert (url.username, url.password, url.host, url.database) == ("me@x", "p@ss/w:rd% é", "h", "d")


def test_tls_of_a_mysql_connection(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    define(monkeypatch, "there", "mysql://u:p@h/d", {"ssl": {"ca": "/ca.pem", "cert": "/c.pem", "key": "/k.pem"}})
    options = make_url(find("there", "default", tmp_path).url).query
    assert options == {"ssl_ca": "/ca.pem", "ssl_cert": "/c.pem", "ssl_key": "/k.pem"}


@pytest.mark.parametrize(
    ("url", "extra", "mode"),
    [
        ("mysql://u:p@h/d", {"ssl_mode": "VERIFY_CA"}, "verify_ca"),
        ("mysql://u:p@h/d", {"tls": "verify"}, "verify_identity"),
        ("mysql://u:p@h/d", {"ssl": True}, "required"),
        ("mysql://u:p@h/d", {"ssl": {"check_hostname": False}, "ssl_verify_cert": True}, "verify_ca"),
        ("postgresql://u:p@h/d", {"sslmode": "verify-ca"}, "verify-ca"),
        ("postgresql://u:p@h/d", {"sslmode": "verify-ca", "tls": "require"}, "verify-ca"),
        ("postgresql://u:p@h/d", {"tls": "verify"}, "verify-full"),
    ],
)
def test_what_extras_demand_of_tls(
    url: str, extra: dict[str, Any], mode: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    define(monkeypatch, "there", url, extra)
    found = make_url(find("there", "default", tmp_path).url)
    if found.get_backend_name() == "mysql":
        assert mysql_tls.of(found.query).mode == mode
    else:
        assert secured(found).query["sslmode"] == mode


def test_an_option_that_would_be_lost_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    define(monkeypatch, "there", "mysql://u:p@h/d", {"sslmode": "verify-full"})
    with pytest.raises(UsageError, match="sslmode"):
        find("there", "default", tmp_path)


def test_a_connection_of_another_kind_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_HERE", json.dumps({"conn_type": "http", "host": "h"}))
    with pytest.raises(UsageError, match="'http'"):
        find("here", "default", tmp_path)


def test_the_permission_to_generate_is_the_connections_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "connections.yaml").write_text(
        "environments: {default: {here: {url: postgresql://u@h/d, generate: allow}}}\n"
    )
    assert find("here", "default", tmp_path).may_generate
    define(monkeypatch, "here", "postgresql://u:p@production/d")
    assert not find("here", "default", tmp_path).may_generate
    define(monkeypatch, "here", "postgresql://u:p@test/d", {"generate": "allow"})
    assert find("here", "default", tmp_path).may_generate


def test_without_an_airflow_connection_the_command_lines_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(UnknownConnection):
        find("here", "default", tmp_path)
    monkeypatch.setenv("VITRINA_CONN_HERE", "postgresql://u:p@env/d")
    assert make_url(find("here", "default", tmp_path).url).host == "env"

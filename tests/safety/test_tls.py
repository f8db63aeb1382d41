"""TLS that is demanded: what is refused, on real servers, and what the refusal says."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from framework.connections import Connection, demanding
from framework.databases.mysql import tls as mysql_tls
from framework.databases.mysql.target import MySQLTarget
from framework.databases.opening import open_source, open_target
from framework.errors import TlsFailed, UsageError
from framework.spec.connections import resolve
from tests.command import Command
from tests.safety.conftest import Secured
from tests.safety.middle import Stripping
from tests.services import Server


def encrypted(url: str) -> bool:
    """Whether the session that Vitrina opens at ``url`` is encrypted. Raises what Vitrina raises."""
    connection = Connection("there", url)
    if url.startswith("postgresql"):
        with open_source(connection, Path()) as source, source.session() as session:
            return bool(session.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")[0][0])
    with open_target(connection, Path()) as target, target.session() as at_target:
        return bool(at_target.query("SHOW STATUS LIKE 'Ssl_version'")[0][1])


def test_the_right_authority_and_host(secured: Secured):
    assert encrypted(secured.url(tls="verify", **{secured.authority_option: secured.authority.ca}))
    assert encrypted(secured.url("127.0.0.1", tls="require"))
    native = {"sslmode": "verify-full"} if secured.kind == "postgres" else {"ssl_mode": "VERIFY_IDENTITY"}
    assert encrypted(secured.url(**native, **{secured.authority_option: secured.authority.ca}))


def test_another_authority_is_refused(secured: Secured):
    for options in ({"tls": "verify"}, {"tls": "verify", secured.authority_option: secured.stranger.ca}):
        with pytest.raises(TlsFailed, match="certificate") as refused:
            encrypted(secured.url(**options))
        assert secured.authority_option in refused.value.fix
        assert not refused.value.transient
        password = make_url(secured.server_url).password
        assert str(password) not in f"{refused.value}{refused.value.__cause__}"


def test_another_host_is_refused(secured: Secured):
    option = {secured.authority_option: secured.authority.ca}
    with pytest.raises(TlsFailed) as refused:
        encrypted(secured.url("127.0.0.1", tls="verify", **option))
    assert "host's name" in refused.value.fix
    weaker = {"sslmode": "verify-ca"} if secured.kind == "postgres" else {"ssl_mode": "verify_ca"}
    assert encrypted(secured.url("127.0.0.1", **weaker, **option))
    # Whatever the URL says, the entry's demand is the least.
    with pytest.raises(TlsFailed):
        encrypted(secured.url("127.0.0.1", tls="verify", **weaker, **option))


def test_authorities_of_the_system(secured: Secured, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(secured.authority.ca))
    monkeypatch.setenv("HOME", "/nowhere")
    assert encrypted(secured.url(tls="verify"))


@pytest.mark.parametrize("demand", ["require", "verify"])
def test_who_takes_tls_away_hears_nothing(secured: Secured, demand: str):
    middle = Stripping(secured.url())
    try:
        with pytest.raises(TlsFailed, match=r"TLS|SSL") as refused:
            encrypted(middle.url(tls=demand, **{secured.authority_option: str(secured.authority.ca)}))
        assert "takes it away" in refused.value.fix
        assert middle.heard == b""
        # The proxy is one that works: without a demand the downgrade succeeds.
        assert not encrypted(middle.url())
        assert middle.heard
    finally:
        middle.close()


def test_a_server_without_tls(postgres_server: Server, mariadb_server: Server):
    for server in (postgres_server, mariadb_server):
        url = make_url(server.url).update_query_dict({"tls": "require"}).render_as_string(hide_password=False)
        with pytest.raises(TlsFailed):
            encrypted(url)


def test_the_demand_of_connections_yaml(secured: Secured, tmp_path: Path):
    (tmp_path / "connections.yaml").write_text(
        "environments: {default: {there: {url: '${THERE}', tls: verify}}}", encoding="utf-8"
    )
    for environ in ({"THERE": secured.url()}, {"VITRINA_CONN_THERE": secured.url(), "THERE": ""}):
        with pytest.raises(TlsFailed):
            encrypted(resolve("there", "default", tmp_path, environ).url)
    with_authority = secured.url(**{secured.authority_option: secured.authority.ca})
    assert encrypted(resolve("there", "default", tmp_path, {"THERE": with_authority}).url)


def test_what_the_command_says(secured: Secured, tmp_path: Path):
    other = "mysql://u:p@127.0.0.1:1/x" if secured.kind == "postgres" else "postgresql://u:p@127.0.0.1:1/x"
    source, target = (secured.url(), other) if secured.kind == "postgres" else (other, secured.url())
    (tmp_path / "connections.yaml").write_text(
        "environments: {default: {pg: {url: '${A}', tls: verify}, my: {url: '${B}', tls: verify}}}", encoding="utf-8"
    )
    (tmp_path / "spec.yaml").write_text(
        "version: 1\npipeline: p\nsource: pg\ntarget: my\nreplicate: {t: {mode: full}}\n", encoding="utf-8"
    )
    done = Command(tmp_path, A=source, B=target)("doctor", "spec.yaml", code=1)
    assert f"fix: name the authority that signed it with `{secured.authority_option}=" in done.stdout


def test_the_stricter_demand_counts():
    assert demanding("mysql://h/d", None) == "mysql://h/d"
    assert demanding("mysql://h/d", "verify") == "mysql://h/d?tls=verify"
    assert demanding("mysql://h/d?a=b", "require") == "mysql://h/d?a=b&tls=require"
    assert demanding("mysql://h/d?tls=require&a=b", "verify") == "mysql://h/d?tls=verify&a=b"
    assert demanding("mysql://h/d?tls=verify", "require") == "mysql://h/d?tls=verify"
    assert demanding("embedded:duckdb", "verify") == "embedded:duckdb"


@pytest.mark.parametrize(
    ("options", "mode"),
    [
        ({}, "preferred"),
        ({"ssl_disabled": "true"}, "disabled"),
        ({"ssl": "true"}, "required"),
        ({"ssl-mode": "REQUIRED"}, "required"),
        ({"ssl_ca": "x"}, "verify_identity"),
        ({"ssl_ca": "x", "ssl_check_hostname": "false"}, "verify_ca"),
        ({"ssl_ca": "x", "ssl_verify_identity": "false"}, "verify_ca"),
        ({"ssl_ca": "x", "ssl_verify_cert": "false"}, "required"),
        ({"ssl_ca": "x", "ssl_mode": "required"}, "verify_ca"),
        ({"ssl_verify_cert": "true"}, "verify_ca"),
        ({"ssl_verify_identity": "true"}, "verify_identity"),
        ({"ssl_disabled": "true", "tls": "require"}, "required"),
        ({"ssl_mode": "verify_identity", "tls": "require"}, "verify_identity"),
    ],
)
def test_the_modes_of_mysql(options: dict[str, str], mode: str):
    assert mysql_tls._mode(options) == mode


@pytest.mark.parametrize(
    "option", ["tls=maybe", "ssl_mode=sometimes", "ssl_ca=/nowhere.pem&tls=verify", "ssl_verify_cert=perhaps"]
)
def test_options_that_mean_nothing_are_refused(option: str):
    with (
        pytest.raises(UsageError, match=option.split("&")[0]),
        open_target(Connection("there", f"mysql+pymysql://u:p@127.0.0.1:1/d?{option}"), Path()),
    ):
        pass


def test_a_certificate_of_the_client_goes_along(secured: Secured):
    if secured.kind == "postgres":
        pytest.skip("libpq's own matter")
    certificate, key = secured.authority.sign("client")
    url = secured.url(tls="verify", ssl_ca=secured.authority.ca, ssl_cert=certificate, ssl_key=key)
    admin = MySQLTarget("there", secured.url())
    with admin.session() as session:
        session.execute("CREATE USER certified@`%` IDENTIFIED BY 'x' REQUIRE X509")
        session.execute("GRANT SELECT ON *.* TO certified@`%`")
    admin.close()
    assert encrypted(make_url(url).set(username="certified", password="x").render_as_string(hide_password=False))

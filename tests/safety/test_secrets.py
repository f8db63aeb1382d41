"""Passwords and the mask key are nowhere to be seen: not in what is printed, kept, logged or shown by the servers."""

from __future__ import annotations

import hashlib
import hmac
import json
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy.engine import make_url

from framework.airflow.connections import find
from framework.commands import pipeline
from framework.commands.doctor import doctor
from framework.commands.pipeline import Parallel
from framework.commands.verify import verify
from framework.connections import Connection, mask
from framework.databases.mysql.target import MySQLTarget
from framework.databases.postgres.source import PostgresSource
from framework.errors import StepsFailed, UsageError, VitrinaError
from framework.replicate import mask as masks
from tests.command import Command
from tests.faults.proxy import Fault, Kind, Proxy, Way
from tests.safety.conftest import Secured
from tests.services import Server
from tests.services.databases import SourceDatabase, TargetDatabase
from tests.services.login import connect

PASSWORD = "canary-of-a-p@ss/word:%"
KEY = "canary-of-a-mask-key"
SECRETS = (
    PASSWORD,
    "canary-of-a-p%40ss",
    "canary-of-a-p",
    KEY,
    *masks.settings(KEY.encode()).values(),
    KEY.encode().hex(),
)

SPEC = """\
version: 1
pipeline: p
source: pg
target: my
replicate:
  t:
    mode: full
    columns: {v: {from: v, mask: hmac}}
"""


def assert_unseen(*texts: object) -> None:
    for text in texts:
        for secret in SECRETS:
            assert secret not in str(text), f"a secret is in: {mask(str(text))[:2000]}"


def with_password(database: SourceDatabase | TargetDatabase) -> str:
    """The database's URL, with the canary for a password."""
    if isinstance(database, SourceDatabase):
        database.admin(f"ALTER ROLE {database.user} PASSWORD '{PASSWORD}'")
    else:
        database.admin(f"ALTER USER `{database.user}`@`%` IDENTIFIED BY '{PASSWORD}'")
    return make_url(database.url).set(password=PASSWORD).render_as_string(hide_password=False)


@pytest.fixture
def target(mysql_server: Server) -> Iterator[TargetDatabase]:
    """Nothing here depends on the product."""
    database = TargetDatabase(mysql_server)
    yield database
    database.drop()


@pytest.fixture
def urls(source: SourceDatabase, target: TargetDatabase) -> dict[str, str]:
    source.execute("CREATE TABLE t (id bigint PRIMARY KEY, v text)")
    source.execute("INSERT INTO t SELECT g, 'value ' || g FROM generate_series(1, 200) g")
    source.forget_connection()
    target.forget_connection()
    return {"pg": with_password(source), "my": with_password(target)}


def directory_of(tmp_path: Path, urls: dict[str, str]) -> Path:
    """A spec whose connections file has everything in clear."""
    (tmp_path / "spec.yaml").write_text(SPEC, encoding="utf-8")
    entries = {name: {"url": url} for name, url in urls.items()}
    content = {"environments": {"default": entries}, "mask_key": KEY}
    (tmp_path / "connections.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return tmp_path


def broken(urls: dict[str, str]) -> Iterator[dict[str, str]]:
    """The same connections, each in one way that fails."""
    for name in urls:
        url = make_url(urls[name])
        for change in (
            url.set(username="nobody"),
            url.set(port=1),
            url.set(host="no-such-host.invalid"),
            url.set(database="nowhere"),
            url.update_query_dict({"tls": "verify"}),
            url.update_query_dict({"access_token": PASSWORD}),
            url.update_query_dict({"sslpassword": PASSWORD, "connect_timeout": "soon"}),
        ):
            yield {**urls, name: change.render_as_string(hide_password=False)}


def test_errors_and_their_causes(urls: dict[str, str]):
    """In the process, where drivers' own exceptions hang on ours, and a log with a traceback has them all."""
    failures = 0
    for changed in broken(urls):
        (name,) = [name for name in urls if changed[name] != urls[name]]
        kind: Callable[..., Any] = PostgresSource if name == "pg" else MySQLTarget
        assert_unseen(Connection(name, changed[name]))
        opened = None
        try:
            opened = kind(name, changed[name])
            with opened.session() as session:
                session.query("SELECT 1")
        except (VitrinaError, ValueError) as error:
            failures += 1
            assert_unseen("".join(traceback.format_exception(error)), repr(error))
        finally:
            if opened is not None:
                opened.close()
    assert failures == 2 * 7


def test_what_is_printed_and_kept(
    tmp_path: Path,
    urls: dict[str, str],
    source: SourceDatabase,
    target: TargetDatabase,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
):
    path = directory_of(tmp_path, urls) / "spec.yaml"
    monkeypatch.chdir(tmp_path)
    pipeline.replicate(path, "default", Parallel(), (), full_refresh=False)
    assert verify(path, "default", (), None, repair=False, form="json")
    assert doctor(path, "default")
    assert pipeline.status(path, "default")
    pipeline.show(path, "default", "t", 3)
    # A load that is refused, and shown with its values.
    source.admin("ALTER TABLE t ADD f float8", "UPDATE t SET v = NULL, f = 'NaN'")
    with pytest.raises(StepsFailed) as refused:
        pipeline.replicate(path, "default", Parallel(), (), full_refresh=True)
    (error,) = refused.value.errors.values()
    assert_unseen(*capfd.readouterr(), "".join(traceback.format_exception(error)))
    for (table,) in administered(target, "SHOW TABLES"):
        assert_unseen(administered(target, f"SELECT * FROM `{table}`"))
    for kept in tmp_path.rglob("*"):
        if kept.is_file() and kept.name != "connections.yaml":
            assert_unseen(kept.read_bytes().decode("utf-8", "replace"))


def test_what_the_command_prints(tmp_path: Path, urls: dict[str, str]):
    """Whole, where it cannot even begin, and where a file is full of secrets."""
    command = Command(directory_of(tmp_path, {**urls, "my": list(broken(urls))[-1]["my"]}))
    for arguments in (("validate", ".", "--format", "json"), ("run", "spec.yaml")):
        done = command(*arguments, code=None)
        assert_unseen(done.stdout, done.stderr)
    assert done.returncode == 2


def test_connections_of_airflow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    fields = {"conn_type": "mysql", "host": "h", "login": "me", "password": PASSWORD, "schema": "d"}
    for extra in ({"no_such_option": PASSWORD}, {"ssl": {"key": "/k", "no_such_option": PASSWORD}}):
        monkeypatch.setenv("AIRFLOW_CONN_THERE", json.dumps({**fields, "extra": extra}))
        with pytest.raises(UsageError, match="no_such_option") as refused:
            find("there", "default", tmp_path)
        assert_unseen(refused.value)
    monkeypatch.setenv("AIRFLOW_CONN_THERE", json.dumps(fields))
    assert_unseen(repr(find("there", "default", tmp_path)))


def test_a_connection_that_breaks_and_a_run_that_is_cancelled(tmp_path: Path, urls: dict[str, str]):
    proxy = Proxy(urls["my"])
    proxy.fault = Fault(Kind.CUT, Way.UP, after=2000, times=2)
    command = Command(directory_of(tmp_path, {**urls, "my": proxy.url()}))
    done = command("replicate", "spec.yaml", code=None)
    proxy.close()
    assert proxy.befallen
    assert_unseen(done.stdout, done.stderr)


def administered(target: TargetDatabase, query: str) -> list[tuple[Any, ...]]:
    connection = connect(target.admin_url)
    with closing(connection):
        cursor = connection.cursor()
        cursor.execute(query)
        return list(cursor.fetchall())


def test_what_the_servers_see_and_log(secured: Secured, request: pytest.FixtureRequest, tmp_path: Path):
    """With every statement logged. Only the mask key: a password is checked by the servers, and not shown."""
    if secured.kind != "postgres":
        pytest.skip("the mask key goes to the source only")
    source, target = SourceDatabase(secured.server), TargetDatabase(request.getfixturevalue("mysql_server"))
    try:
        source.execute("CREATE TABLE t (id bigint PRIMARY KEY, v text)")
        source.execute("INSERT INTO t VALUES (1, 'one')")
        command = Command(directory_of(tmp_path, {"pg": source.url, "my": target.url}))
        command("replicate", "spec.yaml")
        command("verify", "spec.yaml")
        digest = hmac.new(KEY.encode(), b"one", hashlib.sha256).hexdigest()
        assert target.rows("SELECT v FROM t") == [(digest,)]
        log = secured.log.read_text(encoding="utf-8", errors="replace")
        assert "COPY (SELECT" in log
        assert_unseen(log)
    finally:
        source.drop()
        target.drop()

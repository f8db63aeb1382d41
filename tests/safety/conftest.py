from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tests.safety.authority import Authority
from tests.services import Kind, Server, ServerUnavailable, fetch, mysql, postgres
from tests.services.installation import Installation
from tests.services.process import Launched, new_directory
from tests.services.server import attempt

LOGGED = ("log_statement=all", "log_connections=on", "log_parameter_max_length=-1", "log_min_duration_statement=0")
"""Settings of PostgreSQL: it writes down whatever it is told."""


@dataclass(frozen=True)
class Secured:
    """A server with a certificate for `localhost`, signed by ``authority``."""

    kind: Kind
    server_url: str = field(repr=False)
    authority: Authority
    stranger: Authority
    server: Server
    log: Path

    def url(self, host: str = "localhost", /, **options: object) -> str:
        query = {name: str(value) for name, value in options.items()}
        url = make_url(self.server_url).set(host=host).update_query_dict(query)
        return url.render_as_string(hide_password=False)

    @property
    def authority_option(self) -> str:
        return "sslrootcert" if self.kind == "postgres" else "ssl_ca"


@pytest.fixture(scope="session", params=["postgres", "mysql", "mariadb"])
def secured(request: pytest.FixtureRequest) -> Iterator[Secured]:
    """Shared servers may be in containers, which cannot see a test's files: these are started here."""
    kind: Kind = request.param
    with ExitStack() as stack:
        with new_directory(kind) as directory:
            stack.callback(partial(shutil.rmtree, directory, ignore_errors=True))
            authority, stranger = Authority(directory, "authority"), Authority(directory, "stranger")
            certificate, key = authority.sign("localhost")
            if kind == "postgres" and os.geteuid() == 0:
                account = postgres.unprivileged_account()
                for path in (directory, certificate, key):
                    os.chown(path, account.pw_uid, account.pw_gid)
        launched = _launch(kind, authority.ca, certificate, key)
        stack.callback(launched.stop)
        server = launched.wait()
        yield Secured(kind, server.url, authority, stranger, server, launched.log)


def _launch(kind: Kind, ca: Path, certificate: Path, key: Path) -> Launched:
    if kind == "postgres":
        settings = (*LOGGED, "ssl=on", f"ssl_cert_file={certificate}", f"ssl_key_file={key}")
        return postgres.launch(_first(postgres.installed, postgres.bundled), *settings)
    files = (f"--ssl-ca={ca}", f"--ssl-cert={certificate}", f"--ssl-key={key}")
    installation = _first(partial(mysql.installed, kind), partial(fetch.fetched, kind))
    return mysql.launch(kind, installation, *files, "--innodb-buffer-pool-size=64M")


def _first(*ways: Callable[[], Installation]) -> Installation:
    reasons = []
    for way in ways:
        found = attempt(way)
        if not isinstance(found, ServerUnavailable):
            return found
        reasons.append(found.reason)
    pytest.skip("; ".join(reasons))  # whoever has containers only

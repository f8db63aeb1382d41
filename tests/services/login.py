"""Driver connections from SQLAlchemy URLs."""

from __future__ import annotations

import ssl
from contextlib import closing
from typing import Any

import pymysql
from sqlalchemy.engine import make_url

DRIVERS = {"postgres": "postgresql+psycopg2", "mysql": "mysql+pymysql", "mariadb": "mysql+pymysql"}


class _Quick(pymysql.Connection):
    """Does not read the machine's authorities, which takes longer than all else, where none of them is asked."""

    def _create_ssl_ctx(self, sslp: Any) -> ssl.SSLContext:
        if sslp:
            return super()._create_ssl_ctx(sslp)  # type: ignore[misc, no-any-return]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context


class ConnectError(Exception):
    """Nobody answered, or the login was refused. The text is the driver's."""


def connect(url: str, *, autocommit: bool = True) -> Any:
    """A connection of the URL's driver. The caller closes it.

    Raises the driver's own errors.
    """
    parsed = make_url(url)
    dialect_class = parsed.get_dialect()
    arguments, options = dialect_class().create_connect_args(parsed)
    opened = _Quick if parsed.get_driver_name() == "pymysql" else dialect_class.import_dbapi().connect
    connection: Any = opened(*arguments, **options)
    # An attribute in psycopg2, a method in PyMySQL.
    if callable(connection.autocommit):
        connection.autocommit(autocommit)
    else:
        connection.autocommit = autocommit
    return connection


def server_version(url: str) -> str:
    """Logs in and asks. Raises ConnectError."""
    backend = make_url(url)
    driver_error = backend.get_dialect().import_dbapi().Error
    try:
        with closing(connect(url)) as connection, closing(connection.cursor()) as cursor:
            cursor.execute("SHOW server_version" if backend.get_backend_name() == "postgresql" else "SELECT version()")
            return str(cursor.fetchone()[0])
    except driver_error as error:
        raise ConnectError(str(error).strip()) from error

"""A spec's connection is an Airflow connection of that name; where there is none, that of the command line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airflow.sdk import Connection as AirflowConnection
from airflow.sdk.exceptions import AirflowNotFoundException
from sqlalchemy.engine import URL

from framework.connections import Connection, normalised
from framework.databases.mysql.tls import OPTIONS as TLS_OPTIONS
from framework.errors import UsageError
from framework.spec.connections import resolve

_PRODUCTS = {"postgres": "postgresql", "postgresql": "postgresql", "mysql": "mysql", "mariadb": "mysql"}

GENERATE = "generate"
"""The extra that gives the permission to write fake data: ``{"generate": "allow"}``."""

# Of Airflow's own hooks; they choose a driver, or how rows are fetched, and mean nothing to a connection.
_IGNORED = frozenset(
    {GENERATE, "cursor", "client", "charset", "local_infile", "sqlalchemy_query", "enable_log_db_messages"}
)

_MYSQL_TLS = {name: f"ssl_{name}" for name in ("ca", "capath", "cert", "key", "cipher", "check_hostname")}
_MYSQL_OPTIONS = frozenset({*TLS_OPTIONS, "unix_socket", "connect_timeout", "read_timeout", "write_timeout"})


def find(name: str, environment: str, where: Path) -> Connection:
    """The connection called ``name``.

    An Airflow connection speaks for itself: the permission to generate is in its extra, not in connections.yaml.

    Raises:
        UnknownConnection: neither Airflow nor the command line's sources know it.
        UsageError: it is of a type, or has an option, that cannot be used.
    """
    try:
        found = AirflowConnection.get(name)
    except AirflowNotFoundException:
        return resolve(name, environment, where)
    return Connection(name, url_of(found), found.extra_dejson.get(GENERATE) == "allow", environment)


def url_of(connection: Any) -> str:
    """The SQLAlchemy URL of an Airflow connection. Raises UsageError."""
    product = _PRODUCTS.get(str(connection.conn_type or "").lower())
    if product is None:
        fact = f"the Airflow connection {connection.conn_id!r} is of type {connection.conn_type!r}"
        raise UsageError(fact, f"use one of {', '.join(sorted(_PRODUCTS))}")
    extra = connection.extra_dejson
    url = URL.create(
        product,
        username=connection.login or None,
        password=connection.password or None,
        host=connection.host or None,
        port=connection.port,
        database=connection.schema or None,
        query=_mysql_options(connection.conn_id, extra) if product == "mysql" else _plain(extra),
    )
    # SQLAlchemy leaves spaces as they are.
    return normalised(url.render_as_string(hide_password=False).replace(" ", "%20"))


def _plain(extra: Mapping[str, Any]) -> dict[str, str]:
    return {name: _text(value) for name, value in extra.items() if name not in _IGNORED}


def _mysql_options(name: str, extra: Mapping[str, Any]) -> dict[str, str]:
    options = _plain({key: value for key, value in extra.items() if key != "ssl"})
    tls = extra.get("ssl") or {}
    if isinstance(tls, Mapping):
        options |= {_MYSQL_TLS.get(str(key), str(key)): _text(value) for key, value in tls.items()}
    else:
        options["ssl"] = _text(tls)
    if unknown := sorted(options.keys() - _MYSQL_OPTIONS):
        fact = f"the extra of the Airflow connection {name!r} has an option that cannot be used: {', '.join(unknown)}"
        raise UsageError(fact, f"known are {', '.join(sorted(_MYSQL_OPTIONS))}; ssl may hold {', '.join(_MYSQL_TLS)}")
    return options


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

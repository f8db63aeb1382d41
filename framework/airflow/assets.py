"""Tables, marts and pipelines as Airflow assets.

An asset's address names the connection and not the server, because nothing may be looked up while DAGs are parsed. The
database is the connection's own: ``default``. Airflow's providers, where they are installed, demand the form
(``mysql://host:port/database/table``) and add the usual port; it is written here, so that assets are the same without.
"""

from __future__ import annotations

from urllib.parse import quote

from airflow.sdk import Asset


def target_table(connection: str, table: str) -> Asset:
    """A replicated table or a mart."""
    return _asset(f"{connection}.{table}", f"mysql://{quote(connection, safe='')}:3306/default/{quote(table, safe='')}")


def source_table(connection: str, schema: str, table: str) -> Asset:
    """A table of the source."""
    path = f"{quote(schema, safe='')}/{quote(table, safe='')}"
    return _asset(f"{connection}.{schema}.{table}", f"postgres://{quote(connection, safe='')}:5432/default/{path}")


def pipeline(name: str) -> Asset:
    """The success of a whole pipeline: what `after` waits for."""
    return _asset(f"pipeline.{name}", f"x-vitrina://pipeline/{quote(name, safe='')}")


def _asset(name: str, uri: str) -> Asset:
    # Names of assets are ASCII.
    return Asset(name=quote(name, safe=" ."), uri=uri)

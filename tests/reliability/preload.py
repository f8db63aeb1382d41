"""All that a run imports, for the server that children are forked from: a child begins to work at once."""

from importlib import import_module
from pkgutil import resolve_name

from tests.reliability import child, states

__all__ = ["child"]

for _name in (
    "framework.commands.pipeline",
    "framework.commands.verify",
    "framework.databases.mysql.target",
    "framework.progress",
    "psycopg2.extras",
    "sqlglot.dialects.mysql",
    "sqlglot.dialects.postgres",
):
    import_module(_name)
for _state in states.ALL:
    resolve_name(_state.where)

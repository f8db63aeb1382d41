"""What takes a run long to import, for the process that others are forked from (see `forked.py`).

Not the modules that look at the environment when they are imported: those of the command line.
"""

from importlib import import_module
from pkgutil import resolve_name

from tests.reliability import states

for _name in (
    "click",
    "framework.databases.mysql.target",
    "framework.databases.postgres.source",
    "framework.history",
    "framework.runner",
    "framework.verify.table",
    "framework.workspace",
    "psycopg2.extras",
    "rich.console",
    "rich.progress",
    "rich.table",
    "sqlglot.dialects.mysql",
    "sqlglot.dialects.postgres",
):
    import_module(_name)
for _state in states.ALL:
    resolve_name(_state.where)

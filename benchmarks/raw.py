"""The raw pipe: psql's COPY straight into the mysql client's LOAD DATA, with nothing of Python in between."""

from __future__ import annotations

import os
import subprocess
import time
from itertools import pairwise

from sqlalchemy.engine import make_url

from benchmarks.facts import TABLE
from tests.services.client import client
from tests.services.databases import SourceDatabase, TargetDatabase

# The two types whose PostgreSQL text MySQL would misread are cast; all else goes as it is.
SELECT = f"""
SELECT id, customer_id, status, amount, note, is_paid::int,
       created_at AT TIME ZONE 'UTC', updated_at AT TIME ZONE 'UTC'
FROM {TABLE} WHERE id BETWEEN %d AND %d
"""
LOAD = "LOAD DATA LOCAL INFILE '/dev/stdin' INTO TABLE {} CHARACTER SET utf8mb4"


def load(
    source: SourceDatabase, target: TargetDatabase, rows: int, streams: int, table: str = TABLE, select: str = SELECT
) -> float:
    """Moves all rows into the target's empty table, `streams` ranges of the key at once; the seconds it took.

    Raises RuntimeError if a client failed.
    """
    bounds = [rows * place // streams for place in range(streams + 1)]
    readers, writers = _psql(source), mysql_client(target)
    begun = time.perf_counter()
    processes: list[subprocess.Popen[bytes]] = []
    for low, high in pairwise(bounds):
        copy = f"COPY ({select % (low + 1, high)}) TO STDOUT"
        psql = subprocess.Popen([*readers[0], "--command", copy], env=readers[1], stdout=subprocess.PIPE)
        mysql = subprocess.Popen([*writers[0], "--execute", LOAD.format(table)], env=writers[1], stdin=psql.stdout)
        assert psql.stdout is not None
        psql.stdout.close()  # ours: with it open psql would not notice that mysql is gone
        processes += [psql, mysql]
    codes = [process.wait() for process in processes]
    seconds = time.perf_counter() - begun
    if any(codes):
        raise RuntimeError(f"the raw pipe failed: exit codes {codes}")
    return seconds


def _psql(source: SourceDatabase) -> tuple[list[str], dict[str, str]]:
    url = make_url(source.url)
    options = ["--no-psqlrc", "--quiet", "--host", str(url.host), "--port", str(url.port)]
    options += ["--username", str(url.username), "--dbname", str(url.database)]
    return [*client("postgres"), *options], {**os.environ, "PGPASSWORD": str(url.password), "PGCLIENTENCODING": "UTF8"}


def mysql_client(target: TargetDatabase) -> tuple[list[str], dict[str, str]]:
    """The command line of the client for this database, and its environment."""
    url = make_url(target.url)
    options = ["--no-defaults", "--local-infile=1", "--host", str(url.host), "--port", str(url.port)]
    options += ["--user", str(url.username), "--database", str(url.database)]
    return [*client("mysql"), *options], {**os.environ, "MYSQL_PWD": str(url.password)}

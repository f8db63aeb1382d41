"""The target as it is: its version and settings, what the account may do, and the tables that are there already."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

from framework.databases.base import Session, Target
from framework.diagnostics import Severity
from framework.doctor.remarks import Remark, well
from framework.errors import ForeignTable, StatementFailed
from framework.marts.build import MARK as MART_MARK
from framework.replicate.state import MARK
from framework.spec.models import Spec

OLDEST = {"MySQL": (8, 4), "MariaDB": (10, 11)}
"""The oldest versions that are tested."""
PACKET = 16 * 1024 * 1024
"""Bytes of ``max_allowed_packet`` that long texts need; a statement of the INSERT lane has one."""

SETTINGS = """
SELECT @@GLOBAL.local_infile, @@GLOBAL.sql_mode, @@GLOBAL.max_allowed_packet, @@GLOBAL.read_only,
       @@lower_case_table_names, CURRENT_ROLE()
"""
NEEDED = ("SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER")
_GRANT = re.compile(r"GRANT (?P<what>.+) ON (?P<where>\S+) TO ")


def examine(spec: Spec, target: Target) -> Iterator[Remark]:
    """Everything about the target. Raises VitrinaError if it cannot be asked."""
    with target.session() as session:
        if target.dialect.name == "mysql":
            yield _version(target.version())
            yield from _settings(spec, session)
        else:
            yield well("target", f"{target.version()}, which has no settings to look at")
        yield from _tables(spec, session, target)


def _version(name: str) -> Remark:
    product, _, number = name.partition(" ")
    parts = tuple(int(part) for part in re.findall(r"\d+", number)[:2])
    if parts >= OLDEST.get(product, (0,)):
        return well("target", name)
    oldest = " or ".join(f"{known} {'.'.join(map(str, least))}" for known, least in OLDEST.items())
    return Remark("target", f"{name} is older than what is tested", Severity.WARNING, f"use {oldest}", "target-version")


def _settings(spec: Spec, session: Session) -> Iterator[Remark]:
    local_infile, sql_mode, packet, read_only, lower_case, role = session.query(SETTINGS)[0]
    if int(local_infile):
        yield well("target", "local_infile is on: rows are loaded by LOAD DATA")
    else:
        fact = "local_infile is off: rows go by INSERT, several times slower"
        yield Remark("target", fact, Severity.WARNING, "SET PERSIST local_infile = ON", "local-infile")
    if "STRICT_" in str(sql_mode):
        yield well("target", "sql_mode is strict")
    else:
        fact = "sql_mode of the server is not strict; Vitrina's sessions are, those of others may alter values"
        yield Remark("target", fact, Severity.HINT, "add STRICT_TRANS_TABLES to sql_mode", "sql-mode")
    if int(packet) < PACKET:
        fact = f"max_allowed_packet is {int(packet):,} bytes: a longer value cannot be written"
        yield Remark(
            "target", fact, Severity.WARNING, f"SET PERSIST max_allowed_packet = {PACKET}", "max-allowed-packet"
        )
    if str(read_only) not in ("0", "OFF"):
        fix = "name the primary, or SET GLOBAL read_only = OFF"
        yield Remark("target", "the server is read-only", Severity.ERROR, fix, "read-only-target")
    if int(lower_case):
        yield well("target", f"lower_case_table_names is {lower_case}: names of tables do not tell case apart")
    yield from _privileges(spec, session, str(role))


def _privileges(spec: Spec, session: Session, role: str) -> Iterator[Remark]:
    database = str(session.query("SELECT DATABASE()")[0][0])
    held = _held(session, database, role)
    if held is None:
        return
    needed = list(NEEDED)
    if any(mart.materialize.view is not None for mart in spec.marts.values()):
        needed.append("CREATE VIEW")
    if any(spec.replicate_task(table).foreign_keys for table in spec.replicate):
        needed.append("REFERENCES")
    missing = [privilege for privilege in needed if privilege not in held]
    if missing and "ALL PRIVILEGES" not in held:
        fact = f"the account lacks {', '.join(missing)} in {database!r}"
        fix = f"GRANT {', '.join(missing)} ON `{database}`.* TO the account"
        yield Remark("target", fact, Severity.ERROR, fix, "missing-privilege")
    else:
        yield well("target", f"the account may do what is needed in {database!r}")


def _held(session: Session, database: str, role: str) -> set[str] | None:
    """The account's privileges in a database; None if the server does not tell."""
    statements = ["SHOW GRANTS"]
    if role.upper() not in ("NONE", "NULL", ""):
        statements.append(f"SHOW GRANTS FOR CURRENT_USER() USING {role}")
    held: set[str] = set()
    told = False
    for statement in statements:
        with suppress(StatementFailed):  # MariaDB has no USING, and tells the roles' grants anyway
            for line, *_ in session.query(statement):
                match = _GRANT.match(str(line))
                told = told or match is not None
                if match is not None and _covers(match["where"], database):
                    held |= {what.strip() for what in re.sub(r"\([^)]*\)", "", match["what"]).split(",")}
    return held if told else None


def _covers(where: str, database: str) -> bool:
    """Whether a grant is on all of a database: ``*.*``, or a name in which ``%`` and ``_`` are wildcards."""
    schema, _, table = where.rpartition(".")
    if table != "*":
        return False
    name = schema.strip("`").replace("``", "`")
    pattern = re.escape(name).replace(r"\\_", "\0").replace("%", ".*").replace("_", ".").replace("\0", "_")
    return schema == "*" or re.fullmatch(pattern, database) is not None


def _tables(spec: Spec, session: Session, target: Target) -> Iterator[Remark]:
    for section, names, mark in (("replicate", spec.replicate, MARK), ("marts", spec.marts, MART_MARK)):
        for name in names:
            relation = session.relation(name)
            if relation == "table" and not (session.marker(name) or "").startswith(mark):
                error = ForeignTable(name, target.name, "drop or rename it, or choose another name")
                loc = (section, name)
                yield Remark("target", error.fact, Severity.ERROR, error.fix, "foreign-table", loc, on_key=True)
            elif relation is not None:
                yield well("target", f"{name} is there, made by Vitrina")

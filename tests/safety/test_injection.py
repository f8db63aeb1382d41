"""Hostile names and values go through the whole job as what they are: names and values. A canary table survives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from framework.commands import pipeline
from framework.commands.doctor import doctor
from framework.commands.pipeline import Parallel
from framework.commands.verify import verify
from framework.databases.mysql.target import MySQLTarget
from framework.databases.postgres.names import quote
from framework.databases.postgres.source import PostgresSource
from framework.errors import SpecInvalid, StepsFailed, UsageError
from framework.replicate.mapping import resolve
from framework.replicate.resync import TRIAL
from framework.spec.replication import ReplicateTask
from framework.tables import Column, Table
from framework.types import Kind, LogicalType
from framework.validation.validate import load_sound
from tests.replicate.anywhere import DEFAULTS
from tests.services import Server
from tests.services.databases import SourceDatabase, TargetDatabase

NAMES = (
    "'; DROP TABLE canary; --",
    '"; DROP TABLE canary; --',
    "`; DROP TABLE canary; #",
    "a\\' OR 1=1 -- -",
    "5% of %s and %(x)s {0} %%",
    "line\nDROP TABLE canary;\r",
    "/* c */ */ # -- $1 ?",
    "$$; DROP TABLE canary; $$",
    "\uff07; \u02bc \u2019 \u037e DROP",
    "[a]{b}: <c> & *d",
    ");\\\\",
    "tab\tend",
)
VALUES = (*NAMES, "\\N", "NULL", "\\", "'", '"', "\\'", "%s", " ' OR ''='", "\x1a\x08")


def mysql_quote(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


PARENT = NAMES[1]


def spec_of() -> dict[str, Any]:
    """Every name that a spec gives is hostile, and every value."""
    key, cursor, parent = NAMES[0], NAMES[4], NAMES[1]
    columns: dict[str, Any] = {key: {"type": "bigint", "primary_key": True, "fake": "sequence"}}
    for place, name in enumerate(NAMES):
        if name not in (key, cursor):
            columns[name] = {
                "type": "text",
                "fake": {"choice": list(VALUES)} if place % 2 else {"constant": VALUES[place]},
            }
    columns[cursor] = {"type": "timestamptz", "index": True, "fake": {"datetime": {"from": "-1y", "to": "now"}}}
    child_columns = {
        parent: {"type": "bigint", "primary_key": True, "fake": "sequence"},
        NAMES[2]: {"type": "bigint", "references": {"table": parent, "column": key}},
        NAMES[3]: {"type": "varchar(200)", "unique": True, "fake": {"template": NAMES[0] + " {" + parent + "}"}},
    }
    replicate: dict[str, Any] = {
        parent: {
            "mode": "incremental",
            "cursor": cursor,
            "deletes": "remove",
            "where": f"{quote(NAMES[1])} <> 'it''s; DROP TABLE canary; -- ' AND {quote(NAMES[2])} <> E'\\'; --'",
            "columns": {
                NAMES[6]: NAMES[2],
                NAMES[2]: {"from": NAMES[6], "mask": "hmac"},
                "c\\`o": {"sql": f"{quote(NAMES[4])}::text || '%s''; --'", "type": "text"},
            },
            "indexes": [[NAMES[7]], [cursor]],
            "checks": [{"unique": [key]}, {"not_null": [NAMES[7]]}, {"accepted": {NAMES[7]: list(VALUES)}}],
        },
        NAMES[2]: {
            "from": NAMES[3],
            "mode": "full",
            "foreign_keys": True,
            "unique": [[NAMES[3]]],
            "checks": [{"relationship": {NAMES[2]: {"table": parent, "column": key}}}],
        },
    }
    hostile = f"{mysql_quote(NAMES[7])} <> '%s'';'"
    counted = f"SELECT COUNT(*) AS {mysql_quote(NAMES[6])} FROM {mysql_quote(parent)} x WHERE {hostile}"
    day = f"DATE(x.{mysql_quote(cursor)})"
    return {
        "version": 1,
        "pipeline": "p",
        "source": "pg",
        "target": "my",
        "description": NAMES[0],
        "now": "2026-01-01T00:00:00Z",
        "entities": {
            parent: {
                "rows": 40,
                "description": NAMES[0],
                "columns": columns,
                "changes": {
                    "touch": cursor,
                    "insert": 3,
                    "update": {"rows": 4, "redraw": [NAMES[7]]},
                    "delete": {"rows": 2},
                },
            },
            NAMES[3]: {"rows": {"per": NAMES[2], "mean": 1}, "columns": child_columns, "description": "\\"},
        },
        "replicate": replicate,
        "marts": {
            NAMES[8]: {"query": counted, "description": NAMES[0], "checks": [{"rows": {"min": 1}}]},
            NAMES[4]: {"query": counted, "materialize": "view"},
            NAMES[6]: {
                "materialize": {"incremental": {"partition": NAMES[7]}},
                "query": f"SELECT {day} AS {mysql_quote(NAMES[7])}, COUNT(*) AS n "
                f"FROM {mysql_quote(parent)} x GROUP BY {day}",
                "indexes": [[NAMES[7]]],
            },
        },
    }


@pytest.fixture
def canaries(source: SourceDatabase, target: TargetDatabase):
    for database in (source, target):
        database.execute("CREATE TABLE canary (id int)")
        database.execute("INSERT INTO canary VALUES (7)")
    yield
    for database in (source, target):
        database.forget_connection()
        assert database.rows("SELECT id FROM canary") == [(7,)]


def connected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: SourceDatabase, target: TargetDatabase) -> Path:
    path = tmp_path / "spec.yaml"
    (tmp_path / "connections.yaml").write_text(
        "environments: {default: {pg: {url: '${PG}', generate: allow}, my: {url: '${MY}'}}}", encoding="utf-8"
    )
    for name, value in {"PG": source.url, "MY": target.url, "VITRINA_MASK_KEY": NAMES[0]}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return path


@pytest.mark.usefixtures("canaries")
@pytest.mark.parametrize("lane", ["LOAD DATA", "INSERT"])
def test_the_whole_job(
    lane: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: SourceDatabase, target: TargetDatabase
):
    if (lane == "INSERT") != (target.kind == "mariadb"):
        pytest.skip("each lane once")
    if lane == "INSERT":
        found = MySQLTarget._server.func  # type: ignore[attr-defined]
        monkeypatch.setattr(MySQLTarget, "_server", property(lambda self: (found(self)[0], False, *found(self)[2:])))
    path = connected(tmp_path, monkeypatch, source, target)
    path.write_text(yaml.safe_dump(spec_of(), allow_unicode=True), encoding="utf-8")
    load_sound(path)
    pipeline.run(path, "default", Parallel(), 0, full_refresh=False)
    pipeline.run(path, "default", Parallel(), 2, full_refresh=False)
    source.execute(f"UPDATE {quote(PARENT)} SET {quote(NAMES[9])} = %s", "\\'; DROP TABLE canary; -- %s")
    pipeline.resync(path, "default", PARENT, f"{quote(NAMES[9])} LIKE '%%s%' -- %(x)s ;")
    assert verify(path, "default", (), None, repair=True, form="text")
    target.execute(f"UPDATE {mysql_quote(PARENT)} SET {mysql_quote(NAMES[10])} = %s".replace("%%", "%"), "`'\"; DROP")
    assert verify(path, "default", (PARENT,), None, repair=True, form="json")
    assert pipeline.status(path, "default")
    assert doctor(path, "default")
    for name in (PARENT, NAMES[2], NAMES[8], NAMES[4], NAMES[6]):
        pipeline.show(path, "default", name, 3)
    pipeline.run(path, "default", Parallel(), 0, full_refresh=True)
    for name in (NAMES[7], NAMES[9], NAMES[10]):
        assert sorted(source.rows(f"SELECT {quote(name)} FROM {quote(PARENT)}")) == sorted(
            target.rows(f"SELECT {mysql_quote(name)} FROM {mysql_quote(PARENT)}")
        )
    assert {value for (value,) in source.rows(f"SELECT {quote(NAMES[7])} FROM {quote(PARENT)}")} <= set(VALUES)


# Each closes what it did not open, or begins a second statement, as far as some parser may see it.
WAYS_OUT = (
    "true) OR (true",
    "true; DROP TABLE canary; --",
    "true) TO STDOUT; COMMIT; DROP TABLE canary; --",
    "true THEN true END; COMMIT; DROP TABLE canary; SELECT CASE WHEN true",
    "true)); COMMIT; DROP TABLE canary; --",
    "id = $$'$$; DROP TABLE canary; --'",
    "note = E'\\'; DROP TABLE canary; --' OR true)); DROP TABLE canary; --'",
    "note = '\\'); COMMIT; DROP TABLE canary; --'",
    "true /*",
    "note = 'open",
    'note = "open',
    "note = $a$ $b$ $A$",
    "note = $\U0001f600$ ' $\U0001f600$ ); COMMIT; DROP TABLE canary; -- '",
    "note = E'a'\n'b\\'c' ); COMMIT; DROP TABLE canary; --'",
    "note = E'a' -- c\n 'b\\'c' ); COMMIT; DROP TABLE canary; --'",
    "note = \u00e9E'\\' ); COMMIT; DROP TABLE canary; --'",
    "x = a$b$ ' $b$ ); COMMIT; DROP TABLE canary; -- '",
    "x = 1$b$ ' $b$ ); COMMIT; DROP TABLE canary; -- '",
    "id IN (1]",
    "id = 1\0",
)
STAYS = (
    "true /* /* */ ) OR (true */",
    "note = E'\\'); DROP TABLE canary; --'",
    "note = '); DROP TABLE canary; --'",
    "note <> $a$); DROP TABLE canary; $b$ -- $a$ AND (true)",
    "/* ); /* nested */ DROP */ id > 0 -- ); DROP TABLE canary;",
    "note LIKE '%s' OR note = '%(x)s' OR id = ANY (ARRAY[1, 2])",
)


@pytest.fixture
def small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: SourceDatabase, mysql_server: Server
) -> Iterator[Callable[..., Path]]:
    """Writes a spec with one table, some of its settings one's own; both databases have canaries."""
    target = TargetDatabase(mysql_server)
    source.execute("CREATE TABLE t (id bigint PRIMARY KEY, note text)")
    source.execute("INSERT INTO t VALUES (1, 'a')")
    for database in (source, target):
        database.execute("CREATE TABLE canary (id int)")

    def write(marts: dict[str, Any] | None = None, **settings: Any) -> Path:
        path = connected(tmp_path, monkeypatch, source, target)
        spec = {"version": 1, "pipeline": "p", "source": "pg", "target": "my", "marts": marts or {}}
        path.write_text(yaml.safe_dump({**spec, "replicate": {"t": {"mode": "full", **settings}}}), encoding="utf-8")
        return path

    yield write
    for database in (source, target):
        assert database.rows("SELECT * FROM canary") == []
    target.drop()


def task(**settings: Any) -> ReplicateTask:
    return ReplicateTask.model_validate({**DEFAULTS, "table": "t", "source_table": "t", "mode": "full", **settings})


def test_sql_of_the_spec_stays_where_it_is_put(small: Callable[..., Path], source: SourceDatabase):
    path = small()
    pipeline.replicate(path, "default", Parallel(), (), full_refresh=False)
    described = Table("t", (Column("id", LogicalType(Kind.BIGINT, "bigint")),), ("id",), schema="public")
    with pytest.raises(StepsFailed) as refused:
        pipeline.resync(path, "default", "t", WAYS_OUT[0])
    assert "is not one expression" in str(refused.value.errors["replicate:t"])
    for text in WAYS_OUT:
        with pytest.raises(SpecInvalid):  # by the parser of the checker, or, should it be fooled, by ours
            load_sound(small(where=text))
        computed = {"sql": "true", "type": "boolean"}
        for settings in (
            {"where": text},
            {"columns": {"c": {**computed, "sql": text}}},
            {"columns": {"c": {**computed, "type": text}}},
        ):
            with pytest.raises(UsageError, match="one expression"):
                resolve(task(**settings), described, None)
    small()
    with PostgresSource("pg", source.url).session() as session:
        for text in STAYS:
            resolve(task(where=text), described, None)
            session.query(TRIAL.format(origin="t", condition=text))
    assert source.rows("SELECT count(*) FROM t") == [(1,)]


def test_a_filter_cannot_change_the_source(small: Callable[..., Path], source: SourceDatabase):
    source.execute(
        "CREATE FUNCTION steal() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN DELETE FROM t; RETURN true; END $$"
    )
    source.execute("CREATE SEQUENCE numbers")
    for text in ("steal()", "nextval('numbers') > 0", "set_config('transaction_read_only', 'off', false) = 'off'"):
        with pytest.raises(StepsFailed) as refused:
            pipeline.replicate(small(where=text), "default", Parallel(), (), full_refresh=True)
        assert "read" in str(refused.value.errors["replicate:t"])
    assert source.rows("SELECT count(*) FROM t") == [(1,)]


@pytest.mark.parametrize(
    "query",
    [
        "DROP TABLE canary",
        "DELETE FROM t",
        "SELECT 1 AS a; DROP TABLE canary",
        "SELECT id FROM t INTO OUTFILE '/tmp/x'",
        "SELECT id INTO @x FROM t",
        "SELECT 1 AS a /*! INTO OUTFILE '/tmp/x' */",
        "WITH x AS (SELECT 1) DELETE FROM t",
        "TABLE canary; TRUNCATE canary",
        "CALL p()",
        "SET @x = 1",
        "SELECT 1 AS a /*M! INTO OUTFILE '/tmp/x' */",
    ],
)
def test_marts_are_queries(small: Callable[..., Path], query: str):
    for marts in ({"m": {"query": query}}, {"m": {"query": "SELECT id FROM t", "checks": [{"empty": query}]}}):
        with pytest.raises(SpecInvalid):
            load_sound(small(marts))


@pytest.mark.parametrize(
    "settings",
    [
        {"schema": "a\0b"},
        {"from": "a\0b"},
        {"columns": {"a\0b": "id"}},
        {"columns": {"c": "a\0b"}},
        {"where": "note = 'a\0b'"},
        {"checks": [{"accepted": {"note": ["a\0b"]}}]},
        {"indexes": [["a\0b"]]},
    ],
)
def test_nul_is_refused(settings: dict[str, Any], tmp_path: Path):
    path = tmp_path / "spec.yaml"
    spec = {"version": 1, "pipeline": "p", "source": "pg", "target": "my"}
    path.write_text(yaml.safe_dump({**spec, "replicate": {"t": {"mode": "full", **settings}}}), encoding="utf-8")
    with pytest.raises(SpecInvalid) as refused:
        load_sound(path)
    assert "bad-character" in {problem.rule for problem in refused.value.problems}


@pytest.mark.parametrize(
    "type_", ["bigint); DROP TABLE canary; --", "varchar(9); DROP", "enum a; DROP TABLE canary; --"]
)
def test_types_are_types(type_: str, small: Callable[..., Path]):
    path = small()
    columns = {
        "id": {"type": "bigint", "primary_key": True, "fake": "sequence"},
        "c": {"type": type_, "fake": {"constant": "a"}},
    }
    spec = yaml.safe_load(path.read_text(encoding="utf-8"))
    spec["entities"] = {"fresh": {"rows": 2, "columns": columns}}
    path.write_text(yaml.safe_dump(spec), encoding="utf-8")
    with pytest.raises((SpecInvalid, StepsFailed)) as refused:
        pipeline.generate(path, "default", None, recreate=False)
    if isinstance(refused.value, StepsFailed):  # such a name is a name, of a type that is not there
        assert "does not exist" in str(next(iter(refused.value.errors.values())))

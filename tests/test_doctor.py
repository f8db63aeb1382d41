"""The databases of a spec, examined: on real servers, each thing that may be wrong with them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from framework.validation.stories import rule_ids
from tests.command import Command
from tests.services.databases import SourceDatabase, TargetDatabase

SPEC = """\
version: 1
pipeline: p
source: pg
target: my
entities:
  orders:
    columns:
      id: {type: bigint, primary_key: true}
      state: {type: varchar(9)}
      updated_at: {type: timestamptz, index: true}
replicate:
  orders: {mode: incremental, cursor: updated_at}
  loose: {mode: full, only: [a, b]}
marts:
  states:
    materialize: view
    query: SELECT o.state, COUNT(*) AS orders FROM orders o GROUP BY o.state
"""
ORDERS = """CREATE TABLE orders (id bigint PRIMARY KEY, state varchar(9) NOT NULL, updated_at timestamptz NOT NULL)"""


class Examined:
    """A spec in a directory of its own, and its databases."""

    def __init__(self, directory: Path, source: SourceDatabase, target: TargetDatabase) -> None:
        self.path = directory / "spec.yaml"
        self.path.write_text(SPEC, encoding="utf-8")
        self.source, self.target = source, target
        self.command = Command(directory, VITRINA_CONN_PG=source.url, VITRINA_CONN_MY=target.url)
        source.execute(ORDERS)
        source.execute("CREATE INDEX ON orders (updated_at)")
        source.execute("CREATE TABLE loose (a int, b text)")

    def told(self, code: int | None = None) -> dict[str, str]:
        """The rules that were broken, with what was said."""
        done = self.command("doctor", str(self.path), code=code)
        assert self.source.url not in done.stdout
        found = re.findall(r"(?:error|warning|hint) +(.*) \[([a-z-]+)\]", done.stdout)
        assert {rule for _, rule in found} <= rule_ids()
        return {rule: fact for fact, rule in found}


@pytest.fixture
def examined(tmp_path: Path, source: SourceDatabase, target: TargetDatabase) -> Examined:
    return Examined(tmp_path, source, target)


def test_all_is_well(examined: Examined):
    found = examined.told(code=0)
    assert set(found) <= {"local-infile", "sql-mode"}
    assert "is as declared" in examined.command("doctor", str(examined.path)).stdout


def test_what_is_said_of_tables_that_are_not_there_or_not_as_declared(examined: Examined):
    examined.source.execute("DROP TABLE loose")
    for statement in (
        "ALTER TABLE orders ALTER state TYPE text, ALTER state DROP NOT NULL, ADD note text",
        "ALTER TABLE orders DROP CONSTRAINT orders_pkey",
        "DROP INDEX orders_updated_at_idx",
    ):
        examined.source.execute(statement)
    done = examined.command("validate", str(examined.path), "--online", "--format", "json", code=1)
    problems = json.loads(done.stdout)["problems"]
    said = {(problem["rule"], problem["line"], problem["column"], problem["severity"]) for problem in problems}
    assert {
        ("drift", 9, 21, "warning"),  # the type of orders.state
        ("drift", 6, 3, "warning"),  # the key
        ("drift", 6, 3, "hint"),  # a column that is not declared
        ("cursor-not-indexed", 12, 3, "warning"),
        ("missing-table", 13, 3, "error"),
    } <= said


def test_tables_that_the_spec_does_not_declare_are_checked_by_the_database(examined: Examined):
    text = SPEC.replace("only: [a, b]", "only: [a, c], where: nope > 1")
    examined.path.write_text(text, encoding="utf-8")
    examined.command("validate", str(examined.path))
    done = examined.command("validate", str(examined.path), "--online", "--format", "json", code=1)
    found = {(problem["rule"], problem["line"]) for problem in json.loads(done.stdout)["problems"]}
    assert {("unknown-column", 13), ("sql-unknown-column", 13)} <= found


def test_what_the_database_declares_is_no_hint_and_a_switch_for_it_not_unused(examined: Examined):
    for switch in ("", "  # vitrina: ignore[undeclared-table] somebody else's"):
        text = SPEC.replace("only: [a, b]}", f"only: [a, b]}}{switch}")
        examined.path.write_text(text, encoding="utf-8")
        done = examined.command("validate", str(examined.path), "--online", "--format", "json")
        rules = {problem["rule"] for problem in json.loads(done.stdout)["problems"]}
        assert not rules & {"undeclared-table", "unused-switch"}


def test_types_without_a_home(examined: Examined):
    examined.source.execute("ALTER TABLE loose ADD place pg_ndistinct")
    examined.path.write_text(SPEC.replace("only: [a, b]", "only: [a, place]"), encoding="utf-8")
    assert "pg_ndistinct" in examined.told(code=1)["no-exact-type"]


def test_a_role_that_sees_little(tmp_path: Path, new_source: Callable[..., SourceDatabase], target: TargetDatabase):
    examined = Examined(tmp_path, new_source(read_all_stats=False), target)
    assert "open-transactions" in examined.told(code=0)
    reader = examined.source.reader_url
    examined.source.execute(f'REVOKE SELECT ON loose FROM "{reader.split("//")[1].split(":")[0]}"')
    examined.command.environ["VITRINA_CONN_PG"] = reader
    assert "no SELECT on public.loose" in examined.told(code=1)["missing-privilege"]


def test_a_target_that_may_do_little(examined: Examined):
    user, name = examined.target.user, examined.target.name
    examined.target.admin(
        f"REVOKE ALL PRIVILEGES ON `{name}`.* FROM `{user}`@`%`",
        f"GRANT SELECT, INSERT, CREATE ON `{name}`.* TO `{user}`@`%`",
    )
    said = examined.told(code=1)["missing-privilege"]
    assert "lacks UPDATE, DELETE, DROP, ALTER, CREATE VIEW" in said


def test_a_table_of_somebody_else(examined: Examined):
    examined.target.execute("CREATE TABLE orders (id BIGINT)")
    assert "orders" in examined.told(code=1)["foreign-table"]


def test_a_server_that_is_not_there_does_not_hide_the_other(examined: Examined):
    examined.command.environ["VITRINA_CONN_MY"] = "mysql+pymysql://a:sesame@127.0.0.1:1/x"
    done = examined.command("doctor", str(examined.path), code=1)
    assert "cannot connect to 'my'" in done.stdout
    assert "PostgreSQL" in done.stdout
    assert "sesame" not in done.stdout + done.stderr


def test_nothing_is_written(examined: Examined):
    examined.told(code=0)
    assert examined.source.rows("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(2,)]
    assert examined.target.rows("SHOW TABLES") == []


def test_a_spec_with_errors_is_not_examined(examined: Examined):
    examined.path.write_text(SPEC + "timezone: Mars\n", encoding="utf-8")
    done = examined.command("doctor", str(examined.path), code=2)
    assert "unknown-timezone" in done.stderr

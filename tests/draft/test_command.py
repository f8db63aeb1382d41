"""`vitrina draft` as its user calls it: what is chosen, what may not be read, and mistakes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from framework.spec.load import load_spec
from tests.draft.conftest import Drafting
from tests.services.databases import SourceDatabase, TargetDatabase

SHOP = """
CREATE TABLE customers (id bigint PRIMARY KEY, email text NOT NULL UNIQUE);
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers);
CREATE TABLE parts (id int, day date) PARTITION BY RANGE (day);
CREATE TABLE parts_all PARTITION OF parts DEFAULT;
CREATE VIEW emails AS SELECT email FROM customers;
CREATE MATERIALIZED VIEW counts AS SELECT count(*) AS n FROM orders;
CREATE SCHEMA hr;
CREATE TABLE hr.people (id int PRIMARY KEY);
CREATE TABLE hr."a,b" (id int PRIMARY KEY);
INSERT INTO customers VALUES (1, 'a@example.com');
INSERT INTO orders VALUES (1, 1);
INSERT INTO hr.people VALUES (1);
"""


@pytest.fixture
def shop(drafting: Drafting, source: SourceDatabase) -> Drafting:
    source.execute(SHOP)
    return drafting


def copies(drafting: Drafting, *options: str) -> set[str]:
    drafting(*options)
    spec = load_spec(drafting.path).spec
    assert spec is not None
    return set(spec.replicate)


def test_the_two_commands(shop: Drafting, target: TargetDatabase) -> None:
    done = shop.to(target).run("-o", str(shop.path))
    assert done.stdout == ""
    assert f"next: vitrina run {shop.path}" in done.stderr
    shop.command("run", str(shop.path))
    assert target.rows("SELECT * FROM customers") == [(1, "a@example.com")]
    assert target.rows("SELECT * FROM people") == [(1,)]


def test_what_is_chosen(shop: Drafting) -> None:
    everything = {"customers", "orders", "parts", "people", "a,b"}
    assert copies(shop) == everything
    assert copies(shop, "--views") == everything | {"emails", "counts"}
    shop.validate()
    assert copies(shop, "--schema", "hr") == {"people", "a,b"}
    assert copies(shop, "--schema", "hr", "--schema", "public") == everything
    assert copies(shop, "--tables", "customers,hr.people") == {"customers", "people"}
    assert copies(shop, "--tables", "emails", "--tables", "a,b") == {"emails", "a,b"}
    assert copies(shop, "--tables", "parts_all") == {"parts_all"}
    assert copies(shop, "--tables", "orders") == {"orders"}
    shop.validate()
    assert "customer_id refers to customers.id, which is not declared" in shop.path.read_text(encoding="utf-8")


def test_a_draft_with_views_runs(shop: Drafting, target: TargetDatabase) -> None:
    shop.to(target)("--views")
    shop.command("run", str(shop.path))
    assert target.rows("SELECT * FROM emails") == [("a@example.com",)]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--tables", "ordres"], "did you mean 'orders'?"),
        (["--tables", "hr.peple"], "did you mean 'hr.people'?"),
        (["--tables", "people", "--schema", "public"], "no table 'people'"),
        (["--schema", "hrr"], "did you mean 'hr'?"),
    ],
)
def test_names_that_are_not_there(shop: Drafting, options: list[str], said: str) -> None:
    assert said in shop(*options, code=2)
    assert not shop.path.exists()


def test_a_database_without_tables(drafting: Drafting, source: SourceDatabase) -> None:
    assert "has no tables to draft" in drafting(code=2)
    source.execute("CREATE VIEW v AS SELECT 1 AS one")
    assert "add --views" in drafting(code=2)
    assert copies(drafting, "--views") == {"v"}


def test_a_file_that_is_there_stays(shop: Drafting) -> None:
    shop.path.write_text("mine", encoding="utf-8")
    assert "is there already" in shop.run("-o", str(shop.path), code=2).stderr
    assert shop.path.read_text(encoding="utf-8") == "mine"
    shop.run("-o", str(shop.path), "--force")
    assert shop.path.read_text(encoding="utf-8").startswith("# Drafted by")
    assert [path.name for path in shop.path.parent.iterdir() if path.name.startswith(".spec")] == []


@pytest.mark.parametrize(
    ("output", "said"), [("connections.yaml", "connections file"), (".", "is a directory"), ("a/b.yaml", "not there")]
)
def test_places_that_take_no_spec(shop: Drafting, tmp_path: Path, output: str, said: str) -> None:
    assert said in shop.run("-o", str(tmp_path / output), code=2).stderr


def test_connections(shop: Drafting, source: SourceDatabase) -> None:
    def said(source_name: str, target_name: str, **environ: str) -> str:
        arguments = ("draft", "--source", source_name, "--target", target_name)
        return shop.command(*arguments, code=None, **environ).stderr

    assert "did you mean 'pg'?" in said("pgg", "my")
    assert "'mine' has no URL" in said("pg", "mine")
    assert "source and target are both 'pg'" in said("pg", "pg")
    assert "is PostgreSQL, which is no target" in said("pg", "other", VITRINA_CONN_OTHER=source.url)
    assert "cannot be a source" in said("my", "pg2", VITRINA_CONN_PG2="mysql://a@b/c")
    # The target need not be there.
    assert said("pg", "nowhere", VITRINA_CONN_NOWHERE="mysql://a:b@127.0.0.1:1/c") == ""


def test_a_source_that_is_not_there(shop: Drafting) -> None:
    done = shop.command(
        "draft", "--source", "gone", "--target", "my", code=1, VITRINA_CONN_GONE="postgresql://a:sesame@127.0.0.1:1/x"
    )
    assert "cannot connect to 'gone'" in done.stderr
    assert "sesame" not in done.stderr


def test_what_the_role_may_not_read(
    new_source: Callable[..., SourceDatabase], target: TargetDatabase, tmp_path: Path
) -> None:
    source = new_source()
    reader = source.reader_url
    source.execute(SHOP)
    role = reader.split("//")[1].split(":")[0]
    source.execute(f'REVOKE SELECT ON orders FROM "{role}"')
    drafting = Drafting(tmp_path, reader, target.url)
    assert copies(drafting) == {"customers", "parts"}
    drafting.validate()
    text = drafting.path.read_text(encoding="utf-8")
    for name in ("public.orders", "hr.people"):
        assert f"# left out: {name}: the role may not read it" in text
    drafting.command("run", str(drafting.path))


def test_the_environment_is_in_the_commands(shop: Drafting) -> None:
    text = shop.connections.read_text(encoding="utf-8").replace("default:", "staging:")
    shop.connections.write_text(text, encoding="utf-8")
    done = shop.run("--env", "staging", "-o", str(shop.path))
    assert f"vitrina run {shop.path} --env staging" in done.stderr
    assert f"vitrina run {shop.path} --env staging" in shop.path.read_text(encoding="utf-8")


def test_nothing_is_written_to_the_databases(shop: Drafting, source: SourceDatabase, target: TargetDatabase) -> None:
    before = source.rows("SELECT count(*) FROM pg_class")
    shop.to(target)()
    assert source.rows("SELECT count(*) FROM pg_class") == before
    assert target.rows("SHOW TABLES") == []

"""A draft of a database with every trap: it validates, runs as it is, and the copies are exact."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from framework.databases.postgres.source import PostgresSource
from framework.draft.draft import Request, draft
from framework.draft.names import pipeline
from framework.errors import UsageError
from framework.spec.load import load_spec
from framework.spec.models import Spec
from tests.draft.compare import compare
from tests.draft.conftest import Drafting
from tests.services.databases import SourceDatabase, TargetDatabase


def spec_of(drafting: Drafting) -> Spec:
    spec = load_spec(drafting.path).spec
    assert spec is not None
    return spec


def told(text: str, begins: str = "") -> str:
    """What the comments of a draft say, or those that begin so, in one line."""
    lines = re.sub(r"\n *#   +", " ", text).splitlines()
    return "\n".join(line.strip() for line in lines if line.lstrip().startswith(f"# {begins}"))


def test_it_validates_runs_and_is_exact(nasty: Drafting, source: SourceDatabase, target: TargetDatabase) -> None:
    nasty.to(target)()
    nasty.validate()
    nasty.command("run", str(nasty.path))
    assert compare(spec_of(nasty), source, target) > 500
    said = nasty.command("doctor", str(nasty.path)).stdout
    assert not re.findall(r" (?:error|warning) +.*|.*drift.*", said)


def test_the_same_database_gives_the_same_text(nasty: Drafting) -> None:
    assert nasty() == nasty()
    assert nasty.run().stdout == nasty.run().stdout


def test_with_its_cursors_it_runs_too(nasty: Drafting, source: SourceDatabase, target: TargetDatabase) -> None:
    text = nasty.to(target)()
    assert "the trigger customers_touch speaks of it" in told(text)
    assert 'CREATE INDEX CONCURRENTLY ON "public"."orders" ("modified")' in told(text)
    nasty.edit(lambda text: re.sub(r"^( +)# (mode: incremental|cursor: .*)$", r"\1\2", text, flags=re.MULTILINE))
    nasty.command("validate", str(nasty.path))
    assert {name for name, one in spec_of(nasty).replicate.items() if one.cursor} == {
        "public_customers",
        "public_orders",
    }
    nasty.command("run", str(nasty.path))
    source.execute("UPDATE customers SET email = 'new@example.com' WHERE id = 3")
    source.execute("DELETE FROM links WHERE a = 1")
    nasty.command("run", str(nasty.path))
    compare(spec_of(nasty), source, target)


def test_what_it_says(nasty: Drafting) -> None:
    text = nasty()
    notes = told(text, "note: ")
    for said in (
        "MySQL has no date for 2 values: copied as PostgreSQL's text, exactly. Or: null, clamp, reject",
        "MySQL has no numeric for 1 value: copied as PostgreSQL's text, exactly. Or: clamp, reject",
        "MySQL cannot hold the name 'emoji 😀'",
        "another table has the name 'orders'",
        "(slug) is unique in PostgreSQL and a plain index here: the longest value of slug has 900 characters",
        "its primary key (code) is no key of the copy: the longest value of code has 1,000 characters",
        "twice is a numeric and becomes DECIMAL(65,30)",
        "customers_lower_idx btree (lower((email)::text))",
        "customers_to_tsvector_idx gin",
        "tables that are filled cannot refer to each other in a circle",
        "public.orders is declared under this name",
    ):
        assert said in notes
    behind = told(text, "stays in PostgreSQL: ")
    for said in (
        "the numbering of id",
        "twice is computed (((total)::numeric * (2)::numeric)) and copied as a value",
        "the default of modified (now())",
        "check order_items_quantity_check (((quantity >= 1) AND (quantity <= 9)))",
        "trigger customers_touch",
        "foreign key (x, y) REFERENCES order_items(order_id, line_no)",
        "exclusion orders_id_excl",
    ):
        assert said in behind
    assert "public.moods (materialized view), public.paying (view)" in told(text, "left out, since nobody asked")
    assert "left out: public.nothing: it has no columns" in told(text)
    assert "left out: public.guarded: a policy hides rows from the role" in told(text)


def test_every_reader_of_yaml_takes_it_for_the_same(nasty: Drafting) -> None:
    nasty()
    spec, read = spec_of(nasty), yaml.safe_load(nasty.path.read_text(encoding="utf-8"))
    assert set(read["replicate"]) == set(spec.replicate)
    assert set(read["entities"]) == set(spec.entities)
    for name, entity in spec.entities.items():
        columns: dict[str, Any] = read["entities"][name]["columns"]
        assert list(columns) == list(entity.columns)
        assert [column["type"] for column in columns.values()] == [column.type for column in entity.columns.values()]


def test_shapes(nasty: Drafting) -> None:
    nasty()
    spec = spec_of(nasty)
    assert {"events", "animals", "dogs", "quick"} <= spec.replicate.keys()
    assert not spec.replicate.keys() & {"events_2024", "events_2024_rest", "events_rest", "nothing", "paying", "moods"}
    assert [name for name, one in spec.replicate.items() if not one.children] == ["animals"]
    assert spec.replicate["other_key"].key == ("n",)
    assert spec.replicate["odd_keys"].unique == (("a",), ("d",), ("f",), ("j",))
    assert spec.replicate["long_unique"].indexes == (("slug",), ("body",), ("raw", "body"))
    assert {(one.from_, one.schema_) for one in spec.replicate.values() if one.from_ == "orders"} == {
        ("orders", "public"),
        ("orders", "sales"),
    }
    assert spec.entities["customers"].description.endswith("${HOME} too")
    assert spec.entities["customers"].columns["email"].description == "yes"
    assert spec.entities["order_items"].columns["price"].type == "numeric(12,2)"
    assert spec.entities["every_type"].columns["af"].type == 'composite sales."Place"[]'


def test_nothing_of_the_data_and_no_secret(nasty: Drafting, source: SourceDatabase) -> None:
    source.execute("CREATE TABLE people (id int PRIMARY KEY, status text NOT NULL, born date)")
    source.execute("INSERT INTO people SELECT i, 'zanzibar', 'infinity' FROM generate_series(1, 99) AS i")
    source.execute("ANALYZE people")
    text = nasty()
    assert "hunter22" not in text
    assert "zanzibar" not in text
    assert "p1@example.com" not in text
    password = source.url.split("@")[0].rpartition(":")[2]
    assert password not in text


def test_without_a_look_at_the_data(nasty: Drafting) -> None:
    text = nasty("--no-scan")
    nasty.validate()
    assert "Nobody looked at the data" in told(text)
    assert "out_of_range: text" not in text
    assert "nobody looked how long the values of slug are" in told(text, "note: ")
    assert spec_of(nasty).replicate["long_unique"].unique == ()


LIMITS = """
CREATE TABLE numbers (id int PRIMARY KEY, {numbers});
CREATE TABLE key_of_17 ({key}, PRIMARY KEY ({key_columns}));
CREATE TABLE many (id int PRIMARY KEY, {many});
CREATE TABLE uniq (
    id int PRIMARY KEY, a text, b text, c varchar(400), d bytea, UNIQUE (a, b, c), UNIQUE (d), UNIQUE (a, d));
INSERT INTO uniq VALUES (1, repeat('x', 250), repeat('y', 250), 'z', '\\x00');
CREATE TABLE texts (a text, b text, PRIMARY KEY (a, b));
INSERT INTO texts VALUES (repeat('x', 300), repeat('y', 500));
CREATE MATERIALIZED VIEW empty AS SELECT 1 AS one WITH NO DATA;
"""


def test_limits_of_mysql(drafting: Drafting, source: SourceDatabase, target: TargetDatabase) -> None:
    names = [f"c{number}" for number in range(1100)]
    source.execute(
        LIMITS.format(
            numbers=", ".join(f"{name} int" for name in names),
            key=", ".join(f"{name} int" for name in names[:17]),
            key_columns=", ".join(names[:17]),
            many=", ".join(f"{name} int" for name in names[:70]),
        )
    )
    for name in names[:70]:
        source.execute(f"CREATE INDEX ON many ({name})")
    source.execute(f"CREATE INDEX ON many ({', '.join(names[:17])})")
    text = drafting.to(target)("--views")
    drafting.validate()
    assert "left out: public.numbers: a table of MySQL has at most 1,017 columns" in told(text)
    assert "left out: public.key_of_17: an index of MySQL has at most 16 columns" in told(text)
    assert "left out: public.empty: it holds nothing yet" in told(text)
    assert "MySQL takes 16 columns, these are 17" in told(text, "note: ")
    assert "the longest value of b has 500 characters, and MySQL has room for 384" in told(text, "note: ")
    spec = spec_of(drafting)
    assert spec.replicate["uniq"].unique == (("a", "b", "c"), ("a", "d"), ("d",))
    assert len(spec.replicate["many"].indexes) == 63
    said = drafting.command("run", str(drafting.path), code=1).stdout
    assert [line.split()[0] for line in said.splitlines() if " failed " in line] == ["replicate:texts"]
    source.execute("UPDATE texts SET b = 'short'")
    drafting.command("run", str(drafting.path))
    compare(spec, source, target)


EXTENSIONS = """
CREATE TABLE e (name ext.citext PRIMARY KEY, h ext.hstore, p ltree, q ext.query_int, l lo, cs ext.citext[]);
CREATE INDEX ON e USING gist (p);
INSERT INTO e VALUES ('Aa', 'a=>1,b=>NULL', 'Top.Child', '1&(2|3)', 5, '{x,Y}');
"""


def test_types_of_extensions(drafting: Drafting, source: SourceDatabase, target: TargetDatabase) -> None:
    source.admin(
        *("CREATE SCHEMA ext", "GRANT USAGE ON SCHEMA ext TO PUBLIC", "CREATE EXTENSION ltree", "CREATE EXTENSION lo"),
        *(f"CREATE EXTENSION {name} SCHEMA ext" for name in ("citext", "hstore", "intarray", "pg_stat_statements")),
    )
    source.execute(EXTENSIONS)
    text = drafting.to(target)()
    drafting.validate()
    assert "a type of the extension intarray that has no home in MySQL" in told(text, "note: ")
    assert set(spec_of(drafting).replicate) == {"e"}
    drafting.command("run", str(drafting.path))
    assert target.rows("SELECT name, h, p, q, l, cs FROM e") == [
        ("Aa", '{"a": "1", "b": null}', "Top.Child", "1 & ( 2 | 3 )", 5, '["x","Y"]')
    ]
    assert "drift" not in drafting.command("doctor", str(drafting.path)).stdout


def test_what_is_too_large_is_left_out(source: SourceDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fake data go first, then what declares the tables; what is left still runs."""
    for number in range(30):
        source.execute(f"CREATE TABLE t{number} (id int PRIMARY KEY, email text, city text, price numeric(9,2))")
    opened = PostgresSource("pg", source.url)
    request = Request("pg", "my", "shop.yaml", "here", pipeline)
    texts = []
    for limit in (100_000, 9_000, 3_000):
        monkeypatch.setattr("framework.draft.judge.MAX_BYTES", limit)
        texts.append(draft(opened, request, lambda done, total: None).text)
        assert len(texts[-1]) <= limit
    monkeypatch.setattr("framework.draft.judge.MAX_BYTES", 500)
    with pytest.raises(UsageError, match="30 tables"):
        draft(opened, request, lambda done, total: None)
    opened.close()
    assert ["# fake: " in text for text in texts] == [True, False, False]
    assert ["entities:" in text for text in texts] == [True, True, False]
    assert [text.count("  t7:") for text in texts] == [2, 2, 1]
    assert "too many to be declared here" in told(texts[2])

"""The proposals of fake data: once the marks of comments are taken away, they validate and fill the same tables."""

from __future__ import annotations

import itertools
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from framework.draft.checks import Allowed, allowed
from framework.draft.fakes import Subject, propose
from framework.draft.survey import ConstraintSeen
from framework.draft.text import flow
from framework.spec.load import parse_spec
from framework.types import parse_type
from framework.validation.check import check
from framework.validation.rules import RULES
from tests.command import ROOT
from tests.draft.conftest import HERE, Drafting, with_fakes
from tests.services.databases import SourceDatabase, TargetDatabase


def test_a_schema_is_filled_in_a_test_database(
    new_source: Callable[..., SourceDatabase], target: TargetDatabase, tmp_path: Path
) -> None:
    production, test = new_source(), new_source()
    production.execute((HERE / "nasty.sql").read_text(encoding="utf-8"))
    production.execute((HERE / "nasty_data.sql").read_text(encoding="utf-8"))
    test.execute((HERE / "nasty.sql").read_text(encoding="utf-8"))
    (tmp_path / "production").mkdir()
    draft = Drafting(tmp_path / "production", production.url, target.url)()
    drafting = Drafting(tmp_path, test.url, target.url)
    # The one column that PostgreSQL computes, as the draft says.
    text = re.sub(r"^ +# computed by PostgreSQL: .*\n.*\n", "", with_fakes(draft), flags=re.MULTILINE)
    drafting.path.write_text(text, encoding="utf-8")
    drafting.validate()
    drafting.command("run", str(drafting.path))
    assert test.rows("SELECT count(*), count(DISTINCT email), count(DISTINCT feeling) FROM customers") == [
        (1000, 1000, 5)
    ]
    assert test.rows("SELECT count(*) FROM order_items") == [(1000,)]
    assert test.rows("SELECT count(*) FROM every_type WHERE h IS NULL") == [(1000,)]
    assert target.rows("SELECT COUNT(*) FROM order_items") == [(1000,)]


TYPES = (
    *("smallint", "integer", "bigint", "numeric", "numeric(1,0)", "numeric(4,2)", "numeric(3,3)", "numeric(3,5)"),
    *("numeric(4,-2)", "numeric(38,10)", "real", "double precision", "text", "varchar(1)", "varchar(2)", "varchar(5)"),
    *("varchar(12)", "varchar(36)", "varchar(60)", "varchar(255)", "char(2)", "char(3)", "char(40)", "date", "time"),
    *("timestamp", "timestamptz", "boolean", "uuid", "json", "jsonb", "bytea", "integer[]", "text[]", "varchar(2)[]"),
    *("numeric(2,1)[]", "timestamptz[]", "boolean[]", "uuid[]", "time[]", '"char"', "name", "citext"),
    *("inet", "interval", "money", "xml", "jsonb[]", "enum mood", "enum mood[]", "hstore", "composite place"),
)
NAMES = (
    *("id", "email", "first_name", "LastName", "name", "userName", "phone", "country", "city", "address", "zip", "url"),
    *(
        "status",
        "gender",
        "price",
        "total_amount",
        "quantity",
        "year",
        "age",
        "lat",
        "birth_date",
        "created_at",
        "note",
    ),
    *("updated_at", "company", "uuid", "token", "ip_address", "is_active", "title", "имя", "x", "currency", "iban"),
    *("isbn", "language", "color", "mac", "slug", "job", "password_hash", "file_name", "percent", "version", "stock"),
)


@pytest.mark.parametrize("unique", [False, True])
@pytest.mark.parametrize("table", ["customers", "companies", "things"])
def test_proposals_fit_every_type_under_every_name(table: str, *, unique: bool) -> None:
    """All of them in one spec, which is right."""
    lines = ["version: 1", "pipeline: p", "source: a", "target: b", "entities:"]
    for number, (type_name, name) in enumerate(itertools.product(TYPES, NAMES)):
        type_ = parse_type(type_name)
        assert type_ is not None
        labels = ("a", "b") if type_name == "enum mood" else ()
        found = propose(Subject(table, name, type_, labels=labels, unique=unique))
        if found is None or found.distinct == 0:
            continue
        rows = 1000 if found.distinct is None or not unique else min(found.distinct, 1000)
        settings = {"type": type_name, "unique": unique}
        rule = f"{flow(settings)[:-1]}, fake: {flow(found.rule)}}}"
        lines += [f"  t{number}:", f"    rows: {rows}", "    columns:", f'      "{name}": {rule}']
    loaded = parse_spec("\n".join(lines), Path("spec.yaml"), {})
    assert loaded.problems == ()
    assert [problem for problem in check(loaded, RULES) if problem.severity.rank < 2] == []


CHECKS = [
    ("CHECK ((s = ANY (ARRAY['new'::text, 'it''s, ok'::text])))", Allowed(("new", "it's, ok"))),
    (
        "CHECK (((s)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[])))",
        Allowed(("a", "b")),
    ),
    ("CHECK ((s = ANY (ARRAY[1, 2, '-3'::integer])))", Allowed(("1", "2", "-3"))),
    ("CHECK ((s > 0))", Allowed(low=0, above=True)),
    ("CHECK (((s >= (0)::numeric) AND (s < (1000)::numeric)))", Allowed(low=0, high=1000, below=True)),
    ("CHECK ((s >= ('-1.5'::numeric)::double precision))", Allowed(low=-1.5)),
    ("CHECK (((s = ANY (ARRAY['f'::bpchar, 'm'::bpchar])) OR (s IS NULL)))", Allowed(("f", "m"))),
    ("CHECK ((s = 'z'::text)) NOT VALID", Allowed(("z",))),
    ("CHECK ((upper(s) = 'X'::text))", Allowed()),
    ("CHECK (((s = 'a'::text) OR (s = 'b'::text)))", Allowed()),
    ("CHECK ((NOT (s = 3)))", Allowed()),
    ("CHECK ((s ~ '^x AND y'::text))", Allowed()),
]


@pytest.mark.parametrize(("definition", "expected"), CHECKS)
def test_what_checks_allow(definition: str, expected: Allowed) -> None:
    constraint = ConstraintSeen("c", "c", definition, " ", ("s",), None, None, ())
    assert allowed([constraint], "s") == expected


def test_numbers_stay_within_their_checks(drafting: Drafting, source: SourceDatabase) -> None:
    source.execute(
        "CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL CHECK (a BETWEEN 3 AND 5), "
        "b numeric(6,2) CHECK (b > 0.5), "
        "c int CHECK (c < 0), d numeric CHECK (d > 0 AND d < 1), e smallint CHECK (e IN (1, 2)), "
        "f float8 CHECK (f >= -1.5))"
    )
    text = with_fakes(drafting())
    drafting.path.write_text(text, encoding="utf-8")
    drafting.validate()
    drafting.command("generate", str(drafting.path))
    assert source.rows("SELECT count(*), min(a), max(a) FROM t") == [(1000, 3, 5)]


def test_a_table_without_a_way_to_be_filled_says_why(drafting: Drafting, source: SourceDatabase) -> None:
    source.execute("CREATE TABLE a (x inet NOT NULL, y inet)")
    source.execute("CREATE TABLE b (x bool PRIMARY KEY)")
    text = drafting()
    assert "# no `rows:` can be proposed: no rule makes values of x (inet)" in text
    assert "# rows: 2\n" in text


def test_rows_follow_those_of_the_parents(drafting: Drafting, source: SourceDatabase) -> None:
    source.execute("CREATE TABLE parents (id char(1) PRIMARY KEY)")
    source.execute("CREATE TABLE single (id char(1) PRIMARY KEY REFERENCES parents, n int)")
    source.execute("CREATE TABLE many (id int PRIMARY KEY, parent char(1) NOT NULL REFERENCES parents)")
    drafting.path.write_text(text := with_fakes(drafting()), encoding="utf-8")
    assert sorted(re.findall(r"rows: \d+", text)) == ["rows: 10", "rows: 10", "rows: 1000"]
    drafting.validate()
    drafting.command("generate", str(drafting.path))


def test_the_documented_command_takes_all_proposals_up(nasty: Drafting) -> None:
    command = re.search(r"sed -E '([^']+)' shop.yaml", (ROOT / "docs" / "draft.md").read_text(encoding="utf-8"))
    assert command is not None
    text = nasty()
    done = subprocess.run(["sed", "-E", command[1]], input=text, capture_output=True, text=True, check=True)
    assert done.stdout == with_fakes(text)
    nasty.path.write_text(done.stdout, encoding="utf-8")
    nasty.validate()

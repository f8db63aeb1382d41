"""Defaults and comments of the source's columns, in the copy."""

from __future__ import annotations

import pytest

from framework.databases.mysql import comments
from framework.databases.mysql.defaults import default_of
from framework.types import parse_type
from tests.replicate.conftest import Copying


@pytest.mark.parametrize(
    ("expression", "type_name", "expected"),
    [
        (None, "integer", None),
        ("5", "integer", "5"),
        ("'-5'::integer", "integer", "-5"),
        ("(-5)", "integer", "-5"),
        ("1.50", "numeric(5,2)", "1.50"),
        ("'NaN'::numeric", "numeric", None),
        ("nextval('t_id_seq'::regclass)", "integer", None),
        ("'-0.0'::double precision", "double precision", "-0.0e0"),
        ("true", "boolean", "1"),
        ("false", "boolean", "0"),
        ("'new'::character varying", "varchar(10)", "'new'"),
        ("'it''s'::text", "text", "'it''s'"),
        ("'back\\slash'::text", "text", None),
        ("E'a\\nb'::text", "text", None),
        ("'a'::bpchar", "char(3)", "'a  '"),
        ("'{}'::jsonb", "jsonb", "'{}'"),
        ("'{}'::integer[]", "integer[]", None),
        ("now()", "timestamptz", "UTC_TIMESTAMP(6)"),
        ("CURRENT_TIMESTAMP", "timestamptz", "UTC_TIMESTAMP(6)"),
        ("now()", "timestamp", None),
        ("'2020-01-01'::date", "date", "'2020-01-01'"),
        ("'infinity'::date", "date", None),
        ("upper('x'::text)", "text", None),
        ("('a'::text || 'b'::text)", "text", None),
        ("''''''::bpchar", "char(5)", "'''''   '"),
        (f"'{'x' * 2000}'::text", "text", None),
        ("'1e40'::numeric", "numeric", None),
        (f"'1{'0' * 40}'::numeric", "numeric", None),
        ("12345.6", "numeric(5,-64)", None),
        ("'(1,2)'::place", "composite place", None),
        ("gen_random_uuid()", "uuid", None),
    ],
)
def test_defaults_that_say_the_same(expression: str | None, type_name: str, expected: str | None):
    type_ = parse_type(type_name)
    assert type_ is not None
    assert default_of(expression, type_) == expected


def test_a_row_that_somebody_else_inserts_has_the_defaults(copying: Copying):
    copying.source.execute(
        "CREATE TABLE t (id int PRIMARY KEY, i int DEFAULT -7, n numeric(5,2) DEFAULT 1.50, b boolean DEFAULT true, "
        "v varchar(9) DEFAULT 'it''s', x text DEFAULT 'long', c char(3) DEFAULT 'a', j jsonb DEFAULT '{\"a\": 1}', "
        "d date DEFAULT '2020-02-29', at timestamptz DEFAULT now())"
    )
    copying(mode="full")
    copying.target.execute("INSERT INTO `copy` (id) VALUES (1)")
    found = copying.rows("i, n, b, v, x, c, j, d, ABS(TIMESTAMPDIFF(SECOND, at, UTC_TIMESTAMP(6))) < 5")[0]
    assert [str(value) for value in found] == ["-7", "1.50", "1", "it's", "long", "a  ", '{"a": 1}', "2020-02-29", "1"]


def test_comments_go_along_and_the_marker_stays_known(copying: Copying):
    copying.source.execute("CREATE TABLE t (id int PRIMARY KEY, v int, updated_at timestamptz DEFAULT now())")
    copying.source.execute("COMMENT ON TABLE t IS 'What people''s\norders say 😀'")
    copying.source.execute(f"COMMENT ON COLUMN t.v IS '{'long ' * 400}'")
    copying.source.execute("INSERT INTO t VALUES (1, 1)")
    copying()
    copying.source.execute("UPDATE t SET v = 2, updated_at = now()")
    assert copying().rows_written == 1
    (table,) = copying.target.rows("SELECT TABLE_COMMENT FROM information_schema.TABLES WHERE TABLE_NAME = 'copy'")
    assert table[0].startswith("What people's\norders say \N{REPLACEMENT CHARACTER}\nvitrina:")
    (column,) = copying.target.rows("SELECT COLUMN_COMMENT FROM information_schema.COLUMNS WHERE COLUMN_NAME = 'v'")
    assert column[0].startswith("long long")
    assert column[0].endswith("…")


def test_a_comment_of_any_length_leaves_room_for_the_marker():
    marked = comments.marked("x" * 5000, "vitrina:1.ab of t")
    assert len(marked) == comments.TABLE
    assert comments.marker_of(marked) == "vitrina:1.ab of t"
    assert comments.marker_of("vitrina:1.ab of t") == "vitrina:1.ab of t"

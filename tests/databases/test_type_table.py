"""The table of types is total, and its page is what the adapters do."""

from __future__ import annotations

from pathlib import Path

from framework.databases.mysql.dialect import MySQLDialect
from framework.databases.postgres.catalog import describe
from framework.databases.postgres.source import PostgresSource
from framework.databases.type_table import page
from framework.types import Kind, parse_type, type_names
from tests.services.databases import SourceDatabase

PAGE = Path(__file__).parents[2] / "docs" / "types.md"

# Types of PostgreSQL's own bookkeeping, whose input functions refuse everything. They are refused by name.
WITHOUT_VALUES = {
    "pg_node_tree",
    "pg_ndistinct",
    "pg_dependencies",
    "pg_mcv_list",
    "pg_brin_bloom_summary",
    "pg_brin_minmax_multi_summary",
}
BUILT_IN = """
SELECT t.typname::text, format_type(t.oid, NULL) FROM pg_type t LEFT JOIN pg_type e ON e.oid = t.typelem
WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typtype IN ('b', 'r', 'm')
AND coalesce(e.typtype, 'b') IN ('b', 'r', 'm')
"""


def test_the_page_is_up_to_date():
    assert page() == PAGE.read_text(encoding="utf-8")


def test_every_name_has_a_form():
    for name in type_names():
        type_ = parse_type(name)
        assert type_ is not None, name
        assert MySQLDialect().column_type(type_, indexed=False) is not None, name
        assert MySQLDialect().column_type(type_, indexed=True) is not None, name


def test_every_built_in_type_has_a_form(source: SourceDatabase):
    """Each as a column of a table, and an array of each, as the catalog tells them."""
    opened = PostgresSource("pg", source.url)
    with opened.session() as session:
        names = {
            own: shown
            for own, shown in session.query(BUILT_IN)
            if own.strip("_") not in WITHOUT_VALUES and own != "any"
        }
        columns = ", ".join(f'"{own}" {shown}' for own, shown in names.items())
        session.execute(f"CREATE TABLE everything ({columns})")
        table = describe(session, "public", "everything")
    opened.close()
    assert table is not None
    assert len(table.columns) > 120
    assert [column.name for column in table.columns if column.type.kind is Kind.UNKNOWN] == []
    arrays = [column for column in table.columns if column.name.startswith("_")]
    assert {column.type.kind for column in arrays} == {Kind.ARRAY}

"""What a source's catalog says of its tables, asked without the engine: which form each column arrives in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.fidelity.conftest import Place
from tests.fidelity.reading import Source, strangers
from tests.services.databases import SourceDatabase

HERE = Path(__file__).parent
SCHEMAS = ("library", "company")

# Types that are their own form, below the domains they are made of; all others arrive as texts.
FORMS = {
    "bool": "boolean", "int2": "integer", "int4": "integer", "int8": "integer", "oid": "integer", "numeric": "decimal",
    "float4": "float", "float8": "float", "money": "money", "bytea": "bytes", "date": "date", "time": "time",
    "timestamp": "moment", "timestamptz": "moment", "hstore": "dictionary",
}  # fmt: skip

COLUMNS = """
WITH RECURSIVE below AS (
    SELECT oid AS of, oid, typname, typtype, typcategory, typbasetype FROM pg_type
    UNION ALL
    SELECT below.of, t.oid, t.typname, t.typtype, t.typcategory, t.typbasetype
    FROM pg_type t JOIN below ON t.oid = below.typbasetype
)
SELECT n.nspname::text, c.relname::text, c.relkind::text, a.attname::text,
       CASE WHEN t.typtype = 'c' THEN 'composite' WHEN t.typcategory = 'A' AND t.typname ~ '^_' THEN 'array'
            ELSE t.typname::text END
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN below t ON t.of = a.atttypid AND t.typbasetype = 0
WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY n.nspname, c.relname, a.attnum
"""


@dataclass
class Relation:
    """A table or a view of the source.

    Attributes:
        kind: pg_class.relkind.
        forms: of the columns, in their order.
    """

    schema: str
    name: str
    kind: str
    forms: dict[str, str]

    @property
    def qualified(self) -> str:
        return f"{quoted(self.schema)}.{quoted(self.name)}"


def build(database: SourceDatabase, name: str) -> None:
    """Make one of the schemas, with its rows."""
    database.execute((HERE / f"{name}.sql").read_text(encoding="utf-8"))


def relations(database: SourceDatabase) -> list[Relation]:
    """Every table and view of the database."""
    found: dict[tuple[str, str], Relation] = {}
    for schema, name, kind, column, type_ in database.rows(COLUMNS):
        relation = found.setdefault((schema, name), Relation(schema, name, kind, {}))
        if column is not None:
            relation.forms[column] = FORMS.get(type_, type_ if type_ in ("array", "composite") else "text")
    return list(found.values())


def differences(source: Source, place: Place, relation: Relation, table: str, *, only: bool = False) -> list[str]:
    """Where ``table`` is not the relation. Columns are told by their order: names may have changed on their way."""
    names = [name for name in place.reader.columns(table) if name != "_deleted_at" or name in relation.forms]
    forms = [place.form(form) for form in relation.forms.values()]
    if len(names) != len(forms):
        return [f"{relation.qualified} has {len(forms)} columns, its copy {len(names)}"]
    own = dict(zip(map(quoted, relation.forms), forms, strict=True))
    origin = f"ONLY {relation.qualified}" if only else relation.qualified
    sent = source.read(origin, [], own)
    return strangers(sent, place.reader.read(table, [], dict(zip(names, forms, strict=True))))


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

"""Success is never reported over a table that differs: every hard value in every type that PostgreSQL lets have it.

Nothing is known here of what fits. A copy is exact, or it is refused; with a policy, it is exact but for the values
that were counted.
"""

from __future__ import annotations

import pytest

from tests.fidelity.conftest import Origin, Place
from tests.fidelity.values import CASES, Case

TYPES = (
    "boolean", "smallint", "integer", "bigint", "oid", "xid8", "numeric", "numeric(12,2)", "numeric(65,30)",
    "numeric(3,5)",
    "numeric(4,-2)", "numeric(1000,0)", "numeric(50,40)", "real", "double precision", "money", "text", "varchar(10)",
    "char(10)", "name", '"char"', "bytea", "uuid", "xml", "date", "time", "timetz", "timestamp", "timestamp(3)",
    "timestamptz", "interval", "json", "jsonb", "inet", "macaddr8", "varbit", "point", "integer[]", "text[]", "json[]",
    "numeric[]", "int4range", "numrange", "tstzrange", "tsvector", "pg_lsn", "price", "citext", "hstore", "holder",
)  # fmt: skip

# Whatever a value of a type looks like, as texts that others may be read from.
POOL = """
CREATE TABLE pool (v text);
CREATE FUNCTION pour(type text, value text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN EXECUTE format('INSERT INTO pool SELECT format(''%%s'', (%s)::%s)', value, type); END $$;
CREATE FUNCTION try_all(into_table text, type text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE candidate text;
BEGIN
    FOR candidate IN SELECT DISTINCT v FROM pool WHERE length(v) < 1000 ORDER BY v LOOP
        BEGIN
            EXECUTE format('INSERT INTO %I (v) VALUES (%L::text::%s)', into_table, candidate, type);
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
    END LOOP;
END $$
"""


@pytest.fixture(scope="session")
def pool(origin: Origin) -> dict[str, str]:
    """By type, a table of every value of the pool that it takes."""
    origin.database.execute(POOL)
    for case in CASES:
        if not origin.lacks(case):
            for value in (*case.fits, *(outside.sql for outside in case.outside)):
                origin.database.execute("SELECT pour(%s, %s)", case.type, value)
    tables = {}
    for number, case in enumerate(CASES):
        if case.type in TYPES and not origin.lacks(case):
            name = tables[case.type] = f"taken_{number}"
            origin.database.execute(
                f"CREATE TABLE {name} (id serial PRIMARY KEY, v {case.type}, updated_at timestamptz DEFAULT now())"
            )
            origin.database.execute("SELECT try_all(%s, %s)", name, case.type)
    return tables


@pytest.mark.parametrize("type_", TYPES)
def test_exact_or_refused(origin: Origin, place: Place, pool: dict[str, str], type_: str) -> None:
    if type_ not in pool:
        pytest.skip(f"the server has no {type_}")
    table, case = pool[type_], _case(type_)
    if (refused := place.refusal(origin, table)) is None:
        assert place.differences(origin, table, {"v": case.form}) == []
    else:
        assert refused.columns == ("v",)
        _accounted(origin, place, table, case)


def _accounted(origin: Origin, place: Place, table: str, case: Case) -> None:
    """Every value is exact, or NULL and counted; as texts, all are exact."""
    rule = {"from": "v", "out_of_range": "null"}
    stats = place.copy(origin, table, lane=1, full=True, columns={"v": rule})
    forms = {"v": place.form(case.form)}
    arrived = place.reader.read(table, ["id"], forms)
    nulls = ", ".join(key[0] for key, row in arrived.items() if row == (None,))
    assert place.differences(origin, table, {"v": case.form}, v=f"CASE WHEN id NOT IN ({nulls}) THEN v END") == []
    lost = origin.database.rows(f"SELECT count(v) FROM {table} WHERE id IN ({nulls})")[0][0]
    assert [warning.split()[0] for warning in stats.warnings] == [str(lost)]
    place.copy(origin, table, full=True, columns={"v": rule | {"out_of_range": "text"}})
    assert place.differences(origin, table, {"v": "text"}) == []


def _case(type_: str) -> Case:
    return next(case for case in CASES if case.type == type_)

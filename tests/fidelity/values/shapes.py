"""Types made of others: arrays, enums, domains, composites, ranges."""

from __future__ import annotations

from tests.fidelity.values.case import Case, quoted
from tests.fidelity.values.texts import HARD_TEXTS

_SHORT = [text for text in HARD_TEXTS if len(text) < 100]


def _array(*texts: str) -> str:
    return f"ARRAY[{', '.join(quoted(*texts))}]"


ARRAYS = (
    Case("integer[]", "array", quoted(
        "{}", "{NULL}", "{1,NULL,-2147483648}", "{{1,2},{3,NULL}}", "{{{1},{2}},{{3},{4}}}", "[0:1]={1,2}",
        "[-5:-4][3:3]={{1},{2}}", "[2:2]={NULL}", "{{{{{{1}}}}}}",
    )),
    Case("text[]", "array", (
        _array(*_SHORT), f"ARRAY[{_array(*_SHORT)}, {_array(*_SHORT)}]", f"ARRAY[NULL, {quoted('NULL')[0]}, '']",
        *quoted("{}", "[0:0]={a}", '[5:6]={"\\"",NULL}'), "ARRAY[repeat('x', 70000)]",
    )),
    Case("text[3][3]", "array", quoted("{a}", "{{a,b},{c,d}}")),
    Case("numeric[]", "array", quoted("{1.10,NaN,1e-40,12345678901234567890.1234567890,Infinity}"), since=14),
    Case("double precision[]", "array", quoted("{0.1,-0.0,5e-324,NaN,Infinity,1.7976931348623157e308}")),
    Case("boolean[]", "array", quoted("{t,f,NULL}")),
    Case("char(3)[]", "array", quoted("{a,abc,NULL}")),
    Case("bytea[]", "array", (r"ARRAY['\x', '\x00ff5c22', NULL]::bytea[]",)),
    Case("date[]", "array", quoted('{2024-02-29,infinity,"0044-03-15 BC",10000-01-01}')),
    Case("timestamptz[]", "array", quoted('{"2024-07-01 00:00:00+03","infinity",NULL}')),
    Case("interval[]", "array", quoted('{"1 mon -1 day",NULL}')),
    Case("jsonb[]", "array", (r"""ARRAY['{"a": 1.10}', '"é"', '12345678901234567890', 'null']::jsonb[]""",)),
    Case("uuid[]", "array", quoted("{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}")),
    Case("point[]", "array", quoted('{"(1,2)",NULL}')),
    Case("box[]", "array", quoted("{(1,1),(0,0);(2,2),(1,1)}")),
    Case("int4range[]", "array", quoted('{"[1,5)",empty,NULL}')),
)  # fmt: skip

LABELS = ("a", "A", "á", "a ", "it's", '"', "\\N", "NULL", "漢字 😀", "x" * 63, " ", "a,b", "new\nline")

ENUMS = (
    Case(
        '"Mood: ""good"""',
        "text",
        quoted(*LABELS),
        setup=(f'CREATE TYPE "Mood: ""good""" AS ENUM ({", ".join(quoted(*LABELS))})',),
    ),
    Case(
        '"Other schema".mood',
        "text",
        quoted("sad", "ok"),
        setup=('CREATE SCHEMA "Other schema"', "CREATE TYPE \"Other schema\".mood AS ENUM ('sad', 'ok')"),
    ),
    Case('"Mood: ""good"""[]', "array", (_array(*LABELS) + '::"Mood: ""good"""[]', *quoted("{}", "{NULL}"))),
)

DOMAINS = (
    Case("positive", "integer", quoted("1", "2147483647"), setup=("CREATE DOMAIN positive AS int CHECK (value > 0)",)),
    Case(
        "price",
        "decimal",
        quoted("0.01", "99999999.99"),
        setup=("CREATE DOMAIN amount AS numeric(10,2)", "CREATE DOMAIN price AS amount CHECK (value > 0)"),
    ),
    Case("code", "text", quoted("a", "a  b"), setup=("CREATE DOMAIN code AS char(5)",)),
    Case("moment", "moment", quoted("2024-07-01 00:00:00+03"), setup=("CREATE DOMAIN moment AS timestamptz(3)",)),
    Case("flag", "boolean", ("true", "false"), setup=("CREATE DOMAIN flag AS boolean",)),
    Case("raw", "bytes", quoted("\\x00ff"), setup=("CREATE DOMAIN raw AS bytea",)),
    Case("numbers", "array", quoted("{1,NULL}", "{}", "[0:0]={7}"), setup=("CREATE DOMAIN numbers AS int[]",)),
    Case("many_numbers", "array", quoted("{1,NULL}"), setup=("CREATE DOMAIN many_numbers AS numbers",)),
    Case("price[]", "array", quoted("{0.10,NULL}")),
    Case("feeling", "text", quoted("sad"), setup=('CREATE DOMAIN feeling AS "Other schema".mood',)),
    Case("located", "composite", quoted("(1,2)"), setup=("CREATE DOMAIN located AS place",)),
    Case("information_schema.sql_identifier", "text", quoted("a name", "x" * 63)),
    Case("information_schema.time_stamp", "moment", quoted("2024-07-01 00:00:00.12+03")),
)

COMPOSITES = (
    Case(
        "place", "composite", quoted("(1,2)", "(,)", "(-2147483648,)"), setup=("CREATE TYPE place AS (x int, y int)",)
    ),
    Case(
        "person",
        "composite",
        (
            *quoted("(,,,)", '("it""s, é","(1,2)","{1.10,NULL}",2024-02-29)', "(NULL,,{},infinity)"),
            "ROW('\\N', ROW(1, NULL), ARRAY[NULL, 12345678901234567890.10], '0044-03-15 BC')",
        ),
        setup=('CREATE TYPE person AS ("full ""name""" text, home place, "n s" numeric[], born date)',),
    ),
    Case("people", "composite", quoted("(7)"), setup=("CREATE TABLE people (n bigint)",)),
    Case(
        "holder",
        "composite",
        # What JSON takes for one: NULL and null, {1} and [0:0]={1}, a row of NULLs and no row.
        (
            *(
                "ROW(NULL, '{1}', NULL)",
                "ROW('null', '{1}', NULL)",
                "ROW('1', '[0:0]={1}', NULL)",
                "ROW('1', '{}', NULL)",
            ),
            *("ROW('1', '{1}', ROW(NULL, NULL))", "ROW(NULL, NULL, NULL)", "ROW('\"null\"', NULL, '(1,2)')"),
            *("ROW('{\"a\": null}', '{NULL}', NULL)", "ROW('\"[0:0]\"', NULL, NULL)"),
        ),
        setup=("CREATE TYPE holder AS (document json, numbers int[], home place)",),
    ),
    Case("holder[]", "array", ("ARRAY[ROW(NULL, '{1}', NULL), ROW('null', '[2:2]={1}', NULL), NULL]::holder[]",)),
    Case(
        "json[]", "array", ("ARRAY[NULL, 'null']::json[]", "ARRAY['null', NULL]::json[]", "ARRAY['[1, null]']::json[]")
    ),
    Case("place[]", "array", quoted('{"(1,2)",NULL,"(,)"}', "{}")),
    Case("empty_type", "composite", quoted("()"), setup=("CREATE TYPE empty_type AS ()",)),
)

RANGES = (
    Case("int4range", "text", quoted("empty", "(,)", "[1,10)", "[-2147483648,2147483646]", "(,5]", "[1,1]")),
    Case("int8range", "text", quoted("empty", "[-9223372036854775808,9223372036854775806]")),
    Case("numrange", "text", quoted("empty", "(1.10,1e40]", "[NaN,NaN]", "[-1e-40,)")),
    Case("daterange", "text", quoted("empty", "[2024-02-29,infinity)", "[infinity,infinity]", '["0044-03-15 BC",)')),
    Case("tsrange", "text", quoted("empty", '["2024-01-01 00:00:00.000001",infinity]', "(-infinity,10000-01-01)")),
    Case("tstzrange", "text", quoted("empty", '["2024-07-01 00:00:00+03","2024-07-01 00:00:00+02")')),
    Case(
        "texts_range",
        "text",
        quoted('["a, ""b""","c\\\\"]', '["",a)', "(,)"),
        setup=('CREATE TYPE texts_range AS RANGE (subtype = text, collation = "C")',),
    ),
)

_MANY = "(SELECT range_agg(int4range(2 * i, 2 * i + 1)) FROM generate_series(1, 9000) AS i)"

MULTIRANGES = tuple(
    Case(name, "text", values, since=14)
    for name, values in (
        ("int4multirange", (*quoted("{}", "{[1,3),[5,7)}", "{(,)}"), _MANY)),
        ("int8multirange", quoted("{}", "{[-9223372036854775808,0)}")),
        ("nummultirange", quoted("{}", "{[1.10,1.20],(1e40,)}")),
        ("datemultirange", quoted("{}", "{[2024-02-29,infinity)}")),
        ("tsmultirange", quoted("{}", '{["2024-01-01 00:00:00","2024-01-02 00:00:00")}')),
        ("tstzmultirange", quoted("{}", '{["2024-07-01 00:00:00+03",)}')),
    )
)

# Order matters: domains are made of composites and enums.
SHAPES = ARRAYS + ENUMS + COMPOSITES + DOMAINS + RANGES + MULTIRANGES

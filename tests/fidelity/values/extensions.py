"""Types of extensions that come with PostgreSQL."""

from __future__ import annotations

from tests.fidelity.values.case import Case, quoted
from tests.fidelity.values.texts import HARD_TEXTS

EXTENSIONS = (
    Case("citext", "text", quoted(*HARD_TEXTS), extension="citext"),
    Case("citext[]", "array", quoted('{a,A,"a ",NULL}'), extension="citext"),
    Case(
        "hstore",
        "dictionary",
        (
            *quoted("", "a=>1, b=>NULL", '"a b"=>"", ""=>"x"', '"\\"\\\\"=>"it\'s é 😀"', 'N=>"\\\\N"'),
            "hstore('long', repeat('é', 40000))",
        ),
        extension="hstore",
    ),
    Case("hstore[]", "array", (r"""ARRAY['a=>1', NULL, '']::hstore[]""",), extension="hstore"),
    Case("ltree", "text", (
        *quoted("", "Top.Science.Astronomy", "A.a"),
        "(SELECT string_agg(repeat('x', 200), '.')::ltree FROM generate_series(1, 400))",
    ), extension="ltree"),
    Case("lquery", "text", quoted("Top.*{1,2}.!a|b@*%"), extension="ltree"),
    Case("ltxtquery", "text", quoted("Europe & !Transportation@*"), extension="ltree"),
    Case("ltree[]", "array", quoted("{Top.Science,NULL}"), extension="ltree"),
    Case("cube", "text", quoted("(1, 2),(3, 4)", "(0.1)"), extension="cube"),
    Case("seg", "text", quoted("1.10 .. 5", "~3"), extension="seg"),
    Case("isbn", "text", quoted("978-0-11-000533-1"), extension="isn"),
    Case("ean13", "text", quoted("9770317847001"), extension="isn"),
    Case("query_int", "text", quoted("1&(2|!3)"), extension="intarray", known=False),
    Case("lo", "integer", quoted("0", "4294967295"), extension="lo"),
)  # fmt: skip

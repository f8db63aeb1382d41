"""JSON, and what is searched in texts."""

from __future__ import annotations

from tests.fidelity.values.case import Case, quoted

_JSON = (
    "null", "true", '""', "[]", "{}", "0", "-0", "-0.0", "1.10", "1e5", "1E+400", "1e-400", "12345678901234567890",
    "0.1000000000000000055511151231257827", "123456789012345678901234567890.123456789012345678901234567890",
    '"é 😀 \\u00e9 \\ud83d\\ude00 \\" \\\\ \\/ \\b\\f\\n\\r\\t"', '"\\\\N"', '"NULL"', "[null]", '{"": ""}',
    '{"b": 1, "a": 2, "aa": 3}', '[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]', '{"a": {"b": [1, {"c": null}]}}',
)  # fmt: skip
# What jsonb does not keep: order, doubled keys, white space, the digits of numbers, and characters it has no place for.
_JSON_TEXTS = (
    ' { "b" : 1.10 , "a" : 1 } ', '{"a": 1, "a": 2}', '{"a":\n\t[1 ,2]\r\n}', '"\\u0000"', '"\\ud83d"', "1.0E+2",
    '  ""  ',
)  # fmt: skip
_DEEP = "(repeat('[', 1000) || repeat(']', 1000))"
_LONG = "('[\"' || repeat('é', 40000) || '\", ' || repeat('9', 5000) || ']')"

DOCUMENTS = (
    Case("json", "text", (*quoted(*_JSON, *_JSON_TEXTS), f"{_DEEP}::json", f"{_LONG}::json")),
    Case("jsonb", "text", (*quoted(*_JSON), f"{_DEEP}::jsonb", f"{_LONG}::jsonb", "to_jsonb('1e1000'::numeric)")),
    Case("jsonpath", "text", quoted("$", '$."a"[*] ? (@.b > 1)', "strict $.x.type()", '$."é 😀".keyvalue()')),
    Case("tsvector", "text", (
        *quoted("", "a:1A fat:2B,4C cat:5D", "'it''s' '\\\\' ' '", "é:16383 😀"),
        "(SELECT array_to_tsvector(array_agg('word' || i)) FROM generate_series(1, 10000) AS i)",
    )),
    Case("tsquery", "text", (
        *quoted("", "fat & (rat | !cat)", "'it''s':*ab <3> '\\\\'", "é & 😀"),
        # As long as a row may be: PostgreSQL does not move a tsquery out of its table.
        "(SELECT string_agg('word' || i, ' & ')::tsquery FROM generate_series(1, 200) AS i)",
    )),
)  # fmt: skip

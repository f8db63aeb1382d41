"""Texts and bytes."""

from __future__ import annotations

from tests.fidelity.values.case import Case, quoted

CONTROLS = "".join(map(chr, (*range(1, 32), 127, *range(0x80, 0xA0))))
"""Every control character but NUL, which PostgreSQL has no texts with."""

HARD_TEXTS = (
    "", " ", "  ", "a", "A", "á", "a ", " a", "a\u0301", "ß", "ss", "İ", "\u0131", "ﬁ",
    "NULL", "null", "\\N", "\\n", "\\", "\\\\", "\\0", "\\Z", "N", "''", "'", '"', '""', '"""', '","', '"\n"', '",\n',
    "%s", "%%", "%(name)s", "?", ":a", "$1", "@v0", "--", "/* */", "#", ";", "{}", "[]", "NaN", "0", "-0", "1e5",
    "true",
    "\n", "\r", "\r\n", "\t", "\x0b", "\x0c", "\x1a", "a\nb", "a\r\nb", "a\n", "\na", "\\\n", '\\"', CONTROLS,
    "\ufeffbom", "\u2028\u2029\u0085", "\u200b\u200d\u2060", "\u00a0", "\ufffd\ufffe\uffff", "\U0010ffff", "\U0001f600",
    "🏳️‍🌈 漢字 \u202eright to left", "x" * 65_535, "x" * 65_536, "é" * 32_768, "😀" * 16_384,
    "\n".join(['"quoted", and more'] * 5_000),
)  # fmt: skip
"""Texts that loaders, drivers and collations are known to alter."""

EVERY_CHARACTER = (
    "(SELECT string_agg(chr(i), '' ORDER BY i) FROM generate_series(1, 65535) AS i WHERE i NOT BETWEEN 55296 AND 57343)"
)
"""Every character of the Basic Multilingual Plane."""

EVERY_BYTE = "(SELECT string_agg(set_byte('\\x00', 0, i), '' ORDER BY i) FROM generate_series(0, 255) AS i)"

_SHORT = quoted(*(text for text in HARD_TEXTS if len(text) <= 10))

TEXTS = (
    Case("text", "text", (*quoted(*HARD_TEXTS), EVERY_CHARACTER)),
    Case("varchar", "text", quoted(*HARD_TEXTS)),
    Case("varchar(10)", "text", _SHORT + quoted("😀" * 10, "x" * 10)),
    Case("varchar(16383)", "text", (*_SHORT, "repeat('😀', 16383)")),
    Case("varchar(16384)", "text", (*_SHORT, "repeat('😀', 16384)")),
    Case("varchar(10485760)", "text", (*_SHORT, "repeat('x', 70000)")),
    Case("char(10)", "text", _SHORT + quoted("x" * 10)),
    Case("char", "text", quoted("", " ", "a", "é", "😀", "\t", "\\")),
    Case("char(20000)", "text", quoted("", "a", "é" * 20_000)),
    Case("bpchar", "text", quoted(*(text for text in HARD_TEXTS if len(text) < 1_000))),
    Case("name", "text", quoted("", "a", "a ", "é" * 31, "x" * 63, '"quoted"', "'\\", "\t\n\r")),
    Case('"char"', "text", quoted("", " ", "a", "A", "\\", "'", '"', "\n", "\x01", "\x7f")),
    Case("refcursor", "text", (*quoted("", "a cursor", '"', "NULL"), "repeat('x', 70000)::refcursor")),
    Case("xml", "text", (
        *quoted("", "plain", "<a/>", "<a b='c'>é 😀 &amp; &lt;</a>", "<a/><b/>", " <a>\n</a> ", "<![CDATA[ ]]>"),
        *quoted('<?xml version="1.0" encoding="UTF-8" standalone="yes"?><a/>', "<!-- é -->"),
        "('<a>' || repeat('x', 70000) || '</a>')::xml",
    )),
    Case("bytea", "bytes", (
        *quoted("\\x", "\\x00", "\\x5c4e", "\\x4e554c4c", "\\x22", "\\x0a", "\\x0d0a", "\\x2c", "\\xfffe"),
        *quoted("\\xc3", "\\x20"), EVERY_BYTE, f"{EVERY_BYTE} || {EVERY_BYTE}",
        "decode(repeat('00', 65535), 'hex')", "decode(repeat('fa', 65537), 'hex')",
    )),
    Case("uuid", "text", quoted(
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
        "{80000000-0000-0000-0000-000000000000}",
        "7fffffff-ffff-ffff-ffff-ffffffffffff",
    )),
)  # fmt: skip

"""Numbers: integers, numerics, floats, money, and the numbers of PostgreSQL's own bookkeeping."""

from __future__ import annotations

from tests.fidelity.values.case import Case, beyond, quoted

BEFORE, AFTER, WHOLE = "9" * 35, "9" * 30, "9" * 65
LARGEST = f"{BEFORE}.{AFTER}"
"""The largest value of DECIMAL(65,30)."""

_NO_NUMBERS = (("NaN", None), ("Infinity", LARGEST), ("-Infinity", f"-{LARGEST}"))
_LARGEST_DOUBLE = "1.7976931348623157e308"
_LARGEST_REAL = "3.4028235e38"


def _no_floats(largest: str) -> tuple[tuple[str, str | None], ...]:
    return (("NaN", None), ("Infinity", largest), ("-Infinity", f"-{largest}"))


INTEGERS = (
    Case("boolean", "boolean", ("true", "false")),
    Case("smallint", "integer", quoted("-32768", "-1", "0", "32767")),
    Case("integer", "integer", quoted("-2147483648", "-1", "0", "2147483647")),
    Case("bigint", "integer", quoted("-9223372036854775808", "-1", "0", "9223372036854775807")),
    Case("oid", "integer", quoted("0", "1", "2147483648", "4294967295")),
    Case("xid", "integer", quoted("0", "3", "4294967295")),
    Case("cid", "integer", quoted("0", "3", "4294967295")),
    Case("xid8", "integer", quoted("0", "9223372036854775808", "18446744073709551615"), since=13),
)

NUMERICS = (
    Case(
        "numeric",
        "decimal",
        quoted("0", "1.10", "1.1000", "-0.1", "1e34", "1e-30", "-1e-30", "123456789012345678901234567890", LARGEST)
        + quoted(f"-{LARGEST}", "-0.0", "12345678901234567.89", "0.1000000000000000055511151231"),
        beyond(
            *_NO_NUMBERS,
            ("1e35", LARGEST),
            ("-1e35", f"-{LARGEST}"),
            ("1e1000", LARGEST),
            ("1e131071", LARGEST),
            (f"1{LARGEST}", LARGEST),
            ("1e-31", "0"),
            ("1.0000000000000000000000000000004", "1"),
            ("-1e-16383", "0"),
        ),
        since=14,
    ),
    Case(
        "numeric(12,2)",
        "decimal",
        quoted("0.00", "0.01", "-0.01", "9999999999.99", "-9999999999.99"),
        beyond(("NaN", None)),
    ),
    Case("numeric(65,30)", "decimal", quoted(LARGEST, f"-{LARGEST}", "1e-30", "0"), beyond(("NaN", None))),
    Case("numeric(65,0)", "decimal", quoted("9" * 65, "-" + "9" * 65, "1"), beyond(("NaN", None))),
    Case("numeric(38,10)", "decimal", quoted(f"{'9' * 28}.{'9' * 10}", "-0.0000000001")),
    Case("numeric(39,0)", "decimal", quoted("9" * 39, "-" + "9" * 39)),
    Case("numeric(30,30)", "decimal", quoted(f"0.{'9' * 30}", "-1e-30")),
    Case("numeric(1)", "decimal", quoted("9", "-9", "0")),
    Case("numeric(3,5)", "decimal", quoted("0.00999", "-0.00999", "0.00001", "0"), since=15),
    Case("numeric(4,-2)", "decimal", quoted("999900", "-999900", "100", "0"), beyond(("NaN", None)), since=15),
    Case(
        "numeric(66,0)",
        "decimal",
        quoted(WHOLE, f"-{WHOLE}", "0"),
        beyond(("1" + "0" * 65, WHOLE), ("-" + "9" * 66, f"-{WHOLE}"), ("NaN", None)),
    ),
    Case(
        "numeric(50,40)",
        "decimal",
        quoted("9999999999.5", f"-9999999999.{AFTER}", "1e-30"),
        beyond(("1e-40", "0"), (f"0.{'9' * 40}", "1"), ("NaN", None)),
    ),
    Case("numeric(1000,0)", "decimal", quoted(WHOLE, "-1"), beyond(("9" * 1000, WHOLE), ("-" + "9" * 66, f"-{WHOLE}"))),
    Case("numeric(5,-64)", "decimal", quoted("0", "1e64"), beyond(("-99999e64", f"-{WHOLE}")), since=15),
)

FLOATS = (
    Case(
        "real",
        "float",
        quoted("0.1", "1e-45", "-1e-45", "1.17549435e-38", "3.4028235e38", "-3.4028235e38", "16777217", "1e10")
        + quoted("0.0", "-0.0", "0.3333333", "1e-7", "123456.79"),
        beyond(*_no_floats(_LARGEST_REAL)),
    ),
    Case(
        "double precision",
        "float",
        quoted("0.1", "5e-324", "-5e-324", "2.2250738585072014e-308", "2.225073858507201e-308", _LARGEST_DOUBLE)
        + quoted(f"-{_LARGEST_DOUBLE}", "0.0", "-0.0", "0.30000000000000004", "9007199254740993", "1e22", "1e23")
        + quoted("123456789012345680", "1e-7", "4.35", "5.5626846462680035e-309"),
        beyond(*_no_floats(_LARGEST_DOUBLE)),
    ),
    Case("float(1)", "float", quoted("0.1", "3.4028235e38")),
)

OTHERS = (
    Case(
        "money",
        "money",
        tuple(f"{value}::numeric::money" for value in quoted("0", "0.01", "-0.01", "1234567.89"))
        + tuple(f"{value}::numeric::money" for value in quoted("92233720368547758.07", "-92233720368547758.08")),
    ),
    Case("tid", "text", quoted("(0,0)", "(4294967295,65535)")),
    Case("pg_lsn", "text", quoted("0/0", "16/B374D848", "FFFFFFFF/FFFFFFFF")),
    Case("pg_snapshot", "text", quoted("10:20:10,14,15", "1:1:"), since=13),
    Case("txid_snapshot", "text", quoted("10:20:10,14,15", "1:1:")),
    Case("int2vector", "text", quoted("", "1 2 -32768", "7")),
    Case("oidvector", "text", quoted("", "0 4294967295", "7")),
)

NUMBERS = INTEGERS + NUMERICS + FLOATS + OTHERS

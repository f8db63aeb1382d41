"""Dates, times, intervals."""

from __future__ import annotations

from tests.fidelity.values.case import Case, beyond, quoted

FIRST, LAST = "0001-01-01 00:00:00", "9999-12-31 23:59:59.999999"

_OUT_OF_YEARS = (
    ("infinity", LAST),
    ("-infinity", FIRST),
    ("0001-12-31 23:59:59.999999 BC", FIRST),
    ("4713-01-01 00:00:00 BC", FIRST),
    ("10000-01-01", LAST),
    ("294276-12-31 23:59:59.999999", LAST),
)
_MOMENTS = quoted(
    FIRST, "0001-01-01 00:00:00.000001", "0044-03-15 12:00:00", "0999-12-31 23:59:59.999999", "1000-01-01",
    "1582-10-10 10:10:10", "1883-11-18 12:03:58", "1900-03-01", "1969-12-31 23:59:59.999999", "1970-01-01",
    "2000-02-29 23:59:59.999999", "2016-12-31 23:59:60", "2024-03-10 02:30:00", "2038-01-19 03:14:08", LAST,
    "2024-01-01 00:00:00.1", "2024-01-01 00:00:00.10", "2024-01-01 00:00:00.000001",
)  # fmt: skip


def _in_utc(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{value}::timestamp AT TIME ZONE 'UTC'" for value in values)


DATES = Case(
    "date",
    "date",
    quoted("0001-01-01", "0044-03-15", "0999-12-31", "1000-01-01", "1582-10-10", "1900-03-01", "1970-01-01")
    + quoted("2000-02-29", "2038-01-20", "9999-12-31"),
    beyond(
        ("infinity", "9999-12-31"),
        ("-infinity", "0001-01-01"),
        ("0001-12-31 BC", "0001-01-01"),
        ("4713-01-01 BC", "0001-01-01"),
        ("10000-01-01", "9999-12-31"),
        ("5874897-12-31", "9999-12-31"),
    ),
)

INSTANTS = Case(
    "timestamptz",
    "moment",
    (
        *_in_utc(_MOMENTS),
        # Hours that a change of the clocks leaves out or repeats, and an offset with seconds.
        *quoted("2024-03-10 02:30:00 America/New_York", "2024-11-03 01:30:00-04", "2024-11-03 01:30:00-05"),
        *quoted(
            "2024-03-31 02:30:00 Europe/Berlin", "1880-01-01 00:00:00 America/New_York", "2024-07-01 00:00:00+13:45"
        ),
        *quoted("9999-12-31 23:59:59.999999+00", "0001-01-01 00:00:00+00"),
    ),
    beyond(
        ("infinity", f"{LAST}+00"),
        ("-infinity", f"{FIRST}+00"),
        ("0001-12-31 23:59:59.999999+00 BC", f"{FIRST}+00"),
        ("4713-01-01 00:00:00+00 BC", f"{FIRST}+00"),
        ("294276-12-31 23:59:59.999999+00", f"{LAST}+00"),
        # Within the years where they were written, beyond them in UTC.
        ("9999-12-31 23:59:59.999999-01", f"{LAST}+00"),
        ("0001-01-01 00:00:00+01", f"{FIRST}+00"),
    ),
)

INTERVALS = quoted(
    "0", "1 microsecond", "-1 microsecond", "1 month", "30 days", "24 hours", "1 day", "-1 mon +1 day",
    "1 year -2 months 3 days -04:05:06.789", "-1 year -2 mons +3 days -04:05:06.000001", "838:59:59", "900:00:00",
    "178000000 years", "-178000000 years", "2147483647 days", "2562047788:00:54.775807",
    "-178956970 years -8 mons -2147483648 days -2562047788:00:54.775807",
)  # fmt: skip

MOMENTS = (
    DATES,
    Case("time", "time", quoted("00:00:00", "00:00:00.000001", "12:34:56.7", "23:59:59.999999", "24:00:00")),
    Case("time(0)", "time", quoted("00:00:00", "23:59:59", "24:00:00")),
    Case("time(3)", "time", quoted("00:00:00.001", "23:59:59.999")),
    Case(
        "timetz",
        "text",
        quoted("00:00:00+00", "24:00:00-15:59:59", "00:00:00+15:59:59", "12:34:56.123456+05:30", "12:34:56.1-00:00:01"),
    ),
    Case("timetz(0)", "text", quoted("23:59:59+03", "24:00:00+00")),
    Case("timestamp", "moment", _MOMENTS, beyond(*_OUT_OF_YEARS)),
    Case("timestamp(0)", "moment", quoted(FIRST, "9999-12-31 23:59:59"), beyond(("infinity", LAST))),
    Case("timestamp(3)", "moment", quoted("2024-01-01 00:00:00.001", "1969-12-31 23:59:59.999")),
    INSTANTS,
    Case("timestamptz(0)", "moment", quoted("2024-03-10 02:30:00+00", "9999-12-31 23:59:59+00")),
    Case("interval", "text", INTERVALS),
    Case("interval year to month", "text", quoted("1 year 2 months", "-178000000 years")),
    Case("interval second(3)", "text", quoted("1.234", "-0.001")),
)

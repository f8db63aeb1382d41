"""Networks, bits, geometry, and the types of the catalog."""

from __future__ import annotations

from tests.fidelity.values.case import Case, quoted

_HUGE, _TINY = "1.7976931348623157e+308", "-5e-324"

NETWORKS = (
    Case("inet", "text", quoted(
        "0.0.0.0", "10.1.2.3", "10.1.2.3/8", "10.1.2.3/32", "255.255.255.255/0", "::", "::1", "::ffff:1.2.3.4/96",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/127", "2001:db8:1234:5678:9abc:def0:1234:5678",
    )),
    Case("cidr", "text", quoted("0.0.0.0/0", "10.1.2.3/32", "::/0", "2001:db8::/32", "2001:4f8:3:ba::/64")),
    Case("macaddr", "text", quoted("00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "08-00-2b-01-02-03")),
    Case("macaddr8", "text", quoted("00:00:00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff:ff:ff", "08:00:2b:01:02:03:04:05")),
)  # fmt: skip

BITS = (
    Case("bit", "text", ("B'0'", "B'1'")),
    Case("bit(8)", "text", ("B'00000000'", "B'11111111'", "B'01000001'", "X'22'")),
    Case("bit(65)", "text", (f"B'{'1' * 65}'", f"B'{'0' * 65}'")),
    Case("bit(20000)", "text", ("repeat('10', 10000)::bit(20000)",)),
    Case("varbit", "text", ("B''", "B'0'", "B'00'", "B'1'", "repeat('10', 40000)::varbit")),
    Case("varbit(10)", "text", ("B''", "B'0000000000'", "B'1'")),
)

GEOMETRY = (
    Case("point", "text", quoted("(0,0)", f"({_HUGE},{_TINY})", "(-0.0,0.1)", "(NaN,Infinity)", "(-Infinity,1e-7)")),
    Case("line", "text", quoted("{1,2,3}", f"{{{_HUGE},-{_HUGE},{_TINY}}}")),
    Case("lseg", "text", quoted("[(0,0),(1,1)]", f"[({_HUGE},-{_HUGE}),({_TINY},0)]")),
    Case("box", "text", quoted("(1,1),(0,0)", f"({_HUGE},{_HUGE}),(-{_HUGE},-{_HUGE})")),
    Case("path", "text", (
        *quoted("[(0,0)]", "((0,0),(1,1))", f"[({_HUGE},0),(1e-10,0.30000000000000004)]"),
        "(SELECT ('[' || string_agg('(' || i || ',0.1)', ',') || ']')::path FROM generate_series(1, 9000) AS i)",
    )),
    Case("polygon", "text", (
        *quoted("((0,0))", f"(({_HUGE},0),(-1,{_TINY}),(0,1))"),
        "(SELECT ('(' || string_agg('(' || i || ',0.1)', ',') || ')')::polygon FROM generate_series(1, 9000) AS i)",
    )),
    Case("circle", "text", quoted("<(0,0),0>", f"<(-1e-7,{_HUGE}),{_HUGE}>", "<(0.1,NaN),Infinity>")),
)  # fmt: skip

_NAMED = 'CREATE TABLE "A ""strange"" name of 63 bytes, as long as PostgreSQL allows it!" (id int)'

CATALOG = (
    Case(
        "regclass",
        "text",
        quoted("-", "pg_class", "information_schema.tables", "99999999")
        + quoted('"A ""strange"" name of 63 bytes, as long as PostgreSQL allows it!"'),
        setup=(_NAMED,),
    ),
    Case("regtype", "text", quoted("-", "int4", "timestamp with time zone", '"char"', "_text", "99999999")),
    Case("regproc", "text", quoted("-", "now", "99999999")),
    Case("regprocedure", "text", quoted("-", "sum(int4)", 'format(text, "any")', "99999999")),
    Case("regoper", "text", quoted("0", "||/", "99999999")),
    Case("regoperator", "text", quoted("0", "+(int4,int4)", "-(none,int8)", "99999999")),
    Case("regconfig", "text", quoted("-", "english", "simple", "99999999")),
    Case("regdictionary", "text", quoted("-", "simple", "99999999")),
    Case("regnamespace", "text", quoted("-", "pg_catalog", "public", "99999999")),
    Case("regrole", "text", (*quoted("-", "pg_monitor", "99999999"), "current_user::regrole")),
    Case("regcollation", "text", quoted("-", '"C"', "99999999"), since=13),
    Case("aclitem", "text", ("makeaclitem(10, 10, 'SELECT', true)", "makeaclitem(0, 10, 'INSERT', false)")),
    # What PostgreSQL keeps for itself: texts cannot be read as these, but a column may hold what the catalog has.
    Case(
        "pg_node_tree",
        "text",
        ("(SELECT adbin FROM pg_attrdef WHERE adrelid = 'defaults'::regclass)",),
        setup=("CREATE TABLE defaults (n int DEFAULT 1 + random())",),
        known=False,
    ),
    Case(
        "pg_ndistinct",
        "text",
        ("(SELECT n_distinct FROM pg_stats_ext WHERE statistics_name = 'together')",),
        setup=(
            "CREATE TABLE correlated AS SELECT i % 7 AS a, i % 14 AS b FROM generate_series(1, 300) AS i",
            "CREATE STATISTICS together (ndistinct, dependencies) ON a, b FROM correlated",
            "ANALYZE correlated",
        ),
        known=False,
    ),
    Case(
        "pg_dependencies",
        "text",
        ("(SELECT dependencies FROM pg_stats_ext WHERE statistics_name = 'together')",),
        known=False,
    ),
    # Of these nobody can have a value.
    Case("pg_mcv_list", "text", ("NULL",), known=False),
    Case("pg_brin_bloom_summary", "text", ("NULL",), since=14, known=False),
    Case("pg_brin_minmax_multi_summary", "text", ("NULL",), since=14, known=False),
    Case("gtsvector", "text", ("NULL",)),
)

SYSTEM = NETWORKS + BITS + GEOMETRY + CATALOG

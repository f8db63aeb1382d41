"""A verdict as people read it."""

from __future__ import annotations

from collections import Counter

from framework.verify.text import lines
from framework.verify.verdict import MASKED, Difference, Kind, Value, Verdict

UNDECIDED = (
    "  2 rows could not be decided while the source goes on: they may have been deleted there since, or changed again; "
    "replicate, then verify again"
)
MANY = (
    "t: at least 12 rows differ: 1 different, 9 missing from the copy, 1 not in the source, "
    "1 more than once in the copy (5 rows compared, 0.0 s)"
)


def said(verdict: Verdict) -> list[str]:
    return list(lines(verdict))


def test_an_equal_table() -> None:
    assert said(Verdict("t", rows=1, copied=1, counts={}, seconds=0.04)) == ["t: equal (1 row compared, 0.0 s)"]
    sampled = Verdict("t", rows=1200, copied=1200, counts={}, sample=0.05, changed=1, undecided=2, kept=3, repaired=4)
    assert said(sampled) == [
        "t: equal (1,200 rows compared, a sample of 5%, 0.0 s); 4 rows repaired",
        "  1 row changed in the source since it was copied, and may differ for that",
        UNDECIDED,
        "  3 rows gone from the source and kept, as the spec says",
    ]


def test_differences() -> None:
    found = (
        Difference(
            Kind.DIFFERENT,
            (("id", "7"),),
            (
                Value("name", "a", "a "),
                Value("note", None, ""),
                Value("email", MASKED, MASKED),
                Value("long", "x" * 100 + "abc", "x" * 100 + "ABC"),
            ),
        ),
        Difference(Kind.MISSING, (("a", "b c"), ("d", MASKED))),
        Difference(Kind.EXTRA, (("id", None),)),
        Difference(Kind.DOUBLED, (("id", "b:1"),)),
    )
    counts = Counter({Kind.DIFFERENT: 1, Kind.MISSING: 9, Kind.EXTRA: 1, Kind.DOUBLED: 1})
    assert said(Verdict("t", rows=5, copied=6, counts=counts, differences=found, complete=False)) == [
        MANY,
        "  id = 7: different",
        "      name   source 'a', copy 'a '",
        "      note   source NULL, copy ''",
        "      email  differs (masked)",
        f"      long   source ...'{'x' * 15}abc', copy ...'{'x' * 15}ABC' (from character 86)",
        "  a = 'b c', d = ***: missing from the copy",
        "  id = NULL: not in the source",
        "  id = b:1: more than once in the copy",
        "  ...",
    ]


def test_one_difference_differs() -> None:
    verdict = Verdict("t", rows=1, copied=0, counts={Kind.MISSING: 1})
    assert said(verdict)[0].startswith("t: 1 row differs: 1 missing")


def test_as_json() -> None:
    found = (Difference(Kind.DIFFERENT, (("id", "7"),), (Value("name", "a", None),)),)
    plain = Verdict("t", rows=1, copied=1, counts={Kind.DIFFERENT: 1}, differences=found, slots=(7,)).as_json()
    assert plain["equal"] is False
    assert plain["counts"] == {"different": 1}
    assert plain["differences"] == [
        {"kind": "different", "key": {"id": "7"}, "values": ({"column": "name", "source": "a", "copy": None},)}
    ]
    assert "slots" not in plain

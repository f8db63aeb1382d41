"""How problems are shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from framework.diagnostics import Position, Problem, closest, did_you_mean, position_of, source_lines
from framework.outputs.text import render

PATH = Path("specs/shop.yaml")


def shown(line: str, column: int, length: int = 1, suggestion: str = "") -> list[str]:
    return render(Problem(PATH, Position(1, column), "rule", "message", suggestion, length), [line]).splitlines()


def test_place_source_line_caret_suggestion():
    assert shown("  rows: 20_000", 9, 6, "write 20000") == [
        "specs/shop.yaml:1:9: error: message [rule]",
        "      rows: 20_000",
        "            ^^^^^^",
        "  suggestion: write 20000",
    ]


def test_tabs_stay_tabs_before_the_caret():
    assert shown("\tkey:\tvalue", 7, 5)[2] == "    \t    \t^^^^^"


def test_wide_characters_take_two_columns_and_combining_ones_none():
    assert shown("東京: x", 5)[2] == "    " + " " * 6 + "^"
    assert shown("x: 東京", 4, 2)[2] == "    " + " " * 3 + "^^^^"
    assert shown("e\u0301: x", 5)[2] == "    " + " " * 3 + "^"


def test_long_lines_are_cut_around_the_caret():
    _, line, caret = shown("a" * 300 + "VALUE" + "b" * 300, 301, 5)
    assert len(line) <= 130
    assert line[caret.index("^") : caret.rindex("^") + 1] == "VALUE"
    _, line, caret = shown("key: " + "v" * 400, 6, 400)
    assert len(line) <= 130
    assert len(caret) <= len(line)


def test_a_place_behind_the_line_or_the_file():
    assert shown("abc", 4)[2] == "       ^"
    assert shown("abc", 99)[2] == "       ^"
    problem = Problem(PATH, Position(5, 1), "rule", "message")
    assert render(problem, ["abc"]) == "specs/shop.yaml:5:1: error: message [rule]"


def test_passwords_are_masked():
    line = 'a: {url: "mysql://root:hunter2@db/shop", generate: yes}'
    for column in (1, 10, 11, line.index("hunter2") + 3, line.index("yes") + 1):
        text = "\n".join(shown(line, column, 3))
        assert "hunter2" not in text
        assert "ter2" not in text
    assert "hunter2" not in "\n".join(shown("mask_key: hunter2", 1))


def test_control_characters_do_not_reach_the_terminal():
    assert "\x1b" not in "\n".join(shown("a: \x1b[31m", 4))


@pytest.mark.parametrize(
    ("index", "position"), [(0, Position(1, 1)), (2, Position(1, 3)), (4, Position(2, 1)), (5, Position(2, 2))]
)
def test_position_of(index: int, position: Position):
    assert position_of("ab\r\ncd", index) == position


def test_source_lines(tmp_path: Path):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfa\r\n\xff\n")
    assert source_lines(path) == ("a", "\ufffd", "")
    assert source_lines(tmp_path / "missing") == ()


def test_did_you_mean():
    assert closest("Emial", ["email", "name"]) == "email"
    assert closest("zzz", ["email"]) is None
    assert did_you_mean("emial", ["email"]) == "did you mean 'email'?"
    assert did_you_mean("zzz", ["a", "b"]) == "use one of: a, b"
    assert did_you_mean("zzz", []) == ""
    assert did_you_mean("zzz", [f"n{n}" for n in range(100)]) == ""

"""Whatever an author writes, he gets problems with places inside his file, and never an exception."""

from __future__ import annotations

import random
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from framework.diagnostics import render
from framework.spec.checks import RULES, providers
from framework.spec.document import decode_document
from framework.spec.load import Loaded, parse_spec
from framework.spec.validate import check
from tests.spec.fixtures import INVALID, SEMANTIC, VALID

PATH = Path("spec.yaml")
TEXTS = [path.read_bytes().decode("utf-8", "replace") for path in (*VALID, *SEMANTIC, *INVALID)]
OFFLINE = [rule for rule in RULES if rule not in providers.RULES]
PIECES = st.sampled_from(
    [
        "a",
        "b: ",
        "- ",
        "\n",
        "\n  ",
        "\t",
        "{",
        "}",
        "[",
        "]",
        ",",
        ": ",
        "?",
        "&a ",
        "*a",
        "<<: ",
        "!!str ",
        "'",
        '"',
        "|\n",
        "#",
        "%",
        "@",
        "~",
        "null",
        "1",
        "0.5",
        "${A}",
        "${A:-b}",
        "${",
        "---\n",
        "...\n",
        "\\x00",
        "\u2028",
        "é",
        "東",
        "\x07",
        "version: 1\n",
        "entities:\n",
        "fake: ",
        "rows: ",
        "columns: ",
        "1e999",
        "99999999999999999999",
        "\ufeff",
        "\ud800",
    ]
)
WORDS = st.sampled_from(
    [
        "",
        "~",
        "0",
        "-1",
        "1.5",
        "true",
        "x",
        "5%",
        "1 %",
        "99999999999999y",
        "[]",
        "{}",
        "[[x]]",
        "'",
        "${B}",
        "*a",
        "0x1",
        "now",
        "-999999y",
        "2026-02-30",
        "a.b",
        "{a}",
        "a + b",
        "bigint",
        "(",
        "id",
        "updated_at",
        "&a x",
        "!!t x",
        "\t",
    ]
)


def well_placed(loaded: Loaded) -> None:
    problems = (*loaded.problems, *check(loaded, OFFLINE))
    for problem in problems:
        line, column = problem.position.line, problem.position.column
        assert 1 <= line <= len(loaded.lines)
        assert 1 <= column <= len(loaded.lines[line - 1]) + 1
        assert problem.length >= 1
        assert problem.message
        shown = render(problem, loaded.lines)
        assert shown.startswith(f"spec.yaml:{line}:{column}: {problem.rule}: ")
    assert (loaded.spec is None) == bool(loaded.problems)


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=40).map("".join))
def test_anything_like_yaml(text: str):
    well_placed(parse_spec(text, PATH, {"A": "1"}))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(data: bytes):
    document = decode_document(data, PATH)
    assert document.root is not None or document.problems


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(TEXTS), st.integers(0, 2**32), WORDS, st.sampled_from(["cut", "insert", "word", "line"]))
def test_specs_with_one_edit(text: str, seed: int, word: str, edit: str):
    well_placed(parse_spec(_edited(text, random.Random(seed), word, edit), PATH, {"A": "1"}))


def _edited(text: str, chance: random.Random, word: str, edit: str) -> str:
    start = chance.randrange(len(text) + 1)
    if edit == "insert":
        return text[:start] + word + text[start:]
    if edit == "cut":
        return text[:start] + text[start + chance.randrange(1, 20) :]
    if edit == "line":
        lines = text.split("\n")
        del lines[chance.randrange(len(lines))]
        return "\n".join(lines)
    values = [index + 2 for index in range(len(text)) if text.startswith(": ", index)]
    if not values:
        return word
    begin = chance.choice(values)
    end = min(
        (text.find(mark, begin) for mark in (",", "}", "\n", "]") if text.find(mark, begin) >= 0), default=len(text)
    )
    return text[:begin] + word + text[end:]

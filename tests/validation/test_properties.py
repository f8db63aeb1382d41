"""Whatever an author writes, he gets problems with places inside his file, and never an exception."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework.outputs.text import render
from framework.spec import compose
from framework.spec.document import decode_document, parse_document
from framework.spec.load import Loaded, parse_spec
from framework.spec.nodes import Mapping, Node, Scalar
from framework.validation.check import check
from framework.validation.rules import RULES
from tests.validation.fixtures import INVALID, SEMANTIC, VALID

PATH = Path("spec.yaml")
TEXTS = [path.read_bytes().decode("utf-8", "replace") for path in (*VALID, *SEMANTIC, *INVALID)]
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
WORD_LIST = [
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
WORDS = st.sampled_from(WORD_LIST)


def well_placed(loaded: Loaded) -> None:
    problems = (*loaded.problems, *check(loaded, RULES))
    for problem in problems:
        line, column = problem.position.line, problem.position.column
        assert 1 <= line <= len(loaded.lines)
        assert 1 <= column <= len(loaded.lines[line - 1]) + 1
        assert problem.length >= 1
        assert problem.message
        shown = render(problem, loaded.lines)
        assert shown.startswith(f"spec.yaml:{line}:{column}: {problem.severity.value}: ")
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
    well_placed(parse_spec(edited(text, random.Random(seed), word, edit), PATH, {"A": "1"}))


def edited(text: str, chance: random.Random, word: str, edit: str) -> str:
    """A text after one edit: some signs cut out, a word put in, a line or a value replaced."""
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


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(TEXTS), st.integers(0, 2**32), WORDS, st.sampled_from(["cut", "insert", "word", "line"]))
def test_libyaml_reads_as_pyyaml_does(text: str, seed: int, word: str, edit: str):
    broken = edited(text, random.Random(seed), word, edit)
    fast = parse_document(broken, PATH)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(compose, "CParser", None)
        slow = parse_document(broken, PATH)
    assert (fast.problems, fast.holes, _dumped(fast.root)) == (slow.problems, slow.holes, _dumped(slow.root))


def _dumped(node: Node | None) -> Any:
    """A tree as plain data, with the places of everything."""
    if isinstance(node, Scalar):
        return (node.text, node.quoted, node.span)
    if isinstance(node, Mapping):
        return (node.span, [(key, entry.key, _dumped(entry.value)) for key, entry in node.entries.items()])
    return None if node is None else (node.span, [_dumped(item) for item in node.items])

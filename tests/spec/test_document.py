"""YAML as nodes with positions."""

from __future__ import annotations

from pathlib import Path

import pytest

from framework.diagnostics import Position
from framework.spec.document import MAX_BYTES, decode_document, parse_document
from framework.spec.nodes import Mapping, Scalar, Sequence, find

PATH = Path("spec.yaml")


def root_of(text: str) -> Mapping:
    document = parse_document(text, PATH)
    assert document.problems == ()
    assert document.root is not None
    return document.root


def rules_of(text: str) -> list[str]:
    return [problem.rule for problem in parse_document(text, PATH).problems]


def test_every_key_and_value_has_its_place():
    root = root_of("a: 1\nb:\n  - x\n  - {c: 'two', d: [y]}\n")
    place = find(root, ("b", 1, "c"))
    assert place.key is not None
    assert (place.key.position, place.key.length) == (Position(4, 6), 1)
    assert (place.node.span.position, place.node.span.length) == (Position(4, 9), 5)
    assert find(root, ("b", 1, "d")).node.span.length == 3
    assert find(root, ("b", 0)).key is None


def test_steps_the_document_does_not_have_are_skipped():
    root = root_of("fake: {choice: {a: 1}}")
    place = find(root, ("fake", "choice", "mapping", "a"))
    assert place.path == ("fake", "choice", "a")
    assert place.ended
    missing = find(root, ("fake", "choice", "b"))
    assert (missing.path, missing.ended) == (("fake", "choice"), False)


def test_a_place_of_several_lines_ends_with_its_first():
    root = root_of("a: |\n  one\n  two\nb: {x: 1,\n  y: 2}\n")
    assert find(root, ("a",)).node.span.length == 1
    assert find(root, ("b",)).node.span.length == len("{x: 1,")


def test_quoted_scalars_are_told_from_plain_ones():
    root = root_of("a: 1\nb: '1'\nc: |\n  1\n")
    quoted = [entry.value.quoted for entry in root.entries.values() if isinstance(entry.value, Scalar)]
    assert quoted == [False, True, True]


def test_aliases_share_one_node():
    root = root_of("a: &x [1]\nb: *x\n")
    assert root.entries["a"].value is root.entries["b"].value
    assert root.entries["b"].value.span.position == Position(1, 4)


def test_own_keys_come_before_merged_ones_and_earlier_merges_before_later():
    text = "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {<<: [*x, *y], c: 3}\n"
    merged = find(root_of(text), ("z",)).node
    assert isinstance(merged, Mapping)
    assert {key: entry.value.text for key, entry in merged.entries.items() if isinstance(entry.value, Scalar)} == {
        "a": "1",
        "b": "1",
        "c": "3",
    }


def test_a_quoted_merge_key_is_a_key():
    assert list(root_of("'<<': {a: 1}").entries) == ["<<"]


def test_a_long_chain_of_aliases_is_refused():
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 5000)]
    assert rules_of("\n".join(lines)) == ["too-deep"]


def test_merging_over_and_over_is_refused():
    mapping = ", ".join(f"k{n}: 1" for n in range(1000))
    lines = [f"a: &a {{{mapping}}}", *(f"b{n}: {{<<: *a}}" for n in range(200))]
    assert rules_of("\n".join(lines)) == ["too-large"]


def test_a_file_too_large_is_refused_unread():
    document = decode_document(b"#" * (MAX_BYTES + 1), PATH)
    assert [problem.rule for problem in document.problems] == ["too-large"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\u2028"])
def test_line_ends(end: str):
    document = parse_document(f"a: 1{end}b: 2{end}", PATH)
    assert document.root is not None
    assert document.root.entries["b"].key.position == Position(2, 1)
    assert document.lines[:2] == ("a: 1", "b: 2")


def test_a_byte_order_mark_is_no_part_of_the_text():
    document = decode_document(b"\xef\xbb\xbfa: 1", PATH)
    assert document.root is not None
    assert list(document.root.entries) == ["a"]


def test_a_document_may_have_marks_of_its_own():
    assert list(root_of("%YAML 1.2\n---\na: 1\n...\n").entries) == ["a"]


def test_a_list_is_no_document():
    document = parse_document("[1]", PATH)
    assert document.root is None
    assert rules_of("[1]") == ["wrong-type"]


def test_items_of_lists():
    node = find(root_of("a: [1, 2]"), ("a",)).node
    assert isinstance(node, Sequence)
    assert [item.span.position.column for item in node.items] == [5, 8]

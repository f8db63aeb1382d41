"""What scalars mean."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from framework.spec.document import parse_document
from framework.spec.values import Unresolved, Values, resolve, substitute

PATH = Path("spec.yaml")


def data_of(text: str, environ: dict[str, str] | None = None) -> Any:
    document = parse_document(text, PATH)
    assert document.root is not None
    values = Values(document, environ if environ is not None else {})
    data = values.of(document.root)
    assert values.problems == []
    return data


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("FALSE", False),
        ("0", 0),
        ("-12", -12),
        ("+5", 5),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("1.5", 1.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("-0.0", -0.0),
    ],
)
def test_core_schema(text: str, value: object):
    found = resolve(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "NO",
        "yes",
        "on",
        "off",
        "y",
        "n",
        "nUll",
        "tRue",
        "007",
        "-01",
        "20_000",
        "1_0.5",
        "12:30:00",
        "1:30",
        "2026-01-01",
        "2026-01-01T00:00:00Z",
        "0x1F",
        "0o17",
        "0b1",
        ".inf",
        ".nan",
        "-.INF",
        "1e",
        "+",
        "-",
        ".",
        "=",
        "٣",
        "5%",
        "10min",
        "1,000",
        " 5",
        "00.5",
        "<<",
    ],
)
def test_all_else_is_text(text: str):
    assert resolve(text) == text


@pytest.mark.parametrize("text", ["9223372036854775808", "1" * 5000, "-9" * 1 + "9" * 30, "1e999", "-1e400"])
def test_numbers_beyond_64_bits_are_refused(text: str):
    with pytest.raises(Unresolved):
        resolve(text)


def test_quotes_make_text():
    assert data_of("a: '5'\nb: \"true\"\nc: ''\nd: |-\n  ~\n") == {"a": "5", "b": "true", "c": "", "d": "~"}


def test_keys_are_text():
    assert list(data_of("NO: 1\n1: 2\n~: 3\ntrue: 4\n1.5: 5\n2026-01-01: 6\n")) == [
        "NO",
        "1",
        "~",
        "true",
        "1.5",
        "2026-01-01",
    ]


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("${A}", "one"),
        ("x${A}y${A}", "xoneyone"),
        ("${A:-two}", "one"),
        ("${B:-two}", "two"),
        ("${EMPTY:-two}", "two"),
        ("${EMPTY}", ""),
        ("${B:-}", ""),
        ("${B:-a:-b}", "a:-b"),
        ("${B:-postgresql://u@h/d}", "postgresql://u@h/d"),
        ("$${A}", "${A}"),
        ("$A $ $$ {A}", "$A $ $$ {A}"),
        ("$${A} ${A}", "${A} one"),
    ],
)
def test_variables(text: str, result: str):
    assert substitute(text, {"A": "one", "EMPTY": ""}) == result


@pytest.mark.parametrize("text", ["${B}", "${", "${}", "${A", "${A-b}", "${1}", "${A B}", "a ${ b"])
def test_variables_that_cannot_be_filled_in(text: str):
    with pytest.raises(Unresolved):
        substitute(text, {"A": "one"})


def test_a_value_is_not_filled_in_twice():
    assert substitute("${A}", {"A": "${B}", "B": "secret"}) == "${B}"


def test_a_plain_scalar_has_the_meaning_of_what_was_filled_in():
    data = data_of('a: ${N:-1000}\nb: "${N:-1000}"\nc: ${N}\nd: ${T}\n', {"N": "5", "T": "true"})
    assert data == {"a": 5, "b": "5", "c": 5, "d": True}


def test_keys_hold_no_variables():
    assert data_of("${A}: 1", {"A": "x"}) == {"${A}": 1}


def test_without_an_environment_variables_stay():
    document = parse_document("a: ${NOT_SET}\nb: '$${x}'\n", PATH)
    assert document.root is not None
    assert Values(document, None).of(document.root) == {"a": "${NOT_SET}", "b": "$${x}"}


def test_the_value_of_a_variable_is_not_in_problems():
    document = parse_document("a: ${SECRET:-x} ${NOT_SET}", PATH)
    assert document.root is not None
    values = Values(document, {"SECRET": "hunter2"})
    values.of(document.root)
    assert len(values.problems) == 1
    assert "hunter2" not in str(values.problems)


def test_negative_zero_keeps_its_sign():
    assert math.copysign(1, resolve("-0.0")) == -1

"""What is written is read as what was meant, by specs and by any reader of YAML."""

from __future__ import annotations

from pathlib import Path

import yaml
from hypothesis import given
from hypothesis import strategies as st

from framework.draft.names import pipeline
from framework.draft.text import comment, flow, key, scalar
from framework.spec.document import parse_document
from framework.spec.load import parse_spec
from framework.spec.values import Values

NASTY = st.sampled_from(
    [
        *(
            "yes",
            "No",
            "null",
            "~",
            "1",
            "1.5",
            "0x1F",
            "1_000",
            "12:30:00",
            "2024-01-01",
            "true",
            "=",
            "<<",
            "a: b",
            "#x",
        ),
        *(
            "a #b",
            "'",
            '"',
            "\\",
            "\n",
            "\t",
            " a",
            "a ",
            "",
            "-",
            "- a",
            "?",
            "!",
            "&a",
            "*a",
            "%a",
            "@a",
            "`",
            "|",
            ">",
        ),
        *(
            "{a}",
            "[a]",
            "a,b",
            "имя",
            "😀",
            "\x85",
            "\u2028",
            "\xa0",
            "\ufeff",
            "${A}",
            "$${A}",
            "${A",
            "\x7f",
        ),
    ]
)
TEXTS = st.one_of(
    NASTY,
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
    st.text(alphabet="ab :#,-{}[]'\"\\\n$", max_size=12),
)


def read(text: str) -> object:
    document = parse_document(text, Path("x"))
    assert document.problems == ()
    assert document.root is not None
    values = Values(document, {})
    found = values.of(document.root)
    assert values.problems == []
    return found


@given(TEXTS, TEXTS)
def test_keys_and_values(name: str, value: str) -> None:
    block = f"{key(name)}: {scalar(value)}\n"
    assert read(block) == {name: value}
    assert read(f"x: {flow({name: [value, True, 5], 'b': {'c': value}})}\n") == {
        "x": {name: [value, True, 5], "b": {"c": value}}
    }
    if "${" not in value:
        assert yaml.safe_load(block) == {name: value}


@given(TEXTS, TEXTS)
def test_comments_stay_comments(one: str, other: str) -> None:
    lines = list(comment(f"{one} {other}", 4))
    assert all(line.startswith("    # ") for line in lines)
    assert read("\n".join([*lines, "a: 1", *lines])) == {"a": 1}


@given(st.text(max_size=60))
def test_pipelines(name: str) -> None:
    spec = f"version: 1\npipeline: {scalar(pipeline(name))}\nsource: a\ntarget: b\n"
    assert parse_spec(spec, Path("x"), {}).problems == ()


def test_names_of_pipelines() -> None:
    assert [pipeline(name) for name in ("shop", "My Shop-2", "2024", "___", "имя", "a" * 50)] == [
        *("shop", "my_shop_2", "p_2024", "pipeline", "pipeline", "a" * 40),
    ]

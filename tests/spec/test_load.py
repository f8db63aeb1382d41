"""Loading a spec: beyond what the fixtures show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from framework import units
from framework.errors import UsageError
from framework.spec import expected
from framework.spec.explained import _FORMS
from framework.spec.load import load_spec, parse_spec
from framework.spec.models import Spec

PATH = Path("spec.yaml")
HEAD = "version: 1\npipeline: shop\nsource: here\ntarget: there\n"


def messages_of(text: str, environ: dict[str, str] | None = None) -> str:
    return "\n".join(f"{p.message} {p.suggestion}" for p in parse_spec(HEAD + text, PATH, environ or {}).problems)


def test_a_spec_keeps_what_was_written():
    loaded = parse_spec(HEAD + "tags: [on, NO]\nentities: {t: {columns: {no: {type: int}}}}\n", PATH, {})
    assert loaded.spec is not None
    assert loaded.spec.tags == ("on", "NO")
    assert list(loaded.spec.entities["t"].columns) == ["no"]


def test_keys_that_begin_with_x_are_ignored_at_the_top_only():
    assert parse_spec(HEAD + "x-a: {b: [1]}\n", PATH, {}).spec is not None
    assert "'x-a'" in messages_of("entities: {t: {columns: {a: {type: int}}, x-a: 1}}")


def test_a_variable_of_an_ignored_key_need_not_be_set():
    assert parse_spec(HEAD + "x-a: ${NOT_SET}\n", PATH, {}).spec is not None


def test_the_environment_is_an_argument(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SHOP_OWNER", "process")
    assert parse_spec(HEAD + "owner: ${SHOP_OWNER}\n", PATH).spec is not None
    assert parse_spec(HEAD + "owner: ${SHOP_OWNER}\n", PATH, {}).spec is None


def test_the_value_of_a_variable_is_not_in_messages():
    text = "seed: ${SECRET}\nentities: {a: {columns: {b: {type: int, nulls: '${SECRET}'}}}}\n"
    assert "hunter2" not in messages_of(text, {"SECRET": "hunter2"})
    assert "${SECRET}" in messages_of(text, {"SECRET": "hunter2"})


def test_one_unset_variable_is_one_problem():
    assert messages_of("seed: ${NOT_SET}").count("NOT_SET is not set") == 1
    assert len(messages_of("seed: ${NOT_SET}").splitlines()) == 1


def test_no_word_of_pydantic_reaches_the_author():
    text = Path(__file__).parents[1] / "validation" / "fixtures" / "invalid"
    golden = "\n".join(path.read_text(encoding="utf-8") for path in text.glob("*.txt"))
    for word in ("Input should", "pydantic", "Extra inputs", "Field required", "tuple", "dictionary", "constrained"):
        assert word not in golden


@pytest.mark.parametrize("make", ["missing", "directory"])
def test_a_path_that_is_no_file(tmp_path: Path, make: str):
    path = tmp_path / "x.yaml"
    if make == "directory":
        path.mkdir()
    with pytest.raises(UsageError):
        load_spec(path, {})


def test_expected_keys_follow_unions_and_recursion():
    path = ("entities", "t", "columns", "c", "fake", "json", "k", "array", "of", "integer")
    assert expected.keys(Spec, path) == ("min", "max")
    assert expected.keys(Spec, ("entities", "t", "rows", "mapping")) == ("per", "mean", "skew")
    assert "from" in expected.keys(Spec, ("replicate", "t", "columns", "c"))
    assert expected.pattern(Spec, ("entities", "t", "changes", "update", "rows")) == units.PERCENT
    assert expected.pattern(Spec, ("freshness", "warn")) == units.DURATION
    assert expected.pattern(Spec, ("owner",)) is None


def test_every_pattern_of_the_models_has_words():
    patterns = set(_patterns(Spec.model_json_schema()))
    plain = {pattern for pattern in patterns if units.DATE not in pattern}
    assert plain
    assert plain <= set(_FORMS)


def _patterns(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["pattern"]] if isinstance(node.get("pattern"), str) else []
        return own + [found for value in node.values() for found in _patterns(value)]
    return [found for value in node for found in _patterns(value)] if isinstance(node, list) else []

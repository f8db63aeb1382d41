"""The JSON Schema says what the models say."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from framework.spec import schema
from framework.spec.document import read_document
from framework.spec.load import EXTENSION, load_spec
from framework.spec.models import Spec
from framework.spec.values import Values
from tests.spec.fixtures import INVALID, SEMANTIC, VALID, name

SCHEMA = jsonschema.Draft202012Validator(json.loads(schema.PATH.read_text(encoding="utf-8")))


def data_of(path: Path) -> Any:
    """The data of a file; None if it cannot be read as YAML, or holds values that YAML gives no meaning here."""
    document = read_document(path)
    if document.root is None or document.problems:
        return None
    values = Values(document, {"NOT_SET": "x"})
    data = values.of(document.root)
    return None if values.problems else data


def models_accept(data: dict[str, Any]) -> bool:
    try:
        Spec.model_validate({key: value for key, value in data.items() if not key.startswith(EXTENSION)})
    except ValidationError:
        return False
    return True


def test_the_file_is_fresh():
    assert schema.PATH.read_text(encoding="utf-8") == schema.text(), "run `python -m framework.spec.schema`"


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(schema.json_schema())


@pytest.mark.parametrize("path", [*VALID, *SEMANTIC], ids=name)
def test_right_structure(path: Path):
    assert load_spec(path, {}).spec is not None
    assert [error.message for error in SCHEMA.iter_errors(data_of(path))] == []


@pytest.mark.parametrize("path", [path for path in INVALID if data_of(path) is not None], ids=name)
def test_wrong_structure(path: Path):
    assert load_spec(path, {}).spec is None
    assert not SCHEMA.is_valid(data_of(path))


def test_enough_wrong_specs_are_compared():
    assert sum(data_of(path) is not None for path in INVALID) >= 25


@pytest.mark.parametrize("path", VALID, ids=name)
def test_every_key_may_be_left_out_but_not_be_null(path: Path):
    data = data_of(path)
    for place in _places(data):
        if place[0].startswith(EXTENSION):
            continue
        for changed in (_with(data, place, None), _without(data, place)):
            assert SCHEMA.is_valid(changed) == models_accept(changed), place


def _places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if not isinstance(node, dict):
        return []
    return [found for key, value in node.items() for found in ((*path, key), *_places(value, (*path, key)))]


def _with(data: Any, place: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(data)
    _parent(changed, place)[place[-1]] = value
    return changed


def _without(data: Any, place: tuple[Any, ...]) -> Any:
    changed = copy.deepcopy(data)
    del _parent(changed, place)[place[-1]]
    return changed


def _parent(data: Any, place: tuple[Any, ...]) -> Any:
    for step in place[:-1]:
        data = data[step]
    return data


# JSON Schema does not tell 1.0 from 1, the models do: whole numbers written as fractions are left out.
ODD_VALUES = st.sampled_from(
    [None, True, 0, -1, 5, 1.5, "", "x", "5%", "10min", "now", "2026-01-31", [], ["a"], [1], [["a"]], {}, {"a": 1}]
)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_one_odd_value_anywhere(data: st.DataObject):
    spec = data_of(data.draw(st.sampled_from(VALID)))
    place = data.draw(st.sampled_from([place for place in _places(spec) if not place[0].startswith(EXTENSION)]))
    changed = _with(spec, place, data.draw(ODD_VALUES))
    assert SCHEMA.is_valid(changed) == models_accept(changed)

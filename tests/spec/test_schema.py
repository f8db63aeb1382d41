"""The JSON Schema says what the models say."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from framework.spec import schema
from framework.spec.connections import FILE
from framework.spec.document import read_document
from framework.spec.load import EXTENSION, load_spec
from framework.spec.models import Spec
from framework.spec.values import Values
from tests.validation.fixtures import INVALID, SEMANTIC, VALID, name

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


@pytest.mark.parametrize("path", schema.FILES, ids=name)
def test_the_file_is_fresh(path: Path):
    assert path.read_text(encoding="utf-8") == schema.text(path), "run `python -m framework.spec.schema`"


@pytest.mark.parametrize("path", schema.FILES, ids=name)
def test_the_schema_is_a_schema(path: Path):
    jsonschema.Draft202012Validator.check_schema(schema.FILES[path]())


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


# --- what editors show

ROOT = Path(__file__).parents[2]
EITHER = pytest.mark.parametrize("whole", [make() for make in schema.FILES.values()], ids=map(name, schema.FILES))


@EITHER
def test_all_objects_and_properties_are_described(whole: dict[str, Any]):
    objects = {"": whole, **whole["$defs"]}
    assert [place for place, node in objects.items() if not node.get("description")] == []
    assert [place for place, node in _properties(whole) if not node.get("description")] == []


@EITHER
def test_descriptions_of_properties_have_one_style(whole: dict[str, Any]):
    texts = [node["description"] for _, node in _properties(whole)]
    assert [text for text in texts if text.endswith(".") or "\n" in text or text != text.strip()] == []


@EITHER
def test_there_are_examples_where_it_is_not_plain_what_to_write(whole: dict[str, Any]):
    assert [place for place, node in _properties(whole) if not (node.get("examples") or _is_plain(node, whole))] == []


def _is_plain(node: dict[str, Any], whole: dict[str, Any]) -> bool:
    """Whether there are few values, or it is made of objects whose own properties have examples."""
    if "$ref" in node:
        return _is_plain(whole["$defs"][node["$ref"].rpartition("/")[2]], whole)
    if "properties" in node or node.get("additionalProperties") is False:
        return True
    if choices := node.get("anyOf", node.get("oneOf")):
        return all(_is_plain(choice, whole) for choice in choices)
    inner = node.get("items", node.get("additionalProperties"))
    if isinstance(inner, dict):
        return _is_plain(inner, whole)
    return "enum" in node or "const" in node or node.get("type") in ("boolean", "null")


@EITHER
def test_examples_and_defaults_fit_where_they_stand(whole: dict[str, Any]):
    for node in _nodes(whole):
        validator = jsonschema.Draft202012Validator({**node, "$defs": whole["$defs"]})
        # A default that is empty stands for a key that is not there.
        for value in [*node.get("examples", ()), *filter(None, [node.get("default")])]:
            assert [error.message for error in validator.iter_errors(value)] == []


def _properties(whole: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for node in _nodes(whole):
        for key in ("properties", "patternProperties"):
            yield from ((f"{node['title']}.{name}", inner) for name, inner in node.get(key, {}).items())


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A schema and all schemas within it."""
    yield node
    within = [inner for key in ("$defs", "properties", "patternProperties") for inner in node.get(key, {}).values()]
    within += [inner for key in ("anyOf", "oneOf") for inner in node.get(key, ())]
    within += [node[key] for key in ("items", "additionalProperties", "propertyNames") if key in node]
    for inner in within:
        if isinstance(inner, dict):
            yield from _nodes(inner)


def test_the_connections_of_the_project_fit():
    document = read_document(ROOT / "specs" / FILE)
    assert document.root is not None
    data = Values(document, environ=None).of(document.root)  # as editors see it: variables stand as they are written
    validator = jsonschema.Draft202012Validator(schema.connections_json_schema())
    assert [error.message for error in validator.iter_errors(data)] == []
    data["environments"]["default"]["shop_mysql"]["generate"] = "deny"
    assert not validator.is_valid(data)


@pytest.mark.parametrize("path", sorted((ROOT / "specs").glob("*.yaml")), ids=name)
def test_the_first_line_of_a_file_names_its_schema(path: Path):
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    wanted = schema.CONNECTIONS_PATH if path.name == FILE else schema.PATH
    assert first.startswith("# yaml-language-server: $schema=")
    assert (path.parent / first.partition("=")[2]).resolve() == wanted

"""The JSON Schemas of specs and of connections.yaml, for editors.

``python -m framework.spec.schema`` writes schema.json and connections.schema.json beside this file.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from framework.spec.connections import Connections
from framework.spec.load import EXTENSION
from framework.spec.models import Spec
from framework.spec.shapes import Model

PATH = Path(__file__).with_name("schema.json")
CONNECTIONS_PATH = Path(__file__).with_name("connections.schema.json")


class _Generator(GenerateJsonSchema):
    """A key may be left out, but not be null: the models refuse keys without a value."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        generated = super().default_schema(schema)
        if "default" in generated and generated["default"] is None:
            del generated["default"]
        return generated

    def encode_default(self, dft: Any) -> Any:
        return _without_null(super().encode_default(dft))

    def sort(self, value: JsonSchemaValue, parent_key: str | None = None) -> JsonSchemaValue:
        return dict(_as_written(super().sort(value, parent_key), value))


def _as_written(value: Any, original: Any) -> Any:
    """A sorted schema whose examples and defaults, which editors insert, keep the order they were written in."""
    if isinstance(value, list):
        return [_as_written(*pair) for pair in zip(value, original, strict=True)]
    if not isinstance(value, dict):
        return value
    return {
        key: original[key] if key in ("examples", "default") else _as_written(inner, original[key])
        for key, inner in value.items()
    }


def _without_null(value: Any) -> Any:
    """A default as an author could write it: keys that are not given are not there."""
    if not isinstance(value, dict):
        return value
    return {key: _without_null(inner) for key, inner in value.items() if inner is not None}


def json_schema() -> dict[str, Any]:
    """The schema of a spec (draft 2020-12)."""
    anchors = {
        "description": "ignored: a home for YAML anchors",
        "examples": [{"type": "timestamptz", "index": True}],
    }
    return {**_schema_of(Spec, "Vitrina pipeline"), "patternProperties": {f"^{EXTENSION}": anchors}}


def connections_json_schema() -> dict[str, Any]:
    """The schema of connections.yaml (draft 2020-12)."""
    return _schema_of(Connections, "Vitrina connections")


def _schema_of(model: type[Model], title: str) -> dict[str, Any]:
    schema = model.model_json_schema(by_alias=True, schema_generator=_Generator)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": title}


FILES: dict[Path, Callable[[], dict[str, Any]]] = {PATH: json_schema, CONNECTIONS_PATH: connections_json_schema}
"""Each file, and what makes its schema."""


def text(path: Path = PATH) -> str:
    """The schema as it is written to the file."""
    return json.dumps(FILES[path](), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the files."""
    for path in FILES:
        path.write_text(text(path), encoding="utf-8")


if __name__ == "__main__":
    main()

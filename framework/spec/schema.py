"""The JSON Schema of specs, for editors.

``python -m framework.spec.schema`` writes schema.json beside this file, and what the checks must know of Faker.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from framework.spec.checks import faker_index
from framework.spec.load import EXTENSION
from framework.spec.models import Spec

PATH = Path(__file__).with_name("schema.json")


class _Generator(GenerateJsonSchema):
    """A key may be left out, but not be null: the models refuse keys without a value."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        generated = super().default_schema(schema)
        if "default" in generated and generated["default"] is None:
            del generated["default"]
        return generated


def json_schema() -> dict[str, Any]:
    """The schema of a spec (draft 2020-12)."""
    schema = Spec.model_json_schema(by_alias=True, schema_generator=_Generator)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Vitrina pipeline",
        "patternProperties": {f"^{EXTENSION}": {"description": "ignored: a home for anchors"}},
    }


def text() -> str:
    """The schema as it is written to the file."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the files."""
    PATH.write_text(text(), encoding="utf-8")
    faker_index.FILE.write_text(faker_index.text(), encoding="utf-8")


if __name__ == "__main__":
    main()

"""Building blocks of the models: strict bases, shorthands, and their JSON Schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Strict,
    StringConstraints,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema
from typing_extensions import Self

from framework import units

Name = Annotated[str, StringConstraints(min_length=1)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40), Field(examples=["shop"])]
Names = Annotated[tuple[Name, ...], Strict(False), Field(min_length=1)]
TableName = Annotated[Name, Field(examples=["orders"])]
ColumnName = Annotated[Name, Field(examples=["id"])]
ChangeColumn = Annotated[Name, Field(examples=["updated_at"])]
TypeName = Annotated[Name, Field(examples=["bigint", "varchar(120)", "numeric(12,2)", "timestamptz"])]
SchemaName = Annotated[Name, Field(examples=["public", "sales"])]
Locale = Annotated[Name, Field(examples=["en_US", "ru_RU"])]
ColumnNames = Annotated[Names, Field(examples=[["id"], ["country", "month"]])]
ColumnLists = Annotated[
    tuple[Names, ...], Strict(False), Field(examples=[[["customer_id"]], [["customer_id", "created_at"], ["status"]]])
]
Scalar = str | int | float | bool
Sql = Annotated[str, StringConstraints(min_length=1)]
Percent = Annotated[str, StringConstraints(pattern=units.PERCENT), Field(examples=["5%"])]
Duration = Annotated[str, StringConstraints(pattern=units.DURATION), Field(examples=["10min", "90d"])]


class NullIsAWord:
    """Marks a field one of whose words, ``null``, YAML takes for nothing."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [handler(schema), {"const": None}]}


NULL_IS_A_WORD = NullIsAWord()


class Model(BaseModel):
    """A frozen mapping: unknown keys and keys without a value are refused, nothing is converted."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=False, serialize_by_alias=True)

    @field_validator("*", mode="before")
    @classmethod
    def _has_value(cls, value: Any, info: ValidationInfo) -> Any:
        if value is None:
            if NULL_IS_A_WORD in cls.model_fields[str(info.field_name)].metadata:
                return "null"
            raise PydanticCustomError("empty", "the key has no value; give it one or remove it")
        return value


class Empty(Model):
    """Nothing to set: write {}."""


class OneOf(Model):
    """A mapping that says one thing out of several: exactly one of the keys in ``kinds()``."""

    beside: ClassVar[frozenset[str]] = frozenset()
    """Keys that may stand beside the one."""

    @classmethod
    def kinds(cls) -> tuple[str, ...]:
        """The keys one of which must be there, as they are written."""
        return tuple(f.alias or name for name, f in cls.model_fields.items() if name not in cls.beside)

    @property
    def kind(self) -> str:
        """The key that is there."""
        return next(
            name for name in type(self).model_fields if name in self.model_fields_set and name not in self.beside
        )

    @property
    def value(self) -> Any:
        """What stands under that key."""
        return getattr(self, self.kind)

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [name for name in type(self).model_fields if name in self.model_fields_set and name not in self.beside]
        if len(given) != 1:
            raise PydanticCustomError(
                "one_of",
                "exactly one of {kinds} is needed here, not {count}",
                {"kinds": ", ".join(self.kinds()), "count": len(given)},
            )
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        json_schema = handler(schema)
        handler.resolve_ref_schema(json_schema)["oneOf"] = [{"required": [kind]} for kind in cls.kinds()]
        return json_schema


@dataclass(frozen=True, eq=False)
class Shorthand:
    """Lets an author write less: ``expand`` turns the short form into the full one and leaves all else alone.

    ``schema`` is the JSON Schema of the short form, or the key of the full form that has the same.
    """

    expand: Callable[[Any], Any]
    schema: Mapping[str, Any] | str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.expand, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        full = handler(schema)
        if isinstance(self.schema, str):
            return {"anyOf": [handler.resolve_ref_schema(full)["properties"][self.schema], full]}
        return {"anyOf": [dict(self.schema), full]}


def text_means(key: str) -> Shorthand:
    """A bare text ``x`` stands for ``{key: x}``."""
    return Shorthand(lambda value: {key: value} if isinstance(value, str) else value, key)


nothing_means_defaults = Shorthand(lambda value: {} if value is None else value, {"type": "null"})


def mapping_or(value: Any) -> str:
    """Discriminates a union of a mapping (tag ``mapping``) and something else (tag ``plain``)."""
    return "mapping" if isinstance(value, (Mapping, BaseModel)) else "plain"


MAPPING_OR_PLAIN = Discriminator(mapping_or)
MAPPING = Tag("mapping")
PLAIN = Tag("plain")
